// How untrusted texts are shown: cells that clip, whole texts in blocks, and word differences.
import { diffWordsWithSpace } from "diff";
import { memo, useMemo } from "react";
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

/** Edits beyond which two texts have too little in common; 30 KB then take 45 ms, not 5 s. */
const MOST_EDITS = 400;

/** A stretch of two texts: what only one of them has, or what both have. */
interface Change {
  value: string;
  added: boolean;
  removed: boolean;
}

/**
 * Changes with nothing but white space between them as one: `~~old cat~~ young dog` reads better
 * than a change for each word, and texts with little in common have far fewer elements to lay out.
 */
export function grouped(changes: readonly Change[]): Change[] {
  const found: Change[] = [];
  let removed = "";
  let added = "";
  const close = () => {
    if (removed) found.push({ value: removed, added: false, removed: true });
    if (added) found.push({ value: added, added: true, removed: false });
    removed = added = "";
  };
  changes.forEach((change, place) => {
    const next = changes[place + 1];
    if (change.removed) removed += change.value;
    else if (change.added) added += change.value;
    else if (removed && added && next && (next.added || next.removed) && !change.value.trim()) {
      removed += change.value;
      added += change.value;
    } else {
      close();
      found.push(change);
    }
  });
  close();
  return found;
}

/** What is only in `before` and only in `after`, by words; both texts whole where all differs. */
export const WordDiff = memo(function WordDiff({
  before,
  after,
}: {
  before: string;
  after: string;
}) {
  const changes = useMemo(() => {
    const found = diffWordsWithSpace(before, after, { maxEditLength: MOST_EDITS });
    return found && grouped(found);
  }, [before, after]);
  if (before === after) return <span className="soft">(the same)</span>;
  if (!changes) {
    return (
      <span className="text">
        <span className="soft">Too different for a word diff. </span>
        <Plain text={after} />
      </span>
    );
  }
  return (
    <span className="text">
      {changes.map((change, place) => {
        if (change.added) {
          return (
            <ins key={place} dir="auto">
              {shownPieces(change.value)}
            </ins>
          );
        }
        return change.removed ? (
          <del key={place} dir="auto">
            {shownPieces(change.value)}
          </del>
        ) : (
          <Plain key={place} text={change.value} />
        );
      })}
    </span>
  );
});
