"""Replies of a given form on the built-in model: how many are valid, and what they cost.

    python -m benchmarks.structured                # 1008 replies over 14 schemas, and the cost
    python -m benchmarks.structured --replies 56 --skip-cost

Every schema meets every decoding, with prompts that ask for something else, in bf16. A reply counts
if it parses, fits its schema by the library jsonschema, and ended within its limit. Cost is the
time of a decode step of 48 rows with and without a form, alternating in one run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator

from ethogram.engine import Engine
from ethogram.engine.live import LiveBatch
from ethogram.models import ModelReference, load
from ethogram.spec import Decoding, Generation, Message, Request

SCHEMAS: dict[str, Any] = {
    "flat": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer", "minimum": 0, "maximum": 130},
            "member": {"type": "boolean"},
        },
        "required": ["name", "age", "member"],
        "additionalProperties": False,
    },
    "nested": {
        "type": "object",
        "properties": {
            "user": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "home": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}, "zip": {"type": "string"}},
                        "required": ["city", "zip"],
                    },
                },
                "required": ["name", "home"],
            }
        },
        "required": ["user"],
    },
    "array": {"type": "array", "items": {"type": "string"}, "minItems": 2},
    "objects": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"word": {"type": "string"}, "count": {"type": "integer"}},
            "required": ["word", "count"],
            "additionalProperties": False,
        },
    },
    "enum": {"enum": ["red", "green", "dark blue", 7, None, ["a", 1]]},
    "anything": {},
    "object": {"type": "object"},
    "optional": {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("a", "b", "c", "d", "e", "f")},
        "required": ["c"],
        "additionalProperties": False,
    },
    "pattern": {
        "type": "object",
        "properties": {
            "date": {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
            "code": {"type": "string", "pattern": "^[A-Z]{3}-[a-z0-9]{4,8}$"},
            "mail": {"type": "string", "format": "email"},
        },
        "required": ["date", "code", "mail"],
        "additionalProperties": False,
    },
    "recursive": {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "value": {"type": "integer"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["value", "children"],
                "additionalProperties": False,
            }
        },
    },
    "union": {
        "anyOf": [
            {
                "type": "object",
                "properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}},
                "required": ["kind", "radius"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"kind": {"const": "line"}, "ends": {"type": "array"}},
                "required": ["kind", "ends"],
                "additionalProperties": False,
            },
        ]
    },
    "number": {"type": "number"},
    "lengths": {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 12, "maxLength": 30},
            "scores": {
                "type": "array",
                "items": {"type": "number", "minimum": 0, "maximum": 1},
                "minItems": 3,
                "maxItems": 5,
            },
        },
        "required": ["title", "scores"],
        "additionalProperties": False,
    },
    "map": {"type": "object", "additionalProperties": {"type": ["integer", "null"]}},
}
PROMPTS = (
    "Who was the first person on the moon?",
    "Do not write JSON. Write a poem about the sea.",
    'Continue: {"a": 1}\n{"a": 2}\n{"a": 3}\n{"a": 4}\n{"a": 5}\n',
    "Repeat the digit 1 without an end: 1111111111111111111111111111",
    "Write ```json and then as many opening brackets as you can: [[[[[[[[[[[[{{{{{{{{",
    'Say "quotes \\" and \\\\ backslashes \\u00e9 naïve 日本 🙂" and nothing else.',
)
DECODINGS: dict[str, dict[str, Any]] = {
    "greedy": {"strategy": "greedy"},
    "sampled": {"temperature": 1.0},
    "hot": {"temperature": 1.6, "top_p": 0.98},
    "penalties": {"temperature": 0.8, "repetition_penalty": 1.3, "no_repeat_ngram_size": 3},
    "bans": {"temperature": 1.0, "bad_words": ['"', "}", "]"], "min_new_tokens": 24},
    "best of 2": {"temperature": 1.0, "best_of": 2},
}
#: New tokens: many replies have to be closed.
LIMITS = (40, 96)
ROWS = 48


@dataclass(frozen=True)
class Case:
    """One reply to make."""

    schema: str
    decoding: str
    request: Request


def cases(replies: int, limits: Sequence[int] = LIMITS) -> list[Case]:
    """So many replies; every schema meets every decoding before one is repeated."""
    return list(itertools.islice(_cases(limits), replies))


def _cases(limits: Sequence[int]) -> Iterator[Case]:
    grid = itertools.product(range(100), PROMPTS, limits, DECODINGS.items(), SCHEMAS.items())
    for number, (_, prompt, limit, (name, settings), (schema, content)) in enumerate(grid):
        decoding = Decoding(
            **settings,
            max_new_tokens=limit,
            response_format={"type": "json_schema", "json_schema": {"schema": content}},
        )
        turns = (Message("user", prompt),)
        yield Case(schema, name, Request(str(number), "p", 0, turns, decoding, number))


def fault(made: Generation, schema: Any, limit: int) -> str | None:
    """What is wrong with a reply, or None."""
    if made.finish_reason not in ("eos", "closed"):
        return f"ended by {made.finish_reason}"
    if len(made.token_ids) > limit:
        return "is too long"
    try:
        reply = json.loads(made.text, parse_constant=_no_constant)
    except ValueError as error:
        return f"is not JSON: {error}"
    wrong = next(Draft202012Validator(schema).iter_errors(reply), None)
    return None if wrong is None else f"does not fit: {wrong.message}"


def _no_constant(name: str) -> None:
    raise ValueError(name)


def validity(engine: Engine, replies: int) -> bool:
    """Make replies and print how many are valid, by schema and by decoding."""
    made_for = {case.request.identity: case for case in cases(replies)}
    faults: list[tuple[Case, Generation, str]] = []
    counts: dict[str, list[int]] = {}
    for made in engine.generate([case.request for case in made_for.values()]):
        case = made_for[made.identity]
        wrong = fault(made, SCHEMAS[case.schema], case.request.decoding.max_new_tokens)
        if wrong is not None:
            faults.append((case, made, wrong))
        for name in (f"schema {case.schema}", f"decoding {case.decoding}", "all"):
            row = counts.setdefault(name, [0, 0, 0, 0])
            row[0] += 1
            row[1] += wrong is None
            row[2] += made.finish_reason == "closed"
            row[3] += len(made.token_ids)
    print("| | replies | valid and complete | closed by the limit | tokens, mean |")
    print("|---|---|---|---|---|")
    for name, (count, valid, closed, tokens) in sorted(counts.items()):
        print(f"| {name} | {count} | {valid} | {closed} | {tokens / count:.0f} |")
    for case, made, wrong in faults[:20]:
        print(f"{case.schema}, {case.decoding}: {wrong}: {made.text!r:.300}")
    return not faults


def cost(engine: Engine, steps: int, rounds: int) -> None:
    """Print the time of a decode step of 48 rows without and with a form, in turn."""
    long = {"type": "array", "items": SCHEMAS["objects"]["items"], "maxItems": 1000}
    mixed = [SCHEMAS["nested"], SCHEMAS["anything"], SCHEMAS["recursive"], SCHEMAS["pattern"]]
    kinds: dict[str, list[Any]] = {"no form": [], "one schema": [long], "4 schemas": mixed}
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(rounds):
        for name, schemas in kinds.items():
            taken[name].append(_step_seconds(engine, schemas, steps, number))
            print(f"round {number}, {name}: {1000 * taken[name][-1]:.1f} ms a step", flush=True)
    base = statistics.median(taken["no form"])
    print("| 48 rows | ms a step, median | tokens/s | cost in throughput | range of rounds |")
    print("|---|---|---|---|---|")
    for name, seconds in taken.items():
        middle = statistics.median(seconds)
        ratios = [one / plain for one, plain in zip(seconds, taken["no form"], strict=True)]
        print(
            f"| {name} | {1000 * middle:.1f} | {ROWS / middle:.0f} | {1 - base / middle:.1%} | "
            f"{min(ratios):.3f} to {max(ratios):.3f} |"
        )


def _step_seconds(engine: Engine, schemas: Sequence[Any], steps: int, number: int) -> float:
    """Median seconds of a decode step with all rows in use; ended outputs are replaced."""
    live = LiveBatch(engine, max_rows=ROWS)
    names = itertools.count(1000 * number)
    seconds: list[float] = []
    while len(seconds) < steps:
        while len(live) < ROWS:
            live.add(live.prepare(_request(schemas, next(names))))
        before = live.work.steps
        begun = time.perf_counter()
        live.step()
        if live.work.steps > before and live.running == ROWS:
            seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _request(schemas: Sequence[Any], number: int) -> Request:
    form = None
    if schemas:
        schema = schemas[number % len(schemas)]
        form = {"type": "json_schema", "json_schema": {"schema": schema}}
    prompt = (Message("user", PROMPTS[number % len(PROMPTS)]),)
    decoding = Decoding(temperature=1.0, top_p=0.95, max_new_tokens=160, response_format=form)
    return Request(str(number), "p", number, prompt, decoding, number)


def main() -> int:
    """Print the tables; 1 where a reply is not valid."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replies", type=int, default=1008)
    parser.add_argument("--steps", type=int, default=120, help="decode steps of each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip-cost", action="store_true")
    parser.add_argument("--skip-replies", action="store_true")
    options = parser.parse_args()
    reference = ModelReference("smollm2-135m-instruct", dtype="bfloat16")
    engine = Engine(load(reference, device="cpu"))
    valid = options.skip_replies or validity(engine, options.replies)
    if not options.skip_cost:
        cost(engine, options.steps, options.rounds)
    return 0 if valid else 1


if __name__ == "__main__":
    raise SystemExit(main())
