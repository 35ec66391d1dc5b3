"""Instruction: whether outputs follow the checkable demands of their prompts.

Four readings, as IFEval reports them: of whole prompts or of single instructions; strict, or loose,
where a text may be freed of its first line, its last line and its asterisks before it is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, Span, mean_score, metric
from ethogram.metrics.constraints import fault_of, follows, forbidden, loose_variants
from ethogram.metrics.units import SHARE

Verdicts = tuple[bool, ...]


def _faults(output: Output) -> tuple[str | None, ...]:
    """Of each constraint, why it cannot be checked."""
    return tuple(map(fault_of, output.constraints))


def strict_verdicts(output: Output) -> Verdicts:
    """Whether the text itself follows each constraint; one that cannot be checked, it does not."""
    return tuple(
        fault is None and follows(constraint, output.text)
        for constraint, fault in zip(output.constraints, output.once(_faults), strict=True)
    )


def loose_verdicts(output: Output) -> Verdicts:
    """Whether one of the eight variants of the text follows each constraint."""
    strict = output.once(strict_verdicts)
    variants = loose_variants(output.text)[1:] if not all(strict) else []
    return tuple(
        followed or (fault is None and any(follows(constraint, variant) for variant in variants))
        for constraint, fault, followed in zip(
            output.constraints, output.once(_faults), strict, strict=True
        )
    )


def _evidence(output: Output, verdicts: Verdicts) -> tuple[Span, ...]:
    """A stretch for each constraint that is not followed: the fault itself, or the whole text."""
    spans = []
    for constraint, fault, followed in zip(
        output.constraints, output.once(_faults), verdicts, strict=True
    ):
        if fault:
            spans.append(Span(0, len(output.text), f"cannot be checked: {fault}"))
        elif not followed:
            place = _place(output.text, constraint.type, constraint.kwargs)
            spans.append(Span(*place, f"breaks {constraint.type}"))
    return tuple(spans)


def _place(text: str, instruction: str, kwargs: dict[str, list[str]]) -> tuple[int, int]:
    if instruction == "punctuation:no_comma" and "," in text:
        at = text.index(",")
        return at, at + 1
    if instruction == "keywords:forbidden_words":
        found = forbidden(text, kwargs["forbidden_words"])
        if found:
            return found.span()
    wrong = {
        "change_case:english_lowercase": str.isupper,
        "change_case:english_capital": str.islower,
    }.get(instruction)
    if wrong:
        at = next((at for at, letter in enumerate(text) if wrong(letter)), -1)
        if at >= 0:
            return at, at + 1
    return 0, len(text)


def _by_prompt(judge: Callable[[Output], Verdicts], output: Output) -> Score:
    if not output.constraints:
        return NOT_APPLICABLE
    verdicts = output.once(judge)
    return mean_score(all(verdicts), _evidence(output, verdicts))


def _by_instruction(judge: Callable[[Output], Verdicts], output: Output) -> Score:
    if not output.constraints:
        return NOT_APPLICABLE
    verdicts = output.once(judge)
    followed, total = sum(verdicts), len(verdicts)
    spans = _evidence(output, verdicts)
    return Score(followed / total, (float(followed), float(total)), spans)


_IFEVAL = (
    "Zhou et al. 2023, Instruction-Following Evaluation for Large Language Models, arXiv:2311.07911"
)
_REFERENCE = (
    "if-verifiable 0.1.2, verdict by verdict on IFEval's instructions in tests/metrics; lm-eval "
    "0.4.13 once by hand, 1664 verdicts without a difference"
)
_FORM = (
    "Checks the requested form, not the quality of the text. A constraint that no check can "
    "handle counts as not followed, and the evidence names it. Languages, sentences and words in "
    "capitals need the extra `ifeval`: langdetect detects languages, with a fixed seed, and "
    "Punkt's English model splits sentences. "
)
_VARIANTS = (
    "; an output follows if one of eight variants of its text does: without the first line, the "
    "last line, both, or asterisks"
)
_LOOSE = "Ignores an opening line such as 'Sure, here it is:', but also errors in the last line. "

for _reading, _judge in (("strict", strict_verdicts), ("loose", loose_verdicts)):
    _forgives = _LOOSE if _reading == "loose" else ""
    _variants = _VARIANTS if _reading == "loose" else ""
    metric(
        f"ifeval_prompt_{_reading}",
        title=f"Follows instructions (prompt, {_reading})",
        unit=SHARE,
        direction="higher",
        formula=f"share of outputs that follow every constraint of their prompt{_variants}",
        source=_IFEVAL,
        reference=_REFERENCE,
        pitfalls=f"{_FORM}{_forgives}Falls with the number of constraints per prompt.",
    )(partial(_by_prompt, _judge))
    metric(
        f"ifeval_instruction_{_reading}",
        title=f"Follows instructions (instruction, {_reading})",
        unit=SHARE,
        direction="higher",
        formula=f"constraints followed / all constraints, over all outputs{_variants}",
        source=_IFEVAL,
        reference=_REFERENCE,
        pitfalls=f"{_FORM}{_forgives}Prompts with many constraints weigh more.",
        weight="unit",
    )(partial(_by_instruction, _judge))
