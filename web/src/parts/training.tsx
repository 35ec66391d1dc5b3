// One training, or several over each other: how far, what came of it, curves, behaviour, samples.
import { useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { get, post } from "../client";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { canAct, hasCharts, report } from "../offline";
import { go, link } from "../router";
import { plain } from "../text";
import { CurvesOf } from "./curves";
import { Lines } from "./plan";
import { Samples } from "./samples";
import { Problem, Shown } from "./states";
import { Plain } from "./texts";

type Info = Schemas["TrainingInfo"];
type Detail = Schemas["TrainingDetail"];

/** The sentence of a training, its progress, and stop or continue. */
export function Progress({ training, linked = false }: { training: Info; linked?: boolean }) {
  const [error, setError] = useState<Error>();
  const [asked, setAsked] = useState("");
  const { id, state } = training;
  const running = state === "running" && canAct();
  const act = (word: string) => {
    const done = () => {
      setError(undefined);
      setAsked(word);
    };
    if (word === "stop") {
      post("/api/trainings/{training}/stop", { path: { training: id } }).then(done, setError);
    } else post("/api/trainings/continue", { body: { id } }).then(done, setError);
  };
  const goesOn = !running && state !== "finished" && canAct();
  useKeys([
    {
      key: "s",
      words: running ? `stop ${plain(training.name)}` : `continue ${plain(training.name)}`,
      run: () => (running ? act("stop") : goesOn && !training.changed && act("continue")),
    },
  ]);
  const name = plain(training.name);
  return (
    <section className="progress" aria-label={`training ${name}`}>
      <p className="sentence">
        {linked ? <a href={link(["train", String(id)])}>{name}</a> : name}:{" "}
        <Plain text={training.words} />
      </p>
      {state !== "finished" && (
        <progress aria-label={name} value={training.step} max={training.steps} />
      )}
      <div className="line">
        {running && <Button onPress={() => act("stop")}>Stop</Button>}
        {goesOn && !training.changed && <Button onPress={() => act("continue")}>Continue</Button>}
        {running && asked === "stop" && <span role="status">Stopping after this step …</span>}
        {goesOn && asked === "continue" && <span role="status">Preparing to go on …</span>}
        {goesOn && training.changed && <span className="soft">{plain(training.changed)}</span>}
        {running && <span className="soft">a stopped training goes on from its checkpoint</span>}
      </div>
      {error && <Problem error={error} />}
    </section>
  );
}

function Links({ training }: { training: Info }) {
  const { parent, version, exists } = training;
  if (!exists) return null;
  return (
    <p className="line">
      <a href={link(["log", version])}>{version} in the log</a>
      {parent && <a href={link(["compare", parent, version])}>compare with {parent}</a>}
    </p>
  );
}

function Behaviour({ detail }: { detail: Detail }) {
  if (detail.behaviour.length === 0) return null;
  return (
    <section aria-label="behaviour by step">
      <h2>Behaviour by step</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard */}
      <div className="scroll looks" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">measure</th>
              <th scope="col">decoding</th>
              {detail.looks.map((step) => (
                <th key={step} scope="col" className="number">
                  {step}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {detail.behaviour.map((row) => (
              <tr key={row.title + row.decoding}>
                <th scope="row">{plain(row.title)}</th>
                <td className="soft">{plain(row.decoding)}</td>
                {row.values.map((value, at) => (
                  <td key={detail.looks[at]} className="number">
                    {value}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function One({ training }: { training: Info }) {
  const { id, state } = training;
  const loaded = useLoad(
    `training ${id} ${state} ${training.step === 0}`,
    (signal) => get("/api/trainings/{training}", { path: { training: id }, signal }),
    ["study", "training_samples"],
  );
  return (
    <Shown loaded={loaded}>
      {(detail) => (
        <>
          {detail.warnings.map((each) => (
            <p key={each} className="changed">
              Warning: <Plain text={each} />
            </p>
          ))}
          <Behaviour detail={detail} />
          {hasCharts() && (
            <>
              <h2>Curves</h2>
              <CurvesOf ids={[id]} />
              <h2>Samples over steps</h2>
              <Samples detail={detail} />
            </>
          )}
          <h2>Plan and recipe</h2>
          <Lines
            lines={[
              ...detail.plan.map(([name, words]) => [name, words] as const),
              ...detail.measured.map(
                ([name, planned, took]) =>
                  [`${name} taken`, `${took} (estimated ${planned})`] as const,
              ),
            ]}
          />
          <details>
            <summary>The recipe, with its defaults</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
            <pre className="scroll" tabIndex={0}>
              <Plain text={detail.recipe} />
            </pre>
          </details>
        </>
      )}
    </Shown>
  );
}

/** Links that add or take away a training. */
function Others({ ids, all }: { ids: readonly number[]; all: readonly Info[] }) {
  // A report holds only all of them over each other.
  const others = report()?.together ?? all.map((each) => each.id);
  const free = all.filter((each) => others.includes(each.id) && !ids.includes(each.id));
  const show = (next: readonly number[]) =>
    go(
      ["train", ...next.map(String)],
      Object.fromEntries(new URLSearchParams(window.location.hash.split("?")[1] ?? "")),
    );
  return (
    <div className="controls">
      <a href={link(["train"])}>All trainings</a>
      {free.length > 0 && !canAct() && (
        <a href={link(["train", ...others.map(String)])}>{others.length} over each other</a>
      )}
      {free.length > 0 && canAct() && (
        <label>
          Over it
          <select value="" onChange={(event) => show([...ids, Number(event.target.value)])}>
            <option value="">another training</option>
            {free.map((each) => (
              <option key={each.id} value={each.id}>
                {plain(each.name)}, seed {each.seed} ({each.id})
              </option>
            ))}
          </select>
        </label>
      )}
      {ids.length > 1 &&
        canAct() &&
        ids.map((id) => (
          <Button
            key={id}
            className="quiet"
            onPress={() => show(ids.filter((each) => each !== id))}
          >
            Leave out {plain(all.find((each) => each.id === id)?.name ?? String(id))} ({id})
          </Button>
        ))}
    </div>
  );
}

export function Training({ ids, all }: { ids: readonly number[]; all: readonly Info[] }) {
  const shown = ids.flatMap((id) => all.filter((each) => each.id === id));
  const [first] = shown;
  if (!first || shown.length < ids.length) {
    return (
      <>
        <h1>Train</h1>
        <Problem error={new Error("There is no such training.")} />
        <p>
          <a href={link(["train"])}>All trainings</a>
        </p>
      </>
    );
  }
  return (
    <>
      <h1>
        {shown.length === 1
          ? `${plain(first.name)}: ${first.kind}, seed ${first.seed}`
          : `${shown.length} trainings over each other`}
      </h1>
      <Others ids={ids} all={all} />
      {shown.map((each) => (
        <div key={each.id}>
          <Progress training={each} linked={shown.length > 1} />
          <Links training={each} />
        </div>
      ))}
      {shown.length === 1 ? (
        <One training={first} />
      ) : (
        hasCharts() && (
          <>
            <h2>Curves</h2>
            <CurvesOf ids={ids} />
          </>
        )
      )}
    </>
  );
}
