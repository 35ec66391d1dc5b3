"""Classifier-free guidance: token for token that of transformers, alone and in a batch."""

from __future__ import annotations

import dataclasses
import math
import random
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.engine import tiny
from tests.engine.scores import make_scores
from tests.engine.test_equality import PROMPTS, model_of, warpers
from transformers import UnbatchedClassifierFreeGuidanceLogitsProcessor

from ethogram.engine import Engine
from ethogram.engine.forward.batch_invariance import BatchSizes
from ethogram.engine.guidance_rows import BranchRows
from ethogram.engine.sampling.contrast import guided
from ethogram.engine.search.best_of import candidate_key
from ethogram.errors import RequestError
from ethogram.spec import Decoding, Generation, Request

KINDS = ("gpt2", "gpt_neox", "llama")
NEGATIVE = "the dog ran to the house of the old man"
SETTINGS: dict[str, dict[str, Any]] = {
    "none": {"guidance_scale": 0.0, "negative_prompt": NEGATIVE},
    "weak": {"guidance_scale": 0.5},
    "strong": {"guidance_scale": 1.6},
    "away": {"guidance_scale": 2.5, "negative_prompt": NEGATIVE},
    "short": {"guidance_scale": 2.5, "negative_prompt": "a"},
    "edited": {"guidance_scale": 1.5, "repetition_penalty": 1.3, "no_repeat_ngram_size": 3}
    | {"frequency_penalty": 0.4, "logit_bias": {95: 3.0}, "min_new_tokens": 10},
}
SAMPLING: dict[str, dict[str, Any]] = {
    "greedy": {"strategy": "greedy"},
    "sampled": {"temperature": 0.8, "top_k": 40, "top_p": 0.9},
}
DECODINGS = {
    f"{one}_{other}": Decoding(**SETTINGS[one], **SAMPLING[other], max_new_tokens=20)
    for one in SETTINGS
    for other in SAMPLING
}


def as_requests(decodings: dict[str, Decoding]) -> list[Request]:
    return [
        Request(f"{name}/{i}", f"p{i}", 0, prompt, decoding, noise_key=1000 + i)
        for i, prompt in enumerate(PROMPTS[1:])
        for name, decoding in decodings.items()
    ]


def reference(model: tiny.Loaded, request: Request) -> list[int]:
    assert isinstance(request.prompt, str)
    length = len(model.tokenizer(request.prompt).input_ids)
    extra: tuple[Any, ...] = ()
    if request.decoding.is_stochastic:
        extra = warpers(request.decoding, request.noise_key or 0, length)
    return tiny.generate(model, request.prompt, request.decoding, extra)


def run(engine: Engine, requests: list[Request]) -> dict[str, Any]:
    return {
        made.identity: (made.token_ids, made.logprobs, made.text, made.finish_reason)
        for made in engine.generate(requests)
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.long
def test_a_mixed_batch_equals_generate(kind: str) -> None:
    """Every scale, negative prompt and strategy at once, with ends at many places."""
    model, requests = model_of(kind), as_requests(DECODINGS)
    made = run(Engine(model), requests)
    assert len(made) == len(requests)
    wrong = [
        request.identity
        for request in requests
        if list(made[request.identity][0]) != reference(model, request)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("gpt2", torch.bfloat16), ("gpt_neox", torch.float32), ("llama", torch.bfloat16)],
    ids=["gpt2", "gpt_neox", "llama"],
)
@pytest.mark.long
def test_batch_merging_and_limits_change_no_bit(kind: str, dtype: torch.dtype) -> None:
    """Guided and ordinary outputs and a beam search: the same alone, apart, in any order."""
    model = dataclasses.replace(
        tiny.loaded(kind, dtype), eos_token_ids=model_of(kind).eos_token_ids
    )
    ordinary = {
        "plain": Decoding(max_new_tokens=20),
        "beam": Decoding(num_beams=3, max_new_tokens=12),
        "greedy": Decoding(strategy="greedy", max_new_tokens=20),
    }
    requests = as_requests(DECODINGS | ordinary)
    together = run(Engine(model), requests)
    shuffled = list(requests)
    random.Random(5).shuffle(shuffled)
    assert run(Engine(model, max_rows=7), shuffled) == together
    assert run(Engine(model, merging=False), requests) == together
    alone = [r for r in requests if r.identity.split("/")[0] in ordinary]
    assert run(Engine(model), alone) == {r.identity: together[r.identity] for r in alone}
    for request in requests[::13]:
        assert run(Engine(model), [request]) == {request.identity: together[request.identity]}


