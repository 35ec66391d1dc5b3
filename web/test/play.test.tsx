import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, test } from "vitest";
import { tokenWords } from "../src/parts/tokens";
import { LaneOutput } from "../src/views/play";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const ended = { lane: 0, text: "", finish_reason: "eos", tokens: 1, seconds: 0.1 };

test.each([
  ["before the first one", {}, "Generate, and the output of v0.1.0 appears here."],
  ["while the model loads", { running: true }, "waiting for the first token …"],
  ["while it comes", { running: true, text: "The" }, "The"],
  ["when it failed", { failed: true }, "Nothing was generated."],
  ["when the model wrote nothing", { ended }, "(empty)"],
  ["when it was stopped", { text: "The sea", failed: true }, "The sea"],
])("a lane %s", (_, state, shown) => {
  const box = document.createElement("div");
  const lane = { text: "", ended: undefined, running: false, failed: false, ...state };
  act(() => createRoot(box).render(<LaneOutput version="v0.1.0" {...lane} />));
  expect(box.textContent).toBe(shown);
});

test.each([
  [" the", " the"],
  ["\n", "⏎"],
  ["  ", "␣␣"],
  ["\t", "⇥"],
  ["", ""],
])("a token %j is shown as %j", (text, shown) => {
  expect(tokenWords(text)).toBe(shown);
});
