// Findings: what all versions together show, in sentences, a small table, and one prompt through all.
import { useCallback, useEffect, useState } from "react";
import type { AnyEvent, Schemas } from "../client";
import { get } from "../client";
import { useEvents } from "../events";
import { useLoad } from "../load";
import { link } from "../router";
import { Plain, TextCell } from "./texts";

type Found = Schemas["FindingsInfo"];

function Overview({ found }: { found: Found }) {
  return (
    <details open>
      <summary>All versions in a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard too */}
      <section className="scroll" tabIndex={0} aria-label="all versions">
        <table className="overview">
          <thead>
            <tr>
              <th scope="col">version</th>
              <th scope="col">clear against its parent</th>
              {found.columns.map((column) => (
                <th key={column.title} scope="col" className="number" title={column.formula}>
                  {column.title}
                </th>
              ))}
              <th scope="col" className="number">
                prompts
              </th>
            </tr>
          </thead>
          <tbody>
            {found.rows.map((row) => (
              <tr key={row.version}>
                <th scope="row">
                  <a href={link(["log", row.version])}>{row.version}</a> <Plain text={row.title} />
                </th>
                <td>{row.clear}</td>
                {row.values.map((value, place) => (
                  <td key={found.columns[place]?.title} className="number">
                    {value}
                  </td>
                ))}
                <td className="number">{row.prompts}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

function Thread({ thread }: { thread: NonNullable<Found["thread"]> }) {
  return (
    <details>
      <summary>One prompt through all versions</summary>
      <p className="soft">
        <Plain text={thread.prompt_id} />, <Plain text={thread.why} />:{" "}
        <Plain text={thread.prompt} />
      </p>
      <dl className="thread">
        {thread.outputs.map((output) => (
          <div key={output.version}>
            <dt>{output.version}</dt>
            <dd>
              {output.text ? (
                <TextCell text={output.text} length={output.text.length} />
              ) : (
                <span className="soft">empty</span>
              )}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** How far the server is with reading; follows its events, and loads the findings in the end. */
function useFindings() {
  const { data, reload } = useLoad("findings", (signal) => get("/api/findings", { signal }));
  const [read, setRead] = useState<{ done: number; total: number }>();
  const [found, setFound] = useState<Found>();
  const follow = useCallback(
    (event: AnyEvent) => {
      if (event.type !== "findings") return;
      setRead(event);
      if (event.ready) reload();
    },
    [reload],
  );
  useEvents(["findings"], follow);
  useEffect(() => {
    if (data?.ready) setFound(data);
    else setRead(data);
  }, [data]);
  return { found, read: data?.ready ? undefined : read };
}

/** What was found; nothing until two versions have outputs. While it is read again, what it was. */
export function Findings() {
  const { found, read } = useFindings();
  const reading = read && (
    <p className="soft" role="status">
      Reading the outputs of all versions and testing what changed: {read.done} of {read.total}.
    </p>
  );
  if (!found?.sentences.length) return reading ?? null;
  return (
    <section aria-label="What was found" className="findings">
      <h2>What was found</h2>
      {reading}
      <ol>
        {found.sentences.map((sentence) => (
          <li key={sentence}>
            <Plain text={sentence} />
          </li>
        ))}
      </ol>
      <Overview found={found} />
      {found.thread && <Thread thread={found.thread} />}
    </section>
  );
}
