"""Contrastive search: scores of the released gpt2-large outputs, computed again. Runs no model."""

from __future__ import annotations

from ethogram.metrics import ScoreTable, read_outputs, score_outputs
from ethogram.replications.data import DataFolders
from ethogram.replications.result import Replicated, Row

#: Files NAME_result_diversity_mauve_gen_length_result.json of the release, at the commit that the
#: registry pins: diversity in percent and words an output, of each run.
DIVERSITY = {"greedy": (5.38,), "nucleus": (93.60, 93.53, 93.70), "human": (93.62,)}
LENGTH = {"greedy": (147.277,), "nucleus": (138.223, 139.583, 140.652)}
#: The means over the three runs, from the same file.
NUCLEUS_MEANS = (93.61, 139.49)
SOURCE = (
    "Su and Xu 2022, Contrastive Search Is What You Need, arXiv:2210.14140: score files released "
    "with the outputs (open_ended_generation/english/inference_results/gpt2-large)"
)
_REPEATS = ("rep_2", "rep_3", "rep_4")
_SAME = (
    "All published values come out to the last digit: these are the released outputs, and the "
    "metrics count as the released code does, its left-out last n-gram and its rounding included."
)
_OTHERWISE = (
    "The outputs are the released ones, so a difference means that a metric no longer counts as "
    "the released code does."
)
_PARTS = (
    "rep-2, rep-3 and rep-4 were not released by themselves; diversity is the product of what "
    "each leaves. The files' MAUVE and coherence are not made again here, as they take features "
    "of gpt2-large and scores of OPT."
)


def replicate(data: DataFolders) -> Replicated:
    """Diversity, repetition and length of greedy search, nucleus sampling and human text."""
    files = data.files("gpt2-large-webtext")
    rows: list[Row] = []
    for name in DIVERSITY:
        names = ("diversity", "words", "empty_rate", *_REPEATS)
        table = score_outputs(read_outputs(files[name]), names)
        rows += _rows(name, table)
    same = all(not row.difference for row in rows)
    return Replicated(
        name="contrastive-search",
        title="gpt2-large on WebText: diversity, repetition (percent) and length (words)",
        source=SOURCE,
        rows=rows,
        why=(_SAME if same else _OTHERWISE, _PARTS),
    )


def _rows(name: str, table: ScoreTable) -> list[Row]:
    runs = len(DIVERSITY[name])
    rows = []
    for run, diversity in enumerate(DIVERSITY[name]):
        of = name if runs == 1 else f"{name}, run {run + 1}"
        rows.append(Row(of, "diversity", table["diversity"].by_sample[run], 2, diversity))
        rows += [Row(of, each, table[each].by_sample[run], 2) for each in _REPEATS]
        length = LENGTH[name][run] if name in LENGTH else None
        rows.append(Row(of, "words", _length(table, run), 3, length))
    if runs > 1:
        # Their script averages the values of the runs as it printed them.
        diversities = table["diversity"].by_sample.values()
        diversity = sum(round(value, 2) for value in diversities) / runs
        words = sum(round(_length(table, run), 3) for run in range(runs)) / runs
        rows.append(Row(f"{name}, mean", "diversity", diversity, 2, NUCLEUS_MEANS[0]))
        rows.append(Row(f"{name}, mean", "words", words, 2, NUCLEUS_MEANS[1]))
    return rows


def _length(table: ScoreTable, run: int) -> float:
    """Mean words of all outputs, the empty ones included."""
    return table["words"].by_sample[run] * (1 - table["empty_rate"].by_sample[run])
