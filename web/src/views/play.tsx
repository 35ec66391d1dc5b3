// Play: one prompt, up to four versions or settings side by side, streamed by a job of the server.
// Prompt, lanes and job are in the address, so a reload shows the same and loses no text.
import { useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { get, post } from "../client";
import { type JobState, useJob } from "../job";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { Problem, Shown } from "../parts/states";
import { WholeText } from "../parts/texts";
import { go, link, useQuery } from "../router";
import { plain } from "../text";

type View = Schemas["PlayView"];
type Setting = Schemas["SettingInfo"];
type Version = Schemas["PlayVersion"];
type Value = Schemas["JsonValue"];

export interface Lane {
  version: string;
  settings: Record<string, Value>;
  lines: string;
}

/** The lanes in an address; anything broken is left out. */
export function lanesOf(text: string): Lane[] {
  try {
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found)) return [];
    return found
      .filter((one) => typeof one?.version === "string")
      .map((one) => ({
        version: one.version,
        settings: typeof one.settings === "object" && one.settings ? one.settings : {},
        lines: typeof one.lines === "string" ? one.lines : "",
      }));
  } catch {
    return [];
  }
}

interface Ended {
  lane: number;
  text: string;
  finish_reason: string;
  tokens: number;
  seconds: number;
}

const ENDINGS: Record<string, string> = {
  eos: "ended by the model",
  stop: "ended by a stop",
  length: "cut off by the length limit",
};

/** A setting with a slider: its value, what it does, and a way back to the version's. */
function Slider({
  setting,
  own,
  value,
  onChange,
}: {
  setting: Setting;
  own: Value;
  value: Value | undefined;
  onChange: (value: Value | undefined) => void;
}) {
  const [low, high, step] = setting.slider ?? [0, 1, 0.01];
  const now = Number(value ?? own);
  return (
    <div className="setting">
      <label>
        <b>{setting.name}</b>
        <input
          type="range"
          min={Math.min(low, now)}
          max={Math.max(high, now)}
          step={step}
          value={now}
          onChange={(event) => onChange(Number(event.target.value))}
        />
        <output className="number">{now}</output>
      </label>
      {value !== undefined && (
        <button type="button" className="quiet" onClick={() => onChange(undefined)}>
          back to {String(own)}
        </button>
      )}
      <div className="soft">
        {plain(setting.about)}.
        {setting.lower && ` Lower: ${setting.lower}. Higher: ${setting.higher}.`}
      </div>
    </div>
  );
}

interface LaneProps {
  view: View;
  lane: Lane;
  number: number;
  text: string;
  ended: Ended | undefined;
  running: boolean;
  onChange: (lane: Lane) => void;
  onRemove: (() => void) | undefined;
}

function LanePanel({ view, lane, number, text, ended, running, onChange, onRemove }: LaneProps) {
  const version = view.versions.find((one) => one.name === lane.version);
  const set = (field: string, value: Value | undefined) => {
    const { [field]: _, ...others } = lane.settings;
    onChange({ ...lane, settings: value === undefined ? others : { ...others, [field]: value } });
  };
  return (
    <section className="lane" aria-label={`Lane ${number + 1}`}>
      <div className="line">
        <label>
          Version
          <select
            value={lane.version}
            onChange={(event) => onChange({ ...lane, version: event.target.value })}
          >
            {view.versions.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name} {plain(one.title)}
              </option>
            ))}
          </select>
        </label>
        {onRemove && (
          <Button aria-label={`Remove lane ${number + 1}`} onPress={onRemove}>
            Remove
          </Button>
        )}
      </div>
      <div aria-busy={running && !ended}>
        {text || !running ? (
          <WholeText text={ended?.text ?? text} />
        ) : (
          <span className="soft">…</span>
        )}
      </div>
      <p className="soft" role="status">
        {ended &&
          `${ENDINGS[ended.finish_reason] ?? ended.finish_reason} after ${ended.tokens} tokens, ${(ended.tokens / Math.max(ended.seconds, 1e-3)).toFixed(0)} a second`}
        {!ended &&
          running &&
          !version?.streams &&
          "its wrapper or backend shows whole outputs only"}
      </p>
      {version && <LaneSettings view={view} version={version} lane={lane} set={set} />}
      <label>
        Any other settings
        <textarea
          rows={2}
          cols={30}
          placeholder="prompt.system=Answer in one word."
          value={lane.lines}
          onChange={(event) => onChange({ ...lane, lines: event.target.value })}
        />
      </label>
      <SaveVersion lane={lane} number={number} />
    </section>
  );
}

