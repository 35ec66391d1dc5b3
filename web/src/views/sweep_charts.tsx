// The charts of a sweep: heat map with the same as a table, trade-off, parallel coordinates, race.
import { type KeyboardEvent, useRef } from "react";
import type { Schemas } from "../client";
import { get } from "../client";
import { type Loaded, useLoad } from "../load";
import { canAct } from "../offline";
import { Chart } from "../parts/chart";
import { Choice } from "../parts/filters";
import { Shown } from "../parts/states";
import { Plain } from "../parts/texts";
import { usePlace, useQuery } from "../router";
import { plain } from "../text";
import { objectives } from "./sweep_tables";

type Info = Schemas["SweepInfo"];
type Heat = Schemas["HeatInfo"];
type Axis = Schemas["SweepAxis"];

interface ChartsProps {
  data: Info;
  onOpen: (name: string) => void;
}

/** Changes whenever the charts do. */
function stamp(data: Info): string {
  return `${data.id} ${data.state} ${data.rounds.length}`;
}

/** The setting that was clicked in a chart. */
export function clickedSetting(value: unknown): string | undefined {
  return (value as { setting?: string[] } | undefined)?.setting?.[0] || undefined;
}

function signals(onOpen: (name: string) => void) {
  return {
    clicked: (value: unknown) => {
      const name = clickedSetting(value);
      if (name) onOpen(name);
    },
  };
}

/** A choice that falls back where the address names something else. */
function known(value: string, options: readonly string[], fallback: string): string {
  return options.includes(value) ? value : fallback;
}

/** Where an arrow key leads in a grid, skipping cells that are empty. */
export function nextCell(
  filled: readonly (readonly boolean[])[],
  row: number,
  column: number,
  key: string,
): [number, number] | undefined {
  const steps: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const [down, right] = steps[key] ?? [0, 0];
  if (down === 0 && right === 0) return undefined;
  let [r, c] = [row + down, column + right];
  while (filled[r]?.[c] !== undefined) {
    if (filled[r]?.[c]) return [r, c];
    r += down;
    c += right;
  }
  return undefined;
}

