"""Pitfall rules: one output to what goes wrong in it, with evidence. English rules, no model.

`pitfalls.py` names them and says what they are worth; their bounds are in `limits.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ethogram.errors import MissingExtraError
from ethogram.metrics import asking
from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, Span, mean_score, metric
from ethogram.metrics.citations import citations
from ethogram.metrics.constraints import fault_of, follows
from ethogram.metrics.formats import shape
from ethogram.metrics.loops import repetitions
from ethogram.metrics.pitfalls.demands import code_share, demands, has_rows, wants_language
from ethogram.metrics.pitfalls.language import ONLY_ENGLISH, function_share, odd_share
from ethogram.metrics.pitfalls.limits import LIMITS
from ethogram.metrics.pitfalls.near_loops import ChangedLoop, find_changed_loop
from ethogram.metrics.structure import CHAT_MARKERS, asks, leaked_turn, wants_questions
from ethogram.metrics.text import bare, copied
from ethogram.metrics.units import SHARE


@dataclass(frozen=True)
class Finding:
    """What a rule says of one output.

    Attributes:
        found: None where the rule does not apply.
        spans: evidence in the text; none where nothing is found.
        scores: the numbers that the verdict rests on, by name.
    """

    found: bool | None
    spans: tuple[Span, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def covered(self) -> int:
        """Characters that the evidence marks; no two of its spans overlap."""
        return sum(span.end - span.start for span in self.spans)


DOES_NOT_APPLY = Finding(None)


def empty(output: Output) -> Finding:
    """Nothing but white space."""
    silent = not output.text.strip()
    spans = (Span(0, len(output.text), "nothing but white space"),) if silent else ()
    return Finding(silent, spans, {"words": float(len(output.words))})


def changed_loop(output: Output) -> ChangedLoop | None:
    """The longest run of phrases that repeat, up to a letter, number or word in each."""
    cut, exact = output.finish_reason == "length", has_rows(output.text)
    return find_changed_loop(output.text, cut=cut, exact=exact)


def loop_run(text: str, *, cut: bool) -> ChangedLoop | None:
    """The loop of a text by the rule below; None where there is none.

    Args:
        text: an output's.
        cut: whether the length limit ended it.
    """
    if not text.strip():
        return None
    run = find_changed_loop(text, cut=cut, exact=has_rows(text))
    return run if run is not None and _counts(run, text) else None


def _counts(run: ChangedLoop, text: str) -> bool:
    return run.at_end or (run.end - run.start) / len(text.strip()) >= LIMITS.loop_share


def loop(output: Output) -> Finding:
    """A run of phrases that fills half the text or runs to its end."""
    run = output.once(changed_loop)
    if run is None:
        return Finding(False, scores={"cycles": 0.0})
    share = (run.end - run.start) / len(output.text.strip())
    scores = {"cycles": run.cycles, "share": share}
    if not _counts(run, output.text):
        return Finding(False, scores=scores)
    label = f"{run.cycles:.1f} times a phrase of {run.period} {run.unit}"
    return Finding(True, (Span(run.start, run.end, label),), scores)


@metric(
    "loop_rate",
    title="Loop rate",
    unit=SHARE,
    direction="lower",
    formula="share of outputs with a phrase that occurs three times or more in a row, up to the "
    "end or over half of the text; a label or a number may change, and one word in phrases "
    f"of {LIMITS.changing_words} words or more; empty outputs are left out",
    source="rule of Ethogram, after Holtzman et al. 2020, arXiv:1904.09751; equal to pitfall_loop",
    reference="precision and recall on outputs labelled by hand: docs/pitfalls.md",
    pitfalls="Requested refrains and lists of similar items count as loops. loop_rate_exact is "
    "the paper's rule, which compares exactly.",
    version=2,
)
def _loop_rate(output: Output) -> Score:
    if output.is_empty:
        return NOT_APPLICABLE
    found = output.once(loop)
    # Where the loop is exact, each repetition: readers of the evidence show one of them.
    spans = (output.once(repetitions) or found.spans) if found.found else ()
    return mean_score(bool(found.found), spans)


#: Words of a prompt that ask for a given text again, changed or not.
_WANTS_COPY = re.compile(
    r"\b(?:repeat|cop(?:y|ied)|quot|correct|edit|fix|proofread|re-?writ|rephras|paraphras|shorten|"
    r"sort|re-?order|extract|highlight|fill|complet|improv|replac|convert|format|chang|punctuat|"
    r"summar|choos|select|classif|identif|modif|transform|simplif|capitali[sz])\w*",
    re.IGNORECASE,
)


def echo(output: Output) -> Finding:
    """Words copied from the prompt, in runs, in place of an answer."""
    if _WANTS_COPY.search(asking.request_of(output.prompt)):
        return DOES_NOT_APPLY
    runs = _copied_runs(output)
    share = sum(last - first for first, last in runs) / len(output.words)
    spans = output.word_spans
    evidence = tuple(
        Span(spans[first][0], spans[last - 1][1], f"{last - first} words of the prompt")
        for first, last in runs
    )
    found = share >= LIMITS.echo_share
    return Finding(found, evidence if found else (), {"copied_share": share})


def _copied_runs(output: Output) -> list[tuple[int, int]]:
    """Runs of words [first, last) of which every 4-gram is in the prompt."""
    words, size = output.bare_words, LIMITS.echo_run
    # An answer may well use the words of a text that it was given to work on.
    source = [bare(word) for word in asking.request_of(output.prompt).split()]
    runs: list[tuple[int, int]] = []
    for at, hit in enumerate(copied(words, source, size)):
        if not hit:
            continue
        if runs and at <= runs[-1][1]:
            runs[-1] = (runs[-1][0], at + size)
        else:
            runs.append((at, at + size))
    return runs


#: An asker speaking: what the text in hand must be like, or a request for help.
_ASKER_SPEAKS = re.compile(
    r"^[ \t]*your (?:(?:entire|whole|final) )?(?:response|answer|reply|essay|"
    r"story|summary|output|biography|poem|letter|paragraph|code|function|program)\b[^\n]{0,20}?"
    r" (?:should|must|has to|needs to)\b"
    r"|\b(?:can|could|would|will) (?:you|someone|anyone|somebody|anybody) (?:please )?"
    r"(?:help me|prove|explain|give me|show me|write|solve|check|summari[sz]e|rewrite|translate)\b"
    r"|\bi(?: would|'d)? (?:need|want|like) (?:some |your )?help\b|\bplease help me\b"
    r"|\bhelp me (?:with|write|find|solve|understand)\b",
    re.IGNORECASE | re.MULTILINE,
)


def turn_leakage(output: Output) -> Finding:
    """Markers of a chat template, labels of the asker's turn, or the asker's voice."""
    text = output.text
    spans = [Span(*m.span(), "a marker of a chat template") for m in CHAT_MARKERS.finditer(text)]
    if not output.once(wants_questions):
        leak = output.once(leaked_turn)
        spans += [Span(*leak)] if leak and not _in_answer_key(text, leak[0]) else []
        if output.once(asks):
            voiced = _ASKER_SPEAKS.finditer(text)
            spans += [Span(*match.span(), "speaks as the asker") for match in voiced]
            spans += _question_again(output)
    evidence = _apart(spans)
    return Finding(bool(evidence), evidence, {"places": float(len(evidence))})


def _in_answer_key(text: str, at: int) -> bool:
    """Whether a label `Q:` is but the letter behind `P:` or `O:` in a key of labelled answers."""
    before = re.findall(r"^[ \t]*([A-Z])[:.)]", text[:at], re.MULTILINE)
    return bool(before) and before[-1] in "OP"


def _question_again(output: Output) -> list[Span]:
    """Questions that an output asks in the words of the prompt's own, behind an answer."""
    asked = [s for s in re.split(r"(?<=[.!?\n])\s+", output.prompt) if asking.ends_asking(s)]
    wanted = [asking.content_words(question) for question in asked]
    opening = {bare(question.split()[0]) for question in asked}
    return [
        Span(start, end, "asks a question like the prompt's")
        for start, end in output.sentence_spans[1:]
        if asking.ends_asking(sentence := output.text[start:end])
        and bare(sentence.split()[0]) in opening
        and any(words and words <= asking.content_words(sentence) for words in wanted)
    ]


