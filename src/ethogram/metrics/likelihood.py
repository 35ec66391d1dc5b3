"""Likelihood: what a reference model makes of outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ethogram.errors import RequestError
from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, mean_score, metric
from ethogram.metrics.fluency import exp_mean
from ethogram.metrics.models import Floats, Ints, Models, ReferenceModel
from ethogram.metrics.units import NATS_PER_TOKEN, PERPLEXITY, SHARE

_FORCED = "single forward passes of transformers in tests/engine and tests/metrics"
_MODEL = "under the reference model, given the beginning-of-text token"
_LOW = (
    "Low is not good in itself: loops are the most likely text, and human text is well above. "
    "Values under two reference models cannot be compared. Text is tokenized again, so tokens "
    "may differ from the generated ones; end tokens are not scored."
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A text as a reference model saw it, token by token.

    Attributes:
        ids: [n] tokens of the text.
        logprobs: [m] log-probabilities of its last m tokens, in nats; m is n, or n - 1 where
            nothing stood before the first.
        argmax: [m] the likeliest token at the place of each.
    """

    ids: tuple[int, ...]
    logprobs: Floats
    argmax: Ints


def judge(
    texts: Sequence[str],
    model: ReferenceModel,
    prompts: Sequence[str] | None = None,
) -> list[Judged]:
    """Feed texts to a reference model, each after the token that begins a text and its prompt.

    Prompt and text are turned into tokens separately and joined (Su and Xu 2022). Where they do not
    fit the model's context together, the text is fed in pieces of half a context, each after as
    much of what precedes it as fits.

    Args:
        texts: to judge.
        model: the judge.
        prompts: what precedes each text; None judges the texts by themselves.
    """
    codes = [model.ids(text) for text in texts]
    before = [model.start + model.ids(prompt) for prompt in prompts or [""] * len(texts)]
    return judge_ids(list(zip(before, codes, strict=True)), model)


def judge_ids(
    pairs: Sequence[tuple[tuple[int, ...], tuple[int, ...]]], model: ReferenceModel
) -> list[Judged]:
    """`judge` on token ids: what precedes a text, and the text."""
    codes = [ids for _, ids in pairs]
    pieces = [list(_pieces(before, ids, model.context_length)) for before, ids in pairs]
    forced = iter(model.force([ids for piece in pieces for ids, _ in piece]))
    judged = []
    for ids, parts in zip(codes, pieces, strict=True):
        logprobs, argmax = [np.zeros(0, np.float32)], [np.zeros(0, np.int64)]
        for _, scored in parts:
            found = next(forced)
            logprobs.append(found.logprobs[len(found.logprobs) - scored :])
            argmax.append(found.argmax[len(found.argmax) - scored :])
        judged.append(Judged(ids, np.concatenate(logprobs), np.concatenate(argmax)))
    return judged


def _pieces(
    before: tuple[int, ...], ids: tuple[int, ...], context: int
) -> Iterator[tuple[tuple[int, ...], int]]:
    """Sequences to feed, each with how many of its last tokens count."""
    stride = len(ids) if len(before) + len(ids) <= context else max(1, context // 2)
    whole = before + ids
    for start in range(0, len(ids), stride or 1):
        end = len(before) + min(start + stride, len(ids))
        fed = whole[max(0, end - context) : end]
        scored = min(end - len(before) - start, len(fed) - 1)
        if scored:
            yield fed, scored


def _each(
    score: Callable[[Judged], Score], *, after_prompt: bool
) -> Callable[[Sequence[Output], Models], list[Score]]:
    def measure(outputs: Sequence[Output], models: Models) -> list[Score]:
        prompts = [output.prompt for output in outputs] if after_prompt else None
        judged = judge([output.text for output in outputs], models.reference, prompts)
        return [score(each) if len(each.logprobs) else NOT_APPLICABLE for each in judged]

    return measure


def _perplexity(judged: Judged) -> Score:
    nll, tokens = -math.fsum(judged.logprobs), float(len(judged.logprobs))
    return Score(float(np.exp(nll / tokens)), (nll, tokens))


def _mean_logprob(judged: Judged) -> Score:
    return mean_score(math.fsum(judged.logprobs) / len(judged.logprobs))


@dataclass(frozen=True)
class SelfReinforcement:
    """How a model takes to a sentence that it has read again and again (Xu et al. 2022).

    Attributes:
        probability: [repeats + 1] TP: mean probability of the sentence's tokens at its n-th repeat,
            n = 0 the first occurrence.
        increased: [repeats + 1] IP: share of tokens likelier than at the first occurrence; 0 there.
        won: [repeats + 1] WR: share of tokens that are the likeliest at their place.
        sentences: how many were averaged.
    """

    probability: Floats
    increased: Floats
    won: Floats
    sentences: int

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "probability": self.probability.tolist(),
            "increased": self.increased.tolist(),
            "won": self.won.tolist(),
            "sentences": self.sentences,
        }


