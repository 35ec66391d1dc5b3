// Compare: the verdict of each version against the first one, then prompts by versions. All that is
// chosen here is in the address: versions in the path, filters in the query.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Schemas } from "../client";
import { get } from "../client";
import { useLoad } from "../load";
import { hasCharts, holds, report } from "../offline";
import { Chart } from "../parts/chart";
import { Differences } from "../parts/differences";
import { Choice, Controls, type Filters, useFilters } from "../parts/filters";
import { Matrix, type Row } from "../parts/matrix";
import { Opened } from "../parts/outputs";
import { Shown } from "../parts/states";
import { Plain } from "../parts/texts";
import { go, type Place, useQuery } from "../router";
import { plain } from "../text";

type MatrixInfo = Schemas["MatrixInfo"];
/** Rows that are asked for at once: a few windows full. */
const PAGE = 16;
/** In a report: the comparisons that it holds. */
function Pairs({ versions }: { versions: readonly string[] }) {
  const held = Object.keys(report()?.comparisons ?? {});
  const shown = versions.join(" ");
  return (
    <div className="controls">
      <Choice
        label="Compare"
        value={held.includes(shown) ? shown : ""}
        options={{
          ...(held.includes(shown) ? {} : { "": "choose one" }),
          ...Object.fromEntries(held.map((names) => [names, names.replace(" ", " → ")])),
        }}
        onChange={(names) => go(["compare", ...names.split(" ")])}
      />
    </div>
  );
}

function Versions({ versions, diff }: { versions: readonly string[]; diff: string }) {
  const known = useLoad("versions", (signal) => get("/api/log", { signal }));
  const names = known.data?.versions ?? [];
  const options = Object.fromEntries(
    names.map((version) => [version.name, `${version.name} ${plain(version.title)}`.slice(0, 60)]),
  );
  const query = Object.fromEntries(new URLSearchParams(window.location.hash.split("?")[1] ?? ""));
  const change = (next: readonly string[]) => go(["compare", ...next], { ...query, diff });
  const free = names.filter((version) => !versions.includes(version.name));
  return (
    <div className="controls">
      {versions.map((version, place) => (
        <span key={version} className="field">
          <Choice
            label={place === 0 ? "From" : "to"}
            value={version}
            options={{ [version]: version, ...options }}
            onChange={(name) => change(versions.map((each) => (each === version ? name : each)))}
          />
          {versions.length > 1 && (
            <button
              type="button"
              className="quiet"
              aria-label={`Leave out ${version}`}
              onClick={() => change(versions.filter((each) => each !== version))}
            >
              ×
            </button>
          )}
        </span>
      ))}
      {free.length > 0 && versions.length < 8 && (
        <Choice
          label="and"
          value=""
          options={{
            "": "add a version",
            ...Object.fromEntries(free.map((each) => [each.name, options[each.name] ?? each.name])),
          }}
          onChange={(name) => name && change([...versions, name])}
        />
      )}
    </div>
  );
}

/** Verdicts that come with the rows, or once somebody has tested the versions. */
function Verdicts({ data }: { data: MatrixInfo }) {
  const known = data.columns.every((column) => column.verdict);
  return known ? <Told data={data} /> : <Tested data={data} />;
}

/** Tests of many outputs take seconds: the rows are there meanwhile. */
function Tested({ data }: { data: MatrixInfo }) {
  const versions = data.columns.map((column) => column.version);
  const loaded = useLoad(`verdicts ${versions.join(" ")}`, (signal) =>
    get("/api/compare/verdicts", { query: { versions }, signal }),
  );
  if (!loaded.data && !loaded.error) {
    return (
      <p role="status" className="soft">
        Testing the differences …
      </p>
    );
  }
  return (
    <Shown loaded={loaded}>
      {(found) => (
        <Told
          data={{
            ...data,
            columns: data.columns.map((column, place) => ({
              ...column,
              verdict: found[place] ?? null,
            })),
          }}
        />
      )}
    </Shown>
  );
}

function Told({ data }: { data: MatrixInfo }) {
  const [first, ...others] = data.columns;
  if (!first) return null;
  return (
    <div className="verdicts">
      {data.columns
        .filter((column) => column.stale)
        .map((column) => (
          <p key={column.version} className="changed">
            {column.version} is {plain(column.stale)}
          </p>
        ))}
      {others.map((column) => (
        <section key={column.version} aria-label={`${column.version} against ${first.version}`}>
          <p className="sentence">
            {first.version} → {column.version}:{" "}
            <Plain text={column.verdict?.sentence || "nothing to compare"} />
          </p>
          <Differences
            items={column.verdict?.differences ?? []}
            before={first.version}
            after={column.version}
          />
          {column.changes.length > 0 && (
            <details>
              <summary>
                {column.changes.length === 1
                  ? "1 setting differs"
                  : `${column.changes.length} settings differ`}
              </summary>
              <ul>
                {column.changes.map((change) => (
                  <li key={change}>
                    <Plain text={change} />
                  </li>
                ))}
              </ul>
            </details>
          )}
        </section>
      ))}
    </div>
  );
}

interface PairedProps {
  data: MatrixInfo;
  filters: Filters;
  onOpen: (prompt: string) => void;
}