def _apart(spans: list[Span]) -> tuple[Span, ...]:
    """The spans by start, without those that overlap one before."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return tuple(kept)


def truncation(output: Output) -> Finding:
    """The length limit fell into a sentence, list item or code block."""
    if output.finish_reason in (None, "", "unknown"):
        return DOES_NOT_APPLY
    if output.finish_reason != "length":
        return Finding(False)
    text = output.text.rstrip()
    start, end = output.sentence_spans[-1]
    fenced = len(re.findall(r"^[ \t]*```", text, re.MULTILINE)) % 2 == 1
    # The number or letter of a list item is not an end, though a full stop follows it.
    bare_number = re.search(r"(?:^|\n|[.!?:] )[ \t]*\(?(?:\d{1,2}|[A-Za-z])[.)]$", text)
    ended = re.search(r"[.!?…。！？][\"'”’)\]*_`]*$", text) or text.endswith("```")
    if ended and not fenced and not bare_number:
        return Finding(False)
    label = "the limit fell into a code block" if fenced else "the limit fell into a sentence"
    return Finding(True, (Span(start, end, label),))


def format_break(output: Output) -> Finding:
    """A form that the prompt asks for, or a constraint of the suite, that the text lacks."""
    cut = output.finish_reason == "length"
    faults, judged = [], 0
    for demand in demands(output):
        judged += 1
        fault = demand.fault(output, cut)
        if fault:
            faults.append(fault)
    for constraint in output.constraints:
        if fault_of(constraint) or (cut and not _stays_broken(constraint.type, constraint.kwargs)):
            continue
        try:
            followed = follows(constraint, output.text)
        except MissingExtraError:
            continue  # The rest can be judged without the extra.
        judged += 1
        if not followed:
            faults.append(f"breaks {constraint.type}")
    if not judged:
        return DOES_NOT_APPLY
    spans = (Span(0, len(output.text), "; ".join(faults)),) if faults else ()
    return Finding(bool(faults), spans, {"demands": float(judged), "broken": float(len(faults))})


def _stays_broken(instruction: str, kwargs: Mapping[str, object]) -> bool:
    """Whether a constraint that a text breaks stays broken however the text goes on."""
    return "less than" in kwargs.values() or instruction in (
        "keywords:forbidden_words",
        "punctuation:no_comma",
        "change_case:english_capital",
        "change_case:english_lowercase",
    )


# No word of a name is longer; without a bound each `A` of `A-A-A-…` would be read to the end.
_PERSON = r"(?:(?:Dr|Prof)\. )?[A-Z][\w'’-]{1,60}+(?: [A-Z][\w.'’-]{0,60}+){1,3}"
_TITLE = (
    r"[A-Z][\w'’-]{1,60}+"
    r"(?:,? (?:(?:of|the|and|in|on|for|to|a|an|with|from) )*[A-Z][\w'’:-]{0,60}+){1,10}"
)
#: A title together with who wrote it, when, or where.
_TITLED = re.compile(
    rf"[\"“](?P<quoted>[A-Z][^\"”\n]{{5,120}})[\"”],?[^.\n\"“]{{0,50}}?"
    rf"(?:\bby (?:the [\w ]{{1,30}} )?{_PERSON}|\((?:[^()\n]*\b)?(?:1[5-9]|20)\d\d\)|"
    rf"\bpublished (?:in|by)\b|\[[A-Z][^\]\n]{{1,200}}\])"
    rf"|\b(?P<plain>{_TITLE}),? (?:is [^.\n]{{0,40}}?)?(?:written |edited |published )?by {_PERSON}"
    rf"|\b(?:written|authored|edited|published) by (?:the [^.,;\n]{{1,40}},? )?{_PERSON}"
    rf"|\b97[89]-?\d[\d-]{{3,}}"
    rf"|\b{_PERSON},? [\"“][A-Z][^\"”\n]{{5,120}}[\"”]"
)


#: `(Smith, 2019)` or `Smith et al. (2019)`; a name before a year in brackets may be a film.
_OF_AUTHORS = re.compile(r"^\(|\bet al\b|&| and ")


def fabrication(output: Output) -> Finding:
    """Sources that can be looked up and that nothing at hand confirms."""
    given = output.prompt.casefold()
    found = [
        Span(cited.start, cited.end, cited.fault or f"{cited.kind}: nothing here confirms it")
        for cited in citations(output.text)
        if (written := output.text[cited.start : cited.end]).casefold() not in given
        and (cited.kind != "author-year" or _OF_AUTHORS.search(written))
    ]
    found += [
        Span(*match.span(), "a title with its author, year or publisher: nothing confirms it")
        for match in _TITLED.finditer(output.text)
        if (match["quoted"] or match["plain"] or match[0]).casefold() not in given
    ]
    spans = _apart(found)
    return Finding(bool(spans), spans, {"sources": float(len(spans))})


def last_third(output: Output) -> int:
    """Where the last third of an output's words begins, one word at least."""
    words = output.word_spans
    return words[len(words) - max(len(words) // 3, 1)][0]


def drift(output: Output) -> Finding:
    """The last third is not connected English."""
    if loop(output).found or _has_form(output) or wants_language(output.prompt):
        return DOES_NOT_APPLY
    start = last_third(output)
    if _is_of_another_language(output.prompt, output.text[:start]):
        return DOES_NOT_APPLY
    tail = output.text[start:]
    connected = function_share(tail)
    # Between the words that connect a sentence, a word with a capital inside is a name.
    odd = odd_share(tail, names=connected >= LIMITS.english)
    scores = {"function_words": connected, "odd_words": odd}
    end = len(output.text.rstrip())
    many = max(len(output.words) // 3, 1)
    loose = many >= LIMITS.drift_words and connected < LIMITS.drift_function
    if loose or (many >= LIMITS.drift_odd_words and odd > LIMITS.drift_odd):
        return Finding(True, (Span(start, end, "not connected language"),), scores)
    return Finding(False, scores=scores)


def _is_of_another_language(prompt: str, beginning: str) -> bool:
    """Whether a prompt is not English prose, and neither are the first two thirds of its output.

    English that drifted is not another language: some function words of English alone are still in
    it, which fluent text of others has hardly any of. A long prompt tells by itself.
    """
    if len(prompt.split()) >= LIMITS.drift_words and (
        function_share(prompt) < LIMITS.drift_function
    ):
        return True
    enough = len(beginning.split()) >= LIMITS.drift_words
    texts = (prompt, beginning) if enough else (prompt,)
    return all(function_share(text, ONLY_ENGLISH) < LIMITS.foreign for text in texts)


_LISTED = re.compile(r"^[ \t]*(?:[-*•+]|\(?\d{1,2}[.)]|#+)[ \t]*\w", re.MULTILINE)


def _has_form(output: Output) -> bool:
    """Whether an output is a list, a table, verse or code, whose words need no connection."""
    text = output.text
    lengths = sorted(len(line.split()) for line in text.splitlines() if line.strip())
    short = len(lengths) > 3 and lengths[len(lengths) // 2] <= LIMITS.series_words
    form = short or has_rows(text) or "table" in output.once(shape).blocks
    return form or len(_LISTED.findall(text)) > 1 or code_share(text) > LIMITS.code_share
