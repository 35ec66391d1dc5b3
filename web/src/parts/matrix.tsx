// The rows of a comparison: a prompt and a cell for each version. Only rows near the visible part
// are there, and their texts are clipped by the server, so that scrolling stays smooth.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  memo,
  startTransition,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Schemas } from "../client";
import { useKeys } from "../keys";
import { report } from "../offline";
import { plain } from "../text";
import { Remarks } from "./remarks";
import { Plain, TextCell, WordDiff } from "./texts";

export type Row = Schemas["RowInfo"];
export type Cell = Schemas["CellInfo"];
export type Column = Schemas["ColumnInfo"];

/** Pixels of a row before it is measured. */
const ESTIMATE = 190;
/** Rows beyond the visible part. */
const OVERSCAN = 4;

interface CellProps {
  cell: Cell | null;
  first: Cell | null;
  column: Column;
  promptId: string;
  diff: boolean;
  pitfalls: Readonly<Record<string, string>>;
}

function CellView({ cell, first, column, promptId, diff, pitfalls }: CellProps) {
  if (!cell) {
    return (
      <div role="cell" className="cell soft">
        {column.version} does not have this prompt
      </div>
    );
  }
  return (
    <div role="cell" className="cell">
      <div className="cell-head">
        <b className="narrow">{column.version}</b>
        <span className={`number ${cell.verdict}`}>
          {cell.value}
          {cell.move && ` (${cell.move}${cell.verdict && `, ${cell.verdict}`})`}
        </span>
        <span className="soft">
          {cell.outputs === 1
            ? ""
            : cell.distinct === 1
              ? `${cell.outputs} equal samples`
              : `sample ${cell.index}, ${cell.distinct} of ${cell.outputs} differ`}
        </span>
        {!report() && <Remarks version={column.version} promptId={promptId} remark={cell.remark} />}
      </div>
      <div className="cell-text">
        {diff && first && first !== cell ? (
          <WordDiff before={first.output.text} after={cell.output.text} />
        ) : (
          <TextCell {...cell.output} />
        )}
      </div>
      {Object.keys(cell.pitfalls).length > 0 && (
        <div className="badges">
          {Object.entries(cell.pitfalls).map(([name, count]) => (
            <span key={name} className="badge">
              {(pitfalls[name] ?? name).toLowerCase()}
              {cell.outputs > 1 && ` ${count} of ${cell.outputs}`}
            </span>
          ))}
        </div>
      )}
    </div>
  );
}

/**
 * Of the rows that are there, those that have their texts: each frame adds one, the nearest to the
 * middle. The layout of a dozen at once takes some 100 ms.
 */
function useFilled(shown: readonly number[]): ReadonlySet<number> {
  const [filled, setFilled] = useState<ReadonlySet<number>>(new Set());
  const wanted = useRef(shown);
  wanted.current = shown;
  const asked = useRef(0);
  useEffect(() => () => cancelAnimationFrame(asked.current), []);
  useEffect(() => {
    if (asked.current || shown.every((place) => filled.has(place))) return;
    asked.current = requestAnimationFrame(() => {
      asked.current = 0;
      const places = wanted.current;
      const middle = ((places[0] ?? 0) + (places.at(-1) ?? 0)) / 2;
      const [next] = places
        .filter((place) => !filled.has(place))
        .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
      const kept = places.filter((place) => filled.has(place));
      // A word diff takes a while: React goes on with it in the next frame.
      startTransition(() => setFilled(new Set(next === undefined ? kept : [...kept, next])));
    });
  });
  return filled;
}

interface MatrixProps {
  columns: readonly Column[];
  pitfalls: Readonly<Record<string, string>>;
  total: number;
  /** The row at a place, if it is loaded. */
  rowAt: (place: number) => Row | undefined;
  /** Called with the places that are shown. */
  onShown: (first: number, last: number) => void;
  diff: boolean;
  onDiff: () => void;
  onOpen: (promptId: string) => void;
}

