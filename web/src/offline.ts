// The report: the same page in one file. What the server would answer is packed in
// `ethogramReport`; filters of a comparison are done here, over the rows that the file holds.
import type { Schemas } from "./client";

type Matrix = Schemas["MatrixInfo"];
type Row = Schemas["RowInfo"];
type Cell = Schemas["CellDetail"];
type Asked = Record<string, unknown>;

export interface Report {
  log: Schemas["LogView"];
  findings: Schemas["FindingsInfo"];
  entries: Record<string, Schemas["LogEntry"]>;
  comparisons: Record<string, Matrix>;
  cells: Record<string, Record<string, Cell>>;
  /** Whether it has charts, and the outputs of sweeps and trainings. */
  charted: boolean;
  /** Trainings that it draws over each other. */
  together: number[];
  /** Further answers by `keyOf`, their charts packed. */
  answers: Record<string, unknown>;
  /** Columns of the packed charts. */
  columns: unknown[][];
  left_out: string;
}

export interface Filters {
  versions?: string[];
  mode?: string;
  sort?: string;
  tags?: string[];
  pitfall?: string;
  low?: number | null;
  high?: number | null;
  text?: string;
  pattern?: boolean;
}

let held: Report | undefined;

/** The report that this file is; nothing where the page is served. */
export function report(): Report | undefined {
  return held;
}

/** Whether something can be started, stopped or written: not in a report. */
export function canAct(): boolean {
  return !held;
}

/** Whether there are charts: a report that would be too large has none. */
export function hasCharts(): boolean {
  return held?.charted ?? true;
}

/** Unpack the report, if this file is one; before anything is shown. */
export async function openReport(): Promise<void> {
  const packed = (globalThis as { ethogramReport?: string }).ethogramReport;
  if (packed === undefined) return;
  const bytes = Uint8Array.from(atob(packed), (each) => each.charCodeAt(0));
  const whole = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  held = (await new Response(whole).json()) as Report;
}

/** Under what the report keeps an answer; `key_of` in Python writes the same. */
export function keyOf(route: string, asked: Asked): string {
  return [route, ...Object.entries(asked).map(([name, value]) => `${name}=${value}`)].join(" ");
}

/** Whether an answer can be had: always from a server. */
export function holds(route: string, asked: Asked): boolean {
  return !held || keyOf(route, asked) in held.answers;
}

/** An answer with the rows of its charts. */
export function unpacked(value: unknown, columns: readonly unknown[][]): unknown {
  if (Array.isArray(value)) return value.map((each) => unpacked(each, columns));
  if (typeof value !== "object" || value === null) return value;
  const { packed } = value as { packed?: Record<string, number> };
  if (typeof packed !== "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, unpacked(each, columns)]),
    );
  }
  const table = Object.entries(packed).map(([name, at]) => [name, columns[at] ?? []] as const);
  const values = table[0]?.[1].map((_, row) =>
    Object.fromEntries(table.map(([name, column]) => [name, column[row]])),
  );
  return { values };
}

function answered(data: Report, route: string, asked: Asked): unknown {
  return unpacked(data.answers[keyOf(route, asked)], data.columns);
}

function searcher(text: string, pattern: boolean): (text: string) => boolean {
  if (pattern) {
    const found = new RegExp(text, "iu");
    return (each) => found.test(each);
  }
  const wanted = text.toLowerCase();
  return (each) => each.toLowerCase().includes(wanted);
}

/**
 * The rows that filters leave, in order; rows come sorted by the largest difference. `outputs` are
 * the whole texts of a prompt, of which a row holds beginnings.
 */
export function choose(
  rows: readonly Row[],
  filters: Filters,
  outputs: (prompt: string) => readonly string[],
): Row[] {
  const { mode = "all", sort = "difference", tags = [], pitfall = "", text = "" } = filters;
  const contains = searcher(text, filters.pattern ?? false);
  const last = (row: Row) => row.cells.at(-1)?.number ?? Number.NaN;
  const found = rows.filter((row) => {
    const cells = row.cells.filter((cell) => cell !== null);
    return (
      (mode !== "different" || row.different) &&
      (!(mode === "better" || mode === "worse") || cells.some((cell) => cell.verdict === mode)) &&
      (mode !== "failures" || cells.some((cell) => Object.keys(cell.pitfalls).length > 0)) &&
      (tags.length === 0 || row.tags.some((tag) => tags.includes(tag))) &&
      (!pitfall || cells.some((cell) => pitfall in cell.pitfalls)) &&
      (filters.low == null || last(row) >= filters.low) &&
      (filters.high == null || last(row) <= filters.high) &&
      (!text ||
        contains(row.prompt_id) ||
        contains(row.prompt.text) ||
        outputs(row.prompt_id).some(contains))
    );
  });
  if (sort === "suite") return found.sort((a, b) => a.place - b.place);
  if (sort === "value") return found.sort((a, b) => (last(b) || 0) - (last(a) || 0));
  return found;
}

