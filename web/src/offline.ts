// The report: the same page in one file. What the server would answer is in `ethogramReport`;
// filters of a comparison are done here, over the rows that the file holds.
import type { Schemas } from "./client";

type Matrix = Schemas["MatrixInfo"];
type Row = Schemas["RowInfo"];
type Cell = Schemas["CellDetail"];

export interface Report {
  log: Schemas["LogView"];
  findings: Schemas["FindingsInfo"];
  entries: Record<string, Schemas["LogEntry"]>;
  comparisons: Record<string, Matrix>;
  /** Of comparisons of two versions. */
  charts: Record<string, Schemas["ChartInfo"]>;
  cells: Record<string, Record<string, Cell>>;
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

/** The report that this file is; nothing where the page is served. */
export function report(): Report | undefined {
  return (globalThis as { ethogramReport?: Report }).ethogramReport;
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
  const like = (text: string) => text.toLowerCase().includes(words.toLowerCase());
  return data.log.versions
    .filter((version) => like(version.name) || like(version.title))
    .map(({ name, title }) => ({ kind: "version", id: name, name, words: title }));
}

/** What the server would answer. */
export function answerOf(
  data: Report,
  route: string,
  path: Record<string, unknown>,
  query: Record<string, unknown>,
): unknown {
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
      return data.charts[(query.versions as string[]).join(" ")];
    case "/api/compare/cell":
      return data.cells[String(query.version)]?.[String(query.prompt)];
    case "/api/search":
      return search(data, String(query.q ?? ""));
    case "/api/jobs":
      return [];
    default:
      return undefined;
  }
}
