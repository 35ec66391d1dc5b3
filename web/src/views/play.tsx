// Play: one prompt, up to four versions or settings side by side, streamed by a job of the server.
// Prompt, lanes and job are in the address, so a reload shows the same and loses no text.
import { useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { get, post } from "../client";
import { type JobState, useJob } from "../job";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { ENDINGS } from "../parts/outputs";
import { Problem, Shown } from "../parts/states";
import { WholeText } from "../parts/texts";
import { go, link, useQuery } from "../router";
import { plain } from "../text";
import { lines } from "./sweep_form";

type View = Schemas["PlayView"];
type Setting = Schemas["SettingInfo"];
type Version = Schemas["PlayVersion"];
type Value = Schemas["JsonValue"];

export interface Lane {
  version: string;
  settings: Record<string, Value>;
  lines: string;
}

const STRATEGY = "decoding.strategy";

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

/** A setting with a slider: its value, what it does, and a way back to the version's. */
function Slider({
  setting,
  own,
  value,
  idle,
  onChange,
}: {
  setting: Setting;
  own: Value;
  value: Value | undefined;
  /** Without effect under the lane's strategy. */
  idle: boolean;
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
          disabled={idle}
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
        {idle ? "No effect under greedy: choose sample above." : `${plain(setting.about)}.`}
        {!idle && setting.lower && ` Lower: ${setting.lower}. Higher: ${setting.higher}.`}
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
  failed: boolean;
  onChange: (lane: Lane) => void;
  onRemove: (() => void) | undefined;
}

interface LaneOutputProps {
  version: string;
  text: string;
  ended: Ended | undefined;
  running: boolean;
  failed: boolean;
}

/** What a lane shows: its output as far as it came, or what will appear here and how. */
export function LaneOutput({ version, text, ended, running, failed }: LaneOutputProps) {
  const shown = ended?.text ?? text;
  if (shown || ended) return <WholeText text={shown} />;
  if (running) return <span className="soft">waiting for the first token …</span>;
  return (
    <span className="soft">
      {failed ? "Nothing was generated." : `Generate, and the output of ${version} appears here.`}
    </span>
  );
}

function LanePanel(props: LaneProps) {
  const { view, lane, number, ended, running, onChange, onRemove } = props;
  const version = view.versions.find((one) => one.name === lane.version);
  const set = (field: string, value: Value | undefined) => {
    const { [field]: _, ...others } = lane.settings;
    onChange({ ...lane, settings: value === undefined ? others : { ...others, [field]: value } });
  };
  return (
    <section className="lane" aria-label={`Lane ${number + 1}`}>
      <div className="lane-head">
        <select
          aria-label={`Version of lane ${number + 1}`}
          value={lane.version}
          onChange={(event) => onChange({ ...lane, version: event.target.value })}
        >
          {view.versions.map((one) => (
            <option key={one.name} value={one.name}>
              {one.name} {plain(one.title)}
            </option>
          ))}
        </select>
        {onRemove && (
          <Button className="quiet" aria-label={`Remove lane ${number + 1}`} onPress={onRemove}>
            ×
          </Button>
        )}
      </div>
      <div className="lane-output" aria-busy={running && !ended}>
        <LaneOutput
          version={lane.version}
          text={props.text}
          ended={ended}
          running={running}
          failed={props.failed}
        />
      </div>
      <p className="soft" role="status">
        {ended &&
          `${ENDINGS[ended.finish_reason] ?? ended.finish_reason} after ${ended.tokens} tokens, ${(ended.tokens / Math.max(ended.seconds, 1e-3)).toFixed(0)} tokens a second`}
        {!ended &&
          running &&
          !version?.streams &&
          "its wrapper or backend shows whole outputs only"}
      </p>
      {version && (
        <LaneSettings
          view={view}
          version={version}
          lane={lane}
          set={set}
          setLines={(lines) => onChange({ ...lane, lines })}
        />
      )}
      <details>
        <summary>Save as a version</summary>
        <SaveVersion lane={lane} number={number} />
      </details>
    </section>
  );
}

function LaneSettings({
  view,
  version,
  lane,
  set,
  setLines,
}: {
  view: View;
  version: Version;
  lane: Lane;
  set: (field: string, value: Value | undefined) => void;
  setLines: (lines: string) => void;
}) {
  const changed = Object.keys(lane.settings).length + lines(lane.lines).length;
  const strategy = lane.settings[STRATEGY] ?? version.values[STRATEGY] ?? "sample";
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
            idle={one.needs_sampling && strategy === "greedy"}
            onChange={(value) => set(one.field, value)}
          />
        ))}
      <label className="setting">
        Any other field of a version, one a line
        <textarea
          rows={2}
          cols={30}
          placeholder="prompt.system=Answer in one word."
          value={lane.lines}
          onChange={(event) => setLines(event.target.value)}
        />
      </label>
      <details>
        <summary>More settings of the decoding</summary>
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