function LaneSettings({
  view,
  version,
  lane,
  set,
}: {
  view: View;
  version: Version;
  lane: Lane;
  set: (field: string, value: Value | undefined) => void;
}) {
  const changed = Object.keys(lane.settings).length;
  const choices = view.settings.filter((one) => one.kind === "choice");
  const plainFields = view.settings.filter((one) => !one.slider && /number|whole/.test(one.kind));
  const choice = (one: Setting) => (
    <div key={one.field} className="setting">
      <label>
        <b>{one.name}</b>
        <select
          value={String(lane.settings[one.field] ?? version.values[one.field] ?? "")}
          onChange={(event) => set(one.field, event.target.value || undefined)}
        >
          <option value="">as the version</option>
          {one.choices.map((value) => (
            <option key={value} value={value}>
              {value}
            </option>
          ))}
        </select>
      </label>
      <div className="soft">{plain(one.about)}.</div>
    </div>
  );
  return (
    <details>
      <summary>Settings{changed > 0 && `, ${changed} changed`}</summary>
      {choices.filter((one) => one.name === "strategy").map(choice)}
      {view.settings
        .filter((one) => one.slider)
        .map((one) => (
          <Slider
            key={one.field}
            setting={one}
            own={version.values[one.field] ?? one.default ?? 0}
            value={lane.settings[one.field]}
            onChange={(value) => set(one.field, value)}
          />
        ))}
      <details>
        <summary>More settings</summary>
        {choices.filter((one) => one.name !== "strategy").map(choice)}
        {plainFields.map((one) => (
          <div key={one.field} className="setting">
            <label>
              <b>{one.name}</b>
              <input
                type="number"
                step="any"
                placeholder={String(version.values[one.field] ?? one.default ?? "")}
                value={
                  lane.settings[one.field] === undefined ? "" : String(lane.settings[one.field])
                }
                onChange={(event) =>
                  set(one.field, event.target.value === "" ? undefined : Number(event.target.value))
                }
              />
            </label>
            <div className="soft">{plain(one.about)}</div>
          </div>
        ))}
      </details>
    </details>
  );
}

function SaveVersion({ lane, number }: { lane: Lane; number: number }) {
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [saved, setSaved] = useState("");
  const [error, setError] = useState<Error>();
  const save = () => {
    setError(undefined);
    post("/api/play/version", { body: { ...lane, name, title } }).then(
      () => setSaved(name),
      setError,
    );
  };
  return (
    <div className="controls">
      <input
        aria-label={`Name of the version of lane ${number + 1}`}
        placeholder="v0.2.0"
        size={8}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <input
        aria-label={`Title of the version of lane ${number + 1}`}
        placeholder="what it tries"
        value={title}
        onChange={(event) => setTitle(event.target.value)}
      />
      <Button isDisabled={!name} onPress={save}>
        Save as child version
      </Button>
      {saved && (
        <span role="status">
          Saved {saved}.{" "}
          <Button onPress={() => void post("/api/runs", { body: { versions: [saved] } })}>
            Generate its outputs
          </Button>{" "}
          <a href={link(["arena"], { versions: `${lane.version} ${saved}` })}>Arena</a>
        </span>
      )}
      {error && <Problem error={error} />}
    </div>
  );
}

/** The outputs as they are become pairs to vote on; the server has stored them before the page turns. */
function ToArena({ job, disabled }: { job: string; disabled: boolean }) {
  const [error, setError] = useState<Error>();
  const send = () => {
    setError(undefined);
    post("/api/play/arena", { body: { job } }).then(
      ({ names }) => go(["arena"], { versions: names.join(" ") }),
      setError,
    );
  };
  return (
    <>
      <Button isDisabled={disabled} onPress={send}>
        Send to the arena
      </Button>
      {error && <Problem error={error} />}
    </>
  );
}

/** The text as a prompt of the suite. */
function ToSuite({ version, text }: { version: string; text: string }) {
  const [id, setId] = useState("");
  const [said, setSaid] = useState("");
  const [error, setError] = useState<Error>();
  const add = () => {
    setError(undefined);
    post("/api/play/prompt", { body: { version, id, text } }).then(
      (made) => setSaid(`added to ${made.file}`),
      setError,
    );
  };
  return (
    <>
      <input
        aria-label="Id of the new prompt"
        placeholder="new-prompt-id"
        size={14}
        value={id}
        onChange={(event) => setId(event.target.value)}
      />
      <Button isDisabled={!id || !text.trim()} onPress={add}>
        Add to the suite
      </Button>
      <span role="status" className="soft">
        {said}
      </span>
      {error && <Problem error={error} />}
    </>
  );
}