def test_a_scale_of_one_is_no_guidance() -> None:
    model = tiny.loaded("llama")
    plain = tiny.request("the cat", Decoding(max_new_tokens=20))
    off = Decoding(max_new_tokens=20, guidance_scale=1.0, negative_prompt="the dog")
    engine = Engine(model)
    assert run(engine, [tiny.request("the cat", off)]) == run(engine, [plain])
    assert engine.work.guidance_rows == 0
    assert off.canonical() == plain.decoding.canonical()


def test_a_scale_of_nought_writes_what_the_negative_prompt_would() -> None:
    model, settings = tiny.loaded("gpt2"), {"strategy": "greedy", "max_new_tokens": 20}
    guided_away = Decoding(guidance_scale=0.0, negative_prompt=NEGATIVE, **settings)
    (made,) = Engine(model).generate([tiny.request("the cat", guided_away)])
    (plain,) = Engine(model).generate([tiny.request(NEGATIVE, Decoding(**settings))])
    assert made.token_ids == plain.token_ids


def test_logprobs_are_those_of_the_prompt_alone() -> None:
    model = tiny.loaded("llama")
    decoding = Decoding(guidance_scale=2.0, negative_prompt="the dog", max_new_tokens=16)
    (made,) = Engine(model).generate([tiny.request(PROMPTS[1], decoding)])
    assert made.logprobs == pytest.approx(own_logprobs(model, made), abs=1e-4)


def own_logprobs(model: tiny.Loaded, made: Generation) -> list[float]:
    ids = torch.tensor([[*made.prompt_token_ids, *made.token_ids]])
    with torch.inference_mode():
        logits = model.model(ids).logits[0].log_softmax(-1)
    start = len(made.prompt_token_ids)
    return [float(logits[start + i - 1, token]) for i, token in enumerate(made.token_ids)]


def test_branches_share_rows_while_their_histories_are_equal() -> None:
    """Greedy outputs of one scale that differ only in length share one guidance row."""
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    settings: dict[str, Any] = {"strategy": "greedy", "guidance_scale": 1.5}
    requests = [
        tiny.request("the cat", Decoding(max_new_tokens=n, **settings), index=n)
        for n in range(3, 13)
    ]
    engine = Engine(model)
    list(engine.generate(requests))
    assert (engine.work.guidance_rows, engine.work.computed_tokens) == (12, 11)
    apart = Engine(model, merging=False)
    list(apart.generate(requests))
    assert apart.work.guidance_rows == 1 + apart.work.computed_tokens > 50


@pytest.mark.parametrize("merging", [True, False])
@pytest.mark.parametrize("many", [{"best_of": 5}, {"self_consistency": 5, "answer": "text"}])
def test_each_candidate_has_a_row_for_its_branch(many: dict[str, Any], merging: bool) -> None:
    """Candidates are outputs of their own: each as the plain sample on its key, guided."""
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    settings: dict[str, Any] = {"guidance_scale": 1.6, "temperature": 1.5, "max_new_tokens": 9}
    one = tiny.request("the cat", Decoding(**settings, **many), key=3, name="many")
    engine = Engine(model, merging=merging)
    (made,) = engine.generate([one])
    plain = [
        tiny.request("the cat", Decoding(**settings), index=i, key=candidate_key(3, i))
        for i in range(5)
    ]
    samples = list(Engine(model).generate(plain))
    samples.sort(key=lambda sample: sample.sample_index)
    assert made.selection is not None
    assert made.selection.scores == tuple(math.fsum(sample.logprobs) / 9 for sample in samples)
    assert made.token_ids == samples[made.selection.chosen].token_ids
    assert len({sample.token_ids for sample in samples}) == 5
    assert len(list(engine.generate([one, *plain]))) == 6