@metric(
    "self_reinforcement",
    title="Self-reinforcement of a repeated sentence",
    unit=SHARE,
    direction="lower",
    formula="a sentence is repeated in the context; at its n-th repeat, TP is the mean "
    "probability of its tokens, IP the share of them that are more likely than at the first "
    "occurrence, WR the share that are the most likely token at their position; mean over "
    "sentences",
    source="Xu et al. 2022, Learning to Break the Loop (DITTO), arXiv:2206.02369, section 2",
    reference="a loop over single forward passes of transformers in tests/metrics",
    pitfalls="A property of the model, not of outputs. The first occurrence has a space before "
    "it here but not in the paper's code, so that all copies have the same tokens. IP "
    "compares with the first occurrence, not with the copy before.",
    scope="model",
)
def self_reinforcement(
    model: ReferenceModel, sentences: Sequence[str], *, repeats: int = 16, prefix: str = ""
) -> SelfReinforcement:
    """Feed each sentence `repeats` times more and see how sure the model becomes of it.

    Args:
        model: the model in question.
        sentences: each is fed with a space before every copy, so that all have the same tokens.
        repeats: copies after the first.
        prefix: a text before the first copy.

    Raises:
        RequestError: a sentence is empty, or its copies do not fit the model's context.
    """
    before = model.start + model.ids(prefix)
    copies = [model.ids(f" {sentence.strip()}") for sentence in sentences]
    for sentence, ids in zip(sentences, copies, strict=True):
        length = len(before) + len(ids) * (repeats + 1)
        if not sentence.strip() or not before or length > model.context_length:
            raise RequestError(
                f"{repeats + 1} copies are {length} tokens, more than the context of "
                f"{model.context_length}"
                if sentence.strip() and before
                else "the first token has no context, or the sentence is empty",
                where=f"sentence {sentence[:40]!r}",
                hint="ask for fewer repeats, give a prefix, or leave the sentence out",
            )
    forced = model.force([before + ids * (repeats + 1) for ids in copies])
    curves = []
    for ids, found in zip(copies, forced, strict=True):
        shape = (repeats + 1, len(ids))
        logprobs = found.logprobs[len(before) - 1 :].reshape(shape)
        won = found.argmax[len(before) - 1 :].reshape(shape) == np.array(ids)
        curves.append((np.exp(logprobs).mean(1), (logprobs > logprobs[0]).mean(1), won.mean(1)))
    mean = np.array(curves, dtype=np.float32).mean(axis=0)
    return SelfReinforcement(mean[0], mean[1], mean[2], len(sentences))


metric(
    "reference_perplexity",
    title="Reference perplexity",
    unit=PERPLEXITY,
    direction="none",
    formula=f"exp(mean over all tokens of -log p(token)), {_MODEL}, the prompt and the output so "
    "far; all tokens of all outputs have the same weight",
    source="gen-ppl of Su et al. 2022, arXiv:2202.06417; Li et al. 2023, arXiv:2210.15097",
    reference=_FORCED,
    pitfalls=_LOW,
    needs=("reference",),
    aggregate=exp_mean,
    weight=None,
)(_each(_perplexity, after_prompt=True))

metric(
    "reference_perplexity_alone",
    title="Reference perplexity, alone",
    unit=PERPLEXITY,
    direction="none",
    formula=f"exp(mean over all tokens of -log p(token)), {_MODEL} and the output so far",
    source="perplexity of generations of Holtzman et al. 2020, arXiv:1904.09751, section 4",
    reference=_FORCED,
    pitfalls=f"{_LOW} The first tokens of an answer are unlikely without its question. In a chat "
    "model, the beginning-of-text token may be the one that begins a turn.",
    needs=("reference",),
    aggregate=exp_mean,
    weight=None,
)(_each(_perplexity, after_prompt=False))

metric(
    "likelihood_coherence",
    title="Likelihood coherence",
    unit=NATS_PER_TOKEN,
    direction="higher",
    formula=f"mean over outputs of the mean log p(token), {_MODEL}, the prompt and the output so "
    "far; prompt and output are tokenized separately",
    source="Su and Xu 2022, Contrastive Search Is What You Need, arXiv:2210.14140, section 4",
    reference=_FORCED,
    pitfalls="Rewards repetition: in the paper greedy search (-0.58) beats contrastive search "
    "(-1.52). Always read it together with diversity.",
    needs=("reference",),
)(_each(_mean_logprob, after_prompt=True))
