// Texts of models are untrusted: they are only ever text nodes, and characters that hide, reorder or
// control are written as codes, in ASCII because fonts lack pictures for them.

/** A stretch of a text: shown as it is, or as the codes of hidden characters, with spaces between. */
export interface Piece {
  text: string;
  code: boolean;
}

/**
 * Controls but tab and line feed; format characters (bidirectional, zero-width, tags, soft hyphen,
 * byte order mark); lone surrogates; line and paragraph separators; fillers and joiners without a
 * sign; selectors of variants, which can carry a hidden text.
 */
const HIDDEN =
  /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\u034f|\u17b4|\u17b5|[\u180b-\u180f]|[\u{e0100}-\u{e01ef}]/gu;

/** `U+202E` */
export function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A text in pieces; joined, they are the text, with codes in place of hidden characters. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > at) found.push({ text: text.slice(at, match.index), code: false });
    // A run is one piece: a million of them would be as many elements, and minutes to open.
    const last = match.index === at ? found.at(-1) : undefined;
    if (last?.code) last.text += ` ${codeOf(match[0])}`;
    else found.push({ text: codeOf(match[0]), code: true });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ text: text.slice(at), code: false });
  return found;
}

/** The text on one line, for titles, names of options and the like. */
export function plain(text: string): string {
  return pieces(text)
    .map((piece) => piece.text)
    .join("")
    .replace(/\s+/g, " ")
    .trim();
}

/** At most so many characters; never half a surrogate pair. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}