/** The heat map as a table: Enter opens the outputs of a cell, arrow keys walk. */
function HeatGrid({
  heat,
  x,
  y,
  onOpen,
}: {
  heat: Heat;
  x: string;
  y: string;
  onOpen: (n: string) => void;
}) {
  const table = useRef<HTMLTableElement>(null);
  const filled = heat.rows.map(([, cells]) => cells.map(Boolean));
  const walk = (event: KeyboardEvent) => {
    const at = (event.target as HTMLElement).dataset.at?.split(" ").map(Number);
    const next = at && nextCell(filled, at[0] ?? 0, at[1] ?? 0, event.key);
    if (!next) return;
    event.preventDefault();
    table.current?.querySelector<HTMLElement>(`[data-at="${next.join(" ")}"]`)?.focus();
  };
  if (heat.rows.length === 0) return null;
  return (
    <section className="scroll" aria-label="The heat map as a table">
      <table ref={table} className="heat" onKeyDown={walk}>
        <caption className="soft">
          {y ? `${plain(y)} downwards, ${plain(x)} to the right` : plain(x)}. Enter opens outputs.
        </caption>
        <thead>
          <tr>
            <th scope="col">
              <span className="soft">{y ? `${plain(y)} \\ ${plain(x)}` : plain(x)}</span>
            </th>
            {heat.columns.map((column) => (
              <th key={column} scope="col" className="number">
                <Plain text={column} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {heat.rows.map(([label, cells], row) => (
            <tr key={label}>
              <th scope="row">
                <Plain text={label} />
              </th>
              {cells.map((cell, column) => (
                <td key={heat.columns[column]} className={`number s${cell?.shade ?? 0}`}>
                  {cell && (
                    <button
                      type="button"
                      className="quiet"
                      data-at={`${row} ${column}`}
                      onClick={() => onOpen(cell.setting)}
                    >
                      {cell.value} {cell.mark}
                      {cell.settings > 1 && (
                        <span className="soft small"> (1 of {cell.settings})</span>
                      )}
                    </button>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** A field with a fixed value, or the best of all its values. */
function Fixed({ axis }: { axis: Axis }) {
  const [value, setValue] = useQuery(`at.${axis.field}`);
  return (
    <Choice
      label={plain(axis.name)}
      value={value}
      options={{
        "": "the best of all",
        ...Object.fromEntries(axis.labels.map((label) => [label, plain(label)])),
      }}
      onChange={setValue}
    />
  );
}

function HeatMap({ data, onOpen }: ChartsProps) {
  const fields = data.axes.map((axis) => axis.field);
  const names = Object.fromEntries(data.axes.map((axis) => [axis.field, plain(axis.name)]));
  const titles = Object.fromEntries(data.metrics.map((metric) => [metric.name, metric.title]));
  const [xAsked, setX] = useQuery("x");
  const [yAsked, setY] = useQuery("y");
  const [metricAsked, setMetric] = useQuery("metric");
  const { query } = usePlace();
  const x = known(xAsked, fields, fields[0] ?? "");
  const others = fields.filter((field) => field !== x);
  const y = known(yAsked, others, others[0] ?? "");
  const metric = known(metricAsked, Object.keys(titles), data.metrics[0]?.name ?? "");
  const free = data.axes.filter((axis) => axis.field !== x && axis.field !== y);
  const fixed = free
    .map((axis) => [axis.field, query.get(`at.${axis.field}`) ?? ""] as const)
    .filter(([, value]) => value)
    .map(([field, value]) => `${field}=${value}`);
  const heat = useLoad(
    `heat ${stamp(data)} ${x} ${y} ${metric} ${fixed.join(" ")}`,
    (signal) =>
      get("/api/sweeps/{number}/heat", {
        path: { number: data.id },
        query: { x, y, metric, fixed },
        signal,
      }),
    [],
  );
  return (
    <section aria-label="Heat map">
      <h2>Heat map</h2>
      <div className="controls">
        <Choice label="Across" value={x} options={names} onChange={setX} />
        {others.length > 0 && (
          <Choice
            label="up"
            value={y}
            options={Object.fromEntries(others.map((field) => [field, names[field] ?? field]))}
            onChange={setY}
          />
        )}
        <Choice label="coloured by" value={metric} options={titles} onChange={setMetric} />
        {canAct() &&
          free.map((axis) => axis.labels.length > 0 && <Fixed key={axis.field} axis={axis} />)}
      </div>
      <Shown loaded={heat}>
        {(found) => (
          <>
            <p className="soft">{plain(found.words)}</p>
            <div className="charted">
              <Chart spec={found.spec} words={found.words} signals={signals(onOpen)} />
              <HeatGrid heat={found} x={names[x] ?? x} y={names[y] ?? ""} onOpen={onOpen} />
            </div>
          </>
        )}
      </Shown>
    </section>
  );
}

/** A chart under its words. */
function Drawn({
  chart,
  onOpen,
}: {
  chart: Loaded<Schemas["ChartInfo"]>;
  onOpen: ChartsProps["onOpen"];
}) {
  return (
    <Shown loaded={chart}>
      {(found) => (
        <>
          <p className="soft">{plain(found.words)}</p>
          <Chart spec={found.spec} words={found.words} signals={signals(onOpen)} />
        </>
      )}
    </Shown>
  );
}

function Front({ data, onOpen }: ChartsProps) {
  const titles = Object.fromEntries(data.metrics.map((metric) => [metric.name, metric.title]));
  const names = Object.keys(titles);
  const [xAsked, setX] = useQuery("fx");
  const [yAsked, setY] = useQuery("fy");
  const x = known(xAsked, names, names[0] ?? "");
  const y = known(yAsked, names, names.find((name) => name !== x) ?? x);
  const chart = useLoad(
    `front ${stamp(data)} ${x} ${y}`,
    (signal) =>
      get("/api/sweeps/{number}/front", { path: { number: data.id }, query: { x, y }, signal }),
    [],
  );
  if (names.length < 2) return null;
  return (
    <section aria-label="Trade-off">
      <h2>Trade-off</h2>
      <div className="controls">
        <Choice label="Across" value={x} options={titles} onChange={setX} />
        <Choice label="up" value={y} options={titles} onChange={setY} />
      </div>
      <Drawn chart={chart} onOpen={onOpen} />
    </section>
  );
}

function Parallel({ data, onOpen }: ChartsProps) {
  const [extra, setExtra] = useQuery("also");
  const own = objectives(data).map((metric) => metric.name);
  const others = data.metrics.filter((metric) => !metric.objective);
  const also = known(
    extra,
    others.map((metric) => metric.name),
    "",
  );
  const metrics = also ? [...own, also] : own;
  const chart = useLoad(
    `parallel ${stamp(data)} ${metrics.join(" ")}`,
    (signal) =>
      get("/api/sweeps/{number}/parallel", {
        path: { number: data.id },
        query: { metrics },
        signal,
      }),
    [],
  );
  return (
    <section aria-label="Parallel coordinates">
      <h2>Parallel coordinates</h2>
      {others.length > 0 && (
        <div className="controls">
          <Choice
            label="With the metric"
            value={also}
            options={{
              "": "objectives only",
              ...Object.fromEntries(others.map((metric) => [metric.name, metric.title])),
            }}
            onChange={setExtra}
          />
        </div>
      )}
      <Drawn chart={chart} onOpen={onOpen} />
    </section>
  );
}

function Race({ data, onOpen }: ChartsProps) {
  const own = objectives(data);
  const [asked, setMetric] = useQuery("race");
  const metric = known(
    asked,
    own.map((one) => one.name),
    own[0]?.name ?? "",
  );
  const chart = useLoad(
    `race ${stamp(data)} ${metric}`,
    (signal) =>
      get("/api/sweeps/{number}/race", { path: { number: data.id }, query: { metric }, signal }),
    [],
  );
  return (
    <section aria-label="Race">
      <h2>Race</h2>
      {own.length > 1 && (
        <div className="controls">
          <Choice
            label="Metric"
            value={metric}
            options={Object.fromEntries(own.map((one) => [one.name, one.title]))}
            onChange={setMetric}
          />
        </div>
      )}
      <Drawn chart={chart} onOpen={onOpen} />
    </section>
  );
}

/** All charts. A click opens the outputs of a setting; the tables do the same by keyboard. */
export function SweepCharts(props: ChartsProps) {
  return (
    <>
      <HeatMap {...props} />
      <div className="beside">
        <Front {...props} />
        <Race {...props} />
      </div>
      <Parallel {...props} />
    </>
  );
}
