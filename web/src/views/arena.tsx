// Arena: blind votes by keyboard, ratings with intervals, and a training on the votes. The server
// decides what is shown and which votes count; this page sends a vote until it has an answer.
import { useCallback, useEffect, useRef, useState } from "react";
import { Button, Checkbox, CheckboxGroup, Input, Label, TextField } from "react-aria-components";
import type { Schemas } from "../client";
import { get, post, Refused } from "../client";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { Problem, Shown } from "../parts/states";
import { Plain, WholeText } from "../parts/texts";
import { link, useQuery } from "../router";
import { plain } from "../text";

type Pair = Schemas["ArenaPair"];
type Turn = Schemas["Turn"];
type Vote = Schemas["VoteBody"];
type Rated = Schemas["RatingInfo"];
type Choice = Vote["choice"];

const VOTER = "ethogram.voter";
/** A vote that has no answer yet, so that a reload sends it again; the server counts it once. */
const PENDING = "ethogram.vote";
const AGAIN_MS = 1000;
/** Begins the names of outputs that were sent here from Play. */
const PLAYED = "played:";

const CHOICES: readonly { choice: Choice; key: string; words: string; shown: string }[] = [
  { choice: "left", key: "ArrowLeft", words: "left is better", shown: "←" },
  { choice: "tie", key: "t", words: "tie", shown: "t" },
  { choice: "both_bad", key: "b", words: "both are bad", shown: "b" },
  { choice: "skip", key: "s", words: "skip", shown: "s" },
  { choice: "right", key: "ArrowRight", words: "right is better", shown: "→" },
];

