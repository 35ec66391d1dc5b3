"""The table of `contention.py` in `docs/benchmarks.md`, from its JSON and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from benchmarks.conditions import CONDITIONS, QUIET

#: Cores that other programs may take on a machine that is called quiet.
QUIET_ENOUGH = 0.1


def table(data: dict[str, Any]) -> str:
    """Every turn of every engine, and the mean of each as a share of its quiet rate."""
    machine, turns = data["machine"], data["turns"]
    lines = [
        f"Measured on {data['date'][:10]} with {data['model']['name']} in bf16 on "
        f"{machine['processor']}, {data['threads']} threads; short prompts, {data['new_tokens']} "
        "new tokens a row. Output tokens per second, every turn; in brackets, the mean of the "
        "turns as a share of the engine's own mean when it runs alone. A star marks a turn during "
        f"which programs that are no part of the measurement took more than {QUIET_ENOUGH} cores.",
    ]
    for size in sorted({turn["size"] for turn in turns}):
        own = [turn for turn in turns if turn["size"] == size]
        lines += ["", f"### {size} rows", "", *_rows(own, data["unavailable"])]
    return "\n".join(lines)


def _rows(turns: Sequence[dict[str, Any]], unavailable: dict[str, str]) -> list[str]:
    peers = list(dict.fromkeys(turn["peer"] for turn in turns))
    lines = ["| the machine | " + " | ".join(peers) + " |", "|---" + "|---:" * len(peers) + "|"]
    measured = {turn["condition"] for turn in turns}
    for condition in CONDITIONS:
        if condition.name in measured:
            cells = [_cell(turns, condition.name, peer) for peer in peers]
            lines.append("| " + " | ".join((condition.title, *cells)) + " |")
        elif condition.name in unavailable:
            reason = f"not measured: {unavailable[condition.name]}"
            lines.append(
                "| " + " | ".join((condition.title, reason, *[""] * (len(peers) - 1))) + " |"
            )
    return lines


def _cell(turns: Sequence[dict[str, Any]], condition: str, peer: str) -> str:
    own, alone = _turns(turns, condition, peer), _turns(turns, QUIET.name, peer)
    if not own:
        return "–"
    text = ", ".join(map(_rate, own))
    if condition == QUIET.name or not alone:
        return text
    return f"{text} ({_mean(own) / _mean(alone):.2f})"


def _rate(turn: dict[str, Any]) -> str:
    rate, mark = turn["tokens_per_second"], "*" if turn["others"] > QUIET_ENOUGH else ""
    return (f"{rate:,.0f}" if rate >= 100 else f"{rate:.1f}") + mark


def _mean(turns: Sequence[dict[str, Any]]) -> float:
    return float(fmean(turn["tokens_per_second"] for turn in turns))


def _turns(turns: Sequence[dict[str, Any]], condition: str, peer: str) -> list[dict[str, Any]]:
    return [
        turn
        for turn in turns
        if (turn["condition"], turn["peer"]) == (condition, peer) and "tokens_per_second" in turn
    ]
