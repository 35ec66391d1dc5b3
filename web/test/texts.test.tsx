import type { ReactNode } from "react";
import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, test } from "vitest";
import { diffParts, markedPieces, TextCell, WholeText, WordDiff } from "../src/parts/texts";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

function shown(element: ReactNode): HTMLElement {
  const box = document.createElement("div");
  act(() => createRoot(box).render(element));
  return box;
}

test("markup of a model is text", () => {
  const text = "<script>alert(1)</script><img src=x onerror=alert(1)>";
  for (const box of [shown(<TextCell text={text} />), shown(<WholeText text={text} />)]) {
    expect(box.querySelector("script, img")).toBeNull();
    expect(box.textContent).toBe(text);
  }
});

test("a cell shows the beginning and how much is left out", () => {
  expect(shown(<TextCell text={"a".repeat(500)} most={100} />).textContent).toBe(
    `${"a".repeat(100)} … 400 more`,
  );
  expect(shown(<TextCell text={"a".repeat(400)} length={1000} />).textContent).toContain(
    "600 more",
  );
  expect(shown(<TextCell text="" />).textContent).toBe("(empty)");
});

test("a whole text of any length is all there, in blocks", () => {
  const text = "🙂x".repeat(20_000);
  const box = shown(<WholeText text={text} />);
  expect(box.textContent).toBe(text);
  expect(box.querySelectorAll(".block").length).toBeGreaterThan(5);
});

test.each([
  ["abcdef", [[1, 3]], "a|bc*|def"],
  [
    "abcdef",
    [
      [1, 4],
      [2, 6],
    ],
    "a|bcd*|ef*",
  ],
  ["abcdef", [[4, 9]], "abcd|ef*"],
  ["abcdef", [[-3, 2]], "ab*|cdef"],
  [
    "abcdef",
    [
      [-5, -2],
      [8, 9],
    ],
    "abcdef",
  ],
  ["abc", [], "abc"],
])("marks of %j at %j", (text, spans, wanted) => {
  const marks = spans.map(([start, end]) => ({
    start: start ?? 0,
    end: end ?? 0,
    label: "",
    kind: "",
  }));
  const found = markedPieces(text, marks);
  expect(found.map(([piece, mark]) => piece + (mark ? "*" : "")).join("|")).toBe(wanted);
  expect(found.map(([piece]) => piece).join("")).toBe(text);
});

test("a word diff marks what is only in one of the texts", () => {
  const box = shown(<WordDiff before="the old cat sat" after="the young cat sat" />);
  expect(box.querySelector("del")?.textContent).toBe("old");
  expect(box.querySelector("ins")?.textContent).toBe("young");
  expect(shown(<WordDiff before="a" after="a" />).textContent).toBe("(the same)");
});

test("texts with nothing in common are not compared for seconds", () => {
  const words = (start: number) =>
    Array.from({ length: 5000 }, (_, i) => `w${start + i}`).join(" ");
  const began = performance.now();
  const box = shown(<WordDiff before={words(0)} after={words(100_000)} />);
  expect(box.textContent).toContain("Too different");
  expect(performance.now() - began).toBeLessThan(2000);
});

/** Parts as `same[before|after]`. */
function words(before: string, after: string): string | undefined {
  return diffParts(before, after)
    ?.map((part) => part.same || `[${part.before}|${part.after}]`)
    .join("");
}

test.each([
  [
    "a long start, the cat sat down.",
    "a long start, the dog sat down.",
    "a long start, the [cat|dog] sat down.",
  ],
  [
    "It was a cat there, all day long.",
    "It was the dog here, all day long.",
    "It was [a cat there|the dog here], all day long.",
  ],
  ["The end of a story.", "The end of a story. More.", "The end of a story.[| More.]"],
  ["the wood inside was still warm", "she went to the church in the snow", undefined],
])("%j to %j reads as %j", (before, after, shown) => {
  expect(words(before, after)).toBe(shown);
});

test("the parts of a word diff are both texts, whole", () => {
  const before = "one two three four five six seven eight nine ten eleven twelve";
  const after = "one 2 three four 5 six seven eight nine 10 eleven twelve thirteen";
  const parts = diffParts(before, after) ?? [];
  expect(parts.map((part) => part.same + part.before).join("")).toBe(before);
  expect(parts.map((part) => part.same + part.after).join("")).toBe(after);
});
