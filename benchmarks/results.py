"""From single runs to the figures of a case: best of the repeats, ratios, shares. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.registry import OPENVINO, OURS, UNMERGED


def best_of(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One measurement from its repeats: the fastest, with the rates of all.

    Memory is the largest and the first token the soonest of all repeats.
    """
    fastest = min(runs, key=lambda run: run["seconds"] / run["delivered_tokens"])
    firsts = [run["first_token_seconds"] for run in runs if run["first_token_seconds"] is not None]
    kept = {
        name: fastest[name]
        for name in (
            *(
                "seconds",
                "cpu_seconds",
                "rows_run",
                "delivered_tokens",
                "computed_tokens",
                "load_seconds",
            ),
            *("versions", "settings", "unsupported", "greedy", "example"),
        )
    }
    return {
        "delivered_tokens_per_second": rate(fastest),
        "computed_tokens_per_second": rate(fastest, of="computed_tokens"),
        "first_token_seconds": min(firsts, default=None),
        "peak_memory_bytes": max(run["peak_memory_bytes"] for run in runs),
        "memory": memory(runs),
        "all_tokens_per_second": [rate(run) for run in runs],
        **kept,
    }


def memory(runs: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """What generating added to the loaded model, beside what the engine allowed its cache.

    None for engines that do not say. `growth_bytes` holds all that a run needs beside the model,
    scores and outputs included; it stays under the budget if `within_budget`.
    """
    memory_runs = [run["memory"] for run in runs if run.get("memory")]
    if not memory_runs:
        return None
    growth = max(run["generation_peak_bytes"] - run["loaded_memory_bytes"] for run in runs)
    budget = min(one["budget_bytes"] for one in memory_runs)
    return {
        "budget_bytes": budget,
        "slots_bytes": max(one["slots_bytes"] for one in memory_runs),
        "growth_bytes": growth,
        "within_budget": growth <= budget,
    }


def rate(run: dict[str, Any], *, of: str = "delivered_tokens") -> float | None:
    """Tokens a second; None where the engine does not count them."""
    return None if run[of] is None else run[of] / run["seconds"]


def compare(measured: dict[str, dict[str, Any]], roofline: float | None) -> dict[str, Any]:
    """Our figures of a case beside those of the peers of the same run.

    Args:
        measured: measurements by name, as `best_of` makes them.
        roofline: tokens a second of the matrix products alone.

    Returns:
        `ratios` ours / peer of delivered tokens a second, by peer; `roofline_share` of each engine,
        of computed tokens where it counts them; `merged_share` of our delivered tokens that needed
        no computing of their own; `greedy_agreement` with us.
    """
    ours = measured.get(OURS)
    shares = {name: _share(m, roofline) for name, m in measured.items()} if roofline else {}
    found: dict[str, Any] = {"roofline_share": shares, "ratios": {}, "merged_share": None}
    if ours is None:
        return found
    own = ours["delivered_tokens_per_second"]
    found["ratios"] = {
        name: own / m["delivered_tokens_per_second"] for name, m in measured.items() if name != OURS
    }
    found["merged_share"] = merged_share(ours)
    found["greedy_agreement"] = {
        name: agreement(ours["greedy"], m["greedy"]) for name, m in measured.items() if name != OURS
    }
    return found


def unmerged_ratio(measured: Mapping[str, dict[str, Any]]) -> float | None:
    """Our rate without merging / OpenVINO's: the engines themselves, each computing every row.

    None unless both were measured.
    """
    if UNMERGED not in measured or OPENVINO not in measured:
        return None
    ours, theirs = (measured[name]["delivered_tokens_per_second"] for name in (UNMERGED, OPENVINO))
    return float(ours / theirs)


def _share(measurement: dict[str, Any], roofline: float) -> float:
    computed = measurement["computed_tokens_per_second"]
    return (computed or measurement["delivered_tokens_per_second"]) / roofline


def merged_share(measurement: dict[str, Any]) -> float | None:
    """Share of the delivered tokens that came with a row computed for another one."""
    if measurement["computed_tokens"] is None:
        return None
    return 1 - measurement["computed_tokens"] / measurement["delivered_tokens"]


def agreement(
    ours: Mapping[str, Sequence[int]], theirs: Mapping[str, Sequence[int]]
) -> float | None:
    """Mean number of first tokens that are equal in greedy rows; None without such rows.

    bf16 rounds differently in each engine, so rows part sooner or later; engines that parted at
    once would not hold the same weights.
    """
    both = sorted(set(ours) & set(theirs))
    if not both:
        return None
    return sum(_common(ours[key], theirs[key]) for key in both) / len(both)


def _common(ours: Sequence[int], theirs: Sequence[int]) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))
