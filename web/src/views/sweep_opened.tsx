// Dialogs of a sweep: the outputs of a setting beside its parent's, and its promotion to a version.
import { type FormEvent, useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { get, post } from "../client";
import { useLoad } from "../load";
import { Problem, Shown } from "../parts/states";
import { Plain, WholeText } from "../parts/texts";
import { Window } from "../parts/window";
import { link, useQuery } from "../router";
import { plain } from "../text";

type Info = Schemas["SweepInfo"];
type Trial = Schemas["TrialInfo"];
type Output = Schemas["SweepOutput"];
type Page = Schemas["SamplesInfo"];

/** Prompts on one page. */
const PAGE = 10;

function Outputs({ title, outputs }: { title: string; outputs: readonly Output[] }) {
  return (
    <section aria-label={title} className="outputs">
      <h4>
        <Plain text={title} />
      </h4>
      {outputs.map((one) => (
        <div key={one.indices.join(" ")}>
          <p className="soft small">
            sample {one.indices.join(", ")} · ended by {plain(one.finish_reason)}
            {Object.entries(one.values).map(([name, value]) => ` · ${name} ${value}`)}
          </p>
          <WholeText text={one.output.text} marks={one.output.marks} />
        </div>
      ))}
    </section>
  );
}

function Rows({ page }: { page: Page }) {
  return (
    <>
      {page.missing && <p className="soft">{plain(page.missing)}, so only the setting is shown.</p>}
      {page.rows.map((row) => (
        <section key={row.prompt_id} aria-label={plain(row.prompt_id)} className="job">
          <h3>
            <Plain text={row.prompt_id} />
          </h3>
          <WholeText text={row.prompt} />
          <div className="sides">
            <Outputs title={page.words} outputs={row.outputs} />
            {!page.missing && <Outputs title={page.base} outputs={row.parent} />}
          </div>
        </section>
      ))}
    </>
  );
}

interface SamplesProps {
  number: number;
  trial: Trial;
  canPromote: boolean;
  onPromote: () => void;
  close: () => void;
}

/** The outputs of a setting, some prompts at a time. */
export function Samples({ number, trial, canPromote, onPromote, close }: SamplesProps) {
  const [from, setFrom] = useQuery("from", "0");
  const offset = Math.max(0, Math.floor(Number(from) || 0));
  const page = useLoad(
    `${number} ${trial.name} ${offset}`,
    (signal) =>
      get("/api/sweeps/{number}/samples", {
        path: { number },
        query: { setting: trial.name, offset, limit: PAGE },
        signal,
      }),
    [],
  );
  const leave = () => {
    setFrom("0");
    close();
  };
  return (
    <Window title={<Plain text={trial.words} />} wide close={leave}>
      {trial.eliminated && (
        <p className="soft">
          Eliminated <Plain text={trial.eliminated} />.
        </p>
      )}
      <Shown loaded={page}>
        {(data) => (
          <>
            <Rows page={data} />
            <div className="controls">
              <Button isDisabled={offset === 0} onPress={() => setFrom(`${offset - PAGE}`)}>
                Earlier prompts
              </Button>
              <Button
                isDisabled={offset + PAGE >= data.total}
                onPress={() => setFrom(`${offset + PAGE}`)}
              >
                More prompts
              </Button>
              <span className="soft" role="status">
                prompts {Math.min(offset + 1, data.total)} to {Math.min(offset + PAGE, data.total)}{" "}
                of {data.total}
              </span>
            </div>
          </>
        )}
      </Shown>
      <div className="controls">
        {canPromote && <Button onPress={onPromote}>Promote to a version</Button>}
        <Button onPress={leave}>Close</Button>
      </div>
    </Window>
  );
}

interface PromoteProps {
  data: Info;
  trial: Trial;
  close: () => void;
  reload: () => void;
}

/** Write a setting as a child version. A doubt has to be set aside first. */
export function Promote({ data, trial, close, reload }: PromoteProps) {
  const [name, setName] = useState(data.next_version);
  const [force, setForce] = useState(false);
  const [saved, setSaved] = useState("");
  const [error, setError] = useState<Error>();
  const write = (event: FormEvent) => {
    event.preventDefault();
    setError(undefined);
    const body = { setting: trial.name, name, force };
    post("/api/sweeps/{number}/promote", { path: { number: data.id }, body }).then(() => {
      setSaved(name);
      reload();
    }, setError);
  };
  return (
    <Window
      title={
        <>
          Promote <Plain text={trial.words} />
        </>
      }
      close={close}
    >
      {saved ? (
        <div role="status">
          <p>
            Wrote <a href={link(["log", saved])}>{saved}</a>, a child of {data.base}, with the
            reason in its notes.
          </p>
          <Button onPress={() => void post("/api/runs", { body: { versions: [saved] } })}>
            Generate its outputs
          </Button>
        </div>
      ) : (
        <form onSubmit={write}>
          {trial.doubt ? (
            <p className="changed">
              <Plain text={`${trial.doubt.slice(0, 1).toUpperCase()}${trial.doubt.slice(1)}.`} />
            </p>
          ) : (
            <p>It beats {data.base} on held-out prompts.</p>
          )}
          <p>
            <label>
              Name of the version
              <input
                // biome-ignore lint/a11y/noAutofocus: the dialog was opened to fill this in
                autoFocus
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            </label>
          </p>
          {trial.doubt && (
            <p>
              <label>
                <input
                  type="checkbox"
                  checked={force}
                  onChange={(event) => setForce(event.target.checked)}
                />
                Write it anyway
              </label>
            </p>
          )}
          <Button type="submit" isDisabled={!name || Boolean(trial.doubt && !force)}>
            Write the version
          </Button>
        </form>
      )}
      {error && <Problem error={error} />}
      <div className="controls">
        <Button onPress={close}>Close</Button>
      </div>
    </Window>
  );
}
