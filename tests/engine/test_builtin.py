"""The built-in model in fp32: outputs equal `generate`, token for token.

The reference is always one unpadded prompt. Greedy and beam search run as one row a call; the
five penalties run as five rows of one call, each row under the processor of its setting. The
default run takes 2 prompts of 16 tokens, the slow one 20 prompts of 64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tests.engine import tiny
from tests.engine.prompts import PROMPTS
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    MinNewTokensLengthLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)

from ethogram.engine import Engine
from ethogram.spec import Decoding, Request

pytestmark = pytest.mark.model

PENALTIES: dict[str, dict[str, Any]] = {
    "repetition": {"repetition_penalty": 1.3},
    "ngram": {"no_repeat_ngram_size": 3},
    "frequency": {"frequency_penalty": 0.7},
    "presence": {"presence_penalty": 0.7},
    "min_new": {},
}
NAMES = ("greedy", "beam", *PENALTIES)


@dataclass(frozen=True)
class Size:
    """How much is compared."""

    prompts: int
    length: int

    def decoding(self, name: str) -> Decoding:
        if name == "beam":
            return Decoding(num_beams=4, max_new_tokens=self.length)
        changes = PENALTIES.get(name, {})
        if name == "min_new":  # No end at all.
            changes = {"min_new_tokens": self.length}
        return Decoding(strategy="greedy", max_new_tokens=self.length, **changes)

    def request(self, name: str, index: int) -> Request:
        return Request(f"{name}/{index}", f"p{index}", 0, PROMPTS[index], self.decoding(name))


class RowByRow(LogitsProcessor):
    """Gives each row of one call its own processor."""

    def __init__(self, processors: list[Any]) -> None:
        self.processors = processors

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        rows = zip(self.processors, input_ids.split(1), scores.split(1), strict=True)
        return torch.cat([processor(ids, row) for processor, ids, row in rows])


@pytest.fixture(scope="module")
def model() -> Any:
    from ethogram.models import ModelReference, load

    return load(ModelReference("smollm2-135m-instruct"), device="cpu")


@pytest.fixture(
    scope="module",
    params=[Size(2, 16), pytest.param(Size(len(PROMPTS), 64), marks=pytest.mark.slow)],
    ids=["short", "full"],
)
def size(request: pytest.FixtureRequest) -> Size:
    return request.param


def penalised(model: Any, prompt: str, length: int) -> dict[str, list[int]]:
    """New token ids of `generate` under each penalty alone."""
    inputs = model.tokenizer(prompt, return_tensors="pt")
    start, eos = inputs.input_ids.shape[1], sorted(model.eos_token_ids)
    processors = [
        RepetitionPenaltyLogitsProcessor(1.3),
        NoRepeatNGramLogitsProcessor(3),
        tiny.CountPenalty(start, 0.7, 0.0),
        tiny.CountPenalty(start, 0.0, 0.7),
        MinNewTokensLengthLogitsProcessor(start, length, eos),
    ]
    with torch.inference_mode():
        ids = model.model.generate(
            input_ids=inputs.input_ids.expand(len(processors), -1),
            attention_mask=inputs.attention_mask.expand(len(processors), -1),
            do_sample=False,
            max_new_tokens=length,
            eos_token_id=eos,
            pad_token_id=0,
            logits_processor=LogitsProcessorList([RowByRow(processors)]),
        )
    return {
        name: up_to_end(row, model.eos_token_ids)
        for name, row in zip(PENALTIES, ids[:, start:].tolist(), strict=True)
    }


def up_to_end(ids: list[int], eos: frozenset[int]) -> list[int]:
    ends = [place for place, token in enumerate(ids) if token in eos]
    return ids[: ends[0] + 1] if ends else ids


@pytest.fixture(scope="module")
def reference(model: Any, size: Size) -> dict[str, list[int]]:
    """By "setting/prompt index"."""
    made = {}
    for index, prompt in enumerate(PROMPTS[: size.prompts]):
        for name in ("greedy", "beam"):
            made[f"{name}/{index}"] = tiny.generate(model, prompt, size.decoding(name))
        for name, ids in penalised(model, prompt, size.length).items():
            made[f"{name}/{index}"] = ids
    return made


def differing(made: dict[str, list[int]], reference: dict[str, list[int]]) -> dict[str, int]:
    """The first position at which outputs differ from the reference, by name."""
    return {
        name: next(
            (
                i
                for i, pair in enumerate(zip(ids, reference[name], strict=False))
                if len({*pair}) > 1
            ),
            min(len(ids), len(reference[name])),
        )
        for name, ids in made.items()
        if ids != reference[name]
    }


def test_one_mixed_batch_equals_generate(
    model: Any, size: Size, reference: dict[str, list[int]]
) -> None:
    """All settings of all prompts at once."""
    requests = [size.request(name, index) for name in NAMES for index in range(size.prompts)]
    made = {g.identity: list(g.token_ids) for g in Engine(model).generate(requests)}
    assert not differing(made, reference)
    assert made.keys() == reference.keys()


@pytest.mark.parametrize("setting", NAMES)
def test_one_by_one_equals_generate(
    model: Any, size: Size, reference: dict[str, list[int]], setting: str
) -> None:
    """Every prompt alone under every setting, with no other row beside it."""
    engine = Engine(model, deterministic=False)
    made = {}
    for index in range(size.prompts):
        (one,) = engine.generate([size.request(setting, index)])
        made[one.identity] = list(one.token_ids)
    assert len(made) == size.prompts
    assert not differing(made, reference)


def test_the_settings_matter(size: Size, reference: dict[str, list[int]]) -> None:
    """Guards the comparisons: each setting changes the greedy output of some prompt."""
    matter = {
        name
        for name in NAMES
        for index in range(size.prompts)
        if reference[f"{name}/{index}"] != reference[f"greedy/{index}"]
    }
    # Short outputs neither repeat nor end enough for every setting to act.
    expected = set(NAMES) - {"greedy"} if size.prompts == len(PROMPTS) else {"beam"}
    assert matter >= expected
