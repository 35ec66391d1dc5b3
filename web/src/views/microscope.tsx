// Microscope: one output token by token, what each token was chosen from, and branches.
import { useCallback, useEffect, useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { get, post } from "../client";
import { useJob } from "../job";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { Problem, Shown } from "../parts/states";
import { Plain, TextCell } from "../parts/texts";
import { COLOURS, type Colour, Tokens } from "../parts/tokens";
import { go, link, type Place, useQuery } from "../router";
import { plain } from "../text";
import { BranchPanel } from "./branches";

type Output = Schemas["OutputView"];
type Step = Schemas["StepView"];

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
function Chooser({ where }: { where: Where }) {
  const versions = useLoad("microscope", (signal) => get("/api/microscope", { signal }));
  return (
    <Shown loaded={versions}>
      {(all) => {
        const version = all.find((one) => one.name === where.version) ?? all[0];
        if (!version) return <p>No version of this study generates its outputs here.</p>;
        const prompt = version.prompts.includes(where.prompt)
          ? where.prompt
          : (version.prompts[0] ?? "");
        const open = (next: Partial<Where>) =>
          go(pathOf({ version: version.name, prompt, sample: 0, ...next }));
        return (
          <div className="controls">
            <label>
              Version
              <select
                value={where.version || ""}
                onChange={(event) => open({ version: event.target.value })}
              >
                {!where.version && <option value="">choose</option>}
                {all.map((one) => (
                  <option key={one.name} value={one.name}>
                    {one.name} {plain(one.title)}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Prompt
              <select value={prompt} onChange={(event) => open({ prompt: event.target.value })}>
                {version.prompts.map((one) => (
                  <option key={one} value={one}>
                    {plain(one)}
                  </option>
                ))}
              </select>
            </label>
            {version.samples > 1 && (
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
      }}
    </Shown>
  );
}

/** What one token was chosen from: a column for each distribution. */
function StepPanel({ step }: { step: Step }) {
  const last = step.stages.length - 1;
  return (
    <section aria-label="What this token was chosen from">
      <p>{plain(step.why_possible)}</p>
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
                    <Plain text={token.text.replaceAll("\n", "⏎")} />
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
                      <Plain text={text.replaceAll("\n", "⏎")} />
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
                  <th>more probable than in the first</th>
                  <th>the most probable token</th>
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
      <Button isDisabled={job?.state === "running"} onPress={() => void start()}>
        Make its trace
      </Button>{" "}
      <span role="status" className="soft">
        {job && plain(job.words)}
      </span>
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
        <span className="soft">pale is what the model expected</span>
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
              <Plain text={chosen.text.replaceAll("\n", "⏎")} />
            </bdi>
          </h2>
          <p>
            Probability {percent(chosen.probability)}, rank {chosen.rank}, entropy{" "}
            {chosen.entropy.toFixed(2)} nats; final probability {percent(chosen.final)}
            {chosen.kept != null && ` among ${chosen.kept} tokens`}.
          </p>
          <Shown loaded={choice}>
            {(found) => (found.step === step ? <StepPanel step={found} /> : null)}
          </Shown>
          <BranchPanel output={output} where={where} step={step} reload={reload} />
        </>
      )}
      <Loops output={output} onStep={setStep} />
    </>
  );
}

export function Microscope({ place }: { place: Place }) {
  const [, version = "", prompt = "", sample = "0"] = place.path;
  const [branch] = useQuery("branch");
  const where: Where = { version, prompt, sample: Number(sample) || 0 };
  if (branch) where.branch = Number(branch);
  const known = Boolean(where.branch !== undefined || (version && prompt));
  const output = useLoad(
    `output ${version} ${prompt} ${sample} ${branch}`,
    (signal) =>
      known
        ? get("/api/microscope/output", {
            query:
              where.branch === undefined
                ? { version, prompt, sample: where.sample }
                : { branch: where.branch },
            signal,
          })
        : Promise.resolve(undefined),
    [],
  );
  const fits = output.data && (output.data.branch ?? undefined) === where.branch;
  return (
    <>
      <h1>Microscope</h1>
      <Chooser where={where} />
      {output.error && <Problem error={output.error} />}
      {output.error && known && <MakeTrace where={where} onMade={output.reload} />}
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
