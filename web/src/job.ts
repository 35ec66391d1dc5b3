// One job of the server, followed: read once, then by events. Nothing is lost by a reload, a lost
// connection or events that come while it is read, since every text says where it belongs.
import { useCallback, useEffect, useRef, useState } from "react";
import type { AnyEvent, Job, Schemas } from "./client";
import { get } from "./client";
import { useEvents } from "./events";

export interface JobState {
  job: Job;
  lanes: Record<string, string>;
  rows: unknown[];
}

/** The state after an event; undefined where something before it is missing. */
export function after(state: JobState, event: AnyEvent): JobState | undefined {
  if (event.type === "job" && event.job.id === state.job.id) return { ...state, job: event.job };
  if (event.type === "job_text" && event.id === state.job.id) {
    const before = state.lanes[event.lane] ?? "";
    if (event.at > before.length) return undefined;
    if (event.at + event.text.length <= before.length) return state;
    const text = before.slice(0, event.at) + event.text;
    return { ...state, lanes: { ...state.lanes, [event.lane]: text } };
  }
  if (event.type === "job_row" && event.id === state.job.id) {
    if (event.index > state.rows.length) return undefined;
    if (event.index < state.rows.length) return state;
    return { ...state, rows: [...state.rows, event.row] };
  }
  return state;
}

function stateOf(detail: Schemas["JobDetail"]): JobState {
  return { job: detail.job, lanes: { ...detail.lanes }, rows: [...detail.rows] };
}

/** A job as it is now; undefined before it is known, or where the server does not know it. */
export function useJob(id: string): JobState | undefined {
  const [state, setState] = useState<JobState>();
  const known = useRef<JobState | undefined>(undefined);
  const queue = useRef<AnyEvent[] | undefined>([]);
  const [turn, setTurn] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: turn asks for another reading
  useEffect(() => {
    const stop = new AbortController();
    queue.current = [];
    if (known.current?.job.id !== id) {
      known.current = undefined;
      setState(undefined);
    }
    if (!id) return;
    get("/api/jobs/{job_id}", { path: { job_id: id }, signal: stop.signal }).then(
      (detail) => {
        if (stop.signal.aborted) return;
        let found = stateOf(detail);
        for (const event of queue.current ?? []) found = after(found, event) ?? found;
        queue.current = undefined;
        known.current = found;
        setState(found);
      },
      () => undefined,
    );
    return () => stop.abort();
  }, [id, turn]);
  useEvents(
    ["job", "job_text", "job_row"],
    useCallback((event: AnyEvent) => {
      if (event.type === "reset") setTurn((before) => before + 1);
      else if (queue.current) queue.current.push(event);
      else if (known.current) {
        const next = after(known.current, event);
        if (next === undefined) setTurn((before) => before + 1);
        else if (next !== known.current) {
          known.current = next;
          setState(next);
        }
      }
    }, []),
  );
  return state;
}
