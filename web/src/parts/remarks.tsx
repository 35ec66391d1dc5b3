// Star and comment of an output, kept in the study's folder.
import { useEffect, useState } from "react";
import type { Schemas } from "../client";
import { post } from "../client";
import { Plain } from "./texts";

type Remark = Schemas["RemarkInfo"];

interface RemarksProps {
  version: string;
  promptId: string;
  remark: Remark | null;
}

export function Remarks({ version, promptId, remark }: RemarksProps) {
  const [shown, setShown] = useState<Remark>(remark ?? { star: false, comment: "" });
  const [text, setText] = useState<string>();
  const [failed, setFailed] = useState("");
  useEffect(() => setShown(remark ?? { star: false, comment: "" }), [remark]);

  async function save(next: Remark) {
    try {
      setShown(await post("/api/remarks", { body: { version, prompt_id: promptId, ...next } }));
      setFailed("");
    } catch (problem) {
      setFailed((problem as Error).message);
    }
  }

  const about = `${version} on ${promptId}`;
  return (
    <span className="remarks">
      <button
        type="button"
        className="quiet star"
        aria-pressed={shown.star}
        aria-label={`Star ${about}`}
        onClick={() => void save({ ...shown, star: !shown.star })}
      >
        {shown.star ? "★" : "☆"}
      </button>
      <button
        type="button"
        className="quiet"
        aria-label={`Comment on ${about}`}
        onClick={() => setText(text === undefined ? shown.comment : undefined)}
      >
        {shown.comment ? "edit" : "comment"}
      </button>
      {shown.comment && text === undefined && (
        <span className="comment">
          <Plain text={shown.comment} />
        </span>
      )}
      {text !== undefined && (
        <input
          // biome-ignore lint/a11y/noAutofocus: the user has just asked to comment
          autoFocus
          aria-label={`Comment on ${about}`}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") {
              void save({ ...shown, comment: text });
              setText(undefined);
            }
            if (event.key === "Escape") setText(undefined);
          }}
        />
      )}
      {failed && (
        <span role="alert" className="worse">
          {failed}
        </span>
      )}
    </span>
  );
}