/** A file of a child version, and the outputs that make it comparable. */
function SaveVersion({ lane, number }: { lane: Lane; number: number }) {
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [saved, setSaved] = useState("");
  const [begun, setBegun] = useState("");
  const [error, setError] = useState<Error>();
  const save = () => {
    setError(undefined);
    post("/api/play/version", { body: { ...lane, name, title } }).then(
      () => setSaved(name),
      setError,
    );
  };
  const run = () => {
    setError(undefined);
    post("/api/runs", { body: { versions: [saved] } }).then(() => setBegun(saved), setError);
  };
  return (
    <div className="controls">
      <label>
        Name
        <input
          aria-label={`Name of the version of lane ${number + 1}`}
          placeholder="v0.2.0"
          size={8}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <label>
        Title
        <input
          aria-label={`Title of the version of lane ${number + 1}`}
          placeholder="what it tries"
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
      </label>
      <Button isDisabled={!name} onPress={save}>
        Save as child version
      </Button>
      {saved && (
        <span role="status">
          Saved {saved}.{" "}
          {begun === saved ? (
            <>
              Its outputs are being generated: <a href={link(["runs"])}>progress</a>, then{" "}
              <a href={link(["compare", lane.version, saved])}>compare</a> or{" "}
              <a href={link(["arena"], { versions: `${lane.version} ${saved}` })}>vote</a>.
            </>
          ) : (
            <Button onPress={run}>Generate its outputs</Button>
          )}
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

/** The prompt that the lanes answer: one of the suite, or a text of the user's own. */
function PromptField({
  suite,
  version,
  prompt,
  text,
  start,
  onPrompt,
  onWrite,
}: {
  suite: readonly string[];
  version: string;
  /** Id of a prompt of the suite; "" for a text of one's own. */
  prompt: string;
  text: string;
  start: () => void;
  onPrompt: (prompt: string) => void;
  onWrite: (text: string) => void;
}) {
  const said = useLoad(`prompt ${version} ${prompt}`, (signal) =>
    prompt
      ? get("/api/play/prompt", { query: { version, prompt }, signal })
      : Promise.resolve(undefined),
  );
  return (
    <>
      <div className="controls">
        <label>
          Prompt
          <select value={prompt} onChange={(event) => onPrompt(event.target.value)}>
            <option value="">a text of my own</option>
            {suite.map((one) => (
              <option key={one} value={one}>
                {plain(one)}
              </option>
            ))}
          </select>
        </label>
        {prompt && said.data && (
          <Button onPress={() => onWrite(said.data?.text ?? "")}>Change its text</Button>
        )}
      </div>
      {prompt ? (
        <div className="prompt">
          {said.error && <Problem error={said.error} />}
          {said.data && <WholeText text={said.data.text} />}
        </div>
      ) : (
        <textarea
          aria-label="A text of my own"
          className="own-text"
          rows={3}
          placeholder="Write a prompt; Ctrl Enter generates"
          value={text}
          onChange={(event) => onWrite(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start();
          }}
        />
      )}
    </>
  );
}

function Board({ view }: { view: View }) {
  const [lanesText, setLanesText] = useQuery("lanes");
  const [named, setNamed] = useQuery("prompt");
  const [own, setOwn] = useQuery("own");
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
  const suite = view.versions.find((one) => one.name === lanes[0]?.version)?.prompts ?? [];
  // Without a choice, the first prompt of the suite: the first press of Generate shows something.
  const prompt = own || text ? "" : named || (suite[0] ?? "");
  const choose = (next: string) => {
    setText("");
    setOwn(next ? "" : "1");
    setNamed(next);
    setJobId(""); // Its outputs are of another prompt.
  };
  const write = (next: string) => {
    setOwn("1");
    setText(next);
  };
  const start = (number = draw) => {
    setError(undefined);
    const asked = prompt ? { prompt, text: null } : { text, prompt: null };
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
  return (
    <>
      <PromptField
        suite={suite}
        version={lanes[0]?.version ?? first.name}
        prompt={prompt}
        text={text}
        start={() => start()}
        onPrompt={choose}
        onWrite={write}
      />
      <div className="controls">
        <Button className="primary" isDisabled={running} onPress={() => start()}>
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
            failed={state?.job.state === "failed"}
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
        {!prompt && <ToSuite version={lanes[0]?.version ?? first.name} text={text} />}
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
