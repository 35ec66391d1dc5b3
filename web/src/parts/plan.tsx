// The plan of a training, as `ethogram train --dry-run` makes it, and its start.
import { useState } from "react";
import { Button } from "react-aria-components";
import { post, type Schemas } from "../client";
import { useJob } from "../job";
import { useKeys } from "../keys";
import { go, link } from "../router";
import { plain } from "../text";
import { Problem } from "./states";
import { Plain } from "./texts";

/** What the server's job returns for each training of the recipe. */
interface PlanInfo {
  name: string;
  kind: string;
  seed: number;
  lines: [string, string][];
  examples: [string, boolean][][];
  findings: string[];
}

function Example({ row }: { row: [string, boolean][] }) {
  return (
    <p className="text example">
      {row.map(([token, learned], at) =>
        learned ? (
          <b key={at}>
            <Plain text={token} />
          </b>
        ) : (
          <span key={at} className="soft">
            <Plain text={token} />
          </span>
        ),
      )}
    </p>
  );
}

function One({ plan }: { plan: PlanInfo }) {
  return (
    <section aria-label={plain(plan.name)}>
      <h2>
        {plain(plan.name)}: {plan.kind}, seed {plan.seed}
      </h2>
      {plan.findings.map((each) => (
        <p key={each} className="changed">
          Warning: <Plain text={each} />
        </p>
      ))}
      <Lines lines={plan.lines} />
      {plan.examples.length > 0 && (
        <details>
          <summary>Example rows as the model reads them; learned tokens are bold</summary>
          {plan.examples.map((row, at) => (
            <Example key={at} row={row} />
          ))}
        </details>
      )}
    </section>
  );
}

/** Lines of a name and words. */
export function Lines({ lines }: { lines: readonly (readonly [string, string])[] }) {
  return (
    <dl className="facts">
      {lines.map(([name, words]) => (
        <div key={name}>
          <dt className="soft">{name}</dt>
          <dd>
            <Plain text={words} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

interface PlanOfProps {
  path: string;
  job: string;
  recipe: Schemas["RecipeInfo"] | undefined;
}

export function PlanOf({ path, job, recipe }: PlanOfProps) {
  const state = useJob(job)?.job;
  const [error, setError] = useState<Error>();
  const body = { recipe: path, seeds: [] };
  const start = () => post("/api/trainings/start", { body }).then(() => go(["train"]), setError);
  const again = () =>
    post("/api/trainings/plan", { body }).then(
      (next) => go(["train"], { recipe: path, plan: next.id }),
      setError,
    );
  const planned = state?.state === "done";
  const word = recipe?.action === "Continue" ? "Continue" : "Start";
  useKeys([{ key: "s", words: "start the planned training", run: () => planned && void start() }]);
  const result = state?.result as { plans: PlanInfo[] } | null | undefined;
  return (
    <>
      <h1>Plan of {plain(path)}</h1>
      <p>
        <a href={link(["train"])}>All trainings</a>
      </p>
      {error && <Problem error={error} />}
      {!state && <p>The server knows no such plan any more.</p>}
      {state?.state === "running" && (
        <p role="status">Planning: {plain(state.words)}. Nothing is trained yet.</p>
      )}
      {(state?.state === "failed" || state?.state === "stopped") && (
        <p role="alert" className="problem">
          {plain(state.words)}
        </p>
      )}
      {planned &&
        result?.plans.map((plan) => <One key={`${plan.name} ${plan.seed}`} plan={plan} />)}
      {planned && recipe?.action === "Continue" && (
        <p>
          It was begun: <Plain text={recipe.words} />
        </p>
      )}
      <p className="line">
        <Button className="primary" isDisabled={!planned} onPress={() => void start()}>
          {word}
        </Button>
        {state?.state !== "running" && (
          <Button className="quiet" onPress={() => void again()}>
            Plan again
          </Button>
        )}
      </p>
    </>
  );
}
