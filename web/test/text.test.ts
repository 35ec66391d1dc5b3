import { expect, test } from "vitest";
import { clip, codeOf, pieces, plain } from "../src/text";

test.each([
  ["plain text", "plain text"],
  ["line\nfeed and\ttab stay", "line\nfeed and\ttab stay"],
  ["\u0000", "U+0000"],
  ["\u001b[31m", "U+001B[31m"],
  ["\r\n", "U+000D\n"],
  ["a\u202eb\u202c", "aU+202EbU+202C"],
  ["zero\u200bwidth\u200d", "zeroU+200BwidthU+200D"],
  ["\u{e0041}\u{e007f}", "U+E0041 U+E007F"],
  ["\ud800x\udc00", "U+D800xU+DC00"],
  ["\ufeff\u2028\u2029", "U+FEFF U+2028 U+2029"],
  ["emoji 🙂 and 日本語 and é stay", "emoji 🙂 and 日本語 and é stay"],
  ["مرحبا stays", "مرحبا stays"],
  ["<b>&amp;</b>", "<b>&amp;</b>"],
])("hidden characters of %j are shown as codes", (text, shown) => {
  expect(
    pieces(text)
      .map((piece) => piece.text)
      .join(""),
  ).toBe(shown);
});

test("every control, format and surrogate character is shown as a code", () => {
  const missed: string[] = [];
  for (let point = 0; point <= 0x10ffff; point += 1) {
    const text = String.fromCodePoint(point);
    const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]/u.test(text);
    const assigned = !/\p{Cn}/u.test(text);
    if (hidden && assigned && !pieces(text).every((piece) => piece.code)) missed.push(codeOf(text));
  }
  // Tab and line feed, and the selectors of emoji and text signs.
  expect(missed.slice(0, 2)).toEqual(["U+0009", "U+000A"]);
  expect(missed.slice(2).filter((code) => !/^U\+FE0[0-9A-F]$/.test(code))).toEqual([]);
});

test("titles are one line", () => {
  expect(plain(" a\n\n b\u202e ")).toBe("a bU+202E");
});

test.each([
  ["abc", 5, "abc"],
  ["abcdef", 3, "abc"],
  ["ab🙂", 3, "ab"],
  ["ab🙂", 4, "ab🙂"],
])("clip(%j, %i)", (text, most, shown) => {
  expect(clip(text, most)).toBe(shown);
});

test("a run of hidden characters is one piece", () => {
  const found = pieces(`a${"\u202e".repeat(10_000)}b`);
  expect(found.map((piece) => piece.code)).toEqual([false, true, false]);
  expect(found[1]?.text.match(/U\+202E/g)).toHaveLength(10_000);
});
