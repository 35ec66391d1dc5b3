"""Choices: which of several given answers a model finds likelier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.metrics.base import metric
from ethogram.metrics.likelihood import judge_ids
from ethogram.metrics.models import ReferenceModel
from ethogram.metrics.units import SHARE


@dataclass(frozen=True, slots=True)
class Choices:
    """A question with given answers.

    Attributes:
        prompt: all that precedes an answer; spaces at its end are dropped, and a line break there
            counts to the answer.
        right: right answers, the best one first.
        wrong: wrong answers.
    """

    prompt: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class ChoiceScore:
    """What a model chose.

    Attributes:
        mc1: by question: whether the best right answer is likelier than every wrong one.
        mc2: by question: share of the probability of all answers that the right ones have.
        acc_norm: by question: whether the best right answer is likelier per character than every
            wrong one.
    """

    mc1: tuple[bool, ...]
    mc2: tuple[float, ...]
    acc_norm: tuple[bool, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the means."""
        return {
            "mc1": float(np.mean(self.mc1)),
            "mc2": float(np.mean(self.mc2)),
            "acc_norm": float(np.mean(self.acc_norm)),
            "by_question": [
                {"mc1": one, "mc2": two, "acc_norm": norm}
                for one, two, norm in zip(self.mc1, self.mc2, self.acc_norm, strict=True)
            ],
        }


@metric(
    "multiple_choice",
    title="Multiple choice by likelihood (MC1, MC2, acc_norm)",
    unit=SHARE,
    direction="higher",
    formula="an answer's log-likelihood is the sum over its tokens, after what the tokenizer puts "
    "before a text by itself, the prompt without trailing spaces, and a space; MC1: share of "
    "questions whose best right answer is more likely than every wrong one; MC2: mean share of the "
    "right answers in the softmax over all answers' log-likelihoods; acc_norm: as MC1, each "
    "log-likelihood divided by the answer's characters",
    source="Lin et al. 2022, TruthfulQA, arXiv:2109.07958",
    reference="lm-eval 0.4.13, truthfulqa_mc1, process_results_mc2 and _encode_pair, by hand in "
    "tests/metrics",
    pitfalls="A property of the model, not of outputs. A beginning-of-text token before the prompt "
    "changes the values: as in lm-eval, the tokenizer decides (those of GPT-2 and SmolLM2 add "
    "none), unless `begin` is set. Long answers are less likely. Small models score higher on "
    "TruthfulQA than large ones. Revisions of the data differ.",
    scope="model",
    version=2,
)
def multiple_choice(
    questions: Sequence[Choices], model: ReferenceModel, *, begin: bool | None = None
) -> ChoiceScore:
    """Score given answers by their likelihood.

    Args:
        questions: each with at least one right and one wrong answer.
        model: that chooses.
        begin: whether the token that begins a text precedes the prompt. None follows the
            tokenizer, as lm-eval does. An empty prompt is always that token.

    Raises:
        SpecError: a question lacks right or wrong answers.
    """
    for number, question in enumerate(questions, start=1):
        if not question.right or not question.wrong:
            raise SpecError(
                "a question needs a correct and a wrong answer",
                where=f"question {number} ({question.prompt[-40:]!r})",
            )
    start = model.prefix if begin is None else model.start if begin else ()
    answers = [[*question.right, *question.wrong] for question in questions]
    pairs = [
        _encoded(question.prompt, answer.strip(), model, start)
        for question, each in zip(questions, answers, strict=True)
        for answer in each
    ]
    judged = judge_ids(pairs, model)
    sums = iter([float(np.sum(each.logprobs, dtype=np.float64)) for each in judged])
    mc1, mc2, acc_norm = [], [], []
    for question, each in zip(questions, answers, strict=True):
        scores = np.array([next(sums) for _ in each])
        right = len(question.right)
        mc1.append(bool(scores[0] > scores[right:].max()))
        mc2.append(right_mass(scores, right))
        by_length = scores / [max(1, len(answer.strip())) for answer in each]
        acc_norm.append(bool(by_length[0] > by_length[right:].max()))
    return ChoiceScore(tuple(mc1), tuple(mc2), tuple(acc_norm))


def _encoded(
    prompt: str, answer: str, model: ReferenceModel, start: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Token ids before an answer and of it, split where lm-eval's `_encode_pair` splits them.

    Prompt and answer are tokenized as one text: SentencePiece would put a space of its own before
    an answer by itself.
    """
    prompt = prompt.rstrip(" ")
    context = prompt.rstrip()
    if not context:
        return start or model.start, model.ids(f"{prompt} {answer}")
    before, whole = model.ids(context), model.ids(f"{prompt} {answer}")
    if start and before[: len(start)] == start:  # The prompt states the begin token itself.
        start = ()
    return start + before, whole[len(before) :]


def right_mass(scores: np.ndarray[Any, np.dtype[np.float64]], right: int) -> float:
    """Share of the first `right` of the softmax of log-likelihoods.

    Taken after the largest is subtracted: exp of a long answer's log-likelihood is 0 in floats.
    """
    weights = np.exp(scores - scores.max())
    return float(weights[:right].sum() / weights.sum())
