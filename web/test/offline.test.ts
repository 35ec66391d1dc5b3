import { expect, test } from "vitest";
import { choose } from "../src/offline";

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
