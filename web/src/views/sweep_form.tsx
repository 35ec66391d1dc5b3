// The form of a new sweep: the options of `ethogram sweep`, kept in the address.
import { type FormEvent, useEffect, useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { post } from "../client";
import { useJob } from "../job";
import { Choice } from "../parts/filters";
import { Problem } from "../parts/states";
import { go, useQuery } from "../router";
import { plain } from "../text";

type View = Schemas["SweepsView"];
type Body = Schemas["SweepBody"];
type Search = Body["search"];

const SEARCHES: Record<NonNullable<Search>, string> = {
  grid: "every combination",
  random: "random",
  tpe: "TPE",
  nsga2: "NSGA-II",
};

/** Words of a text, of any separator that people use in lists. */
export function words(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

/** Lines that say something. */
export function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

/** How many settings a grid of these axes has; undefined where an axis is a range or unclear. */
export function gridSize(axes: readonly string[]): number | undefined {
  let size = 1;
  for (const axis of axes) {
    const values = axis.slice(axis.indexOf("=") + 1).trim();
    const [low, high, step, ...more] = values.split(":").map(Number);
    if (axis.indexOf("=") < 1 || !values || more.length > 0) return undefined;
    if (high === undefined) {
      size *= values.startsWith("[") ? Number.NaN : values.split(",").filter(Boolean).length;
    } else if (step !== undefined && step > 0 && low !== undefined && high >= low) {
      size *= Math.floor((high - low) / step + 1e-9) + 1;
    } else {
      return undefined;
    }
  }
  return axes.length > 0 && Number.isFinite(size) ? size : undefined;
}

/** Follows a job until it names its sweep, then opens that. */
function useOpened(job: string, setJob: (job: string) => void) {
  const state = useJob(job);
  const [first] = (state?.rows ?? []) as unknown as { sweep: number }[];
  useEffect(() => {
    if (!first) return;
    setJob("");
    go(["sweep", String(first.sweep)]);
  }, [first, setJob]);
  return state?.job;
}

export function SweepForm({ data }: { data: View }) {
  const [base, setBase] = useQuery("base");
  const [axes, setAxes] = useQuery("set");
  const [goals, setGoals] = useQuery("goal");
  const [search, setSearch] = useQuery("search", "grid");
  const [trials, setTrials] = useQuery("trials", "60");
  const [samples, setSamples] = useQuery("samples");
  const [race, setRace] = useQuery("race", "yes");
  const [jobId, setJobId] = useQuery("job");
  const [error, setError] = useState<Error>();
  const job = useOpened(jobId, setJobId);
  const version = data.versions.find((one) => one.name === base) ?? data.versions[0];
  if (!version) return <p>The study has no version that a sweep could begin from.</p>;
  const size = search === "grid" ? gridSize(lines(axes)) : Number(trials);
  const start = (event: FormEvent) => {
    event.preventDefault();
    setError(undefined);
    const body: Body = {
      base: version.name,
      axes: lines(axes),
      goals: words(goals),
      search: (search in SEARCHES ? search : "grid") as NonNullable<Search>,
      trials: Number(trials) || 60,
      samples: samples ? Number(samples) : null,
      race: race !== "no",
    };
    post("/api/sweeps", { body }).then((begun) => setJobId(begun.id), setError);
  };
  const running = job?.state === "running";
  return (
    <form className="sweep-form" aria-label="New sweep" onSubmit={start}>
      <h2>New sweep</h2>
      <Choice
        label="Settings of"
        value={version.name}
        options={Object.fromEntries(
          data.versions.map((one) => [one.name, `${one.name} ${plain(one.title)}`.slice(0, 60)]),
        )}
        onChange={setBase}
      />
      <label htmlFor="sweep-axes">Fields that vary, one a line: FIELD=VALUES</label>
      <textarea
        id="sweep-axes"
        rows={3}
        placeholder={"decoding.temperature=0.2:1.2:0.2\ndecoding.top_p=0.8,0.9,0.95"}
        value={axes}
        onChange={(event) => setAxes(event.target.value)}
      />
      <p className="soft">
        Values are a list such as 0.8,0.9 or steps such as 0.2:1.2:0.2; a search also takes ranges
        such as 0.2:1.2.
      </p>
      <AddField
        fields={data.fields}
        onAdd={(field) => setAxes(`${axes.trimEnd()}\n${field}=`.trim())}
      />
      <label>
        Metrics to improve
        <input
          value={goals}
          placeholder={version.goals.join(" ")}
          list="sweep-metrics"
          onChange={(event) => setGoals(event.target.value)}
        />
      </label>
      <datalist id="sweep-metrics">
        {data.metrics.map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </datalist>
      <p className="soft">
        Several are separated by spaces; one without a better direction needs it: words:lower.
      </p>
      <div className="controls">
        <Choice label="Try" value={search} options={SEARCHES} onChange={setSearch} />
        {search !== "grid" && (
          <label>
            settings
            <input
              type="number"
              min={2}
              value={trials}
              onChange={(event) => setTrials(event.target.value)}
            />
          </label>
        )}
        <label>
          Samples per prompt
          <input
            type="number"
            min={1}
            placeholder={String(version.samples)}
            value={samples}
            onChange={(event) => setSamples(event.target.value)}
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={race !== "no"}
            onChange={(event) => setRace(event.target.checked ? "yes" : "no")}
          />
          eliminate clearly worse settings early
        </label>
      </div>
      <p className="line">
        <Button className="primary" type="submit" isDisabled={running || lines(axes).length === 0}>
          Start the sweep
        </Button>
        <span className="soft">{size ? `${size} settings` : ""}</span>
        <span role="status" className={job?.state === "failed" ? "worse" : "soft"}>
          {job && job.state !== "done" ? plain(job.words || "starting") : ""}
        </span>
      </p>
      {error && <Problem error={error} />}
    </form>
  );
}

function AddField({
  fields,
  onAdd,
}: {
  fields: readonly string[];
  onAdd: (field: string) => void;
}) {
  return (
    <Choice
      label="Add a field"
      value=""
      options={{ "": "choose", ...Object.fromEntries(fields.map((one) => [one, one])) }}
      onChange={(field) => field && onAdd(field)}
    />
  );
}
