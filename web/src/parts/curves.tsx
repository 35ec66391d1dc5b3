// Curves of trainings: loaded once, then new points are added as they come.
import { useCallback, useMemo, useRef, useState } from "react";
import type { AnyEvent, Schemas } from "../client";
import { get } from "../client";
import { useEvents } from "../events";
import { useLoad } from "../load";
import { useQuery } from "../router";
import { plain } from "../text";
import { Chart } from "./chart";
import { Shown } from "./states";

type Panel = Schemas["PanelInfo"];
type Curves = Schemas["CurvesInfo"];
/** A row of a chart's data. */
interface Row {
  run: string;
  series: string;
  step: number;
  value: number;
}
/** New points of each panel, and the last values in words. */
type Fresh = ReadonlyMap<string, { rows: readonly Row[]; said: ReadonlyMap<string, string> }>;
/** Means that can be drawn: number of points. */
export const WINDOWS = ["1", "5", "15", "50"];

const keyOf = (training: number, stored: string) => `${training} ${stored}`;

/** The panels with what an event brought; undefined where it has a name that no panel knows. */
export function grown(panels: readonly Panel[], before: Fresh, event: AnyEvent): Fresh {
  if (event.type !== "training_points") return before;
  const next = new Map(before);
  for (const panel of panels) {
    for (const point of event.points) {
      const name = panel.names.find(
        (each) => each.training === event.id && each.stored === point.name,
      );
      if (!name || point.value == null) continue;
      const { rows, said } = next.get(panel.name) ?? { rows: [], said: new Map<string, string>() };
      const { run, series } = name;
      next.set(panel.name, {
        rows: [...rows, { run, series, step: point.step, value: point.value }],
        said: new Map(said).set(series, point.said),
      });
    }
  }
  return next;
}

/** The specification with more rows in its data. */
function withRows(spec: object, rows: readonly Row[]): object {
  if (rows.length === 0) return spec;
  const { data } = spec as { data: { values: Row[] } };
  return { ...spec, data: { ...data, values: [...data.values, ...rows] } };
}

function CurveChart({ panel, fresh }: { panel: Panel; fresh: Fresh }) {
  const more = fresh.get(panel.name);
  const spec = useMemo(
    () => withRows(panel.spec as object, more?.rows ?? []),
    [panel.spec, more?.rows],
  );
  const now = more ? `; now ${[...more.said].map((pair) => pair.join(" ")).join(", ")}` : "";
  const words = `${plain(panel.words)}${now}`;
  return (
    <section className="curve" aria-label={plain(panel.title)}>
      <h3>{plain(panel.title)}</h3>
      <p className="soft">
        {words}
        {panel.left_out && ` (drawn: ${plain(panel.left_out)})`}
      </p>
      <Chart spec={spec} words={`${plain(panel.title)} by step: ${words}`} />
    </section>
  );
}

/** The curves as they are now. */
function useCurves(ids: readonly number[], query: Parameters<typeof load>[1]) {
  const key = JSON.stringify([ids, query]);
  const loaded = useLoad(key, (signal) => load(ids, query, signal), ["training_repeated"]);
  const [fresh, setFresh] = useState<{ of: Curves | undefined; points: Fresh }>({
    of: undefined,
    points: new Map(),
  });
  const known = useRef<{ data: Curves | undefined; ids: readonly number[]; met: Set<string> }>({
    data: undefined,
    ids,
    met: new Set(),
  });
  known.current.data = loaded.data;
  known.current.ids = ids;
  const { reload } = loaded;
  useEvents(
    ["training_points"],
    useCallback(
      (event: AnyEvent) => {
        const { data, ids: shown, met } = known.current;
        if (event.type === "reset") reload();
        if (event.type !== "training_points" || !shown.includes(event.id) || !data) return;
        const drawn = new Set(
          data.panels.flatMap((panel) =>
            panel.names.map((each) => keyOf(each.training, each.stored)),
          ),
        );
        const keys = event.points.map((point) => keyOf(event.id, point.name));
        // A name that is new to this page may need a chart of its own: load once more.
        const unknown = keys.filter((each) => !drawn.has(each) && !met.has(each));
        for (const each of unknown) met.add(each);
        if (unknown.length > 0) reload();
        else {
          setFresh((before) => ({
            of: data,
            points: grown(data.panels, before.of === data ? before.points : new Map(), event),
          }));
        }
      },
      [reload],
    ),
  );
  return { loaded, fresh: fresh.of === loaded.data ? fresh.points : (new Map() as Fresh) };
}

function load(
  ids: readonly number[],
  query: { quantity: string[]; log: boolean; window: number },
  signal: AbortSignal,
): Promise<Curves> {
  return get("/api/trainings/curves", { query: { id: [...ids], ...query }, signal });
}

/** The charts of trainings over each other; axis, smoothing and further charts are in the address. */
export function CurvesOf({ ids }: { ids: readonly number[] }) {
  const [axis, setAxis] = useQuery("axis", "linear");
  const [window, setWindow] = useQuery("mean", "15");
  const [named, setNamed] = useQuery("curves");
  const { loaded, fresh } = useCurves(ids, {
    quantity: named.split(" ").filter(Boolean),
    log: axis === "log",
    window: WINDOWS.includes(window) ? Number(window) : 15,
  });
  return (
    <Shown loaded={loaded}>
      {(data) => (
        <>
          <div className="controls">
            <label>
              Steps
              <select value={axis} onChange={(event) => setAxis(event.target.value)}>
                <option value="linear">linear</option>
                <option value="log">logarithmic</option>
              </select>
            </label>
            <label>
              Mean of the last
              <select value={window} onChange={(event) => setWindow(event.target.value)}>
                {WINDOWS.map((each) => (
                  <option key={each} value={each}>
                    {each === "1" ? "1 point (not smoothed)" : `${each} points`}
                  </option>
                ))}
              </select>
            </label>
            {Object.keys(data.further).length > 0 && (
              <label>
                and
                <select
                  value=""
                  onChange={(event) =>
                    setNamed(
                      [...data.panels.map((each) => each.name), event.target.value].join(" "),
                    )
                  }
                >
                  <option value="">add a curve</option>
                  {Object.entries(data.further).map(([name, title]) => (
                    <option key={name} value={name}>
                      {plain(title)}
                    </option>
                  ))}
                </select>
              </label>
            )}
          </div>
          {data.panels.some((each) => each.smoothed) && (
            <p className="soft">
              Of what is measured at each step, the strong line is the mean of the last {window}{" "}
              points and the faint one the points themselves.
              {axis === "log" && " Step 0 is left out."}
            </p>
          )}
          {data.panels.length === 0 && <p>No point is stored yet.</p>}
          <div className="curves">
            {data.panels.map((panel) => (
              <CurveChart key={panel.name} panel={panel} fresh={fresh} />
            ))}
          </div>
        </>
      )}
    </Shown>
  );
}
