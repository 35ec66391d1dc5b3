// Log: the versions as a tree in time, each with what came of it. Entries load when they come near.
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import type { Schemas } from "../client";
import { get } from "../client";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { Differences } from "../parts/differences";
import { Findings } from "../parts/findings";
import { Notes } from "../parts/notes";
import { Shown } from "../parts/states";
import { Plain, TextCell, WordDiff } from "../parts/texts";
import { go, link, type Place } from "../router";
import { plain } from "../text";

type Version = Schemas["LogVersion"];
type Entry = Schemas["LogEntry"];

/** Deeper versions are not indented further: a line of 200 would leave the page. */
const DEEPEST = 6;

/** Milliseconds that an entry has to be near: what flies past is neither loaded nor drawn. */
const STAY = 100;

const turns: (() => void)[] = [];

/** Runs one of what waits in every other frame: a jump brings several entries, 10 ms each. */
function inTurn(run: () => void): void {
  const next = () =>
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        turns.shift()?.();
        if (turns.length > 0) next();
      }),
    );
  if (turns.push(run) === 1) next();
}

/** Shows its children once they have been near the visible part of the page for a moment. */
function Near({ children }: { children: () => ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    if (!box.current) return undefined;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    let isNear = false;
    const watcher = new IntersectionObserver(
      (entries) => {
        clearTimeout(waiting);
        isNear = entries.at(-1)?.isIntersecting ?? false;
        if (isNear) waiting = setTimeout(() => inTurn(() => isNear && setNear(true)), STAY);
      },
      { rootMargin: "600px" },
    );
    watcher.observe(box.current);
    return () => {
      isNear = false;
      clearTimeout(waiting);
      watcher.disconnect();
    };
  }, []);
  return (
    <div ref={box} className={near ? "" : "waiting"}>
      {near && children()}
    </div>
  );
}

function Examples({ entry }: { entry: Entry }) {
  const [diff, setDiff] = useState(false);
  const [before, after] = entry.examples ?? [];
  if (!before) return null;
  return (
    <>
      <h3>Example</h3>
      <p className="soft">
        <a
          href={link(["compare", ...new Set([before.version, entry.version])], {
            open: before.prompt_id,
          })}
        >
          <Plain text={before.prompt_id} />
        </a>
        , <Plain text={before.why} />: <Plain text={before.prompt} />
      </p>
      <div className="sides">
        {[before, ...(after ? [after] : [])].map((example) => (
          <figure key={example.version}>
            <figcaption>
              {example.version} <span className="soft">sample {example.sample_index}</span>
            </figcaption>
            {diff && after && example === after ? (
              <WordDiff before={before.output.text} after={after.output.text} />
            ) : (
              <TextCell {...example.output} most={600} />
            )}
          </figure>
        ))}
      </div>
      {after && (
        <button type="button" aria-pressed={diff} onClick={() => setDiff(!diff)}>
          Word diff
        </button>
      )}
    </>
  );
}

function Pitfalls({ entry }: { entry: Entry }) {
  if (!entry.pitfalls?.length) return null;
  return (
    <p>
      Pitfalls:{" "}
      {entry.pitfalls.map((pitfall, place) => (
        <span key={pitfall.name} title={pitfall.meaning}>
          {place > 0 && "; "}
          {pitfall.name} {pitfall.before && `${pitfall.before[0]} of ${pitfall.before[1]} → `}
          {pitfall.found} of {pitfall.total}
        </span>
      ))}
    </p>
  );
}

function EntryBody({ version, entry }: { version: Version; entry: Entry }) {
  return (
    <>
      <p className="sentence">
        <Plain text={entry.sentence} />
      </p>
      {entry.stale && <p className="changed">{plain(entry.stale)}</p>}
      {entry.missing && <p className="soft">{plain(entry.missing)}</p>}
      <Differences
        items={entry.differences ?? []}
        before={version.parent ?? ""}
        after={version.name}
      />
      {!entry.differences?.length && (
        <p>{entry.values?.map((value) => `${value.title} ${value.words}`).join(", ")}</p>
      )}
      <Pitfalls entry={entry} />
      {entry.unsupported?.map((claim) => (
        <p key={claim} className="worse">
          Not shown by the stored runs: <Plain text={claim} />
        </p>
      ))}
      <details>
        <summary>Changed settings, example, evidence</summary>
        {(entry.changes?.length ?? 0) > 0 && (
          <ul>
            {entry.changes?.map((change) => (
              <li key={change.words}>
                <Plain text={change.words} />
                {change.lines.length > 0 && (
                  <pre className="text">
                    <Plain text={change.lines.join("\n")} />
                  </pre>
                )}
              </li>
            ))}
          </ul>
        )}
        <Examples entry={entry} />
        <p className="soft">
          {entry.evidence} · {plain(entry.model ?? "")} · identity {entry.identity}
        </p>
        {entry.trained?.map((line) => (
          <p key={line} className="soft">
            <Plain text={line} />
          </p>
        ))}
      </details>
      {entry.notes && <Notes version={version.name} initial={entry.notes} />}
    </>
  );
}

