"""Replays an output: the scores that each of its tokens was chosen from, and what each step did.

The tokens are given to the engine's own decode steps, so the scores have the bits of the first
time. The steps are the engine's, in torch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ethogram.engine.engine import Engine
from ethogram.engine.jobs import Job, make_jobs
from ethogram.engine.search.best_of import candidate_key
from ethogram.engine.sequence import SequenceState
from ethogram.engine.steps import FUNCTIONS, History
from ethogram.errors import RequestError
from ethogram.spec.decoding import Decoding
from ethogram.spec.generation import Request

#: Names of the distributions that no step makes.
MODEL, GUIDANCE = "model", "guidance"


@dataclass(frozen=True, slots=True)
class StepScores:
    """What one token was chosen from.

    Attributes:
        logits: [vocab] fp32 of the model.
        scores: [vocab] fp32 that the first step starts from: the same without guidance.
        surprisal_limit: most surprisal of the token, bits, under mirostat.
    """

    logits: Tensor
    scores: Tensor
    surprisal_limit: float


@dataclass(frozen=True, slots=True)
class Stage:
    """The distribution of the next token at one place of the chain.

    Attributes:
        name: `model`, `guidance`, or that of the step that made it.
        probabilities: [vocab], fp64; they sum to 1.
    """

    name: str
    probabilities: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Replay:
    """An output with the scores of some of its steps.

    Attributes:
        job: the prepared request, with the decoding that chose its tokens.
        token_ids: of the output.
        scores: by index of the token.
    """

    job: Job
    token_ids: tuple[int, ...]
    scores: dict[int, StepScores]

    def stages(self, step: int) -> list[Stage]:
        """The distribution of one token before the first step and after each one.

        Args:
            step: index of the token, one of `scores`.
        """
        found, decoding = self.scores[step], self.job.request.decoding
        stages = [_stage(MODEL, found.logits)]
        scores = found.scores.unsqueeze(0)
        if decoding.guidance_branch is not None:
            stages.append(_stage(GUIDANCE, scores[0]))
        if decoding.resolved_strategy == "beam":  # Beams add up log-probabilities.
            scores = scores.log_softmax(-1)
        history = History(
            [self.job.decoder_prompt],
            [list(self.token_ids[:step])],
            self.job.rules.eos_token_ids,
            self.job.string_ids,
            [self.job.request.noise_key or 0],
            [found.surprisal_limit],
        )
        for name, value in decoding.steps:
            scores = FUNCTIONS[name](scores, value, history)
            stages.append(_stage(name, scores[0]))
        return stages


def _stage(name: str, scores: Tensor) -> Stage:
    return Stage(name, scores.double().softmax(-1).cpu().numpy())


@torch.inference_mode()
def replay(
    engine: Engine,
    request: Request,
    token_ids: Sequence[int],
    steps: Collection[int],
    *,
    candidate: int = 0,
) -> Replay:
    """Run an output's tokens again and keep the scores of some steps.

    Args:
        engine: with the model of the output.
        request: that the output answers.
        token_ids: of the output.
        steps: indices of its tokens.
        candidate: which one the output was, where several were sampled for one.

    Raises:
        RequestError: the prompt cannot be served, or the output has no such token.
    """
    if not steps or min(steps) < 0 or max(steps) >= len(token_ids):
        raise RequestError(
            f"the output has {len(token_ids)} tokens", hint=f"use a step up to {len(token_ids)}"
        )
    if request.noise_key is not None:
        request = replace(request, noise_key=candidate_key(request.noise_key, candidate))
    [job] = make_jobs([request], engine.loaded, engine.model_pass(1), engine.amateurs)
    given = tuple(token_ids[: max(steps) + 1])
    again = replace(
        request,
        decoding=_decoding_to_replay(request.decoding, len(given)),
        prefix=given,
        wrapper=None,
    )
    [running] = make_jobs([again], engine.loaded, engine.model_pass(1), engine.amateurs)
    scores: dict[int, StepScores] = {}

    def watch(output: SequenceState, logits: Tensor, first: Tensor) -> None:
        if output.written in steps:
            scores[output.written] = StepScores(
                logits[0].clone(), first[0].clone(), output.surprisal_limit
            )

    batch = engine.batch_of(running)
    batch.sampler.watch = watch
    while not batch.is_done and len(scores) < len(steps):
        batch.step()
    return Replay(job, tuple(token_ids), scores)


def _decoding_to_replay(decoding: Decoding, tokens: int) -> Decoding:
    """A decoding that needs the same forward passes, and whose state the steps read.

    Mirostat has a state that depends on all earlier draws, and guidance a second model or prompt.
    Of any other decoding only the tokens matter, which are given.
    """
    ends = {"max_new_tokens": tokens, "stop": (), "stop_token_ids": ()}
    is_plain = decoding.candidates == 1 and decoding.resolved_strategy in ("greedy", "sample")
    if is_plain and (decoding.guidance_branch is not None or decoding.mirostat.can_act):
        return decoding.model_copy(update=ends)
    return Decoding(strategy="greedy", max_new_tokens=tokens)
