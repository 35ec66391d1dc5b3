// Charts: Vega-Lite specifications, the same ones that Altair makes for notebooks and documents,
// drawn by Vega with its interpreter. Vega is loaded with the first chart.
import { useEffect, useRef, useState } from "react";
import { Problem } from "./states";

interface View {
  initialize(element: HTMLElement): View;
  runAsync(): Promise<View>;
  resize(): View;
  finalize(): void;
  addSignalListener(name: string, listener: (name: string, value: unknown) => void): View;
}
interface Vega {
  compile(spec: object, options: { config: object }): { spec: object };
  parse(spec: object, config: object | undefined, options: { ast: boolean }): object;
  View: new (
    runtime: object,
    options: { renderer: "svg"; expr: unknown; loader: object; logLevel: number },
  ) => View;
  expressionInterpreter: unknown;
}

let loading: Promise<Vega> | undefined;

function vega(): Promise<Vega> {
  const known = () => (globalThis as unknown as { ethogramVega?: Vega }).ethogramVega;
  loading ??= (async () => {
    // A variable, so that the build leaves the import for the browser.
    const file = new URL("static/vendor/vega.js", document.baseURI).href;
    if (!known()) await import(file);
    const found = known();
    if (!found) throw new Error("the charts could not be loaded");
    return found;
  })();
  return loading;
}

/** A specification loads nothing: all data is in it. */
const nothing = {
  load: () => Promise.reject(new Error("charts load no files")),
  sanitize: () => Promise.reject(new Error("charts have no links")),
};

/** Colours of the page for axes, text and marks, from its CSS variables. */
function config(): object {
  const css = getComputedStyle(document.documentElement);
  const [ink, soft, line] = ["--ink", "--soft", "--line"].map((name) => css.getPropertyValue(name));
  return {
    background: "transparent",
    font: "system-ui, sans-serif",
    axis: {
      labelColor: soft,
      titleColor: ink,
      gridColor: line,
      domainColor: soft,
      tickColor: soft,
    },
    legend: { labelColor: soft, titleColor: ink },
    header: { labelColor: ink, titleColor: ink },
    title: { color: ink },
    view: { stroke: line },
    text: { color: ink },
    rule: { color: soft },
  };
}

interface ChartProps {
  /** A Vega-Lite specification with its data. */
  spec: object;
  /** What it shows, in words: charts have no keyboard access, so say what matters, and link a table. */
  words: string;
  /** Called with the value of each of these signals when it changes. */
  signals?: Readonly<Record<string, (value: unknown) => void>>;
}

/** A chart. */
export function Chart({ spec, words, signals }: ChartProps) {
  const element = useRef<HTMLDivElement>(null);
  const [error, setError] = useState<Error>();
  const listening = useRef(signals);
  listening.current = signals;
  useEffect(() => {
    let view: View | undefined;
    let gone = false;
    async function draw() {
      const { compile, parse, View, expressionInterpreter } = await vega();
      if (gone || !element.current) return;
      const runtime = parse(compile(spec, { config: config() }).spec, undefined, { ast: true });
      const options = {
        renderer: "svg",
        expr: expressionInterpreter,
        loader: nothing,
        logLevel: 0,
      };
      view = new View(runtime, options as never).initialize(element.current);
      for (const name of Object.keys(listening.current ?? {})) {
        view.addSignalListener(name, (_, value) => listening.current?.[name]?.(value));
      }
      await view.runAsync();
      // Its words are those of the element around it; marks without a value have no words.
      element.current?.querySelector("svg")?.setAttribute("aria-hidden", "true");
    }
    draw().catch(setError);
    return () => {
      gone = true;
      view?.finalize();
    };
  }, [spec]);
  return (
    <figure className="chart">
      {error && <Problem error={error} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide chart scrolls, also by keyboard */}
      <div ref={element} role="img" aria-label={words} tabIndex={0} />
    </figure>
  );
}
