// Loading: what a component shows of the server, and when it is loaded again.
import { useCallback, useEffect, useState } from "react";
import type { AnyEvent } from "./client";
import { useEvents } from "./events";

export interface Loaded<T> {
  /** What was loaded last; stays while it is loaded again. */
  data: T | undefined;
  error: Error | undefined;
  loading: boolean;
  reload: () => void;
}

/**
 * Load by a function of an AbortSignal. Loads again when `key` changes (it stands for all that
 * `load` depends on), at events of the kinds in `again`, and after missed events.
 */
export function useLoad<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  again: readonly AnyEvent["type"][] = ["study"],
): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, "reload">>({
    data: undefined,
    error: undefined,
    loading: true,
  });
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for what load depends on
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    load(stop.signal).then(
      (data) => {
        if (!stop.signal.aborted) setState({ data, error: undefined, loading: false });
      },
      (error: Error) => {
        if (!stop.signal.aborted) setState((before) => ({ ...before, error, loading: false }));
      },
    );
    return () => stop.abort();
  }, [key, turn]);
  useEvents(again, reload);
  return { ...state, reload };
}
