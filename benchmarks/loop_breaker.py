"""The loop breaker on the built-in model: loops it ends, false alarms, equal bits, and its cost.

    python -m benchmarks.loop_breaker --decoding greedy,0.7,1

Runs the prompts of the example suites, as raw text and in the chat template, in bf16. An output
loops if it reached its limit and its last tokens are a phrase repeated: a test of its own, not the
breaker's rule. The metric `loop_rate` counts more: short loops, and phrases that change a number or
a word. Cost is CPU time: that of looking for loops, and that of generating.

    python -m benchmarks.loop_breaker --cost 10

Instead generates the outputs without an alarm, so often with the breaker and without it, in turn,
and compares their tokens a second. These are the same tokens, which it checks.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from scipy.stats import binomtest, ttest_1samp

from ethogram.engine import Engine, loops
from ethogram.metrics.pitfalls.rules import loop_run
from ethogram.models import ModelReference, identity, load
from ethogram.spec import Generation, Prompt, Request, Suite, SuitePrompt, Version, make_requests
from ethogram.spec.decoding import Decoding
from ethogram.spec.wrapper import LoopBreaker, Wrapper
from ethogram.wrap import WrappedBackend

SUITES = sorted(Path("examples").glob("*/suites/*.jsonl"))
#: An output loops if its last tokens hold so many copies of a phrase, and so many tokens.
COPIES, TOKENS = 2.5, 32


def main() -> None:
    """Print the figures of one decoding."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decoding", default="greedy", help="greedy or temperatures, with commas")
    parser.add_argument("--new-tokens", type=int, default=320)
    parser.add_argument("--prompts", type=int, default=1000, help="of the suites, at most")
    parser.add_argument("--skip", type=int, default=0, help="prompts, for a run in parts")
    parser.add_argument("--cost", type=int, default=0, help="rounds with and without, at least 2")
    options = parser.parse_args()
    reference = ModelReference("smollm2-135m-instruct", dtype="bfloat16")
    engine, model = Engine(load(reference, device="cpu")), identity(reference)
    for name in options.decoding.split(","):
        settings: dict[str, Any] = (
            {"strategy": "greedy"}
            if name == "greedy"
            else {"strategy": "sample", "temperature": float(name)}
        )
        decoding = Decoding.model_validate({**settings, "max_new_tokens": options.new_tokens})
        part = slice(options.skip, options.skip + options.prompts)
        requests = _requests(decoding, model, part)
        if options.cost:
            measure_cost(engine, requests, options.cost, name)
        else:
            _measure(engine, requests, name)


def _measure(engine: Engine, requests: Sequence[Request], name: str) -> None:
    """Generate with and without the breaker and print the figures."""
    begun = time.process_time()
    plain = {made.identity: made for made in engine.generate(requests)}
    generating = time.process_time() - begun
    looking = _looking(list(plain.values()))
    begun = time.process_time()
    broken = _with_breaker(engine, requests)
    again = time.process_time() - begun
    print(f"{name}: {len(plain)} outputs, {_tokens(list(plain.values()))} tokens")
    _report(plain, broken)
    print(f"generating {generating:.1f} s of CPU, looking for loops {looking:.2f} s")
    print(f"  = {looking / generating:.2%}; with all rounds {again:.1f} s of CPU", flush=True)
    for words, outputs in (("without", plain), ("with", broken)):
        seen = sum(
            loop_run(made.text, cut=made.finish_reason == "length") is not None
            for made in outputs.values()
        )
        print(f"loops to a reader {words} the breaker: {_share(seen, len(outputs))}", flush=True)


def _with_breaker(engine: Engine, requests: Sequence[Request]) -> dict[str, Generation]:
    wrapper = Wrapper(loop_breaker=LoopBreaker())
    wrapped = [replace(request, wrapper=wrapper) for request in requests]
    made = WrappedBackend(engine, engine.text).generate(wrapped)
    return {each.identity: each for each in made}


def measure_cost(engine: Engine, requests: Sequence[Request], rounds: int, name: str) -> None:
    """Print how many tokens a second the breaker costs where it never acts.

    Args:
        engine: generates.
        requests: those whose outputs loop are left out.
        rounds: with and without; the order alternates.
        name: of the decoding.
    """
    plain = {made.identity: made for made in engine.generate(requests)}
    broken = _with_breaker(engine, requests)
    quiet = [each for each in requests if _same(plain[each.identity], broken[each.identity])]
    tokens = sum(len(plain[each.identity].token_ids) for each in quiet)
    wall: dict[bool, list[float]] = {False: [], True: []}
    cpu: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(rounds):
        for breaks in (False, True) if turn % 2 == 0 else (True, False):
            begun, worked = time.perf_counter(), time.process_time()
            if breaks:
                made = _with_breaker(engine, quiet)
            else:
                made = {each.identity: each for each in engine.generate(quiet)}
            wall[breaks].append(time.perf_counter() - begun)
            cpu[breaks].append(time.process_time() - worked)
            assert all(_same(plain[identity], each) for identity, each in made.items())
    print(f"{name}: {len(quiet)} of {len(requests)} outputs without an alarm, {tokens} tokens")
    for what, seconds in (("wall", wall), ("CPU", cpu)):
        rates = [tokens / min(seconds[breaks]) for breaks in (False, True)]
        lost = lost_throughput(seconds[False], seconds[True])
        print(
            f"  tokens a second of {what} time, best of {rounds}: {rates[0]:.0f} without the "
            f"breaker, {rates[1]:.0f} with it; lost {lost[0]:+.2%} (95 % CI {lost[1]:+.2%} to "
            f"{lost[2]:+.2%}, over {rounds} pairs)",
            flush=True,
        )


