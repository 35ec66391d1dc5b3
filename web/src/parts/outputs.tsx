// All outputs on one prompt, in full: a dialog with a column for each version.
import { get } from "../client";
import { useLoad } from "../load";
import { report } from "../offline";
import { link } from "../router";
import { plain } from "../text";
import { Shown } from "./states";
import { Plain, WholeText } from "./texts";
import { Window } from "./window";

/** Why an output ended, in words. */
export const ENDINGS: Readonly<Record<string, string>> = {
  eos: "ended by the model",
  stop: "ended by a stop",
  length: "cut off by the length limit",
};

function Outputs({ version, prompt }: { version: string; prompt: string }) {
  const cell = useLoad(`${version} ${prompt}`, (signal) =>
    get("/api/compare/cell", { query: { version, prompt }, signal }),
  );
  return (
    <section aria-label={version} className="outputs">
      <h3>{version}</h3>
      <Shown loaded={cell}>
        {(data) =>
          data.samples.map((sample) => (
            <div key={sample.identity} className="sample">
              <p className="line">
                <b>Sample {sample.indices.join(", ")}</b>
                <span className="soft">
                  {ENDINGS[sample.finish_reason] ?? plain(sample.finish_reason)}
                </span>
                {!report() && (
                  <a
                    href={link(["microscope", version, prompt, String(sample.indices[0] ?? 0)])}
                    aria-label={`Tokens of ${version}, sample ${sample.indices[0] ?? 0}`}
                  >
                    tokens
                  </a>
                )}
              </p>
              {sample.evidence.map((words) => (
                <p key={words} className="worse">
                  <Plain text={words} />
                </p>
              ))}
              <WholeText text={sample.output.text} marks={sample.output.marks} />
              <p className="soft small">
                {Object.entries(sample.values)
                  .map(([title, words]) => `${title} ${words}`)
                  .join(" · ")}
              </p>
            </div>
          ))
        }
      </Shown>
    </section>
  );
}

/** The dialog. */
export function Opened({
  versions,
  prompt,
  close,
}: {
  versions: readonly string[];
  prompt: string;
  close: () => void;
}) {
  const first = useLoad(`${versions[0]} ${prompt}`, (signal) =>
    get("/api/compare/cell", { query: { version: versions[0] ?? "", prompt }, signal }),
  );
  return (
    <Window title={<Plain text={prompt} />} wide close={close}>
      {first.data && <WholeText text={first.data.prompt} />}
      {first.data?.reference && (
        <p className="soft">
          Reference: <Plain text={first.data.reference} />
        </p>
      )}
      {first.data && first.data.constraints.length > 0 && (
        <p className="soft">Constraints: {first.data.constraints.map(plain).join(", ")}</p>
      )}
      <div className="sides">
        {versions.map((version) => (
          <Outputs key={version} version={version} prompt={prompt} />
        ))}
      </div>
      <p className="line">
        <button type="button" onClick={close}>
          Close
        </button>
        {!report() && (
          <a
            href={link(["play"], {
              prompt,
              lanes: JSON.stringify(versions.slice(0, 4).map((version) => ({ version }))),
            })}
          >
            Play with this prompt
          </a>
        )}
      </p>
    </Window>
  );
}
