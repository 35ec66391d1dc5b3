// Sweep: the list of sweeps, a form for a new one, and one sweep as far as it came. What is shown
// of it is in the address; the server keeps the sweep itself, so a reload loses nothing.
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { get, post } from "../client";
import { useJob } from "../job";
import { useKeys } from "../keys";
import { type Loaded, useLoad } from "../load";
import { canAct, hasCharts } from "../offline";
import { Differences } from "../parts/differences";
import { Problem, Shown } from "../parts/states";
import { Plain } from "../parts/texts";
import { go, link, type Place, useQuery } from "../router";
import { plain } from "../text";
import { SweepCharts } from "./sweep_charts";
import { SweepForm } from "./sweep_form";
import { Promote, Samples } from "./sweep_opened";
import { canPromote, Rounds, Trials } from "./sweep_tables";

type Info = Schemas["SweepInfo"];
/** Milliseconds between two looks at a sweep that another process runs. */
const LOOK = 3000;

const STATES: Record<Info["state"], string> = {
  running: "running",
  done: "finished",
  stopped: "ended early",
  interrupted: "unfinished",
};

/** Loads again while another process runs it, which sends no events here. */
function useLooking(loaded: Loaded<unknown>, isElsewhere: boolean) {
  const { reload } = loaded;
  useEffect(() => {
    if (!isElsewhere || !canAct()) return undefined;
    const timer = setInterval(reload, LOOK);
    return () => clearInterval(timer);
  }, [isElsewhere, reload]);
}

/** Progress of the job that runs it, and a way to stop it. */
function Progress({ job: id }: { job: string }) {
  const job = useJob(id)?.job;
  const stop = () => void post("/api/jobs/{job_id}/stop", { path: { job_id: id } });
  useKeys([{ key: "x", words: "stop the sweep", run: stop }]);
  if (job?.state !== "running") return null;
  return (
    <div>
      {job.total != null && job.total > 0 && (
        <progress aria-label="Progress of the round" value={job.done} max={job.total} />
      )}
      <p className="line">
        <span role="status">{plain(job.words)}</span>
        {job.total != null && (
          <span className="soft">
            {job.done} of {job.total} outputs
          </span>
        )}
        <Button onPress={stop}>
          Stop <kbd>x</kbd>
        </Button>
      </p>
    </div>
  );
}

/** Start it again, as it was or changed. */
function Again({ data, reload }: { data: Info; reload: () => void }) {
  const [error, setError] = useState<Error>();
  const { again } = data;
  const start = () => {
    setError(undefined);
    // Its record begins again at once, or when the model is loaded; events bring it.
    post("/api/sweeps", { body: again }).then(reload, setError);
  };
  return (
    <div className="controls">
      {(data.state === "stopped" || data.state === "interrupted") && (
        <Button onPress={start}>Start it again</Button>
      )}
      <a
        href={link(["sweep"], {
          base: again.base,
          set: again.axes.join("\n"),
          goal: again.goals.join(" "),
          search: again.search === "grid" ? "" : again.search,
          trials: again.search === "grid" ? "" : String(again.trials),
          samples: String(again.samples ?? ""),
          race: again.race ? "" : "no",
        })}
      >
        A new sweep like this one
      </a>
      {error && <Problem error={error} />}
    </div>
  );
}

/** The setting that keys act on: the one in the address, else the best one. */
function useChosen(data: Info) {
  const [name, setName] = useQuery("setting");
  const [, setOpen] = useQuery("open");
  const [, setPromote] = useQuery("promote");
  const at = Math.max(
    0,
    data.trials.findIndex((trial) => trial.name === name),
  );
  const chosen = data.trials[at];
  const step = (by: number) => {
    const next = data.trials[Math.min(Math.max(at + (name ? by : 0), 0), data.trials.length - 1)];
    if (next) setName(next.name);
  };
  useKeys([
    { key: "j", words: "next setting", run: () => step(1) },
    { key: "k", words: "previous setting", run: () => step(-1) },
    { key: "o", words: "outputs of the setting", run: () => chosen && setOpen(chosen.name) },
    {
      key: "p",
      words: "promote the setting to a version",
      run: () => chosen && canPromote(data) && setPromote(chosen.name),
    },
  ]);
  return name;
}