def lost_throughput(without: Sequence[float], with_it: Sequence[float]) -> tuple[float, ...]:
    """Share of throughput lost, and its 95 % interval, from seconds of the same work in pairs."""
    logs = [math.log(a / b) for a, b in zip(without, with_it, strict=True)]
    interval = ttest_1samp(logs, 0.0).confidence_interval()
    mean = sum(logs) / len(logs)
    return tuple(1 - math.exp(each) for each in (mean, interval.high, interval.low))


def _requests(decoding: Decoding, model: str, part: slice) -> list[Request]:
    texts = dict.fromkeys(
        json.loads(line)["text"]
        for suite in SUITES
        for line in suite.read_text(encoding="utf-8").splitlines()
        if "text" in json.loads(line)
    )
    prompts = tuple(SuitePrompt(id=str(i), text=text) for i, text in enumerate(texts))[part]
    return [
        request
        for chat in (False, True)
        for request in make_requests(
            Version(decoding=decoding, prompt=Prompt(chat=chat)),
            Suite(prompts=prompts),
            samples=1,
            seed=11,
            model_identity=model,
        )
    ]


def _tokens(made: Sequence[Generation]) -> int:
    return sum(len(each.token_ids) for each in made)


def _looking(made: Sequence[Generation]) -> float:
    """CPU seconds that looking for loops in all outputs takes."""
    begun = time.process_time()
    for each in made:
        loops.find(each.token_ids, LoopBreaker())
    return time.process_time() - begun


def ends_in_a_loop(made: Generation, longest: int = 160) -> bool:
    """Whether an output reached its limit while it repeated a phrase."""
    if made.finish_reason != "length":
        return False
    backwards = made.token_ids[::-1]
    for period in range(1, min(longest, len(backwards) // 2) + 1):
        equal = 0
        while equal + period < len(backwards) and backwards[equal] == backwards[equal + period]:
            equal += 1
        if equal + period >= max(COPIES * period, TOKENS):
            return True
    return False


def _report(plain: dict[str, Generation], broken: dict[str, Generation]) -> None:
    rule = LoopBreaker()
    looping = {name for name, made in plain.items() if ends_in_a_loop(made)}
    fired = {name for name, made in broken.items() if made.guarded and made.guarded.actions}
    left = {name for name in looping if ends_in_a_loop(broken[name])}
    cut = {name for name in looping if broken[name].finish_reason == "loop"}
    own_end = {name for name in looping if broken[name].finish_reason in ("eos", "stop")}
    same = sum(_same(plain[name], broken[name]) for name in plain.keys() - fired)
    print(f"loops without the breaker: {len(looping)}; found by the rule: {len(looping & fired)}")
    print(
        f"  ended: {_share(len(looping - left), len(looping))}, of these {len(cut)} by an end of "
        f"the reply after {rule.breaks} breaks, and {len(own_end)} ended by themselves"
    )
    others = len(plain) - len(looping)
    print(f"false alarms: {_share(len(fired - looping), others)}")
    print(f"outputs without an alarm that have equal bits: {same} of {len(plain) - len(fired)}")
    after = sum(ends_in_a_loop(made) for made in broken.values())
    print(f"outputs that loop with the breaker: {_share(after, len(plain))}")
    extra = sum(made.guarded.tokens for made in broken.values() if made.guarded)
    print(f"tokens generated with the breaker: {extra}, without: {_tokens(list(plain.values()))}")


def _same(plain: Generation, broken: Generation) -> bool:
    return (plain.token_ids, plain.logprobs, plain.text, plain.finish_reason) == (
        broken.token_ids,
        broken.logprobs,
        broken.text,
        broken.finish_reason,
    )


def _share(count: int, total: int) -> str:
    if not total:
        return "0 of 0"
    low, high = binomtest(count, total).proportion_ci(method="wilson")
    return f"{count} of {total} ({count / total:.1%}, 95 % CI {low:.1%} to {high:.1%})"


if __name__ == "__main__":
    main()