/** What ends the keeping: somebody moves. */
const MOVES = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/**
 * Goes to an entry, and again when the page grows: what was found loads above it and would push it
 * out of sight. Ends when somebody moves.
 */
function keepInView(entry: HTMLElement | null): (() => void) | undefined {
  if (!entry) return undefined;
  entry.focus();
  const watcher = new ResizeObserver(() => entry.scrollIntoView());
  watcher.observe(document.body);
  const stop = () => watcher.disconnect();
  for (const move of MOVES) window.addEventListener(move, stop, { once: true });
  return () => {
    stop();
    for (const move of MOVES) window.removeEventListener(move, stop);
  };
}

function LogEntry({ version, current }: { version: Version; current: boolean }) {
  const article = useRef<HTMLElement>(null);
  useEffect(() => (current ? keepInView(article.current) : undefined), [current]);
  return (
    <article
      ref={article}
      tabIndex={-1}
      className="version"
      data-depth={Math.min(version.depth, DEEPEST)}
      aria-label={version.name}
      aria-current={current || undefined}
    >
      <h2>
        <a href={link(["log", version.name])}>{version.name}</a> <Plain text={version.title} />
      </h2>
      <p className="soft">
        {version.parent ? (
          <a href={link(["compare", version.parent, version.name])}>
            compare with {version.parent}
          </a>
        ) : (
          "first of its line"
        )}
        {version.ran_at && ` · run ${version.ran_at.slice(0, 16).replace("T", " ")} UTC`}
      </p>
      <Near>{() => <Loading version={version} />}</Near>
    </article>
  );
}

function Loading({ version }: { version: Version }) {
  const entry = useLoad(version.name, (signal) =>
    get("/api/log/{version}", { path: { version: version.name }, signal }),
  );
  return <Shown loaded={entry}>{(data) => <EntryBody version={version} entry={data} />}</Shown>;
}

/** Keys to walk through the versions and to open one. */
function useWalk(versions: readonly Version[], current: string | undefined) {
  const at = versions.findIndex((version) => version.name === current);
  const step = useCallback(
    (by: number) => {
      const next = versions[Math.min(Math.max(at + by, 0), versions.length - 1)];
      if (next) go(["log", next.name]);
    },
    [versions, at],
  );
  const version = versions[at];
  useKeys([
    { key: "j", words: "next version", run: () => step(1) },
    { key: "k", words: "previous version", run: () => step(-1) },
    {
      key: "c",
      words: "compare the version with its parent",
      run: () => version?.parent && go(["compare", version.parent, version.name]),
    },
  ]);
}

export function Log({ place }: { place: Place }) {
  const log = useLoad("log", (signal) => get("/api/log", { signal }));
  const versions = log.data?.versions ?? [];
  useWalk(versions, place.path[1]);
  return (
    <Shown loaded={log}>
      {(data) => (
        <>
          <h1>
            <Plain text={data.title} />
          </h1>
          {data.about && (
            <p>
              <Plain text={data.about} />
            </p>
          )}
          {data.versions.length === 0 && (
            <p>
              The study has no version yet. Write <code>versions/v0.0.1.yaml</code> with a title and
              a model; it appears here when the file is saved.
            </p>
          )}
          <Findings />
          <div className="log">
            <nav aria-label="Versions" className="tree">
              <ol className="plain">
                {data.versions.map((version) => (
                  <li key={version.name} data-depth={Math.min(version.depth, DEEPEST)}>
                    <a
                      href={link(["log", version.name])}
                      aria-current={version.name === place.path[1] ? "location" : undefined}
                    >
                      {version.name}
                    </a>{" "}
                    <span className="soft">{plain(version.title)}</span>
                  </li>
                ))}
              </ol>
            </nav>
            <div>
              {data.versions.map((version) => (
                <LogEntry
                  key={version.name}
                  version={version}
                  current={version.name === place.path[1]}
                />
              ))}
            </div>
          </div>
        </>
      )}
    </Shown>
  );
}
