// How untrusted texts are shown: cells that clip, whole texts in blocks, and word differences.
import { diffWordsWithSpace } from "diff";
import { Fragment, memo, useMemo } from "react";
import { clip, pieces } from "../text";

/** A text as it is, hidden characters as codes. Its element isolates it (`bdi`, `dir`). */
function shownPieces(text: string) {
  return pieces(text).map((piece, place) =>
    piece.code ? (
      <span key={place} className="code-point" title="a hidden character">
        {piece.text}
      </span>
    ) : (
      piece.text
    ),
  );
}

/** A text as it is, hidden characters as codes, isolated so that it cannot reorder its neighbours. */
export const Plain = memo(function Plain({ text }: { text: string }) {
  return <bdi>{shownPieces(text)}</bdi>;
});

/** A stretch of a text to mark: from, to (characters) and why. */
export interface Mark {
  start: number;
  end: number;
  label: string;
  kind: string;
}

/** The text between marks and in them; where marks overlap, the one that begins first has both. */
export function markedPieces(text: string, marks: readonly Mark[]): [string, Mark | undefined][] {
  const found: [string, Mark | undefined][] = [];
  let at = 0;
  for (const mark of [...marks].sort((a, b) => a.start - b.start)) {
    const start = Math.max(mark.start, at);
    const end = Math.min(Math.max(mark.end, start), text.length);
    if (start > at) found.push([text.slice(at, start), undefined]);
    if (end > start) found.push([text.slice(start, end), mark]);
    at = Math.max(at, end);
  }
  if (at < text.length) found.push([text.slice(at), undefined]);
  return found;
}

interface TextCellProps {
  text: string;
  /** Characters of the whole text, where `text` is its beginning only. */
  length?: number;
  /** Characters to show. Laying out full texts of 10 KB in rows takes up to 600 ms. */
  most?: number;
  marks?: readonly Mark[];
}

/** The beginning of an untrusted text, with its marks, and how much is left out. */
export const TextCell = memo(function TextCell({
  text,
  length = text.length,
  most = 400,
  marks = [],
}: TextCellProps) {
  const shown = clip(text, most);
  if (length === 0) return <span className="soft">(empty)</span>;
  return (
    <span className="text">
      {markedPieces(shown, marks).map(([piece, mark], place) =>
        mark ? (
          <mark key={place} className={mark.kind} title={mark.label}>
            <Plain text={piece} />
          </mark>
        ) : (
          <Plain key={place} text={piece} />
        ),
      )}
      {length > shown.length && <span className="soft"> … {length - shown.length} more</span>}
    </span>
  );
});

const BLOCK = 10_000;

/** A whole text, of any length: in blocks that the browser lays out when they come into view. */
export function WholeText({ text, marks = [] }: { text: string; marks?: readonly Mark[] }) {
  const blocks = useMemo(() => {
    const found: { start: number; text: string }[] = [];
    for (let start = 0; start < text.length; ) {
      const piece = clip(text.slice(start, start + BLOCK + 1), BLOCK) || text[start] || "";
      found.push({ start, text: piece });
      start += piece.length;
    }
    return found;
  }, [text]);
  if (!text) return <span className="soft">(empty)</span>;
  return (
    <div className="whole text">
      {blocks.map((block) => (
        <div key={block.start} className={blocks.length > 1 ? "block" : ""}>
          {markedPieces(
            block.text,
            marks.map((mark) => ({
              ...mark,
              start: mark.start - block.start,
              end: mark.end - block.start,
            })),
          ).map(([piece, mark], place) =>
            mark ? (
              <mark key={place} className={mark.kind} title={mark.label}>
                <Plain text={piece} />
              </mark>
            ) : (
              <Plain key={place} text={piece} />
            ),
          )}
        </div>
      ))}
    </div>
  );
}

/** A stretch of both texts, or of each one in its place. */
export interface DiffPart {
  same: string;
  before: string;
  after: string;
}

/** Kept text of less than this share of the shorter one is chance: two texts, not one edited. */
const IN_COMMON = 0.2;

/**
 * Word differences as a reader would mark them: what is the same between two edits is part of an
 * edit where it is no longer than either (the semantic cleanup of diff-match-patch), so that a
 * rewritten sentence is one stretch out and one in, not every other word.
 */
export function readable(parts: readonly DiffPart[]): DiffPart[] {
  const size = (part: DiffPart) => Math.max(part.before.length, part.after.length);
  let found = [...parts];
  for (let folded = true; folded; ) {
    folded = false;
    const next: DiffPart[] = [];
    for (const part of found) {
      const [edit, kept] = next.slice(-2);
      if (edit && kept && !edit.same && kept.same && !part.same) {
        if (kept.same.length <= Math.min(size(edit), size(part))) {
          next.splice(-2, 2, {
            same: "",
            before: edit.before + kept.same + part.before,
            after: edit.after + kept.same + part.after,
          });
          folded = true;
          continue;
        }
      }
      next.push(part);
    }
    found = next;
  }
  return found;
}

/** The parts of two texts; undefined where they have too little in common. */
export function diffParts(before: string, after: string): DiffPart[] | undefined {
  const changes = diffWordsWithSpace(before, after, { maxEditLength: MOST_EDITS });
  if (!changes) return undefined;
  const parts: DiffPart[] = [];
  for (const { added, removed, value } of changes) {
    const last = parts.at(-1);
    if (!added && !removed) parts.push({ same: value, before: "", after: "" });
    else if (last && !last.same) last[added ? "after" : "before"] += value;
    else parts.push({ same: "", before: added ? "" : value, after: added ? value : "" });
  }
  const found = readable(parts);
  const kept = found.reduce((sum, part) => sum + part.same.trim().length, 0);
  return kept < IN_COMMON * Math.min(before.length, after.length) ? undefined : found;
}

/** Edits beyond which two texts have too little in common; 30 KB then take 45 ms, not 5 s. */
const MOST_EDITS = 400;

/** What is only in `before` and only in `after`, by words; both texts whole where all differs. */
export const WordDiff = memo(function WordDiff({
  before,
  after,
}: {
  before: string;
  after: string;
}) {
  const parts = useMemo(() => diffParts(before, after), [before, after]);
  if (before === after) return <span className="soft">(the same)</span>;
  if (!parts) {
    return (
      <span className="text">
        <span className="soft">Too different for a word diff: </span>
        <ins dir="auto">{shownPieces(after)}</ins>
      </span>
    );
  }
  return (
    <span className="text">
      {parts.map((part, place) =>
        part.same ? (
          <Plain key={place} text={part.same} />
        ) : (
          <Fragment key={place}>
            {part.before && <del dir="auto">{shownPieces(part.before)}</del>}
            {part.after && <ins dir="auto">{shownPieces(part.after)}</ins>}
          </Fragment>
        ),
      )}
    </span>
  );
});
