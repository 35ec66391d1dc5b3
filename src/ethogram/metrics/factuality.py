"""Factuality, as far as text alone goes: reference answers, and what an output refers to.

Knows strings. Whether a sentence is true, a well-formed DOI exists, or a source says what is
claimed of it cannot be known from text alone; these metrics do not pretend to.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ethogram.metrics.base import (
    NOT_APPLICABLE,
    Direction,
    Metric,
    Output,
    Score,
    Span,
    mean_score,
    pooled,
    ratio,
)
from ethogram.metrics.citations import NO_INDEX, Citation, Index, Verdict, citations

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised_answer(text: str) -> list[str]:
    """The words of an answer as SQuAD compares them.

    Small letters; without ASCII punctuation; without a, an, the; split at white space.
    """
    return _ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split()


def _answer_words(output: Output) -> tuple[list[str], list[str]]:
    return normalised_answer(output.text), normalised_answer(output.reference or "")


def _exact_match(output: Output) -> Score:
    if output.reference is None:
        return NOT_APPLICABLE
    answer, reference = output.once(_answer_words)
    return mean_score(answer == reference)


def token_f1(answer: list[str], reference: list[str]) -> float:
    """Harmonic mean of precision and recall of words, with their multiplicity (SQuAD)."""
    if not answer or not reference:
        return float(answer == reference)
    same = (Counter(answer) & Counter(reference)).total()
    return 2 * same / (len(answer) + len(reference))


def _token_f1(output: Output) -> Score:
    if output.reference is None:
        return NOT_APPLICABLE
    return mean_score(token_f1(*output.once(_answer_words)))


def _contains_reference(output: Output) -> Score:
    if output.reference is None or not output.once(_answer_words)[1]:
        return NOT_APPLICABLE
    answer, reference = output.once(_answer_words)
    starts = range(len(answer) - len(reference) + 1)
    return mean_score(any(answer[at : at + len(reference)] == reference for at in starts))


def _citations(output: Output) -> list[Citation]:
    return list(citations(output.text))


def _cited(output: Output) -> Score:
    found = output.once(_citations)
    return mean_score(len(found), tuple(_span(cited, cited.kind) for cited in found))


def _span(cited: Citation, label: str) -> Span:
    return Span(cited.start, cited.end, label)


def _share(verdict: Verdict, index: Index, output: Output) -> Score:
    found = output.once(_citations)
    # Only a closed index can tell what is fabricated, and only an index what is listed.
    silent = {"listed": not index.names, "fabricated": not index.closed}.get(verdict, False)
    if not found or silent:
        return NOT_APPLICABLE
    hits = [cited for cited in found if index.verdict(cited) == verdict]
    spans = tuple(_span(cited, cited.fault or f"{verdict}: {cited.kind}") for cited in hits)
    return Score(len(hits) / len(found), (len(hits), len(found)), spans)


def with_index(index: Index) -> tuple[Metric, ...]:
    """The metrics of references, judged by an index."""
    return tuple(
        replace(metric, measure=_by_verdict(texts[0], index))
        for metric, texts in zip(_VERDICT_METRICS, _VERDICT_TEXTS, strict=True)
    )


def _by_verdict(verdict: Verdict, index: Index) -> Callable[[Output], Score]:
    return partial(_share, verdict, index)


_SQUAD = "Rajpurkar et al. 2016, SQuAD, arXiv:1606.05250"
_ONE_ANSWER = "Right answers in other words score low; a wrong one that shares words does not. "
_SCREENING = (
    "screening of references; Agrawal et al. 2024, Do Language Models Know When They're "
    "Hallucinating References, arXiv:2305.18248, for the problem"
)
_FOUND = "DOIs, arXiv ids, ISBNs, addresses of the web, and (Author, year)"
_VERDICT_TEXTS: tuple[tuple[Verdict, Direction, str, str, str], ...] = (
    (
        "malformed",
        "lower",
        "cannot exist: a wrong check digit of an ISBN, an arXiv id of month 13 or with digits "
        "too few, a DOI without registrant or suffix, an address without a valid host",
        "the tables of cases in tests/metrics; check digits of ISO 2108",
        "Zero is no praise: an invented DOI is well formed as a rule.",
    ),
    (
        "unverifiable",
        "none",
        "are well formed and in no index",
        "the table of cases in tests/metrics",
        "Says nothing against a reference: it may be real. Offline nobody can know. References "
        "of other forms, a title alone for one, are not found.",
    ),
    (
        "listed",
        "higher",
        "stand in the index that --index names",
        "the table of cases in tests/metrics",
        "Listed means that it exists, not that it says what the output claims. Author and year "
        "are matched by first author only.",
    ),
    (
        "fabricated",
        "lower",
        "are well formed, of a kind that the index lists, and not in it, though it is closed",
        "the table of cases in tests/metrics",
        "Only as right as the index is whole. Silent without a closed index, since a missing "
        "entry of an open one proves nothing.",
    ),
)
_VERDICT_METRICS = tuple(
    Metric(
        name=f"{verdict}_references",
        title=f"{verdict.capitalize()} references",
        unit="share",
        direction=direction,
        formula=f"references found ({_FOUND}) that {what} / all that were found",
        source=_SCREENING,
        reference=reference,
        pitfalls=pitfalls,
        measure=_by_verdict(verdict, NO_INDEX),
        aggregate=pooled,
    )
    for verdict, direction, what, reference, pitfalls in _VERDICT_TEXTS
)

FACTUALITY = (
    Metric(
        name="exact_match",
        title="Exact match",
        unit="share",
        direction="higher",
        formula="share of outputs equal to the reference, both in small letters and without "
        "punctuation, a, an, the and extra white space",
        source=_SQUAD,
        reference="torchmetrics.functional.text.squad, exact_match",
        pitfalls=_ONE_ANSWER + "A sentence around the right answer is no exact match.",
        measure=_exact_match,
        aggregate=ratio,
    ),
    Metric(
        name="token_f1",
        title="Token F1",
        unit="share",
        direction="higher",
        formula="mean over outputs of 2 · common words / (words of output + words of reference), "
        "both normalised as for exact_match; 1 where both are empty",
        source=_SQUAD,
        reference="torchmetrics.functional.text.squad, f1",
        pitfalls=_ONE_ANSWER
        + "Falls with each word around the answer, so it mixes right and brief.",
        measure=_token_f1,
        aggregate=ratio,
    ),
    Metric(
        name="contains_reference",
        title="Contains the reference",
        unit="share",
        direction="higher",
        formula="share of outputs that have the reference's words one after another, both "
        "normalised as for exact_match",
        source=f"inclusion of the answer, after {_SQUAD}",
        reference="the table of cases in tests/metrics",
        pitfalls="'It is not Paris' contains Paris. Long outputs contain more.",
        measure=_contains_reference,
        aggregate=ratio,
    ),
    Metric(
        name="references_cited",
        title="References",
        unit="references",
        direction="none",
        formula=f"mean number of references of an output: {_FOUND}",
        source=_SCREENING,
        reference="the table of cases in tests/metrics",
        pitfalls="References of other forms are not found. A title with its year in brackets, of a "
        "film for one, looks like an author with a year.",
        measure=_cited,
        aggregate=ratio,
    ),
    *_VERDICT_METRICS,
)
