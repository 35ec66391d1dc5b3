// Verdicts in words and intervals as whiskers. Numbers are formatted by the server, so that page,
// terminal and log show the same ones.
import type { Schemas } from "../client";

export type Difference = Schemas["DifferenceInfo"];

/** The colour class of a clear verdict; what is not clear has no colour. */
export function toneOf(item: Difference): string {
  return item.clear ? item.verdict : "";
}

/** A verdict in words: `better`, `perhaps worse`, `no clear change`. */
export function Verdict({ item }: { item: Difference }) {
  return <strong className={`verdict ${toneOf(item)}`}>{item.verdict}</strong>;
}

/** Standard deviations from zero to either end of the axis; beyond, an arrow. */
const MOST = 3;
const WIDTH = 220;

function place(value: number): number {
  const inside = Math.min(Math.max(value, -MOST), MOST);
  return 10 + ((WIDTH - 20) * (inside + MOST)) / (2 * MOST);
}

/** The 95 % interval of a difference, on an axis of standard deviations between prompts. */
export function Interval({ item }: { item: Difference }) {
  const { standard } = item;
  if (!standard) return <span className="soft">{item.words.interval}</span>;
  const [low, middle, high] = standard.map(place) as [number, number, number];
  const words = `difference ${item.words.difference}, 95 % interval ${item.words.interval}`;
  return (
    <svg
      viewBox={`0 0 ${WIDTH} 16`}
      className={`interval ${toneOf(item) || "soft"}`}
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      {Array.from({ length: 2 * MOST + 1 }, (_, tick) => tick - MOST).map((tick) => (
        <line
          key={tick}
          className={tick === 0 ? "tick zero" : "tick"}
          x1={place(tick)}
          x2={place(tick)}
          y1="0"
          y2="16"
        />
      ))}
      <line className="whisker" x1={low} x2={high} y1="8" y2="8" />
      {standard[0] < -MOST && <path d={`M${low + 5} 4 L${low} 8 L${low + 5} 12`} />}
      {standard[2] > MOST && <path d={`M${high - 5} 4 L${high} 8 L${high - 5} 12`} />}
      <circle cx={middle} cy="8" r="3" />
    </svg>
  );
}
