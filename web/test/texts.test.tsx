import type { ReactNode } from "react";
import { act } from "react";
import { createRoot } from "react-dom/client";
import { expect, test } from "vitest";
import { markedPieces, TextCell, WholeText, WordDiff } from "../src/parts/texts";

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

test("neighbouring changes are one, and neither text loses a character", () => {
  const before = "the old grey  cat sat\ndown here";
  const after = "the young brown\tdog sat\nup there ";
  const box = shown(<WordDiff before={before} after={after} />);
  const words = (name: string) => [...box.querySelectorAll(name)].map((each) => each.textContent);
  expect(words("del")).toEqual(["old grey  cat", "down here"]);
  expect(words("ins")).toEqual(["young brown\tdog", "up there "]);
  const without = (name: string) => {
    const copy = box.cloneNode(true) as HTMLElement;
    for (const each of copy.querySelectorAll(name)) each.remove();
    return copy.textContent;
  };
  expect(without("ins")).toBe(before);
  expect(without("del")).toBe(after);
});

test("texts with nothing in common are not compared for seconds", () => {
  const words = (start: number) =>
    Array.from({ length: 5000 }, (_, i) => `w${start + i}`).join(" ");
  const began = performance.now();
  const box = shown(<WordDiff before={words(0)} after={words(100_000)} />);
  expect(box.textContent).toContain("Too different");
  expect(performance.now() - began).toBeLessThan(2000);
});
