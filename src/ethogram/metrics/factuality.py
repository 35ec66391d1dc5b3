"""Factuality, as far as text alone goes: reference answers, and what an output refers to.

Knows strings. Whether a sentence is true, a well-formed DOI exists, or a source says what is
claimed of it cannot be known from text alone; these metrics do not pretend to.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from dataclasses import replace
from functools import partial

from ethogram.metrics.base import (
    NOT_APPLICABLE,
    Direction,
    Metric,
    Output,
    Score,
    Span,
    declared,
    mean_score,
    metric,
)
from ethogram.metrics.citations import NO_INDEX, Citation, Index, Verdict, citations
from ethogram.metrics.units import REFERENCES, SHARE

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


_SQUAD = "Rajpurkar et al. 2016, SQuAD, arXiv:1606.05250"
_ONE_ANSWER = (
    "A right answer in different words scores low; a wrong one that shares words scores high. "
)
_SCREENING = (
    "screening of references; Agrawal et al. 2024, Do Language Models Know When They're "
    "Hallucinating References, arXiv:2305.18248, for the problem"
)
_FOUND = "DOIs, arXiv ids, ISBNs, web addresses, and (Author, year)"


def normalised_answer(text: str) -> list[str]:
    """The words of an answer as SQuAD compares them.

    Small letters; without ASCII punctuation; without a, an, the; split at white space. Where that
    leaves nothing, as of the answer `A`, articles stay, and punctuation where it is all there is.
    """
    plain = text.lower().translate(_NO_PUNCTUATION)
    return _ARTICLES.sub(" ", plain).split() or plain.split() or text.lower().split()


def _answer_words(output: Output) -> tuple[list[str], list[list[str]]]:
    """The words of an output, and those of each right answer."""
    return normalised_answer(output.text), list(map(normalised_answer, output.references))


@metric(
    "exact_match",
    title="Exact match",
    unit=SHARE,
    direction="higher",
    formula="share of outputs equal to a reference answer. Both are normalised: lower case, "
    "without punctuation, articles (a, an, the) and extra white space, unless nothing would "
    "remain",
    source=_SQUAD,
    reference="torchmetrics.functional.text.squad, exact_match",
    pitfalls=_ONE_ANSWER + "A sentence around the right answer does not match.",
    version=2,
)
def _exact_match(output: Output) -> Score:
    answer, references = output.once(_answer_words)
    return mean_score(answer in references) if references else NOT_APPLICABLE


def token_f1(answer: list[str], reference: list[str]) -> float:
    """Harmonic mean of precision and recall of words, with their multiplicity (SQuAD)."""
    if not answer or not reference:
        return float(answer == reference)
    same = (Counter(answer) & Counter(reference)).total()
    return 2 * same / (len(answer) + len(reference))


@metric(
    "token_f1",
    title="Token F1",
    unit=SHARE,
    direction="higher",
    formula="mean over outputs of 2 · common words / (words of output + words of reference), "
    "both normalised as for exact_match; 1 if both are empty; the best over all reference "
    "answers",
    source=_SQUAD,
    reference="torchmetrics.functional.text.squad, f1",
    pitfalls=_ONE_ANSWER + "Falls with each word around the answer, so it mixes correctness and "
    "brevity.",
    version=2,
)
def _token_f1(output: Output) -> Score:
    answer, references = output.once(_answer_words)
    if not references:
        return NOT_APPLICABLE
    return mean_score(max(token_f1(answer, reference) for reference in references))


@metric(
    "contains_reference",
    title="Contains the reference",
    unit=SHARE,
    direction="higher",
    formula="share of outputs that contain the words of a reference answer in sequence, both "
    "normalised as for exact_match",
    source=f"inclusion of the answer, after {_SQUAD}",
    reference="the table of cases in tests/metrics",
    pitfalls="'It is not Paris' contains Paris. Long outputs contain more. An empty output "
    "counts as wrong.",
    version=2,
)
def _contains_reference(output: Output) -> Score:
    answer, references = output.once(_answer_words)
    references = list(filter(None, references))
    if not references:
        return NOT_APPLICABLE
    return mean_score(any(_holds(answer, reference) for reference in references))


def _holds(answer: list[str], reference: list[str]) -> bool:
    """Whether the words of a reference occur in an answer one after another."""
    starts = range(len(answer) - len(reference) + 1)
    return any(answer[at : at + len(reference)] == reference for at in starts)


def _citations(output: Output) -> list[Citation]:
    return list(citations(output.text))


@metric(
    "references_cited",
    title="References",
    unit=REFERENCES,
    direction="none",
    formula=f"mean number of references per output: {_FOUND}",
    source=_SCREENING,
    reference="the table of cases in tests/metrics",
    pitfalls="Misses references of other forms. A title with its year in brackets, such as a "
    "film, looks like an author with a year.",
)
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


_VERDICT_TEXTS: tuple[tuple[Verdict, Direction, str, str, str], ...] = (
    (
        "malformed",
        "lower",
        "cannot exist: an ISBN with a wrong check digit, an arXiv id with month 13 or too few "
        "digits, a DOI without registrant or suffix, an address without a valid host",
        "the tables of cases in tests/metrics; check digits of ISO 2108",
        "Zero proves little: an invented DOI is usually well formed.",
    ),
    (
        "unverifiable",
        "none",
        "are well formed and in no index",
        "the table of cases in tests/metrics",
        "An unverifiable reference may be real; offline nobody can know. Misses references of "
        "other forms, such as a title alone.",
    ),
    (
        "listed",
        "higher",
        "are in the index that --index names",
        "the table of cases in tests/metrics",
        "A listed reference exists, but may not support what the output claims. Author and year "
        "are matched by the first author only.",
    ),
    (
        "fabricated",
        "lower",
        "are well formed, of a kind that the index lists, and not in it, though it is closed",
        "the table of cases in tests/metrics",
        "Only as good as the index is complete. Does not apply without a closed index, because a "
        "missing entry of an open one proves nothing.",
    ),
)

for _verdict, _direction, _what, _reference, _pitfalls in _VERDICT_TEXTS:
    metric(
        f"{_verdict}_references",
        title=f"{_verdict.capitalize()} references",
        unit=SHARE,
        direction=_direction,
        formula=f"references found ({_FOUND}) that {_what} / all that were found",
        source=_SCREENING,
        reference=_reference,
        pitfalls=_pitfalls,
        weight="unit",
    )(partial(_share, _verdict, NO_INDEX))


def with_index(index: Index) -> tuple[Metric, ...]:
    """The metrics of references, judged by an index."""
    return tuple(
        replace(declared[f"{verdict}_references"], function=partial(_share, verdict, index))
        for verdict, *_ in _VERDICT_TEXTS
    )