function pending(): Vote | undefined {
  try {
    return JSON.parse(localStorage.getItem(PENDING) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** Send a vote until the server answers: a lost connection, or a server that restarts, is no answer. */
async function send(vote: Vote, onWait: () => void, signal: AbortSignal): Promise<Turn> {
  localStorage.setItem(PENDING, JSON.stringify(vote));
  for (;;) {
    try {
      const turn = await post("/api/arena/vote", { body: vote });
      localStorage.removeItem(PENDING);
      return turn;
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof Refused && error.status !== 500) {
        // The address of an earlier start: the vote stays here until the new one is opened.
        if (error.status !== 401) localStorage.removeItem(PENDING);
        throw error;
      }
      onWait();
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

/** The turn of a voter, and what changes it. */
function useTurn(versions: string[], voter: string) {
  const [turn, setTurn] = useState<Turn>();
  const [error, setError] = useState<Error>();
  const [state, setState] = useState<"ready" | "busy" | "waiting">("busy");
  const busy = useRef(false);
  const gone = useRef(new AbortController());
  const chosen = versions.join(" ");
  const act = useCallback(async (next: () => Promise<Turn>) => {
    if (busy.current) return;
    busy.current = true;
    setState("busy");
    try {
      setTurn(await next());
      setError(undefined);
    } catch (problem) {
      setError(problem as Error);
    }
    busy.current = false;
    setState("ready");
  }, []);
  const body = useRef({ versions, voter });
  body.current = { versions, voter };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another voter or set is another turn
  useEffect(() => {
    const stop = new AbortController();
    gone.current = stop;
    void act(async () => {
      const left = pending();
      if (left) await send(left, () => setState("waiting"), stop.signal);
      return await post("/api/arena/next", { body: body.current });
    });
    return () => stop.abort();
  }, [chosen, voter, act]);
  const vote = (choice: Choice) => {
    const ticket = turn?.pair?.ticket;
    if (!ticket) return;
    void act(() =>
      send({ ...body.current, ticket, choice }, () => setState("waiting"), gone.current.signal),
    );
  };
  const undo = () => void act(() => post("/api/arena/undo", { body: body.current }));
  return { turn, error, state, vote, undo };
}

function Side({ name, text }: { name: string; text: string }) {
  return (
    <section className="side" aria-label={name}>
      <WholeText text={text} />
    </section>
  );
}

function Voting({ versions, voter }: { versions: string[]; voter: string }) {
  const { turn, error, state, vote, undo } = useTurn(versions, voter);
  const pair: Pair | null | undefined = turn?.pair;
  useKeys([
    ...CHOICES.map(({ choice, key, words }) => ({ key, words, run: () => vote(choice) })),
    { key: "u", words: "undo the last vote", run: undo },
  ]);
  return (
    <>
      {error && <Problem error={error} />}
      {turn?.refused && (
        <p className="soft" role="status">
          {plain(turn.refused)}
        </p>
      )}
      {pair === null && <p>{plain(voter)} has voted on every pair.</p>}
      {pair && (
        <>
          <div className="prompt">
            <WholeText text={pair.prompt} />
          </div>
          <div className="sides">
            <Side name="left" text={pair.left} />
            <Side name="right" text={pair.right} />
          </div>
        </>
      )}
      <div className="choices">
        {CHOICES.map(({ choice, words, shown }) => (
          <Button key={choice} isDisabled={!pair} onPress={() => vote(choice)}>
            <kbd>{shown}</kbd> {words}
          </Button>
        ))}
        <Button onPress={undo}>
          <kbd>u</kbd> undo
        </Button>
      </div>
      <p className="soft" role="status">
        {state === "waiting"
          ? "The server does not answer; the vote is kept and sent again."
          : pair && `${pair.voted} of ${pair.pairs} pairs voted on`}
      </p>
    </>
  );
}

const WIDTH = 220;

/** Ratings with their 95 % intervals on one axis. */
function Whisker({ item, from, to }: { item: Rated; from: number; to: number }) {
  if (item.low == null || item.high == null || item.estimate == null) return null;
  const place = (value: number) => 6 + ((WIDTH - 12) * (value - from)) / (to - from || 1);
  const words = `${item.version}: rating ${item.rating}, 95 % interval ${item.interval}`;
  return (
    <svg viewBox={`0 0 ${WIDTH} 16`} className="interval" role="img" aria-label={words}>
      <title>{words}</title>
      <line className="tick zero" x1={place(1000)} x2={place(1000)} y1="0" y2="16" />
      <line className="whisker" x1={place(item.low)} x2={place(item.high)} y1="8" y2="8" />
      <circle cx={place(item.estimate)} cy="8" r="3" />
    </svg>
  );
}

function Ratings({ versions }: { versions: string[] }) {
  const [voter, setVoter] = useQuery("of");
  const ranking = useLoad(
    `${versions.join(" ")}/${voter}`,
    (signal) => get("/api/arena/ranking", { query: { versions, voter }, signal }),
    ["votes", "study"],
  );
  return (
    <Shown loaded={ranking}>
      {(found) => {
        const bounds = found.ratings.flatMap((each) => [each.low ?? 1000, each.high ?? 1000]);
        const [from, to] = [Math.min(...bounds, 900), Math.max(...bounds, 1100)];
        return (
          <>
            <p className="arena-verdict" role="status">
              <strong>{plain(found.verdict)}</strong>
            </p>
            {found.voters.length > 1 && (
              <label>
                Votes of{" "}
                <select value={voter} onChange={(event) => setVoter(event.target.value)}>
                  <option value="">everybody</option>
                  {found.voters.map((name) => (
                    <option key={name} value={name}>
                      {plain(name)}
                    </option>
                  ))}
                </select>
              </label>
            )}
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard */}
            <section className="scroll" tabIndex={0} aria-label="ratings">
              <RatingTable items={found.ratings} from={from} to={to} />
              {found.pairs.length > 0 && <PairTable items={found.pairs} />}
            </section>
            {found.facts.map((words) => (
              <p key={words} className="soft">
                {plain(words)}
              </p>
            ))}
          </>
        );
      }}
    </Shown>
  );
}

/** Classes of the heads of the columns: as their cells. */
const RATED = ["", "number", "number", "", ...Array<string>(5).fill("number"), ""];

function RatingTable({ items, from, to }: { items: Rated[]; from: number; to: number }) {
  return (
    <table>
      <thead>
        <tr>
          {["version", "rating", "95 %", "", "equal length", "won", "lost", "tied", "bad", ""].map(
            (words, column) => (
              <th key={column} scope="col" className={RATED[column]}>
                {words}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>
        {items.map((each) => (
          <tr key={each.version}>
            <th scope="row">{each.version}</th>
            <td className="number">{each.rating}</td>
            <td className="number">{each.interval}</td>
            <td>
              <Whisker item={each} from={from} to={to} />
            </td>
            <td className="number">{each.equal_length}</td>
            <td className="number">{each.wins}</td>
            <td className="number">{each.losses}</td>
            <td className="number">{each.ties}</td>
            <td className="number">{each.both_bad}</td>
            <td className="soft">{each.note}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function PairTable({ items }: { items: Schemas["PairInfo"][] }) {
  return (
    <table>
      <thead>
        <tr>
          {["pair", "wins", "95 %", "equal length", "votes", "p", ""].map((words, column) => (
            <th key={column} scope="col" className={column > 0 ? "number" : ""}>
              {words}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((each) => (
          <tr key={`${each.first} ${each.second}`}>
            <th scope="row">
              {each.first} over {each.second}
            </th>
            <td className="number">{each.win_rate}</td>
            <td className="number">{each.interval}</td>
            <td className="number">{each.equal_length}</td>
            <td className="number">{each.votes}</td>
            <td className="number">{each.p}</td>
            <td className={each.decided ? "better" : "soft"}>{each.verdict}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Training({ versions }: { versions: string[] }) {
  const [name, setName] = useState("votes.yaml");
  const [told, setTold] = useState("");
  const [error, setError] = useState<Error>();
  const start = () =>
    post("/api/arena/train", { body: { versions, name } }).then((job) => {
      setError(undefined);
      setTold(`${job.title}: it runs on the server.`);
    }, setError);
  const query = new URLSearchParams(versions.map((each) => ["versions", each]));
  return (
    <section aria-label="training">
      <h2>Learn from the votes</h2>
      <div className="controls">
        <TextField value={name} onChange={setName}>
          <Label>Recipe</Label> <Input />
        </TextField>
        <Button onPress={() => void start()}>Train on the votes</Button>
        <a href={`/api/arena/pairs.jsonl?${query}`} download>
          Download the pairs
        </a>
      </div>
      <p className="soft">
        Writes a DPO recipe for the version with the best rating, unless the file is there, and
        trains it. The result is a child version.
      </p>
      {error && <Problem error={error} />}
      {told && (
        <p role="status">
          {plain(told)} <a href={link(["runs"])}>Follow it</a>
        </p>
      )}
    </section>
  );
}

function Versions({ chosen, onChange }: { chosen: string[]; onChange: (names: string[]) => void }) {
  const known = useLoad("arena versions", (signal) => get("/api/arena/versions", { signal }));
  return (
    <Shown loaded={known}>
      {(all) => (
        <CheckboxGroup value={chosen} onChange={onChange} className="arena-versions">
          <Label>
            Choose two or more. You will not see which output is whose: left and right are random.
          </Label>
          {all.map((each) => (
            <Checkbox key={each.name} value={each.name} className="check">
              <span className="box" aria-hidden />
              <span>
                {each.name} <Plain text={each.title} />
              </span>
            </Checkbox>
          ))}
        </CheckboxGroup>
      )}
    </Shown>
  );
}

/** The voter's name; it counts when it is left or Enter is pressed, not at every letter. */
function VoterField({ voter, onChange }: { voter: string; onChange: (name: string) => void }) {
  const [draft, setDraft] = useState(voter);
  const keep = () => (draft.trim() ? onChange(draft.trim()) : setDraft(voter));
  return (
    <TextField value={draft} onChange={setDraft} onBlur={keep}>
      <Label>Voter</Label>{" "}
      <Input
        maxLength={60}
        onKeyDown={(event) => {
          if (event.key === "Enter") event.currentTarget.blur();
        }}
      />
    </TextField>
  );
}

export function Arena() {
  const [named, setNamed] = useQuery("versions");
  const [mode, setMode] = useQuery("mode", "vote");
  const [voter, setVoter] = useState(() => localStorage.getItem(VOTER) ?? "me");
  const versions = named.split(" ").filter(Boolean);
  const played = versions.length > 1 && versions.every((each) => each.startsWith(PLAYED));
  const name = (next: string) => {
    setVoter(next);
    localStorage.setItem(VOTER, next);
  };
  return (
    <>
      <h1>Arena</h1>
      {played ? (
        <p className="soft">
          {versions.length} outputs of Play. Who voted may have seen whose they are, so the votes
          count in no version's rating.
        </p>
      ) : (
        <details open={versions.length < 2}>
          <summary>
            {versions.length < 2 ? "Choose versions" : `${versions.length} versions`}
          </summary>
          <Versions chosen={versions} onChange={(names) => setNamed(names.join(" "))} />
        </details>
      )}
      {versions.length >= 2 && (
        <>
          <div className="controls">
            <Button aria-pressed={mode === "vote"} onPress={() => setMode("vote")}>
              Vote
            </Button>
            <Button aria-pressed={mode === "ratings"} onPress={() => setMode("ratings")}>
              Ratings
            </Button>
            <VoterField voter={voter} onChange={name} />
          </div>
          {mode === "vote" ? (
            <Voting versions={versions} voter={voter} />
          ) : (
            <>
              <Ratings versions={versions} />
              {!played && <Training versions={versions} />}
            </>
          )}
        </>
      )}
    </>
  );
}
