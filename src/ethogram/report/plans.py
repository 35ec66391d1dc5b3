"""Plans: what a run would cost, for a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.report.printing import text_table

if TYPE_CHECKING:
    from ethogram.study.plan import Plan

_LENGTHS = {
    "stored": "mean of its stored outputs",
    "other versions": "mean of the study's stored outputs",
    "limit": "max_new_tokens, so at most",
}


def plan_text(plan: Plan) -> str:
    """The plan in words: the totals, a row for each version, and where the numbers come from."""
    lines = [_headline(plan), ""]
    rows = [["", "outputs", "to make", "tokens", "disk", "length of an output"]]
    rows += [
        [
            each.version,
            f"{each.generations:,}",
            f"{each.missing:,}",
            quantity(each.tokens),
            size(each.bytes),
            _LENGTHS[each.lengths],
        ]
        for each in plan.versions
    ]
    lines += [text_table(rows, right=range(1, 5)), ""]
    lines += [f"Speed: {_speed(plan)}."]
    lines += [f"Money, by {by}: {amount:,.2f}." for by, amount in plan.money.items()]
    return "\n".join(lines)


def _headline(plan: Plan) -> str:
    if not plan.missing:
        return "Nothing to generate: every output is stored."
    time = "an unknown time" if plan.seconds is None else f"about {duration(plan.seconds)}"
    outputs = f"{plan.missing:,} output{'s' if plan.missing > 1 else ''}"
    return (
        f"{outputs}, {quantity(plan.tokens)} tokens and {quantity(plan.prompt_tokens)} of prompts: "
        f"{time}, {size(plan.bytes)} of disk."
    )


def _speed(plan: Plan) -> str:
    if plan.rate is None:
        return "unknown, as this store has no run of some seconds; give --rate TOKENS_PER_SECOND"
    workers = "" if plan.workers == 1 else f" × {plan.workers} workers"
    return f"{plan.rate:,.0f} tokens/s{workers} ({plan.rate_from})"


def duration(seconds: float) -> str:
    """A time in its natural unit, to two digits."""
    for unit, length in (("years", 365 * 86400), ("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{_digits(seconds / length)} {unit}"
    return f"{_digits(seconds)} seconds"


def quantity(number: float) -> str:
    """A count to three digits: 950, 1.25 million."""
    for word, value in (("trillion", 1e12), ("billion", 1e9), ("million", 1e6)):
        if number >= value:
            return f"{number / value:.3g} {word}"
    return f"{round(number):,}"


def size(number: float) -> str:
    """Bytes in their natural unit, to three digits."""
    for unit, value in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= value:
            return f"{number / value:.3g} {unit}"
    return f"{round(number)} B"


def _digits(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"
