"""The tables of `docs/benchmarks.md`, from the JSON of a run and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks import results
from benchmarks.registry import OURS, UNMERGED

HEAD = """# Benchmarks

<!-- Written by `make bench-engine` from benchmarks/results/engine.json; do not edit. -->

Ethogram's engine and other engines on the same machine, in the same run, on the same weights,
prompts, decodings and lengths. A sweep of 48 rows is 12 decodings × 4 prompts, one of 192 has 4
samples of each, one of 768 has 16. Every row gets {new_tokens} new tokens; the end of sequence is
ignored. Each figure is {repeats}, generation only, in output tokens per second; in
brackets, Ethogram's rate divided by this one.
"""

KINDS = {
    "short": "Short prompts",
    "long": "Long prompts",
    "shared": "Prompts that share a long header",
}


def page(data: dict[str, Any], contention: str = "") -> str:
    """The whole page, with the table of `contention.py` where there is one."""
    parts = [HEAD.format(new_tokens=data["new_tokens"], repeats=_runs(data["cases"]))]
    parts.append(_machine(data))
    for kind, title in KINDS.items():
        cases = [case for case in data["cases"] if case["kind"] == kind]
        if cases:
            parts.append(f"## {title}\n\n{_lengths(cases)}\n\n{rates(cases)}")
    parts.append("## Ethogram in detail\n\n" + details(data["cases"]))
    single = [case for case in data["cases"] if case["size"] == 1]
    if single:
        parts.append("## One stream\n\n" + latencies(single))
    if contention:
        parts.append("## On a machine that does other things\n\n" + contention)
    parts.append("## The engines\n\n" + engines(data))
    return "\n".join(parts)


def rates(cases: Sequence[dict[str, Any]]) -> str:
    """Output tokens per second by engine and size, with ratios."""
    head = ["engine", *(f"{case['size']} rows" if case["size"] > 1 else "1 row" for case in cases)]
    return _table(head, ([name, *(_rate(c, name) for c in cases)] for name in _names(cases)))


def details(cases: Sequence[dict[str, Any]]) -> str:
    """Ours: output and computed tokens, what merging saved, the share of the roofline."""
    head = [
        *("case", "output/s", "computed/s", "merged share", "roofline/s", "roofline share"),
        *("without merging/s", "versus openvino", "memory for slots", "used by the run"),
        "peak memory",
    ]
    return _table(head, (_detail(case) for case in cases if OURS in case["measured"]))


def latencies(cases: Sequence[dict[str, Any]]) -> str:
    """Milliseconds to the first token, and for each token of the whole output."""
    head = ["engine"]
    for case in cases:
        head += [f"first token, {case['kind']}", f"per token, {case['kind']}"]
    return _table(head, ([name, *_latency(cases, name)] for name in _names(cases)))


def engines(data: dict[str, Any]) -> str:
    """Versions, peak memory and differences, by engine; why some could not run."""
    lines = []
    for name, about in data["peers"].items():
        if "unavailable" in about:
            lines.append(f"- **{name}**: not measured; {about['unavailable']}")
            continue
        versions = ", ".join(f"{key} {value}" for key, value in about["versions"].items())
        line = f"- **{name}** ({versions})"
        if not about["same_work"]:
            line += ". **Not the same work**"
        if about["unsupported"]:
            line += ". Lacks or approximates: " + "; ".join(about["unsupported"])
        if about["most_rows"]:
            line += f". At most {about['most_rows']} rows are run, one after another"
        lines.append(line + ".")
    return "\n".join(lines) + "\n"


def _machine(data: dict[str, Any]) -> str:
    machine = data["machine"]
    days = sorted({case["date"][:10] for case in data["cases"]})
    return (
        f"Measured on {' to '.join(days[:1] + days[1:][-1:])} with {data['model']['name']} in bf16 "
        f"on {machine['processor']}, {data['threads']} threads, {machine['memory_gib']:.0f} GiB. "
        "Reproduce with `make bench-engine`.\n"
    )


def _runs(cases: Sequence[dict[str, Any]]) -> str:
    """How often a case was measured, in words; cases that were added later may differ."""
    counts = {len(m["all_tokens_per_second"]) for c in cases for m in c["measured"].values()}
    few, many = min(counts), max(counts)
    if many == 1:
        return "of one run"
    return f"the best of {few} to {many} runs" if few < many else f"the best of {many} runs"


def _lengths(cases: Sequence[dict[str, Any]]) -> str:
    lengths = sorted({length for case in cases for length in case["prompt_tokens"]})
    return f"Prompts of {lengths[0]} to {lengths[-1]} tokens."


def _names(cases: Iterable[dict[str, Any]]) -> list[str]:
    """Engines in the order of the run, ours first."""
    return list(dict.fromkeys(name for case in cases for name in case["measured"]))


def _rate(case: dict[str, Any], name: str) -> str:
    measured = case["measured"].get(name)
    if measured is None:
        return "–"
    text = _number(measured["delivered_tokens_per_second"])
    ratio = case["ratios"].get(name)
    return text if ratio is None else f"{text} ({ratio:.2f}×)"


def _detail(case: dict[str, Any]) -> list[str]:
    ours = case["measured"][OURS]
    share = case["roofline_share"].get(OURS)
    return [
        f"{case['size']} {case['kind']}",
        _number(ours["delivered_tokens_per_second"]),
        _number(ours["computed_tokens_per_second"]),
        _percent(case["merged_share"]),
        _number(case["roofline_tokens_per_second"]),
        _percent(share),
        *_unmerged(case),
        *_memory(ours["memory"]),
        f"{ours['peak_memory_bytes'] / 2**30:.1f} GiB",
    ]


def _unmerged(case: dict[str, Any]) -> list[str]:
    """Our rate without merging, and that over OpenVINO's."""
    if UNMERGED not in case["measured"]:
        return ["–", "–"]
    ratio = results.unmerged_ratio(case["measured"])
    rate = _number(case["measured"][UNMERGED]["delivered_tokens_per_second"])
    return [rate, "–" if ratio is None else f"{ratio:.2f}×"]


def _memory(memory: dict[str, Any] | None) -> list[str]:
    """The budget of the slots, and what the run added to the loaded model."""
    if memory is None:
        return ["–", "–"]
    budget, growth = memory["budget_bytes"], memory["growth_bytes"]
    # Earlier runs measured growth over the peak of loading, which hid it: left out of their cases.
    taken = "–" if growth is None else f"{growth / 2**30:.1f} GiB"
    return [f"{budget / 2**30:.1f} GiB", taken]


def _latency(cases: Sequence[dict[str, Any]], name: str) -> list[str]:
    cells = []
    for case in cases:
        measured = case["measured"].get(name)
        if measured is None:
            cells += ["–", "–"]
            continue
        first = measured["first_token_seconds"]
        cells.append("–" if first is None else f"{first * 1e3:.0f} ms")
        cells.append(f"{1e3 / measured['delivered_tokens_per_second']:.1f} ms")
    return cells


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
