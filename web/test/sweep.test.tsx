import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, test, vi } from "vitest";
import type { Schemas } from "../src/client";
import { clickedSetting, nextCell } from "../src/views/sweep_charts";
import { gridSize, lines, words } from "../src/views/sweep_form";
import { Rounds, Trials } from "../src/views/sweep_tables";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

test.each([
  [["decoding.temperature=0.2:1.2:0.2"], 6],
  [["a=0.3:1.5:0.3", "b=0.7,0.9,1"], 15],
  [["a=1"], 1],
  [["a=1,2,"], 2],
  [["a=0.2:1.2"], undefined],
  [["a=0.001:0.1:log"], undefined],
  [["a=[[1, 2], [3]]"], undefined],
  [["a="], undefined],
  [["=1,2"], undefined],
  [["a=2:1:1"], undefined],
  [[], undefined],
])("a grid of %j has %s settings", (axes, size) => {
  expect(gridSize(axes)).toBe(size);
});

test("metrics are words and axes are lines", () => {
  expect(words(" rep_4, words:lower ;x ")).toEqual(["rep_4", "words:lower", "x"]);
  expect(lines("a=1,2\n\n  b=3  \n")).toEqual(["a=1,2", "b=3"]);
});

test.each([
  [0, 0, "ArrowRight", [0, 2]],
  [0, 2, "ArrowRight", undefined],
  [0, 2, "ArrowLeft", [0, 0]],
  [0, 0, "ArrowDown", [1, 0]],
  [1, 0, "ArrowDown", undefined],
  [1, 0, "ArrowUp", [0, 0]],
  [0, 0, "Enter", undefined],
])("from cell %i %i, %s leads to %j", (row, column, key, wanted) => {
  const filled = [
    [true, false, true],
    [true, true, false],
  ];
  expect(nextCell(filled, row, column, key)).toEqual(wanted);
});

test("a click beside all marks opens nothing", () => {
  expect(clickedSetting({ setting: ["v0.1.0+02"] })).toBe("v0.1.0+02");
  expect(clickedSetting({ setting: [""] })).toBeUndefined();
  expect(clickedSetting({})).toBeUndefined();
  expect(clickedSetting(undefined)).toBeUndefined();
});

const trial = (name: string, fate: string, more: object = {}) => ({
  name,
  words: `stop <b>${name}</b>`,
  setting: {},
  values: { words: "3.00" },
  samples: 2,
  fate,
  eliminated: "",
  front_share: "80 %",
  against: {},
  doubt: "",
  promoted: [],
  ...more,
});

const data = {
  id: 1,
  state: "done",
  base: "v1",
  base_values: { words: "2.00" },
  metrics: [
    { name: "words", title: "Words", direction: "higher", objective: true },
    { name: "rep_4", title: "Rep-4", direction: "lower", objective: false },
  ],
  trials: [
    trial("s1", "chosen", { against: { words: "+1.00 [+0.50, +1.50]" }, promoted: ["v2"] }),
    trial("s2", "eliminated", { eliminated: "in round 1 by s1" }),
  ],
  rounds: [
    {
      number: 1,
      samples: 1,
      settings: 2,
      eliminated: [{ name: "s2", words: "s2", by: "s1", why: "Words 1.00 against 3.00" }],
    },
  ],
} as unknown as Schemas["SweepInfo"];

test("settings are rows with values and intervals, and markup in them is text", () => {
  const [open, promote] = [vi.fn(), vi.fn()];
  const box = document.createElement("div");
  act(() =>
    createRoot(box).render(<Trials data={data} current="s2" onOpen={open} onPromote={promote} />),
  );
  expect(box.querySelector("b")).toBeNull();
  const rows = [...box.querySelectorAll("tbody tr")].map((row) => row.textContent);
  expect(rows[0]).toContain("v1parent2.00");
  expect(rows[1]).toContain("+1.00 [+0.50, +1.50]");
  expect(rows[1]).toContain("is v2");
  expect(box.querySelector("[aria-current]")?.textContent).toContain("s2");
  expect(box.textContent).not.toContain("Rep-4");
  act(() => box.querySelector<HTMLElement>("tbody tr:nth-child(3) .link")?.click());
  expect(open).toHaveBeenCalledWith("s2");
  act(() => box.querySelector<HTMLElement>("[aria-label^=Promote]")?.click());
  expect(promote).toHaveBeenCalledWith("s1");
});

test("a sweep that is not finished promotes nothing", () => {
  const box = document.createElement("div");
  const running = { ...data, state: "running" } as typeof data;
  act(() =>
    createRoot(box).render(
      <Trials data={running} current="" onOpen={() => {}} onPromote={() => {}} />,
    ),
  );
  expect(box.querySelector("[aria-label^=Promote]")).toBeNull();
});

test("a round says who was eliminated and why", () => {
  const box = document.createElement("div");
  act(() => createRoot(box).render(<Rounds data={data} />));
  expect(box.textContent).toContain("Round 1: 2 settings, 1 sample per prompt; 1 eliminated.");
  expect(box.textContent).toContain("s2 beaten by s1: Words 1.00 against 3.00");
});
