// The one event stream of this tab. It closes while the tab is in the background (a browser has six
// connections for one server) and then goes on after the last event that it has.
import { useEffect } from "react";
import type { AnyEvent } from "./client";
import { get } from "./client";

type Kind = AnyEvent["type"];
type Listener = (event: AnyEvent) => void;

const listeners = new Set<Listener>();
const watchers = new Set<(connected: boolean) => void>();
let source: EventSource | undefined;
let last = "";

function open(): void {
  if (source || document.hidden) return;
  source = new EventSource(`/api/events?after=${encodeURIComponent(last)}`);
  source.onopen = () => tell(true);
  source.onerror = () => {
    tell(false);
    // A refused stream is closed for good by the browser; one that broke reconnects by itself.
    if (source?.readyState === EventSource.CLOSED) {
      close();
      setTimeout(open, 2000);
    }
  };
  source.onmessage = (message: MessageEvent<string>) => {
    last = message.lastEventId || last;
    const event = JSON.parse(message.data) as AnyEvent;
    for (const listener of [...listeners]) listener(event);
  };
}

function close(): void {
  source?.close();
  source = undefined;
}

function tell(connected: boolean): void {
  for (const watcher of watchers) watcher(connected);
}

/** Begin to follow, from the state that the server has now. */
export async function follow(): Promise<void> {
  last = (await get("/api/about")).position;
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
}

/** Call `onChange` when the connection is lost or is there again. */
export function watchConnection(onChange: (connected: boolean) => void): () => void {
  watchers.add(onChange);
  return () => watchers.delete(onChange);
}

/**
 * Call `listener` with each event of some kinds while the component is shown. `reset` always comes
 * too: events were missed, so load the state again.
 */
export function useEvents(kinds: readonly Kind[], listener: Listener): void {
  const wanted = kinds.join(" ");
  useEffect(() => {
    const chosen = new Set(wanted.split(" "));
    const choosy: Listener = (event) => {
      if (event.type === "reset" || chosen.has(event.type)) listener(event);
    };
    listeners.add(choosy);
    return () => {
      listeners.delete(choosy);
    };
  }, [wanted, listener]);
}
