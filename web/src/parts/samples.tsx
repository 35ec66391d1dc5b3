// Samples over steps: what a model wrote to a prompt while it was trained.
import { useCallback, useState } from "react";
import type { AnyEvent, Schemas } from "../client";
import { get } from "../client";
import { useEvents } from "../events";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { useQuery } from "../router";
import { plain } from "../text";
import { Shown } from "./states";
import { Plain, WholeText } from "./texts";

type Detail = Schemas["TrainingDetail"];
type Sample = Schemas["TrainingSample"];

const placeOf = (each: Sample) => `${each.step} ${each.decoding} ${each.prompt} ${each.sample}`;

/** Samples of a prompt, and those that came since. */
function useSamples(training: number, prompt: string) {
  const loaded = useLoad(
    `${training} ${prompt}`,
    (signal) =>
      get("/api/trainings/{training}/samples", { path: { training }, query: { prompt }, signal }),
    ["training_repeated"],
  );
  const [later, setLater] = useState<readonly Sample[]>([]);
  useEvents(
    ["training_samples"],
    useCallback(
      (event: AnyEvent) => {
        if (event.type === "training_samples" && event.id === training) {
          setLater((before) => [...before, ...event.samples]);
        }
      },
      [training],
    ),
  );
  const known = new Set((loaded.data ?? []).map(placeOf));
  const fresh = later.filter((each) => each.prompt === prompt && !known.has(placeOf(each)));
  return { ...loaded, data: loaded.data && [...loaded.data, ...fresh] };
}

function Written({ sample }: { sample: Sample }) {
  return (
    <>
      <WholeText text={sample.output.text} marks={sample.output.marks} />
      <p className="soft">
        {sample.ended === "length" ? "cut at the limit" : `ended by ${sample.ended}`}
        {sample.faults.length > 0 && `; ${sample.faults.join(", ").toLowerCase()}`}
      </p>
    </>
  );
}

function AtStep({ all, steps, at }: { all: readonly Sample[]; steps: number[]; at: number }) {
  const shown = all.filter((each) => each.step === steps[at]);
  return (
    <div className="lanes">
      {shown.map((each) => (
        <section
          key={`${each.decoding} ${each.sample}`}
          className="lane"
          aria-label={`${plain(each.decoding)}, step ${each.step}`}
        >
          <h3>
            <Plain text={each.decoding} />
            {each.sample > 0 && `, sample ${each.sample}`}
          </h3>
          <Written sample={each} />
        </section>
      ))}
    </div>
  );
}

function Slider({
  steps,
  at,
  onStep,
}: {
  steps: number[];
  at: number;
  onStep: (at: number) => void;
}) {
  return (
    <label className="slider">
      Step {steps[at]}
      <input
        type="range"
        min={0}
        max={steps.length - 1}
        value={at}
        aria-valuetext={`step ${steps[at]}`}
        onChange={(event) => onStep(Number(event.target.value))}
      />
      <span className="soft">
        look {at + 1} of {steps.length}
      </span>
    </label>
  );
}

/** A prompt, a slider over steps, and what was written then; also all steps as a list. */
export function Samples({ detail }: { detail: Detail }) {
  const ids = Object.keys(detail.prompts);
  const [asked, setPrompt] = useQuery("prompt");
  const [step, setStep] = useQuery("step");
  const prompt = ids.includes(asked) ? asked : (ids[0] ?? "");
  const loaded = useSamples(detail.training.id, prompt);
  const steps = [...new Set((loaded.data ?? []).map((each) => each.step))];
  // No step in the address: the newest, also when a newer one comes.
  const found = steps.indexOf(Number(step));
  const at = step !== "" && found >= 0 ? found : steps.length - 1;
  const move = (to: number) => {
    if (to >= 0 && to < steps.length) setStep(to === steps.length - 1 ? "" : String(steps[to]));
  };
  const turn = (by: number) => {
    const next = ids[ids.indexOf(prompt) + by];
    if (next !== undefined) setPrompt(next);
  };
  useKeys([
    { key: "ArrowLeft", words: "samples: an earlier step", run: () => move(at - 1) },
    { key: "ArrowRight", words: "samples: a later step", run: () => move(at + 1) },
    { key: "j", words: "samples: the next prompt", run: () => turn(1) },
    { key: "k", words: "samples: the prompt before", run: () => turn(-1) },
  ]);
  if (ids.length === 0) return <p>No output was watched.</p>;
  return (
    <>
      <div className="controls">
        <label>
          Prompt
          <select value={prompt} onChange={(event) => setPrompt(event.target.value)}>
            {Object.entries(detail.prompts).map(([id, text]) => (
              <option key={id} value={id}>
                {plain(text).slice(0, 70)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Shown loaded={loaded}>
        {(all) => (
          <>
            <Slider steps={steps} at={at} onStep={move} />
            <AtStep all={all} steps={steps} at={at} />
            <details>
              <summary>
                {steps.length === 1 ? "The only look" : `All ${steps.length} looks`}
              </summary>
              <ol className="plain">
                {steps.map((each, place) => (
                  <li key={each} className="look">
                    <b>Step {each}</b>
                    <AtStep all={all} steps={steps} at={place} />
                  </li>
                ))}
              </ol>
            </details>
          </>
        )}
      </Shown>
    </>
  );
}