/** Each prompt as a point, loaded when it is opened; a click opens the prompt. */
function PairedChart({ data: matrix, filters, onOpen }: PairedProps) {
  const { versions, metric } = filters.query;
  const chart = useLoad(`${versions.join(" ")} ${metric}`, (signal) =>
    get("/api/compare/chart", { query: { versions, metric }, signal }),
  );
  const clicked = (value: unknown) => {
    const prompt = (value as { prompt?: string[] }).prompt?.[0];
    if (prompt) onOpen(prompt);
  };
  return (
    <>
      {/* On the page it is the metric by which rows are judged, which is fixed in a report. */}
      {report() && (
        <div className="controls">
          <Choice
            label="Metric"
            value={metric || matrix.metric}
            options={Object.fromEntries(
              matrix.metrics
                .filter(({ name }) => holds("/api/compare/chart", { versions, metric: name }))
                .map(({ name, title }) => [name, title]),
            )}
            onChange={filters.setMetric}
          />
        </div>
      )}
      <Shown loaded={chart}>
        {(data) => (
          <>
            <p>{data.words}</p>
            <Chart spec={data.spec} words={data.words} signals={{ clicked }} />
          </>
        )}
      </Shown>
    </>
  );
}

/** Rows by page: the first one comes with the matrix, others as they come into view. */
function useRows(data: MatrixInfo, filters: Filters, key: string) {
  const [pages, setPages] = useState<ReadonlyMap<number, readonly Row[]>>(new Map());
  const asked = useRef(new Set<number>());
  const generation = useRef(data);
  if (generation.current !== data) {
    generation.current = data;
    asked.current = new Set();
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: new data, new pages
  useEffect(() => setPages(new Map()), [data]);
  const { query } = filters;
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the query
  const onShown = useCallback(
    (first: number, last: number) => {
      if (report()) return;
      for (let page = Math.floor(first / PAGE); page * PAGE <= last; page += 1) {
        if (page === 0 || page * PAGE >= data.total || asked.current.has(page)) continue;
        asked.current.add(page);
        get("/api/compare/rows", { query: { ...query, offset: page * PAGE, limit: PAGE } }).then(
          (found) => {
            if (generation.current === data) {
              setPages((before) => new Map(before).set(page, found.rows));
            }
          },
          () => asked.current.delete(page),
        );
      }
    },
    [data, key],
  );
  const rowAt = useCallback(
    (place: number) => {
      const page = Math.floor(place / PAGE);
      return page === 0 || report() ? data.rows[place] : pages.get(page)?.[place - page * PAGE];
    },
    [data, pages],
  );
  return { onShown, rowAt };
}

function Comparison({ versions }: { versions: readonly string[] }) {
  const filters = useFilters(versions);
  const key = JSON.stringify(filters.query);
  const loaded = useLoad(key, (signal) =>
    get("/api/compare", { query: { ...filters.query, limit: PAGE }, signal }),
  );
  return (
    <Shown loaded={loaded}>
      {(data) => <Found data={data} filters={filters} versions={versions} filterKey={key} />}
    </Shown>
  );
}

/** Why there is no row, and the way back to all of them. */
function NoRows({ filters, versions }: { filters: Filters; versions: readonly string[] }) {
  const { mode, text, tags, pitfall, low, high } = filters.query;
  const narrowed =
    Boolean(text || tags.length || pitfall) || low !== undefined || high !== undefined;
  const why =
    mode === "different" && !narrowed
      ? "Every output is the same in all versions."
      : "No prompt is left by these filters.";
  return (
    <p className="line">
      {why}
      <button type="button" onClick={() => go(["compare", ...versions], { mode: "all" })}>
        Show all prompts
      </button>
    </p>
  );
}

function Found({
  data,
  filters,
  versions,
  filterKey,
}: {
  data: MatrixInfo;
  filters: Filters;
  versions: readonly string[];
  filterKey: string;
}) {
  const rows = useRows(data, filters, filterKey);
  const [diff, setDiff] = useQuery("diff");
  const [open, setOpen] = useQuery("open");
  const [charted, setCharted] = useState(false);
  const close = useCallback(() => setOpen(""), [setOpen]);
  return (
    <>
      <Verdicts data={data} />
      <Controls filters={filters} data={data} />
      {versions.length > 1 && hasCharts() && (
        <details onToggle={(event) => setCharted(event.currentTarget.open)}>
          <summary>Chart: each prompt before and after</summary>
          {charted && <PairedChart data={data} filters={filters} onOpen={setOpen} />}
        </details>
      )}
      <p role="status" className="line">
        {data.total} of {data.prompts} prompts
        <button
          type="button"
          aria-pressed={diff === "1"}
          onClick={() => setDiff(diff === "1" ? "" : "1")}
        >
          Word diff
        </button>
      </p>
      {data.total === 0 && <NoRows filters={filters} versions={versions} />}
      <Matrix
        columns={data.columns}
        pitfalls={data.pitfalls}
        total={data.total}
        rowAt={rows.rowAt}
        onShown={rows.onShown}
        diff={diff === "1"}
        onDiff={() => setDiff(diff === "1" ? "" : "1")}
        onOpen={setOpen}
      />
      {open && <Opened versions={versions} prompt={open} close={close} />}
    </>
  );
}

/** The last version and its parent, where the address names none. */
function useDefault(named: readonly string[]): readonly string[] | undefined {
  const log = useLoad("default", (signal) => get("/api/log", { signal }));
  return useMemo(() => {
    if (named.length > 0) return named;
    const last = log.data?.versions.at(-1);
    return last && [...(last.parent ? [last.parent] : []), last.name];
  }, [named, log.data]);
}

export function Compare({ place }: { place: Place }) {
  const path = place.path.slice(1).join("/");
  const named = useMemo(() => [...new Set(path.split("/").filter(Boolean))], [path]);
  const versions = useDefault(named);
  return (
    <>
      <h1>Compare</h1>
      {versions ? (
        <>
          {report() ? (
            <Pairs versions={versions} />
          ) : (
            <Versions versions={versions} diff={place.query.get("diff") ?? ""} />
          )}
          <Comparison key={versions.join(" ")} versions={versions} />
        </>
      ) : (
        <p className="soft">Loading …</p>
      )}
    </>
  );
}