/** The rows, with keys to walk, open and star. */
export function Matrix(props: MatrixProps) {
  const { columns, total, rowAt, onShown, onOpen, onDiff, diff, pitfalls } = props;
  const list = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    setMargin((list.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
  }, []);
  const rows = useWindowVirtualizer({
    count: total,
    estimateSize: () => ESTIMATE,
    overscan: OVERSCAN,
    scrollMargin: margin,
  });
  const shown = rows.getVirtualItems();
  const first = shown[0]?.index ?? 0;
  const last = shown.at(-1)?.index ?? 0;
  const filled = useFilled(shown.map((item) => item.index));
  useEffect(() => onShown(first, last), [first, last, onShown]);
  const step = useCallback(
    (by: number) => {
      const next = Math.min(Math.max(current + by, 0), total - 1);
      setCurrent(next);
      rows.scrollToIndex(next, { align: "auto" });
      requestAnimationFrame(() =>
        list.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus(),
      );
    },
    [current, total, rows],
  );
  const row = rowAt(current);
  useKeys([
    { key: "j", words: "next prompt", run: () => step(1) },
    { key: "k", words: "previous prompt", run: () => step(-1) },
    { key: "o", words: "open the prompt's outputs", run: () => row && onOpen(row.prompt_id) },
    { key: "d", words: "word diff on or off", run: onDiff },
    {
      key: "s",
      words: "star the last version's output",
      run: () =>
        [...(list.current?.querySelectorAll<HTMLElement>(`[data-index="${current}"] .star`) ?? [])]
          .at(-1)
          ?.click(),
    },
  ]);
  return (
    <div
      role="table"
      aria-label="Prompts and outputs"
      aria-rowcount={total + 1}
      className="matrix"
      data-columns={columns.length}
    >
      <div role="row" className="matrix-head" aria-rowindex={1}>
        <div role="columnheader">prompt</div>
        {columns.map((column) => (
          <div role="columnheader" key={column.version}>
            {column.version} <span className="soft">{plain(column.title)}</span>
          </div>
        ))}
      </div>
      <div
        role="rowgroup"
        ref={list}
        className="matrix-rows"
        style={{ height: rows.getTotalSize() }}
      >
        {shown.map((item) => {
          // Keys act on the current row, so it is drawn at once.
          const drawn = item.index === current || filled.has(item.index);
          const found = drawn ? rowAt(item.index) : undefined;
          return (
            <div
              role="row"
              key={item.index}
              ref={rows.measureElement}
              data-index={item.index}
              aria-rowindex={item.index + 2}
              tabIndex={item.index === current ? 0 : -1}
              onFocus={() => setCurrent(item.index)}
              className="matrix-row"
              style={{
                transform: `translateY(${item.start - margin}px)`,
                // Without its texts a row is as high as it was with them, or as estimated.
                minHeight: found ? undefined : item.size,
              }}
            >
              {found ? (
                <RowCells
                  row={found}
                  columns={columns}
                  diff={diff}
                  pitfalls={pitfalls}
                  onOpen={onOpen}
                />
              ) : (
                <div role="cell" className="cell soft">
                  Loading …
                </div>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

type RowProps = Pick<MatrixProps, "columns" | "diff" | "pitfalls" | "onOpen"> & { row: Row };

/** The cells of a row; not drawn again while the page scrolls. */
const RowCells = memo(function RowCells({ row, columns, diff, pitfalls, onOpen }: RowProps) {
  return (
    <>
      <div role="rowheader" className="cell">
        <button type="button" className="link" onClick={() => onOpen(row.prompt_id)}>
          <Plain text={row.prompt_id} />
        </button>
        <div className="cell-text">
          <TextCell text={row.prompt.text} length={row.prompt.length} most={200} />
        </div>
        <span className="soft">{row.tags.map(plain).join(", ")}</span>
      </div>
      {columns.map((column, place) => (
        <CellView
          key={column.version}
          cell={row.cells[place] ?? null}
          first={row.cells[0] ?? null}
          column={column}
          promptId={row.prompt_id}
          diff={diff}
          pitfalls={pitfalls}
        />
      ))}
    </>
  );
});