function Board({ view }: { view: View }) {
  const [lanesText, setLanesText] = useQuery("lanes");
  const [prompt, setPrompt] = useQuery("prompt");
  const [text, setText] = useQuery("text");
  const [draw, setDraw] = useQuery("draw", "0");
  const [jobId, setJobId] = useQuery("job");
  const [error, setError] = useState<Error>();
  const known = lanesOf(lanesText);
  const first = view.versions[0];
  const lanes = known.length > 0 ? known : view.versions.slice(0, 2).map((one) => laneOf(one.name));
  const setLanes = (next: Lane[]) => setLanesText(JSON.stringify(next));
  const state: JobState | undefined = useJob(jobId);
  const running = state?.job.state === "running";
  const ended = (state?.rows ?? []) as unknown as Ended[];
  const start = (number = draw) => {
    setError(undefined);
    const asked = text ? { text, prompt: null } : { prompt: prompt || null, text: null };
    post("/api/play", { body: { lanes, ...asked, draw: Number(number) || 0 } }).then(
      (begun) => setJobId(begun.id),
      setError,
    );
  };
  const redraw = () => {
    const next = String(1 + Number(draw));
    setDraw(next);
    start(next);
  };
  const stop = () => void post("/api/jobs/{job_id}/stop", { path: { job_id: jobId } });
  useKeys([
    { key: "g", words: "generate", run: () => start() },
    { key: "n", words: "generate with other random numbers", run: redraw },
    { key: "Escape", words: "stop", run: () => running && stop() },
  ]);
  if (!first) return <p>No version of this study can generate.</p>;
  const suite = view.versions.find((one) => one.name === lanes[0]?.version)?.prompts ?? [];
  return (
    <>
      <div className="controls">
        <label>
          Prompt of the suite
          <select
            value={text ? "" : prompt}
            onChange={(event) => {
              setText("");
              setPrompt(event.target.value);
            }}
          >
            <option value="">a text of my own</option>
            {suite.map((one) => (
              <option key={one} value={one}>
                {plain(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <textarea
        aria-label="A text of my own"
        className="prompt"
        rows={3}
        placeholder="or write a prompt"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start();
        }}
      />
      <div className="controls">
        <Button isDisabled={running} onPress={() => start()}>
          Generate <kbd>g</kbd>
        </Button>
        <Button isDisabled={running} onPress={redraw}>
          Other random numbers <kbd>n</kbd>
        </Button>
        {draw !== "0" && <Button onPress={() => setDraw("0")}>Those of the study again</Button>}
        {running && <Button onPress={stop}>Stop</Button>}
        <span className="soft">
          All lanes have the same random numbers, token by token
          {draw !== "0" && `, draw ${draw}`}.
        </span>
        <span role="status" className={state?.job.state === "failed" ? "worse" : "soft"}>
          {state && (running || state.job.state !== "done") ? plain(state.job.words) : ""}
        </span>
      </div>
      {error && <Problem error={error} />}
      <div className="lanes">
        {lanes.map((lane, number) => (
          <LanePanel
            key={number}
            view={view}
            lane={lane}
            number={number}
            text={state?.lanes[String(number)] ?? ""}
            ended={ended.find((one) => one.lane === number)}
            running={running}
            onChange={(next) => setLanes(lanes.map((one, at) => (at === number ? next : one)))}
            onRemove={
              lanes.length > 1 ? () => setLanes(lanes.filter((_, at) => at !== number)) : undefined
            }
          />
        ))}
      </div>
      <div className="controls">
        {lanes.length < view.most_lanes && (
          <Button
            onPress={() => setLanes([...lanes, lanes[lanes.length - 1] ?? laneOf(first.name)])}
          >
            Add a lane
          </Button>
        )}
        <ToArena job={jobId} disabled={state?.job.state !== "done" || ended.length < 2} />
        <ToSuite version={lanes[0]?.version ?? first.name} text={text} />
      </div>
    </>
  );
}

function laneOf(version: string): Lane {
  return { version, settings: {}, lines: "" };
}

export function Play() {
  const view = useLoad("play", (signal) => get("/api/play", { signal }));
  return (
    <>
      <h1>Play</h1>
      <Shown loaded={view}>{(found) => <Board view={found} />}</Shown>
    </>
  );
}
