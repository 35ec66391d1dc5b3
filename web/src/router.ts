// Addresses: `#/compare/v0.1.0?mode=different`. The path says what is shown, the query how; all of
// it is in the address, so that every state can be sent to somebody and reached by "back".
import { useCallback, useSyncExternalStore } from "react";

export interface Place {
  /** Parts of the path, decoded; the first one is the view. */
  path: string[];
  query: URLSearchParams;
}

export function parse(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `link("compare", "v0.1.0")` is `#/compare/v0.1.0`; empty values of the query are left out. */
export function link(path: readonly string[], query: Record<string, string> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  const start = `#/${path.map(encodeURIComponent).join("/")}`;
  return search.size > 0 ? `${start}?${search}` : start;
}

export function go(path: readonly string[], query: Record<string, string> = {}): void {
  window.location.hash = link(path, query);
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}

export function usePlace(): Place {
  return parse(useSyncExternalStore(subscribe, () => window.location.hash));
}

/**
 * One value of the query, kept in the address: `const [mode, setMode] = useQuery("mode", "all")`.
 * Setting it replaces the address; the fallback is not written.
 */
export function useQuery(name: string, fallback = ""): [string, (value: string) => void] {
  const { query } = usePlace();
  const set = useCallback(
    (value: string) => {
      const place = parse(window.location.hash);
      if (value === fallback) place.query.delete(name);
      else place.query.set(name, value);
      const hash = link(place.path, Object.fromEntries(place.query));
      window.history.replaceState(null, "", hash);
      window.dispatchEvent(new HashChangeEvent("hashchange"));
    },
    [name, fallback],
  );
  return [query.get(name) ?? fallback, set];
}
