// The server's API, typed from its OpenAPI document (api.d.ts, generated), and its event stream.
import type { components, paths } from "./api";
import { answerOf, report } from "./offline";

export type Schemas = components["schemas"];
export type AnyEvent = Schemas["AnyEvent"];
export type Job = Schemas["JobInfo"];
type Paths = keyof paths;
type Getting = { [P in Paths]: paths[P] extends { get: object } ? P : never }[Paths];
type Posting = { [P in Paths]: paths[P] extends { post: object } ? P : never }[Paths];
type Answer<O> = O extends { responses: { 200: { content: { "application/json": infer A } } } }
  ? A
  : undefined;
type Parameters<O> = O extends { parameters: infer P } ? P : never;
type PathOf<O> = Parameters<O> extends { path: infer P } ? P : undefined;
type QueryOf<O> = Parameters<O> extends { query?: infer Q } ? Q : undefined;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? B
  : undefined;

interface Options<P, Q> {
  path?: P;
  query?: Q;
  signal?: AbortSignal;
}

/** What the server said when it refused. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The address of a route with its parameters filled in; values that are undefined are left out. */
export function address(route: string, path: object = {}, query: object = {}): string {
  const filled = Object.entries(path).reduce(
    (text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(String(value))),
    route,
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) search.append(name, String(each));
    }
  }
  return search.size > 0 ? `${filled}?${search}` : filled;
}

async function answer(response: Response): Promise<unknown> {
  if (response.ok) return response.status === 204 ? undefined : await response.json();
  const body = await response.json().catch(() => null);
  const said = body && typeof body === "object" && "error" in body ? String(body.error) : "";
  throw new Refused(response.status, said || `the server answered ${response.status}`);
}

/** Read: `await get("/api/jobs")`. */
export async function get<P extends Getting>(
  route: P,
  { path, query, signal }: Options<PathOf<paths[P]["get"]>, QueryOf<paths[P]["get"]>> = {},
): Promise<Answer<paths[P]["get"]>> {
  const data = report();
  if (data) {
    const found = answerOf(data, route, Object(path), Object(query));
    if (found === undefined)
      throw new Refused(404, "the report does not hold this; `ethogram ui` shows it");
    return found as Answer<paths[P]["get"]>;
  }
  const response = await fetch(address(route, path ?? {}, query ?? {}), { signal: signal ?? null });
  return (await answer(response)) as Answer<paths[P]["get"]>;
}

/** Change something: `await post("/api/jobs/{job_id}/stop", { path: { job_id } })`. */
export async function post<P extends Posting>(
  route: P,
  {
    path,
    query,
    signal,
    body,
  }: Options<PathOf<paths[P]["post"]>, QueryOf<paths[P]["post"]>> & {
    body?: BodyOf<paths[P]["post"]>;
  } = {},
): Promise<Answer<paths[P]["post"]>> {
  const response = await fetch(address(route, path ?? {}, query ?? {}), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body ?? {}),
    signal: signal ?? null,
  });
  return (await answer(response)) as Answer<paths[P]["post"]>;
}
