// Train: what is running now, the recipes, and the trainings; `#/train/3/5` shows two over each
// other, `#/train?recipe=base.yaml&plan=JOB` the plan of a recipe, from which it is started.
import { useCallback, useEffect, useState } from "react";
import { Button } from "react-aria-components";
import type { AnyEvent, Schemas } from "../client";
import { get, post } from "../client";
import { useEvents } from "../events";
import { useKeys } from "../keys";
import { type Loaded, useLoad } from "../load";
import { canAct, report } from "../offline";
import { PlanOf } from "../parts/plan";
import { Problem, Shown } from "../parts/states";
import { Plain } from "../parts/texts";
import { Progress, Training } from "../parts/training";
import { go, link, type Place, useQuery } from "../router";
import { plain } from "../text";
import { JobLine, useJobs } from "./runs";

type View = Schemas["TrainView"];
type Info = Schemas["TrainingInfo"];
type Recipe = Schemas["RecipeInfo"];
/** Trainings over each other at most, as the server has it. */
const MOST = 8;

/** Recipes and trainings, kept up to date by events. */
export function useTrainings(): Loaded<View> {
  const loaded = useLoad("trainings", (signal) => get("/api/trainings", { signal }));
  const [newer, setNewer] = useState<ReadonlyMap<number, Info>>(new Map());
  useEvents(
    ["training"],
    useCallback((event: AnyEvent) => {
      if (event.type === "training") {
        setNewer((before) => new Map(before).set(event.training.id, event.training));
      }
    }, []),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was just loaded is newer
  useEffect(() => setNewer(new Map()), [loaded.data]);
  if (!loaded.data) return loaded;
  const known = new Set(loaded.data.trainings.map((each) => each.id));
  const fresh = [...newer.values()].filter((each) => !known.has(each.id)).reverse();
  const trainings = [...fresh, ...loaded.data.trainings.map((each) => newer.get(each.id) ?? each)];
  return { ...loaded, data: { ...loaded.data, trainings } };
}

/** Trainings that run, and jobs of this page that have not stored anything yet, or failed. */
function Now({ view }: { view: View }) {
  const jobs = useJobs().data ?? [];
  const mine = jobs.filter((job) => job.kind === "train");
  const preparing = mine.filter((job) => job.state === "running" && job.done === 0);
  const failed = mine.slice(0, 1).filter((job) => job.state === "failed");
  const running = view.trainings.filter((each) => each.state === "running");
  return (
    <section aria-label="running now">
      <h2>Running now</h2>
      {running.length + preparing.length === 0 && <p>Nothing is training now.</p>}
      {running.map((each) => (
        <Progress key={each.id} training={each} linked />
      ))}
      <ul className="plain">
        {[...preparing, ...failed].map((job) => (
          <JobLine key={job.id} job={job} />
        ))}
      </ul>
    </section>
  );
}

function RecipeLine({ recipe, onError }: { recipe: Recipe; onError: (error?: Error) => void }) {
  const plan = () =>
    post("/api/trainings/plan", { body: { recipe: recipe.path, seeds: [] } }).then((job) => {
      onError();
      go(["train"], { recipe: recipe.path, plan: job.id });
    }, onError);
  const words = recipe.action === "Continue" ? "Continue …" : "Train …";
  return (
    <tr>
      <th scope="row">
        <b>{plain(recipe.path)}</b>
        <div>
          <Plain text={recipe.title} />
        </div>
      </th>
      <td>
        {recipe.problem ? (
          <span className="worse">{plain(recipe.problem)}</span>
        ) : (
          <>
            {recipe.kind}
            {recipe.parent && ` from ${recipe.parent}`}
            {recipe.data && ` on ${plain(recipe.data)}`}
            {recipe.version && ` → ${recipe.version}`}
            <div className="soft">
              <Plain text={recipe.words} />
            </div>
          </>
        )}
      </td>
      {canAct() && (
        <td>
          {recipe.action && (
            <Button aria-label={`${words} ${recipe.path}`} onPress={() => void plan()}>
              {words}
            </Button>
          )}
        </td>
      )}
    </tr>
  );
}

/** A recipe to begin with. */
const EXAMPLE = `kind: sft
parent: v0.1.0
version: v1.0.0
data: {train: data/chats.jsonl}
lora: {rank: 16}`;

function Recipes({ recipes }: { recipes: readonly Recipe[] }) {
  const [error, setError] = useState<Error>();
  return (
    <section aria-label="recipes">
      <h2>Recipes</h2>
      {error && <Problem error={error} />}
      {recipes.length === 0 ? (
        <>
          <p>
            The study has no recipe. A recipe is a YAML file beside study.yaml or in{" "}
            <code>recipes/</code>, such as <code>recipes/chat.yaml</code>; it appears here when it
            is saved. Votes in the <a href={link(["arena"])}>arena</a> write one too.
          </p>
          <pre>{EXAMPLE}</pre>
        </>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls, also by keyboard
        <div className="scroll recipes" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">file</th>
                <th scope="col">what it trains</th>
                {canAct() && <th scope="col">plan, then train</th>}
              </tr>
            </thead>
            <tbody>
              {recipes.map((each) => (
                <RecipeLine key={each.path} recipe={each} onError={setError} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** In a report, which holds only all of them over each other. */
function Together() {
  const ids = report()?.together ?? [];
  if (ids.length === 0) return null;
  return (
    <p>
      <a href={link(["train", ...ids.map(String)])}>{ids.length} trainings over each other</a>
    </p>
  );
}

function Recorded({ trainings }: { trainings: readonly Info[] }) {
  const [named, setNamed] = useQuery("over");
  const chosen = named.split(" ").filter(Boolean);
  const switchOn = (id: string, on: boolean) =>
    setNamed((on ? [...chosen, id] : chosen.filter((each) => each !== id)).join(" "));
  const open = () => chosen.length > 0 && go(["train", ...chosen]);
  useKeys([{ key: "o", words: "show the chosen trainings over each other", run: open }]);
  return (
    <section aria-label="trainings">
      <h2>Trainings</h2>
      {trainings.length === 0 && (
        <p>
          Nothing was trained yet. A training shows its curves and samples here while it runs, and
          ends in a child version.
        </p>
      )}
      <Together />
      {trainings.length > 1 && canAct() && (
        <p>
          <Button isDisabled={chosen.length < 2} onPress={open}>
            Show {chosen.length < 2 ? "several" : chosen.length} over each other
          </Button>
        </p>
      )}
      <ul className="plain">
        {trainings.map((each) => {
          const on = chosen.includes(String(each.id));
          return (
            <li key={each.id} className="job">
              <div className="line">
                {trainings.length > 1 && canAct() && (
                  <input
                    type="checkbox"
                    aria-label={`${plain(each.name)} ${each.id} over the others`}
                    checked={on}
                    disabled={!on && chosen.length >= MOST}
                    onChange={(event) => switchOn(String(each.id), event.target.checked)}
                  />
                )}
                <a href={link(["train", String(each.id)])}>
                  <b>{plain(each.name)}</b>
                </a>
                <span className={each.state === "failed" ? "worse" : "soft"}>{each.state}</span>
                <span className="soft">
                  {each.kind}, seed {each.seed}, {each.started_at.slice(0, 16).replace("T", " ")}
                </span>
              </div>
              <Plain text={each.words} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export function Train({ place }: { place: Place }) {
  const loaded = useTrainings();
  const ids = [...new Set(place.path.slice(1).map(Number))].filter(Number.isInteger).slice(0, MOST);
  const recipe = place.query.get("recipe");
  return (
    <Shown loaded={loaded}>
      {(view) =>
        ids.length > 0 ? (
          <Training key={ids.join(" ")} ids={ids} all={view.trainings} />
        ) : recipe ? (
          <PlanOf
            key={place.query.get("plan") ?? ""}
            path={recipe}
            job={place.query.get("plan") ?? ""}
            recipe={view.recipes.find((each) => each.path === recipe)}
          />
        ) : (
          <>
            <h1>Train</h1>
            {canAct() && <Now view={view} />}
            <Recipes recipes={view.recipes} />
            <Recorded trainings={view.trainings} />
          </>
        )
      }
    </Shown>
  );
}