function compare(data: Report, filters: Filters): Matrix {
  const versions = filters.versions ?? [];
  const matrix = data.comparisons[versions.join(" ")];
  if (!matrix) {
    throw new Error(`the report does not compare ${versions.join(" and ")}; the page does`);
  }
  const held = versions.map((version) => data.cells[version] ?? {});
  const rows = choose(matrix.rows, filters, (prompt) =>
    held.flatMap((cells) => cells[prompt]?.samples.map((sample) => sample.output.text) ?? []),
  );
  return { ...matrix, total: rows.length, offset: 0, rows };
}

function search(data: Report, words: string): Schemas["Hit"][] {
  const like = (hit: Schemas["Hit"]) =>
    `${hit.name} ${hit.words}`.toLowerCase().includes(words.toLowerCase());
  const { sweeps = [] } = (data.answers["/api/sweeps"] ?? {}) as Partial<Schemas["SweepsView"]>;
  const { trainings = [] } = (data.answers["/api/trainings"] ?? {}) as Partial<
    Schemas["TrainView"]
  >;
  const hits: Schemas["Hit"][] = [
    ...data.log.versions.map(
      ({ name, title }) => ({ kind: "version", id: name, name, words: title }) as const,
    ),
    ...sweeps.map(
      ({ id, title, sentence }) =>
        ({ kind: "sweep", id: String(id), name: title, words: sentence }) as const,
    ),
    ...trainings.map(
      ({ id, name, words: came }) =>
        ({ kind: "training", id: String(id), name, words: came }) as const,
    ),
  ];
  return hits.filter(like);
}

type Curves = Schemas["CurvesInfo"];

/** The curves that are wanted, or the first ones: the report holds all of them in one answer. */
export function chosenCurves(all: Curves & { first: number }, wanted: readonly string[]): Curves {
  const panels =
    wanted.length > 0
      ? wanted.flatMap((name) => all.panels.filter((panel) => panel.name === name))
      : all.panels.slice(0, all.first);
  const further = all.panels.filter((panel) => !panels.includes(panel));
  return { panels, further: Object.fromEntries(further.map(({ name, title }) => [name, title])) };
}

function curves(data: Report, route: string, { quantity, ...asked }: Asked): unknown {
  const all = answered(data, route, asked) as (Curves & { first: number }) | undefined;
  return all && chosenCurves(all, quantity as string[]);
}

function samples(data: Report, route: string, asked: Asked): unknown {
  const { offset, limit, ...whole } = asked as { offset: number; limit: number };
  const all = answered(data, route, whole) as Schemas["SamplesInfo"] | undefined;
  return all && { ...all, offset, rows: all.rows.slice(offset, offset + limit) };
}

function chart(data: Report, route: string, asked: Filters & { metric?: string }): unknown {
  const versions = asked.versions ?? [];
  const metric = asked.metric || data.comparisons[versions.join(" ")]?.metric;
  return answered(data, route, { versions, metric });
}

/** What the server would answer. */
export function answerOf(data: Report, route: string, path: Asked, query: Asked): unknown {
  switch (route) {
    case "/api/log":
      return data.log;
    case "/api/log/{version}":
      return data.entries[String(path.version)];
    case "/api/findings":
      return data.findings;
    case "/api/compare":
      return compare(data, query as Filters);
    case "/api/compare/chart":
      return chart(data, route, query);
    case "/api/compare/cell":
      return data.cells[String(query.version)]?.[String(query.prompt)];
    case "/api/sweeps/{number}/samples":
      return samples(data, route, { ...path, ...query });
    case "/api/trainings/curves":
      return curves(data, route, query);
    case "/api/search":
      return search(data, String(query.q ?? ""));
    case "/api/jobs":
      return [];
    default:
      return answered(data, route, { ...path, ...query });
  }
}
