"""DITTO: how a model takes to a sentence read again and again. Runs a model; generates nothing."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ethogram.files import open_text
from ethogram.metrics.base import Array
from ethogram.metrics.likelihood import SelfReinforcement, self_reinforcement
from ethogram.replications.data import DataFolders
from ethogram.replications.result import Replicated, Row
from ethogram.replications.running import DEFAULT_MODEL, bounded, likelihoods, mean, share
from ethogram.stats import Interval

SOURCE = "Xu et al. 2022, Learning to Break the Loop, arXiv:2206.02369: the abstract"
#: Sentences of WikiText-103 that say the one before again, percent; from the abstract.
HUMAN_REPEATS = 0.02
#: Copies after the first: 17 copies of the longest sentence fit the 1024 tokens of GPT-2.
REPEATS = 16
SHOWN = (0, 1, 2, 4, 8, 16)
SENTENCES = 100
#: Words of a sentence, its punctuation among them.
SHORTEST, LONGEST = 8, 30
_WHY = (
    "The abstract's only figure is the human one, and it is of WikiText-103; ours is of the test "
    "part of WikiText-2, some 7000 pairs of sentences, split at ' . ', ' ? ' and ' ! '. The "
    "paper's curves are of other models and read from pictures, so none of their points is shown "
    "as published; what can be checked on any model are the abstract's three findings, above.",
    "TP is the mean probability of the sentence's tokens, IP the share of them that are likelier "
    "than at the first occurrence, WR the share that are the likeliest at their place; n copies "
    "stand before.",
)


def replicate(
    data: DataFolders,
    *,
    model: str = DEFAULT_MODEL,
    limit: int = SENTENCES,
    on_progress: Callable[[int], None] | None = None,
) -> Replicated:
    """The self-reinforcement curve of a model, and how often people say a sentence twice.

    Args:
        data: where WikiText-2 lies.
        model: built-in name, hub id, local folder or .gguf file; decoder-only.
        limit: how many sentences, taken evenly from the whole text.
        on_progress: called with how many sentences have been read.
    """
    paragraphs = read_paragraphs(data.files("wikitext-2")["test"])
    chosen = pick(paragraphs, limit)
    reader = likelihoods(model, on_progress)
    # A first token has no probability unless something precedes it.
    prefix = "" if reader.start else "\n"
    curves = [self_reinforcement(reader, [each], repeats=REPEATS, prefix=prefix) for each in chosen]
    repeated, pairs = consecutive_repeats(paragraphs)
    rows = [
        Row.of_interval(
            "human text, WikiText-2",
            "same sentence again, %",
            share(repeated, pairs),
            2,
            HUMAN_REPEATS,
            scale=100,
        ),
        *_curve_rows(model, curves),
    ]
    return Replicated(
        name="ditto",
        title=f"DITTO: a sentence read up to {REPEATS + 1} times, {len(chosen)} sentences",
        source=SOURCE,
        rows=rows,
        why=_WHY,
        notes=findings(np.array([each.probability for each in curves], dtype=np.float64)),
    )


def _curve_rows(model: str, curves: Sequence[SelfReinforcement]) -> list[Row]:
    rows = []
    for name, values in (
        ("TP", [each.probability for each in curves]),
        ("IP", [each.increased for each in curves]),
        ("WR", [each.won for each in curves]),
    ):
        table = np.array(values, dtype=np.float64)  # [sentences, repeats + 1]
        # At the first occurrence nothing can have increased.
        rows += [
            Row.of_interval(model, f"{name}, n = {n}", mean(table[:, n]), 3)
            for n in SHOWN[name == "IP" :]
        ]
    return rows


def findings(probability: Array) -> tuple[str, ...]:
    """Whether the abstract's three findings hold, each in a sentence.

    Args:
        probability: [sentences, repeats + 1] TP of each sentence.
    """
    first, last = probability[:, 0], probability[:, -1]
    again = share(int((probability[:, 1] > first).sum()), len(first))
    more = share(int((last > probability[:, 1]).sum()), len(first))
    rank = rank_correlation(first, probability[:, 1:].mean(axis=1))
    return (
        f"Models prefer to say the sentence before again: {_verdict(again, 0.5)}. After one "
        f"copy {_shown(again)} of the sentences are likelier than at first.",
        f"The more copies, the likelier another: {_verdict(more, 0.5)}. After "
        f"{probability.shape[1] - 1} copies {_shown(more)} are likelier than after one.",
        f"Sentences that are likelier at first reinforce themselves more: {_verdict(rank, 0)}. "
        f"Rank correlation of the first TP with the mean of all later ones: {_shown(rank)}.",
    )


def rank_correlation(first: Array, second: Array) -> Interval:
    """Spearman's, with its interval over sentences."""
    x, y = (ranks - ranks.mean() for ranks in (average_ranks(first), average_ranks(second)))
    moments = np.stack([x, y, x * x, y * y, x * y], axis=1)
    return bounded(moments, _correlation, least=-1.0)


def average_ranks(values: Array) -> Array:
    """Ranks from 1 on; equal values share the mean of theirs (Kendall 1945, as in Spearman's)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def _correlation(means: Array) -> Array:
    x, y, xx, yy, xy = np.moveaxis(means, -1, 0)
    result: Array = (xy - x * y) / np.sqrt((xx - x * x) * (yy - y * y))
    return result


def _verdict(found: Interval, bound: float) -> str:
    if found.low > bound:
        return "holds"
    return "does not hold" if found.high < bound else "undecided on so few sentences"


def _shown(found: Interval) -> str:
    if math.isnan(found.low):
        return f"{found.estimate:.2f}"
    return f"{found.estimate:.2f} [{found.low:.2f}, {found.high:.2f}]"


def read_paragraphs(path: Path) -> list[list[str]]:
    """The sentences of each paragraph, as WikiText writes them; headings left out."""
    with open_text(path) as file:
        lines = [line.split() for line in file]
    return [_sentences(words) for words in lines if words and words[0] != "="]


def _sentences(words: Sequence[str]) -> list[str]:
    found: list[list[str]] = [[]]
    for word in words:
        found[-1].append(word)
        if word in (".", "?", "!"):
            found.append([])
    return [" ".join(each) for each in found if each]


def consecutive_repeats(paragraphs: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Sentences of a paragraph that say the one before again, and all that have one before."""
    pairs = [pair for each in paragraphs for pair in itertools.pairwise(each)]
    return sum(before == after for before, after in pairs), len(pairs)


def pick(paragraphs: Sequence[Sequence[str]], count: int) -> list[str]:
    """Up to `count` different whole sentences without gaps (`<unk>`), evenly from all."""
    usable = list(
        dict.fromkeys(
            sentence
            for each in paragraphs
            for sentence in each
            if SHORTEST <= len(sentence.split()) <= LONGEST
            and sentence[-1] in ".?!"
            and not {"<unk>", "@"} & set(sentence.replace("@", " @ ").split())
        )
    )
    places = np.linspace(0, len(usable), min(count, len(usable)), endpoint=False)
    return [usable[int(place)] for place in places]
