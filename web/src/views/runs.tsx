// Runs: what is running now, with rate and time left; start and stop.
import { useCallback, useState } from "react";
import { Button } from "react-aria-components";
import type { AnyEvent, Job } from "../client";
import { get, post } from "../client";
import { useEvents } from "../events";
import { useLoad } from "../load";
import { Problem, Shown } from "../parts/states";
import { plain } from "../text";

/** All jobs, newest first, kept up to date by events. */
export function useJobs() {
  const loaded = useLoad("jobs", (signal) => get("/api/jobs", { signal }), []);
  const [newer, setNewer] = useState<ReadonlyMap<string, Job>>(new Map());
  useEvents(
    ["job"],
    useCallback((event: AnyEvent) => {
      if (event.type === "job") {
        setNewer((before) => new Map(before).set(event.job.id, event.job));
      }
    }, []),
  );
  const known = new Map((loaded.data ?? []).map((job) => [job.id, job]));
  const fresh = [...newer.values()].filter((job) => !known.has(job.id)).reverse();
  const jobs = [...fresh, ...[...known.values()].map((job) => newer.get(job.id) ?? job)];
  return { ...loaded, data: loaded.data && jobs };
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A job with its progress. */
export function JobLine({ job }: { job: Job }) {
  const running = job.state === "running";
  return (
    <li className="job">
      <div className="line">
        <b>{plain(job.title)}</b>
        <span className={job.state === "failed" ? "worse" : "soft"}>{job.state}</span>
        {running && (
          <Button
            onPress={() => void post("/api/jobs/{job_id}/stop", { path: { job_id: job.id } })}
          >
            Stop
          </Button>
        )}
      </div>
      {job.total != null && job.total > 0 && (
        <progress aria-label={plain(job.title)} value={job.done} max={job.total} />
      )}
      <div className="soft">
        {job.total != null && `${job.done} of ${job.total} `}
        {running && job.rate != null && `${job.rate.toFixed(1)} a second `}
        {running && job.seconds_left != null && `${duration(job.seconds_left)} left `}
        {plain(job.words)}
      </div>
    </li>
  );
}

export function Runs() {
  const jobs = useJobs();
  const [error, setError] = useState<Error>();
  const start = () =>
    post("/api/runs", { body: { versions: [] } }).then(() => setError(undefined), setError);
  return (
    <>
      <h1>Runs</h1>
      <p className="line">
        <Button className="primary" onPress={() => void start()}>
          Generate what is missing
        </Button>
        <span className="soft">
          every output that a version lacks, then its metrics; what is stored is never made again
        </span>
      </p>
      {error && <Problem error={error} />}
      <Shown loaded={jobs}>
        {(all) =>
          all.length === 0 ? (
            <p>
              Nothing has run since the page was started. Whatever you start on any page is listed
              here with its progress, and can be stopped here.
            </p>
          ) : (
            <ul className="plain">
              {all.map((job) => (
                <JobLine key={job.id} job={job} />
              ))}
            </ul>
          )
        }
      </Shown>
    </>
  );
}
