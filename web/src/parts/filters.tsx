// The filters of a comparison: their fields, and where they stand in the address.
import { useEffect, useState } from "react";
import type { Schemas } from "../client";
import { report } from "../offline";
import { useQuery } from "../router";
import { plain } from "../text";

type MatrixInfo = Schemas["MatrixInfo"];
type Mode = "different" | "worse" | "better" | "failures" | "all";
type Sort = "difference" | "suite" | "value";

const MODES: Record<Mode, string> = {
  different: "different",
  worse: "worse",
  better: "better",
  failures: "failures",
  all: "all",
};
const SORTS: Record<Sort, string> = {
  difference: "largest difference",
  value: "highest value",
  suite: "order of the suite",
};
/** Milliseconds after the last key before a text is searched. */
const TYPING = 250;

interface ChoiceProps {
  label: string;
  value: string;
  options: Readonly<Record<string, string>>;
  onChange: (value: string) => void;
}

/** A choice of one of some options. */
export function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {Object.entries(options).map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A field whose value counts once typing has paused. */
function Typed({
  label,
  value,
  onChange,
  type = "search",
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  type?: string;
}) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onChange(text), TYPING);
    return () => clearTimeout(timer);
  }, [text, value, onChange]);
  return (
    <label>
      {label}
      <input type={type} value={text} onChange={(event) => setText(event.target.value)} />
    </label>
  );
}

/** The query of the server for what the address says. */
export function useFilters(versions: readonly string[]) {
  const [mode, setMode] = useQuery("mode", "different");
  const [metric, setMetric] = useQuery("metric");
  const [sort, setSort] = useQuery("sort", "difference");
  const [tag, setTag] = useQuery("tag");
  const [pitfall, setPitfall] = useQuery("pitfall");
  const [low, setLow] = useQuery("low");
  const [high, setHigh] = useQuery("high");
  const [text, setText] = useQuery("text");
  const [pattern, setPattern] = useQuery("regex");
  const chosen = mode in MODES ? (mode as Mode) : "all";
  const query = {
    versions: [...versions],
    mode: versions.length < 2 && chosen === "different" ? "all" : chosen,
    metric,
    sort: sort in SORTS ? (sort as Sort) : "difference",
    tags: tag ? [tag] : [],
    pitfall,
    ...(Number.isFinite(Number.parseFloat(low)) ? { low: Number.parseFloat(low) } : {}),
    ...(Number.isFinite(Number.parseFloat(high)) ? { high: Number.parseFloat(high) } : {}),
    text,
    pattern: pattern === "1",
  };
  const set = {
    setMode,
    setMetric,
    setSort,
    setTag,
    setPitfall,
    setLow,
    setHigh,
    setText,
    setPattern,
  };
  return { query, low, high, tag, ...set };
}

export type Filters = ReturnType<typeof useFilters>;

/** The fields. */
export function Controls({ filters, data }: { filters: Filters; data: MatrixInfo }) {
  const { query } = filters;
  const titled = Object.fromEntries(data.metrics.map((metric) => [metric.name, metric.title]));
  const tags = Object.entries(data.tags).map(([tag, count]) => [tag, `${plain(tag)} (${count})`]);
  return (
    <form className="controls" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <Choice label="Show" value={query.mode} options={MODES} onChange={filters.setMode} />
      {report() ? (
        <span className="soft">by {titled[data.metric]}</span>
      ) : (
        <Choice label="by" value={data.metric} options={titled} onChange={filters.setMetric} />
      )}
      <Choice label="Sort" value={query.sort} options={SORTS} onChange={filters.setSort} />
      {tags.length > 0 && (
        <Choice
          label="Tag"
          value={filters.tag}
          options={{ "": "any", ...Object.fromEntries(tags) }}
          onChange={filters.setTag}
        />
      )}
      <Choice
        label="Pitfall"
        value={query.pitfall}
        options={{ "": "any", ...data.pitfalls }}
        onChange={filters.setPitfall}
      />
      <Typed label="Text" value={query.text} onChange={filters.setText} />
      <label>
        <input
          type="checkbox"
          checked={query.pattern}
          onChange={(event) => filters.setPattern(event.target.checked ? "1" : "")}
        />
        regular expression
      </label>
      <Typed label="Metric from" type="number" value={filters.low} onChange={filters.setLow} />
      <Typed label="to" type="number" value={filters.high} onChange={filters.setHigh} />
    </form>
  );
}
