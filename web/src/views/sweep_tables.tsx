// The settings of a sweep by rank, and the rounds of its race.
import { useEffect, useRef } from "react";
import type { Schemas } from "../client";
import { canAct } from "../offline";
import { Plain } from "../parts/texts";
import { link } from "../router";

type Info = Schemas["SweepInfo"];
type Trial = Schemas["TrialInfo"];

const FATES: Record<Trial["fate"], string> = {
  chosen: "★ chosen",
  front: "• on the front",
  behind: "behind",
  racing: "in the race",
  eliminated: "× eliminated",
  parent: "parent",
};

interface TrialsProps {
  data: Info;
  /** Name of the setting that keys act on; empty before the first key. */
  current: string;
  onOpen: (name: string) => void;
  onPromote: (name: string) => void;
}

function Row({
  data,
  trial,
  isCurrent,
  onOpen,
  onPromote,
}: {
  data: Info;
  trial: Trial;
  isCurrent: boolean;
  onOpen: () => void;
  onPromote: () => void;
}) {
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (isCurrent) row.current?.scrollIntoView?.({ block: "nearest" });
  }, [isCurrent]);
  return (
    <tr ref={row} className={`fate ${trial.fate}`} aria-current={isCurrent || undefined}>
      <th scope="row">
        <button type="button" className="link" onClick={onOpen}>
          <Plain text={trial.words} />
        </button>
        {trial.promoted.map((version) => (
          <span key={version} className="soft">
            {" "}
            is <a href={link(["log", version])}>{version}</a>
          </span>
        ))}
      </th>
      <td title={trial.eliminated}>{FATES[trial.fate]}</td>
      {objectives(data).map((metric) => (
        <td key={metric.name} className="number">
          {trial.values[metric.name]}
          {trial.against[metric.name] && (
            <div className="soft small">{trial.against[metric.name]}</div>
          )}
        </td>
      ))}
      <td className="number">{trial.front_share}</td>
      <td className="number">{trial.samples}</td>
      {canPromote(data) && (
        <td>
          <button
            type="button"
            className="quiet"
            aria-label={`Promote ${trial.words}`}
            onClick={onPromote}
          >
            Promote
          </button>
        </td>
      )}
    </tr>
  );
}

/** Whether settings can become versions. */
export function canPromote(data: Info): boolean {
  return data.state === "done" && canAct();
}

export function objectives(data: Info) {
  return data.metrics.filter((metric) => metric.objective);
}

/** All settings, best first, under their parent. */
export function Trials({ data, current, onOpen, onPromote }: TrialsProps) {
  return (
    <section aria-label="Settings">
      <h2>Settings by rank</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard too */}
      <section className="scroll trials" tabIndex={0} aria-label="All settings">
        <table>
          <thead>
            <tr>
              <th scope="col">setting</th>
              <th scope="col">place</th>
              {objectives(data).map((metric) => (
                <th key={metric.name} scope="col" className="number">
                  {metric.title}
                  <div className="small">{metric.direction} is better</div>
                </th>
              ))}
              <th scope="col" className="number">
                on the front
              </th>
              <th scope="col" className="number">
                samples
              </th>
              {canPromote(data) && <th scope="col">version</th>}
            </tr>
          </thead>
          <tbody>
            <tr className="fate parent">
              <th scope="row">{data.base}</th>
              <td>parent</td>
              {objectives(data).map((metric) => (
                <td key={metric.name} className="number">
                  {data.base_values[metric.name]}
                </td>
              ))}
              <td />
              <td />
              {canPromote(data) && <td />}
            </tr>
            {data.trials.map((trial) => (
              <Row
                key={trial.name}
                data={data}
                trial={trial}
                isCurrent={trial.name === current}
                onOpen={() => onOpen(trial.name)}
                onPromote={() => onPromote(trial.name)}
              />
            ))}
          </tbody>
        </table>
      </section>
      <p className="soft">
        Values are of the prompts for selection; below them the difference from {data.base} with its
        95 % interval. The best of many settings looks better here than it is: the holdout test
        above is the fair one. <kbd>j</kbd> <kbd>k</kbd> walk, <kbd>o</kbd> opens outputs
        {canPromote(data) && (
          <>
            , <kbd>p</kbd> promotes
          </>
        )}
        .
      </p>
    </section>
  );
}

/** Which settings each round of the race ran, and which it eliminated and why. */
export function Rounds({ data }: { data: Info }) {
  if (data.rounds.length === 0) return null;
  return (
    <section aria-label="Rounds">
      <h2>Rounds</h2>
      <ol className="plain">
        {data.rounds.map((round) => (
          <li key={round.number} className="job">
            <b>Round {round.number}</b>: {round.settings} settings,{" "}
            {round.samples === 1 ? "1 sample" : `${round.samples} samples`} per prompt;{" "}
            {round.eliminated.length === 0 ? "none" : round.eliminated.length} eliminated.
            {round.eliminated.length > 0 && (
              <ul>
                {round.eliminated.map((one) => (
                  <li key={one.name}>
                    <Plain text={one.words} /> <span className="soft">beaten by</span>{" "}
                    <Plain text={one.by} />: <span className="soft">{one.why}</span>
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
