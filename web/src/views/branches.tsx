// Branches of an output: make one from the chosen token, undo, and put it to use.
import { useEffect, useState } from "react";
import { Button } from "react-aria-components";
import type { Schemas } from "../client";
import { post } from "../client";
import { useJob } from "../job";
import { useKeys } from "../keys";
import { Problem } from "../parts/states";
import { Plain, TextCell } from "../parts/texts";
import { tokenWords } from "../parts/tokens";
import { go, link } from "../router";
import { plain } from "../text";
import type { Where } from "./microscope";

type Output = Schemas["OutputView"];
type Branch = Schemas["BranchInfo"];

/** `decoding.temperature=0.5`, a line each, as settings with JSON values. */
export function settingsOf(lines: string): Record<string, Schemas["JsonValue"]> {
  const found: Record<string, Schemas["JsonValue"]> = {};
  for (const line of lines.split("\n")) {
    const [field = "", ...rest] = line.split("=");
    if (!field.trim()) continue;
    const value = rest.join("=").trim();
    try {
      found[field.trim()] = JSON.parse(value);
    } catch {
      found[field.trim()] = value;
    }
  }
  return found;
}

interface BranchPanelProps {
  output: Output;
  where: Where;
  step: number;
  reload: () => void;
}

export function BranchPanel({ output, where, step, reload }: BranchPanelProps) {
  const [id, setId] = useState("");
  const [lines, setLines] = useState("");
  const [draw, setDraw] = useState(false);
  const [error, setError] = useState<Error>();
  const job = useJob(id)?.job;
  const made =
    job?.state === "done"
      ? (job.result as { branch: number } | null | undefined)?.branch
      : undefined;
  const path = ["microscope", output.version, output.prompt_id, String(output.sample)];
  const address = JSON.stringify(path);
  useEffect(() => {
    if (made === undefined) return;
    setId("");
    go(JSON.parse(address), { branch: String(made), step: String(step + 1) });
  }, [made, address, step]);
  const start = (token?: number) => {
    setError(undefined);
    const from =
      output.branch == null
        ? { version: output.version, prompt: output.prompt_id, sample: output.sample }
        : { branch: output.branch };
    post("/api/microscope/branch", {
      body: {
        version: "",
        prompt: "",
        sample: 0,
        ...from,
        at: step,
        token: token ?? null,
        settings: settingsOf(lines),
        draw: draw ? 1 + Math.floor(Math.random() * 1e6) : 0,
      },
    }).then((begun) => setId(begun.id), setError);
  };
  const shown = output.branches.filter((one) => !one.undone);
  const last = shown[shown.length - 1];
  const hidden = output.branches.find((one) => one.undone);
  const change = (number: number, way: "undo" | "restore") =>
    post(`/api/microscope/branches/{number}/${way}`, { path: { number } }).then(() => {
      if (way === "undo" && where.branch === number) go(path, { step: String(step + 1) });
      else reload();
    }, setError);
  useKeys([
    { key: "b", words: "branch from this token", run: () => start() },
    { key: "u", words: "undo the last branch", run: () => last && void change(last.id, "undo") },
    {
      key: "r",
      words: "restore the first branch that was undone",
      run: () => hidden && void change(hidden.id, "restore"),
    },
  ]);
  const chosen = output.tokens[step];
  const busy = job?.state === "running";
  return (
    <section aria-label="Branches">
      <h2>Branch from token {step + 1}</h2>
      <p className="soft">
        Put another token here, or go on with other settings or random numbers. The original stays.
      </p>
      <div className="controls" role="group" aria-label="Another token">
        {(chosen?.alternatives ?? [])
          .filter((one) => one.id !== chosen?.id)
          .map((one) => (
            <Button key={one.id} isDisabled={busy} onPress={() => start(one.id)}>
              <bdi className="piece">
                <Plain text={tokenWords(one.text)} />
              </bdi>{" "}
              <span className="soft">{(100 * one.probability).toPrecision(2)} %</span>
            </Button>
          ))}
      </div>
      <div className="controls">
        <label>
          Settings from here on
          <textarea
            rows={2}
            cols={34}
            placeholder="decoding.temperature=0.5"
            value={lines}
            onChange={(event) => setLines(event.target.value)}
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={draw}
            onChange={(event) => setDraw(event.target.checked)}
          />
          other random numbers
        </label>
        <Button isDisabled={busy} onPress={() => start()}>
          Branch <kbd>b</kbd>
        </Button>
        <span role="status" className="soft">
          {job && (busy || job.state === "failed") ? plain(job.words) : ""}
        </span>
      </div>
      {error && <Problem error={error} />}
      {output.branches.length > 0 && (
        <>
          <h2>Branches of this output</h2>
          <ul className="plain">
            {output.branches.map((one) => (
              <BranchLine
                key={one.id}
                branch={one}
                output={output}
                here={one.id === output.branch}
                onChange={change}
              />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

interface BranchLineProps {
  branch: Branch;
  output: Output;
  here: boolean;
  onChange: (number: number, way: "undo" | "restore") => Promise<void>;
}

function BranchLine({ branch, output, here, onChange }: BranchLineProps) {
  const [name, setName] = useState("");
  const [said, setSaid] = useState("");
  const [error, setError] = useState<Error>();
  const path = ["microscope", output.version, output.prompt_id, String(output.sample)];
  const number = branch.id;
  const pair = (prefer: "branch" | "original") =>
    post("/api/microscope/branches/{number}/pair", { path: { number }, body: { prefer } }).then(
      (made) => setSaid(`${made.file} has ${made.rows} pairs`),
      setError,
    );
  const save = () =>
    post("/api/microscope/branches/{number}/version", {
      path: { number },
      body: { name, title: "" },
    }).then((made) => setSaid(`wrote ${made.file}`), setError);
  return (
    <li className="job">
      <div className="line">
        <a
          href={link(path, { branch: String(number), step: String(branch.at + 1) })}
          aria-current={here ? "true" : undefined}
        >
          Branch {number}
        </a>
        <span>{plain(branch.words)}</span>
        {branch.undone && <span className="soft">undone</span>}
        <Button onPress={() => void onChange(number, branch.undone ? "restore" : "undo")}>
          {branch.undone ? "Restore" : "Undo"}
        </Button>
        <Button onPress={() => void pair("branch")}>This is better</Button>
        <Button onPress={() => void pair("original")}>The original is better</Button>
        {Object.keys(branch.settings).length > 0 && (
          <>
            <input
              aria-label={`Name of the version of branch ${number}`}
              placeholder="v0.2.0"
              size={8}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
            <Button isDisabled={!name} onPress={() => void save()}>
              Save as version
            </Button>
          </>
        )}
      </div>
      <div className="soft">
        <TextCell text={branch.text.text} length={branch.text.length} most={160} />
      </div>
      <span role="status" className="soft">
        {said}
      </span>
      {error && <Problem error={error} />}
    </li>
  );
}
