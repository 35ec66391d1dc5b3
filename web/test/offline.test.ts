import { expect, test } from "vitest";
import { answerOf, choose, chosenCurves, keyOf, type Report, unpacked } from "../src/offline";

type Rows = Parameters<typeof choose>[0];

function cell(text: string, verdict: string, number: number | null, pitfalls: object = {}) {
  return { output: { text, length: text.length, marks: [] }, verdict, number, pitfalls };
}

const rows = [
  ["a", 2, true, ["x"], cell("one", "", 0), cell("two", "better", 3)],
  ["b", 0, true, [], cell("loop loop", "", 9, { loop: 1 }), cell("ends", "worse", 2)],
  ["c", 1, false, ["x", "y"], cell("same", "", 5), null],
].map(([id, place, different, tags, before, after]) => ({
  prompt_id: id,
  place,
  different,
  tags,
  prompt: { text: `Write ${id}`, length: 7 },
  cells: [before, after],
})) as unknown as Rows;

/** Whole outputs, of which the cells show beginnings. */
const outputs: Record<string, string[]> = {
  a: ["one", "two", "two and a late word"],
  b: ["loop loop", "ends"],
  c: ["same"],
};

test.each([
  [{}, "abc"],
  [{ text: "late WORD" }, "a"],
  [{ mode: "different" }, "ab"],
  [{ mode: "better" }, "a"],
  [{ mode: "worse" }, "b"],
  [{ mode: "failures" }, "b"],
  [{ pitfall: "loop" }, "b"],
  [{ tags: ["x"] }, "ac"],
  [{ tags: ["x"], mode: "different" }, "a"],
  [{ low: 2.5 }, "a"],
  [{ high: 2.5 }, "b"],
  [{ text: "WRITE C" }, "c"],
  [{ text: "^(two|ends)$", pattern: true }, "ab"],
  [{ sort: "suite" }, "bca"],
  [{ sort: "value" }, "abc"],
])("%j leaves %s", (filters, wanted) => {
  expect(
    choose(rows, filters, (prompt) => outputs[prompt] ?? [])
      .map((row) => row.prompt_id)
      .join(""),
  ).toBe(wanted);
});

test("charts get their rows back, columns that are alike from one place", () => {
  const columns = [
    ["a", "b"],
    [1, null],
  ];
  const packed = {
    spec: {
      data: { packed: { prompt: 0, before: 1 } },
      layer: [{ data: { packed: { setting: 0 } } }, { data: { values: [{ at: 0 }] } }],
    },
    prompts: { packed: "the id of a prompt" },
    words: "two prompts",
  };
  expect(unpacked(packed, columns)).toEqual({
    spec: {
      data: {
        values: [
          { prompt: "a", before: 1 },
          { prompt: "b", before: null },
        ],
      },
      layer: [
        { data: { values: [{ setting: "a" }, { setting: "b" }] } },
        { data: { values: [{ at: 0 }] } },
      ],
    },
    prompts: { packed: "the id of a prompt" },
    words: "two prompts",
  });
});

const curves = {
  panels: ["loss", "loop_rate", "seconds"].map((name) => ({ name, title: name.toUpperCase() })),
  first: 2,
  further: {},
} as unknown as Parameters<typeof chosenCurves>[0];

test.each([
  [[], "loss loop_rate", "seconds"],
  [["seconds", "loss"], "seconds loss", "loop_rate"],
  [["unknown"], "", "loss loop_rate seconds"],
])("of all curves %j leaves %s", (wanted, shown, further) => {
  const found = chosenCurves(curves, wanted);
  expect(found.panels.map((panel) => panel.name).join(" ")).toBe(shown);
  expect(Object.keys(found.further).join(" ")).toBe(further);
});

const report = {
  log: { versions: [{ name: "v1", title: "The first" }] },
  comparisons: { "v1 v2": { metric: "words" } },
  columns: [],
  answers: {
    "/api/sweeps": { sweeps: [{ id: 3, title: "top_p of v1", sentence: "Finished." }] },
    "/api/sweeps/{number}/heat number=3 x=a y=b metric=words fixed=": "heat",
    "/api/sweeps/{number}/samples number=3 setting=s": {
      offset: 0,
      total: 3,
      rows: ["a", "b", "c"],
    },
    "/api/compare/chart versions=v1,v2 metric=words": "chart",
    "/api/trainings/curves id=1,2 log=true window=5": curves,
  },
} as unknown as Report;

test.each([
  [
    "/api/sweeps/{number}/heat",
    { number: 3 },
    { x: "a", y: "b", metric: "words", fixed: [] },
    "heat",
  ],
  ["/api/compare/chart", {}, { versions: ["v1", "v2"], metric: "" }, "chart"],
  ["/api/compare/chart", {}, { versions: ["v1", "v2"], metric: "tokens" }, undefined],
  [
    "/api/sweeps/{number}/samples",
    { number: 3 },
    { setting: "s", offset: 1, limit: 1 },
    { offset: 1, total: 3, rows: ["b"] },
  ],
  [
    "/api/trainings/curves",
    {},
    { id: [1, 2], quantity: [], log: true, window: 5 },
    chosenCurves(curves, []),
  ],
  [
    "/api/search",
    {},
    { q: "TOP" },
    [{ kind: "sweep", id: "3", name: "top_p of v1", words: "Finished." }],
  ],
  ["/api/microscope", {}, {}, undefined],
])("%s is answered as the server would", (route, path, query, answer) => {
  expect(answerOf(report, route, path, query)).toEqual(answer);
});

test("an answer is kept under its route and what was asked", () => {
  expect(keyOf("/api/a/{n}", { n: 1, id: [1, 2], log: false })).toBe(
    "/api/a/{n} n=1 id=1,2 log=false",
  );
});
