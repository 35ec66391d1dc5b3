// Notes of a version, edited in place. They are written into the version's file, where everything
// else stays as it is; if the file changed on disk meanwhile, both texts are shown.
import { useEffect, useId, useState } from "react";
import type { Schemas } from "../client";
import { get, post, Refused } from "../client";
import { report } from "../offline";
import { Problem } from "./states";
import { Plain } from "./texts";

type NotesInfo = Schemas["NotesInfo"];
type Field = "learned" | "takeaway" | "limitation" | "notes";

const TITLES: Record<Field, string> = {
  learned: "Learned",
  takeaway: "Takeaway",
  limitation: "Limitation",
  notes: "Notes",
};
const FIELDS = Object.keys(TITLES) as Field[];

/** One sentence a line. */
function asLines(sentences: readonly string[]): string {
  return sentences.map((sentence) => sentence.replace(/\s+/g, " ").trim()).join("\n");
}

interface EditorProps {
  version: string;
  field: Field;
  notes: NotesInfo;
  onSaved: (notes: NotesInfo) => void;
  onLeft: () => void;
}

function Editor({ version, field, notes, onSaved, onLeft }: EditorProps) {
  const [text, setText] = useState(asLines(notes.notes[field] ?? []));
  const [digest, setDigest] = useState(notes.digest);
  const [onDisk, setOnDisk] = useState<NotesInfo>();
  const [error, setError] = useState<Error>();
  const hint = useId();

  async function save() {
    try {
      // A sentence that was not touched keeps its own white space.
      const before = new Map((notes.notes[field] ?? []).map((each) => [asLines([each]), each]));
      const sentences = text.split("\n").map((line) => before.get(line.trim()) ?? line);
      const body = { field, sentences, digest };
      onSaved(await post("/api/log/{version}/notes", { path: { version }, body }));
      onLeft();
    } catch (problem) {
      setError(problem as Error);
      if (problem instanceof Refused && problem.status === 409) {
        const now = await get("/api/log/{version}/notes", { path: { version } });
        setOnDisk(now);
        setDigest(now.digest);
      }
    }
  }

  return (
    <div className="editor">
      {error && <Problem error={error} />}
      {onDisk && (
        <div>
          <p>The file now says:</p>
          <blockquote className="text">
            <Plain text={asLines(onDisk.notes[field] ?? []) || "(nothing)"} />
          </blockquote>
          <p>Save again to write your text over it.</p>
        </div>
      )}
      <textarea
        // biome-ignore lint/a11y/noAutofocus: the user has just asked to edit this
        autoFocus
        aria-label={`${TITLES[field]} of ${version}`}
        aria-describedby={hint}
        rows={Math.max(3, text.split("\n").length + 1)}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void save();
          if (event.key === "Escape") onLeft();
        }}
      />
      <p id={hint} className="soft">
        One sentence a line, written into {notes.file}. Ctrl or Cmd + Enter saves, Esc leaves.
      </p>
      <div className="controls">
        <button type="button" onClick={() => void save()}>
          Save
        </button>
        <button type="button" onClick={onLeft}>
          Leave
        </button>
      </div>
    </div>
  );
}

/** The notes of a version, each kind with a way to edit it. */
export function Notes({ version, initial }: { version: string; initial: NotesInfo }) {
  const [saved, setSaved] = useState<NotesInfo>();
  const [editing, setEditing] = useState<Field>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the file was read again
  useEffect(() => setSaved(undefined), [initial]);
  const notes = saved ?? initial;
  const shown = FIELDS.filter((field) => field === editing || notes.notes[field]?.length);
  const missing = FIELDS.filter((field) => !shown.includes(field));
  return (
    <section aria-label={`Notes of ${version}`}>
      {shown.map((field) => (
        <div key={field}>
          <h3>
            {TITLES[field]}{" "}
            {field !== editing && !report() && (
              <button
                type="button"
                className="quiet"
                aria-label={`Edit: ${TITLES[field]} of ${version}`}
                onClick={() => setEditing(field)}
              >
                edit
              </button>
            )}
          </h3>
          {field === editing ? (
            <Editor
              version={version}
              field={field}
              notes={notes}
              onSaved={setSaved}
              onLeft={() => setEditing(undefined)}
            />
          ) : (
            <ul>
              {notes.notes[field]?.map((sentence, place) => (
                <li key={place}>
                  <Plain text={sentence} />
                </li>
              ))}
            </ul>
          )}
        </div>
      ))}
      {!editing && !report() && (
        <p className="controls">
          {missing.map((field) => (
            <button
              key={field}
              type="button"
              className="quiet"
              onClick={() => setEditing(field)}
              aria-label={`Add: ${TITLES[field]} of ${version}`}
            >
              + {TITLES[field].toLowerCase()}
            </button>
          ))}
        </p>
      )}
    </section>
  );
}
