// Microscope: one output token by token, what each token was chosen from, and branches.
import { useCallback, useEffect, useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { get, post } from "../client";
import { useJob } from "../job";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { Problem, Shown } from "../parts/states";
import { Plain, TextCell, WholeText } from "../parts/texts";
import { COLOURS, type Colour, Tokens, tokenWords } from "../parts/tokens";
import { go, link, type Place, useQuery } from "../router";
import { plain } from "../text";
import { BranchPanel } from "./branches";

type Output = Schemas["OutputView"];
type Step = Schemas["StepView"];
type Version = Schemas["MicroscopeVersion"];

export interface Where {
  version: string;
  prompt: string;
  sample: number;
  branch?: number;
}

export function percent(share: number): string {
  if (share === 0) return "0";
  return share < 0.001 ? "<0.1 %" : `${(100 * share).toFixed(1)} %`;
}

function pathOf(where: Where): string[] {
  return ["microscope", where.version, where.prompt, String(where.sample)];
}

/** A share of 1 as a bar with its number. */
export function Bar({ share, strong = false }: { share: number; strong?: boolean }) {
  return (
    <span className="share">
      <span className={strong ? "bar strong" : "bar"}>
        <span style={{ width: `${100 * share}%` }} />
      </span>
      <span className="number">{percent(share)}</span>
    </span>
  );
}

/** Which output: version, prompt and sample. */
function Chooser({ all, where }: { all: readonly Version[]; where: Where }) {
  const version = all.find((one) => one.name === where.version);
  const prompts = version?.prompts ?? [];
  const open = (next: Partial<Where>) => go(pathOf({ ...where, sample: 0, ...next }));
  // A prompt that the chosen version does not have gives way to its first one.
  const choose = (name: string) => {
    const ids = all.find((one) => one.name === name)?.prompts ?? [];
    const prompt = ids.includes(where.prompt) ? where.prompt : (ids[0] ?? "");
    open({ version: name, prompt });
  };
  return (
    <div className="controls">
      <label>
        Version
        <select value={where.version} onChange={(event) => choose(event.target.value)}>
          {all.map((one) => (
            <option key={one.name} value={one.name}>
              {one.name} {plain(one.title)}
            </option>
          ))}
        </select>
      </label>
      <label>
        Prompt
        <select value={where.prompt} onChange={(event) => open({ prompt: event.target.value })}>
          {prompts.map((one) => (
            <option key={one} value={one}>
              {plain(one)}
            </option>
          ))}
        </select>
      </label>
      {version && version.samples > 1 && (
        <label>
          Sample
          <input
            type="number"
            min={0}
            max={version.samples - 1}
            value={where.sample}
            onChange={(event) => open({ sample: Number(event.target.value) })}
          />
        </label>
      )}
    </div>
  );
}

/** What one token was chosen from: a column for each distribution. */
function StepPanel({ step }: { step: Step }) {
  const last = step.stages.length - 1;
  return (
    <section aria-label="What this token was chosen from">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <div className="scroll" tabIndex={0} role="group" aria-label="Distributions">
        <table className="stages">
          <thead>
            <tr>
              <th>token</th>
              {step.stages.map((stage, place) => (
                <th key={stage.name}>
                  {stage.label}
                  {place === last && place > 0 && " (final)"}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {step.tokens.map((token) => (
              <tr key={token.id} className={token.chosen ? "chosen" : ""}>
                <th scope="row">
                  <bdi className="piece">
                    <Plain text={tokenWords(token.text)} />
                  </bdi>
                  {token.chosen && <span className="soft"> chosen</span>}
                </th>
                {token.probabilities.map((share, place) => (
                  <td key={step.stages[place]?.name ?? place}>
                    {share === 0 ? (
                      <span className="soft">removed</span>
                    ) : (
                      <Bar share={share} strong={token.chosen} />
                    )}
                  </td>
                ))}
              </tr>
            ))}
            <tr>
              <th scope="row" className="soft">
                all others
              </th>
              {step.stages.map((stage) => (
                <td key={stage.name}>
                  <Bar share={stage.rest} />
                </td>
              ))}
            </tr>
          </tbody>
        </table>
      </div>
      <ul className="plain soft">
        {step.stages.map((stage) => (
          <li key={stage.name}>
            {stage.label}: {plain(stage.words)}
            {stage.removed_examples.length > 0 && (
              <>
                {" ("}
                {stage.removed_examples.map((text, place) => (
                  <span key={place}>
                    {place > 0 && ", "}
                    <bdi className="piece">
                      <Plain text={tokenWords(text)} />
                    </bdi>
                  </span>
                ))}
                {stage.removed > stage.removed_examples.length && ", …"}
                {")"}
              </>
            )}
            ; entropy {stage.entropy.toFixed(2)} nats
          </li>
        ))}
        <li>{plain(step.why_possible)}</li>
        <li>{plain(step.how)}</li>
        {step.notes.map((note) => (
          <li key={note} className="changed">
            {plain(note)}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** How probable each copy of a loop was. */
function Loops({ output, onStep }: { output: Output; onStep: (step: number) => void }) {
  if (output.loops.length === 0) return null;
  return (
    <section aria-label="Loops">
      <h2>Loops feed themselves</h2>
      {output.loops.map((loop) => (
        <div key={loop.onset}>
          <p>
            <Button onPress={() => onStep(loop.onset)}>Token {loop.onset + 1}</Button> {loop.copies}{" "}
            copies of {loop.period} tokens. The first copy had a mean probability of{" "}
            {percent(loop.probability[0] ?? 0)} a token, the last one{" "}
            {percent(loop.probability[loop.probability.length - 1] ?? 0)}.
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
          <div className="scroll" tabIndex={0} role="group" aria-label="Copies">
            <table className="stages">
              <thead>
                <tr>
                  <th>copy</th>
                  <th>mean probability</th>
                  <th>tokens more probable than in copy 1</th>
                  <th>tokens that were the most probable</th>
                </tr>
              </thead>
              <tbody>
                {loop.probability.map((share, copy) => (
                  <tr key={copy}>
                    <th scope="row">{copy + 1}</th>
                    <td>
                      <Bar share={share} strong />
                    </td>
                    <td>
                      <Bar share={loop.increased[copy] ?? 0} />
                    </td>
                    <td>
                      <Bar share={loop.won[copy] ?? 0} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      ))}
    </section>
  );
}

/** What is stored of an output that has no trace yet, where something is. */
function Stored({ where }: { where: Where }) {
  const { version, prompt, sample } = where;
  const cell = useLoad(`cell ${version} ${prompt}`, (signal) =>
    get("/api/compare/cell", { query: { version, prompt }, signal }),
  );
  const found = cell.data?.samples.find((one) => one.indices.includes(sample));
  if (!cell.data || !found) return null;
  return (
    <>
      <p className="soft">
        <TextCell text={cell.data.prompt} length={cell.data.prompt.length} />
      </p>
      <div className="tokens untraced">
        <WholeText text={found.output.text} marks={found.output.marks} />
      </div>
    </>
  );
}

/** An output that has no trace yet: make it. */
function MakeTrace({ where, onMade }: { where: Where; onMade: () => void }) {
  const [id, setId] = useState("");
  const [error, setError] = useState<Error>();
  const job = useJob(id)?.job;
  useEffect(() => {
    if (job?.state === "done") onMade();
  }, [job?.state, onMade]);
  const start = () =>
    post("/api/microscope/trace", {
      body: { version: where.version, prompt: where.prompt, sample: where.sample },
    }).then((made) => setId(made.id), setError);
  return (
    <>
      <Stored key={`${where.version} ${where.prompt}`} where={where} />
      <p>
        This output has no trace yet: the probability, the rank and the alternatives of each token.
        The model makes it by generating the same tokens again.
      </p>
      <p className="line">
        <Button
          className="primary"
          isDisabled={job?.state === "running"}
          onPress={() => void start()}
        >
          Make its trace
        </Button>
        <span role="status" className={job?.state === "failed" ? "worse" : "soft"}>
          {job && job.state !== "done" && plain(job.words)}
        </span>
      </p>
      {error && <Problem error={error} />}
    </>
  );
}

function Opened({ output, where, reload }: { output: Output; where: Where; reload: () => void }) {
  const [colour, setColour] = useQuery("colour", "probability");
  const [stepText, setStepText] = useQuery("step", "1");
  const step = Math.min(output.tokens.length, Math.max(1, Number(stepText) || 1)) - 1;
  const setStep = useCallback((next: number) => setStepText(String(next + 1)), [setStepText]);
  const chosen = output.tokens[step];
  const kind = (COLOURS.find((one) => one === colour) ?? "probability") as Colour;
  const parent = output.branches.find((one) => one.id === output.branch)?.parent ?? undefined;
  const beside = useLoad(
    `beside ${output.version} ${output.prompt_id} ${output.sample} ${output.branch} ${parent}`,
    (signal) =>
      output.branch == null
        ? Promise.resolve(undefined)
        : get("/api/microscope/output", {
            query:
              parent !== undefined
                ? { branch: parent }
                : { version: output.version, prompt: output.prompt_id, sample: output.sample },
            signal,
          }),
    [],
  );
  const choice = useLoad(
    `step ${output.version} ${output.prompt_id} ${output.sample} ${output.branch} ${step}`,
    (signal) =>
      get("/api/microscope/step", {
        query:
          output.branch == null
            ? { step, version: output.version, prompt: output.prompt_id, sample: output.sample }
            : { step, branch: output.branch },
        signal,
      }),
    [],
  );
  useKeys([
    { key: "ArrowRight", words: "next token", run: () => setStep(step + 1) },
    { key: "ArrowLeft", words: "token before", run: () => setStep(Math.max(0, step - 1)) },
    {
      key: "c",
      words: "colour by probability, rank or entropy",
      run: () => setColour(COLOURS[(COLOURS.indexOf(kind) + 1) % COLOURS.length] ?? "probability"),
    },
  ]);
  const shared = { colour: kind, step, onStep: setStep };
  return (
    <>
      <p className="soft">
        <TextCell text={output.prompt} length={output.prompt.length} />
      </p>
      <div className="controls" role="group" aria-label="Colour by">
        Colour by
        {COLOURS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === kind}
            onClick={() => setColour(one)}
          >
            {one}
          </button>
        ))}
        <span className="soft">
          pale is what the model expected; click a token, or walk with <kbd>←</kbd> <kbd>→</kbd>
        </span>
      </div>
      {output.branch != null && (
        <p>
          Branch {output.branch}, {plain(output.words)}.{" "}
          <a
            href={link(
              pathOf(where),
              parent !== undefined
                ? { branch: String(parent), step: stepText }
                : { step: stepText },
            )}
          >
            Back to {parent !== undefined ? `branch ${parent}` : "the original"}
          </a>
        </p>
      )}
      <div className={beside.data ? "beside" : ""}>
        {beside.data && (
          <section aria-label="Original">
            <h2>{parent !== undefined ? `Branch ${parent}` : "Original"}</h2>
            <Tokens
              id="before"
              label="Tokens of the original"
              tokens={beside.data.tokens}
              from={output.at ?? 0}
              {...shared}
            />
          </section>
        )}
        <section aria-label="Output">
          {beside.data && <h2>Branch {output.branch}</h2>}
          <Tokens
            id="tokens"
            label="Tokens of the output"
            tokens={output.tokens}
            from={output.at ?? 0}
            {...shared}
          />
        </section>
      </div>
      {chosen && (
        <>
          <h2>
            Token {step + 1}:{" "}
            <bdi className="piece">
              <Plain text={tokenWords(chosen.text)} />
            </bdi>
          </h2>
          <p>
            Probability {percent(chosen.probability)}, rank {chosen.rank}, entropy{" "}
            {chosen.entropy.toFixed(2)} nats; final probability {percent(chosen.final)}
            {chosen.kept != null && ` among ${chosen.kept.toLocaleString("en")} tokens`}.
          </p>
          <div className="choice">
            <div className={choice.data?.step === step ? "" : "stale"} aria-busy={choice.loading}>
              {choice.error && <Problem error={choice.error} />}
              {choice.data ? (
                <StepPanel step={choice.data} />
              ) : (
                choice.loading && (
                  <p className="soft" role="status">
                    Loading … the model reads the output once, then each token is there at once.
                  </p>
                )
              )}
            </div>
            <BranchPanel output={output} where={where} step={step} reload={reload} />
          </div>
        </>
      )}
      <Loops output={output} onStep={setStep} />
    </>
  );
}

/** The output in the address; the first one of the study where it names none. */
export function Microscope({ place }: { place: Place }) {
  const versions = useLoad("microscope", (signal) => get("/api/microscope", { signal }));
  return (
    <>
      <h1>Microscope</h1>
      <Shown loaded={versions}>
        {(all) => {
          const first = all[0];
          if (!first) return <p>No version of this study generates its outputs here.</p>;
          const [, version = first.name, prompt = "", sample = "0"] = place.path;
          const ids = all.find((one) => one.name === version)?.prompts ?? first.prompts;
          return (
            <One all={all} version={version} prompt={prompt || (ids[0] ?? "")} sample={sample} />
          );
        }}
      </Shown>
    </>
  );
}

interface OneProps {
  all: readonly Version[];
  version: string;
  prompt: string;
  sample: string;
}

function One({ all, version, prompt, sample }: OneProps) {
  const [branch] = useQuery("branch");
  const where: Where = { version, prompt, sample: Number(sample) || 0 };
  if (branch) where.branch = Number(branch);
  const output = useLoad(
    `output ${version} ${prompt} ${sample} ${branch}`,
    (signal) =>
      get("/api/microscope/output", {
        query:
          where.branch === undefined
            ? { version, prompt, sample: where.sample }
            : { branch: where.branch },
        signal,
      }),
    [],
  );
  const fits = output.data && (output.data.branch ?? undefined) === where.branch;
  return (
    <>
      <Chooser all={all} where={where} />
      {output.error && <Problem error={output.error} />}
      {output.data === null && !output.loading && (
        <MakeTrace key={`${version} ${prompt} ${sample}`} where={where} onMade={output.reload} />
      )}
      {output.data && fits && !output.error && (
        <Opened
          key={`${output.data.version} ${output.data.prompt_id} ${output.data.sample}`}
          output={output.data}
          where={where}
          reload={output.reload}
        />
      )}
    </>
  );
}
