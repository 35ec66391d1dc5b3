// The tokens of an output, coloured by a number of theirs; one of them is chosen.
import { memo, useCallback, useEffect, useRef } from "react";
import type { Schemas } from "../client";
import { Plain } from "./texts";

export type Token = Schemas["TokenInfo"];
export const COLOURS = ["probability", "rank", "entropy"] as const;
export type Colour = (typeof COLOURS)[number];

/** A token in a line: ends of lines, tabs and tokens of nothing but spaces have a sign. */
export function tokenWords(text: string): string {
  const signs = text.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
  return /^ +$/.test(signs) ? "␣".repeat(signs.length) : signs;
}

/** Ten steps, 0 for what was expected. A rank of 1000 and an entropy of 8 nats are the last. */
export function shade(token: Token, colour: Colour): number {
  const share =
    colour === "probability"
      ? 1 - token.probability
      : colour === "rank"
        ? Math.log10(token.rank) / 3
        : token.entropy / 8;
  return Math.min(9, Math.max(0, Math.floor(share * 10)));
}

/** Line ends are shown and kept; a token without text of its own has a dot. */
function Shown({ token }: { token: Token }) {
  if (token.part && token.part[0] > 1) return <span className="soft">·</span>;
  const lines = token.text.split("\n");
  return (
    <>
      {lines.map((line, place) => (
        <span key={place}>
          {place > 0 && (
            <>
              <span className="soft">⏎</span>
              <br />
            </>
          )}
          <Plain text={line} />
        </span>
      ))}
    </>
  );
}

const One = memo(function One({
  token,
  id,
  at,
  kind,
  chosen,
}: {
  token: Token;
  id: string;
  at: number;
  kind: string;
  chosen: boolean;
}) {
  const part = token.part ? `, part ${token.part[0]} of ${token.part[1]} of a character` : "";
  return (
    <span
      id={`${id}-${at}`}
      data-at={at}
      role="option"
      tabIndex={-1}
      aria-selected={chosen}
      className={kind}
      title={`${at + 1}: ${(100 * token.probability).toPrecision(2)} %, rank ${token.rank}${part}`}
    >
      <Shown token={token} />
    </span>
  );
});

interface TokensProps {
  /** Distinct on the page. */
  id: string;
  label: string;
  tokens: readonly Token[];
  colour: Colour;
  /** Index of the chosen token; -1 for none. */
  step: number;
  /** Index of the first token that a branch may change; those before are shown plainly. */
  from?: number;
  onStep: (step: number) => void;
}

/** A list box: one tab stop, arrow keys, Home and End. */
export function Tokens({ id, label, tokens, colour, step, from = 0, onStep }: TokensProps) {
  const element = useRef<HTMLDivElement>(null);
  const press = useCallback(
    (event: React.KeyboardEvent) => {
      const to = {
        ArrowRight: step + 1,
        ArrowDown: step + 1,
        ArrowLeft: step - 1,
        ArrowUp: step - 1,
        Home: 0,
        End: tokens.length - 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      onStep(Math.min(tokens.length - 1, Math.max(0, to)));
    },
    [step, tokens.length, onStep],
  );
  useEffect(() => {
    const chosen = element.current?.querySelector(`[data-at="${step}"]`);
    chosen?.scrollIntoView?.({ block: "nearest" });
  }, [step]);
  return (
    <div
      ref={element}
      className="tokens"
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={step >= 0 ? `${id}-${step}` : undefined}
      onKeyDown={press}
      onClick={(event) => {
        const found = (event.target as HTMLElement).closest<HTMLElement>("[data-at]");
        if (found) onStep(Number(found.dataset.at));
      }}
    >
      {tokens.map((token, at) => (
        <One
          key={at}
          id={id}
          at={at}
          token={token}
          chosen={at === step}
          kind={at < from ? "token same" : `token s${shade(token, colour)}`}
        />
      ))}
    </div>
  );
}