function Found({ data, reload }: { data: Info; reload: () => void }) {
  const current = useChosen(data);
  const [open, setOpen] = useQuery("open");
  const [promoting, setPromoting] = useQuery("promote");
  const opened = data.trials.find((trial) => trial.name === open);
  const promoted = data.trials.find((trial) => trial.name === promoting);
  return (
    <>
      <p className="sentence">
        <Plain text={data.sentence} />
      </p>
      {data.why && (
        <p className="soft">
          <Plain text={`Chosen as ${data.why}.`} />
        </p>
      )}
      {data.job && <Progress job={data.job} />}
      {data.holdout.length > 0 && (
        <section aria-label="Holdout test">
          <h2>
            Against {data.base} on {data.holdout_prompts} held-out prompts
          </h2>
          <Differences items={data.holdout} before={data.base} after="the choice" />
        </section>
      )}
      <p className="soft">
        {STATES[data.state]} · started {data.started_at.slice(0, 16).replace("T", " ")} UTC ·{" "}
        <Plain text={data.facts} />
      </p>
      {canAct() && <Again data={data} reload={reload} />}
      {data.trials.length > 0 && (
        <>
          <Trials data={data} current={current} onOpen={setOpen} onPromote={setPromoting} />
          {data.rounds.length > 0 && hasCharts() && <SweepCharts data={data} onOpen={setOpen} />}
          <Rounds data={data} />
        </>
      )}
      {opened && (
        <Samples
          number={data.id}
          trial={opened}
          canPromote={canPromote(data)}
          onPromote={() => {
            setOpen("");
            setPromoting(opened.name);
          }}
          close={() => setOpen("")}
        />
      )}
      {promoted && (
        <Promote data={data} trial={promoted} close={() => setPromoting("")} reload={reload} />
      )}
    </>
  );
}

function One({ number }: { number: number }) {
  const loaded = useLoad(
    `sweep ${number}`,
    (signal) => get("/api/sweeps/{number}", { path: { number }, signal }),
    ["sweep", "study"],
  );
  useLooking(loaded, loaded.data?.state === "running" && !loaded.data.job);
  return (
    <>
      <p>
        <a href={link(["sweep"])}>All sweeps</a>
      </p>
      <h1>
        Sweep {Number.isInteger(number) ? number : ""}
        {loaded.data && (
          <>
            : <Plain text={loaded.data.title} />
          </>
        )}
      </h1>
      <Shown loaded={loaded}>{(data) => <Found data={data} reload={loaded.reload} />}</Shown>
    </>
  );
}

function All() {
  const loaded = useLoad("sweeps", (signal) => get("/api/sweeps", { signal }), ["sweep", "study"]);
  const newest = loaded.data?.sweeps[0];
  useLooking(loaded, newest?.state === "running" && !newest.job);
  useKeys([
    {
      key: "o",
      words: "open the newest sweep",
      run: () => newest && go(["sweep", `${newest.id}`]),
    },
  ]);
  return (
    <>
      <h1>Sweeps</h1>
      <Shown loaded={loaded}>
        {(data) => (
          <>
            {data.sweeps.length === 0 && (
              <p>
                No sweep yet. A sweep tries many settings of a version on the same prompts, drops
                the clearly worse ones early, and tests its choice on held-out prompts.
              </p>
            )}
            <ul className="plain">
              {data.sweeps.map((sweep) => (
                <li key={sweep.id} className="job">
                  <div className="line">
                    <a href={link(["sweep", String(sweep.id)])}>
                      <b>
                        {sweep.id}: {plain(sweep.title)}
                      </b>
                    </a>
                    <span className="soft">
                      {STATES[sweep.state]} · {sweep.started_at.slice(0, 16).replace("T", " ")} UTC
                    </span>
                  </div>
                  <Plain text={sweep.sentence} />
                </li>
              ))}
            </ul>
            {canAct() && <SweepForm data={data} />}
          </>
        )}
      </Shown>
    </>
  );
}

export function Sweep({ place }: { place: Place }) {
  const [, number] = place.path;
  return number ? <One key={number} number={Number(number)} /> : <All />;
}
