// Vega and Vega-Lite with the interpreter of expressions, which needs no eval. A global, so that
// the page can load it when the first chart is shown, and the report can hold it inline.
import { parse, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile } from "vega-lite";

Object.assign(globalThis, { ethogramVega: { View, parse, expressionInterpreter, compile } });