def test_memory_counts_branch_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from ethogram.engine import engine as module
    from ethogram.engine.batch import Batch
    from ethogram.engine.forward.decoder_only import DecoderOnly

    model = tiny.loaded("llama")
    requests = as_requests({k: v for k, v in DECODINGS.items() if k.startswith("away")})
    monkeypatch.setattr(Engine, "batch_sizes", BatchSizes((4,), 4))
    whole = run(Engine(model), requests)
    longest = max(len(model.tokenizer(prompt).input_ids) for prompt in PROMPTS) + 20
    forward = DecoderOnly(model, 1)
    own = forward.slot_bytes(longest, 0)
    beside = forward.slot_bytes(len(model.tokenizer(NEGATIVE).input_ids) + 20, 0)
    monkeypatch.setattr(module, "available_bytes", lambda device: 2 * 7 * (own + beside))
    usable = []
    plain = Batch.__init__

    def traced(self: Any, *arguments: Any, **settings: Any) -> None:
        usable.append(arguments[2].max_outputs)
        plain(self, *arguments, **settings)

    monkeypatch.setattr(Batch, "__init__", traced)
    engine = Engine(model)
    assert run(engine, requests) == whole
    assert usable == [4]  # Five would take eight slots, of each kind.
    assert engine.work.slots_bytes == 4 * (own + beside)


def test_a_branch_that_does_not_fit_halves_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.loaded("llama")
    requests = as_requests({k: v for k, v in DECODINGS.items() if k.startswith("weak")})
    whole = run(Engine(model), requests)
    plain, failed = BranchRows.advance, []

    def short(self: BranchRows) -> None:
        if self.forward.rows > 4:
            failed.append(self.forward.rows)
            raise MemoryError
        plain(self)

    monkeypatch.setattr(BranchRows, "advance", short)
    monkeypatch.setattr(Engine, "batch_sizes", BatchSizes(None, 64))
    assert {name: made[0] for name, made in run(Engine(model), requests).items()} == {
        name: made[0] for name, made in whole.items()
    }
    assert failed == [8]


@given(st.integers(0, 2**31), st.floats(0, 4), st.sampled_from(("peaked", "flat", "bf16_ties")))
def test_the_formula_is_that_of_transformers(seed: int, scale: float, shape: str) -> None:
    """To the bit, for the same two sets of logits."""
    logits, negative = make_scores(shape, 50, seed), make_scores(shape, 50, seed + 1)

    class Fixed:
        def __call__(self, *_: Any, **__: Any) -> Any:
            class Out(dict):  # type: ignore[type-arg]
                logits = negative.unsqueeze(1)

            return Out()

    processor = UnbatchedClassifierFreeGuidanceLogitsProcessor(scale, Fixed())
    expected = processor(torch.zeros(3, 1, dtype=torch.int64), logits)
    if scale != 1:
        assert torch.equal(guided(logits, negative, scale), expected)


# --- errors ---------------------------------------------------------------------------------------


def test_an_encoder_decoder_cannot_be_guided() -> None:
    request = tiny.request("the cat", Decoding(guidance_scale=2.0))
    with pytest.raises(RequestError, match=r"^decoding.guidance_scale: .*has an encoder; turn"):
        Engine(tiny.loaded("t5")).generate([request])


def test_a_negative_prompt_must_fit() -> None:
    model = dataclasses.replace(tiny.loaded("llama"), context_length=12, eos_token_ids=frozenset())
    long = Decoding(guidance_scale=2.0, negative_prompt="the dog ran " * 9)
    with pytest.raises(
        RequestError, match=r"^decoding.negative_prompt: .*tokens, which .* 12; short"
    ):
        Engine(model).generate([tiny.request("the cat", long)])


def test_an_output_ends_where_the_context_of_its_branch_is_full() -> None:
    model = dataclasses.replace(tiny.loaded("llama"), context_length=20, eos_token_ids=frozenset())
    decoding = Decoding(guidance_scale=2.0, negative_prompt="the dog ran", max_new_tokens=50)
    negative = len(model.tokenizer("the dog ran").input_ids)
    (made,) = Engine(model).generate([tiny.request("a", decoding)])
    assert (len(made.token_ids), made.finish_reason) == (20 - negative, "length")
