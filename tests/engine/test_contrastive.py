"""Contrastive decoding: equal to the papers' formulas worked out step by step with two models."""

from __future__ import annotations

import copy
import dataclasses
import math
from functools import cache
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tests.engine import tiny
from tests.engine.scores import make_scores
from tests.engine.test_equality import PROMPTS, KeyedGumbel, model_of

from ethogram.engine import Engine
from ethogram.engine.sampling.contrast import contrasted
from ethogram.errors import RequestError
from ethogram.spec import Decoding, Request
from ethogram.spec.guidance import Amateur

KINDS = ("gpt2", "gpt_neox", "llama")
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "soft": {"amateur_temperature": 0.5},
    "wide": {"contrastive_alpha": 0.0, "contrastive_beta": 0.5},
    "beta": {"contrastive_beta": 0.5},
    "both": {"contrastive_beta": 2.0, "contrastive_alpha": 0.02, "amateur_temperature": 1.5},
    "edited": {"contrastive_beta": 0.8, "repetition_penalty": 1.2, "contrastive_alpha": 0.01},
}
WAYS: dict[str, dict[str, Any]] = {
    "greedy": {"strategy": "greedy"},
    "sampled": {"temperature": 1.3, "top_k": 12},
}
DECODINGS = {
    f"{name}_{way}": Decoding(
        contrastive={"amateur": "weak"}, max_new_tokens=24, **settings, **more
    )
    for name, settings in SETTINGS.items()
    for way, more in WAYS.items()
}


@cache
def amateur(padding: int = 0) -> tiny.Loaded:
    """Other weights and fewer layers with the same tokenizer; its vocabulary may be padded."""
    plain = tiny.loaded("gpt2")
    config = copy.deepcopy(plain.model.config)
    config.vocab_size += padding
    config.n_layer = 1
    torch.manual_seed(99)
    made = transformers.GPT2LMHeadModel._from_config(config, attn_implementation="sdpa").eval()
    with torch.no_grad():
        for weight in made.parameters():
            if weight.dim() > 1:
                weight.mul_(5.0)
    return dataclasses.replace(plain, model=made, vocab_size=config.vocab_size)


def as_requests(decodings: dict[str, Decoding]) -> list[Request]:
    return [
        Request(f"{name}/{i}", f"p{i}", 0, prompt, decoding, noise_key=500 + i)
        for i, prompt in enumerate(PROMPTS)
        for name, decoding in decodings.items()
    ]


def by_hand(expert: tiny.Loaded, weak: tiny.Loaded, request: Request) -> list[int]:
    """Both models over the whole history at each step; the formulas as the papers print them."""
    decoding, prompt = request.decoding, expert.tokenizer(request.prompt).input_ids
    chain: list[Any] = []
    if decoding.repetition_penalty != 1:
        penalty = decoding.repetition_penalty
        chain.append(transformers.RepetitionPenaltyLogitsProcessor(penalty))
    if decoding.is_stochastic:
        chain.append(transformers.TemperatureLogitsWarper(decoding.temperature))
        chain.append(transformers.TopKLogitsWarper(decoding.top_k))
        chain.append(KeyedGumbel(request.noise_key or 0, len(prompt)))
    ids = list(prompt)
    while len(ids) - len(prompt) < decoding.max_new_tokens:
        with torch.inference_mode():
            strong = expert.model(torch.tensor([ids])).logits[0, -1]
            other = (
                weak.model(torch.tensor([ids])).logits[0, -1]
                / decoding.contrastive.amateur_temperature
            )
        mass = strong.softmax(-1)
        plausible = mass >= decoding.contrastive.alpha * mass.max()
        if decoding.contrastive.beta is None:
            scores = mass.log() - other.softmax(-1).log()
        else:
            beta = decoding.contrastive.beta
            scores = (1 + beta) * strong - beta * other
        scores = torch.where(plausible, scores, -torch.inf)[None]
        for step in chain:
            scores = step(torch.tensor([ids]), scores)
        ids.append(int(scores.argmax()))
        if ids[-1] in expert.eos_token_ids:
            break
    return ids[len(prompt) :]


def run(engine: Engine, requests: list[Request]) -> dict[str, Any]:
    return {
        made.identity: (made.token_ids, made.logprobs, made.text, made.finish_reason)
        for made in engine.generate(requests)
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.long
def test_a_mixed_batch_equals_the_formulas(kind: str) -> None:
    """With ordinary and guided outputs and a beam search beside; alone, apart, in any order."""
    expert, requests = model_of(kind), as_requests(DECODINGS)
    engine = Engine(expert, amateurs={"weak": amateur()})
    others = as_requests(
        {
            "ordinary": Decoding(max_new_tokens=20),
            "guided": Decoding(max_new_tokens=20, guidance_scale=1.5),
            "beam": Decoding(num_beams=2, max_new_tokens=9),
        }
    )
    made = run(engine, [*others, *requests])
    wrong = [
        request.identity
        for request in requests
        if list(made[request.identity][0]) != by_hand(expert, amateur(), request)
    ]
    assert not wrong
    assert run(Engine(expert), others) == {one.identity: made[one.identity] for one in others}
    few = Engine(expert, amateurs={"weak": amateur()}, max_rows=5, merging=False)
    assert run(few, requests[::-1]) == {one.identity: made[one.identity] for one in requests}
    for request in requests[::17]:
        assert run(engine, [request]) == {request.identity: made[request.identity]}


def test_vocabularies_may_be_padded_differently() -> None:
    """The ids of padding, which no text has, are out; the others are what they were."""
    generator = torch.Generator().manual_seed(3)
    expert, weak = torch.randn(4, 20, generator=generator), torch.randn(4, 23, generator=generator)
    settings = Amateur("weak", 0.0, 0.5, 1.0)
    assert torch.equal(
        contrasted(expert, weak, settings), contrasted(expert, weak[:, :20], settings)
    )
    short = contrasted(expert, weak[:, :17], settings)
    assert torch.equal(short[:, :17], contrasted(expert[:, :17], weak[:, :17], settings))
    assert bool((short[:, 17:] == -torch.inf).all())
    model = tiny.loaded("llama")
    decoding = Decoding(contrastive={"amateur": "weak", "beta": 0.0, "alpha": 0.0})
    engine = Engine(model, amateurs={"weak": amateur(padding=7)})
    (made,) = engine.generate([tiny.request("the cat", decoding)])
    (plain,) = Engine(model).generate([tiny.request("the cat", Decoding())])
    assert made.token_ids == plain.token_ids


# --- known degenerate results ---------------------------------------------------------------------


def test_with_alpha_one_only_the_experts_best_token_is_left() -> None:
    model = tiny.loaded("llama")
    decoding = Decoding(contrastive={"amateur": "weak", "alpha": 1.0}, max_new_tokens=20)
    engine = Engine(model, amateurs={"weak": amateur()})
    (made,) = engine.generate([tiny.request("the cat", decoding)])
    greedy = tiny.request("the cat", Decoding(strategy="greedy", max_new_tokens=20))
    (plain,) = Engine(model).generate([greedy])
    assert made.token_ids == plain.token_ids


def test_an_amateur_that_is_the_expert_takes_nothing_away_under_beta() -> None:
    """(1 + b) e - b e is e."""
    model = tiny.loaded("llama")
    engine = Engine(model, amateurs={"self": model})
    settings = {"max_new_tokens": 20, "temperature": 0.9}
    against = Decoding(contrastive={"amateur": "self", "alpha": 0.0, "beta": 1.0}, **settings)
    (made,) = engine.generate([tiny.request("the cat", against)])
    (plain,) = engine.generate([tiny.request("the cat", Decoding(**settings))])
    assert made.token_ids == plain.token_ids


@given(
    st.integers(0, 2**31),
    st.sampled_from(("peaked", "flat", "bf16_ties", "integers")),
    st.floats(0.001, 1.0),
)
def test_an_amateur_that_is_the_expert_leaves_the_plausible_alike(
    seed: int, shape: str, alpha: float
) -> None:
    scores = make_scores(shape, 40, seed)
    made = contrasted(scores, scores, Amateur("self", alpha, None, 1.0))
    log_probs = scores.log_softmax(-1)
    near = log_probs - log_probs.amax(-1, keepdim=True) - math.log(alpha)
    sure = near.abs() > 1e-5
    assert torch.equal((made > -torch.inf)[sure], (near > 0)[sure])
    assert bool((made[made > -torch.inf] == 0).all())


def test_logprobs_are_those_of_the_expert() -> None:
    model = tiny.loaded("gpt_neox")
    engine = Engine(model, amateurs={"weak": amateur()})
    decoding = Decoding(contrastive={"amateur": "weak"}, max_new_tokens=12)
    (made,) = engine.generate([tiny.request(PROMPTS[1], decoding)])
    ids = torch.tensor([[*made.prompt_token_ids, *made.token_ids]])
    with torch.inference_mode():
        logits = model.model(ids).logits[0].log_softmax(-1)
    start = len(made.prompt_token_ids)
    own = [float(logits[start + i - 1, token]) for i, token in enumerate(made.token_ids)]
    assert made.logprobs == pytest.approx(own, abs=1e-4)


def test_amateurs_of_two_names_run_in_one_batch() -> None:
    model = tiny.loaded("llama")
    engine = Engine(model, amateurs={"weak": amateur(), "self": model})
    requests = [
        tiny.request(
            "the cat", Decoding(contrastive={"amateur": name}, max_new_tokens=12), name=name
        )
        for name in ("weak", "self")
    ]
    both = run(engine, requests)
    for request in requests:
        assert run(engine, [request]) == {request.identity: both[request.identity]}
    assert len({made[0] for made in both.values()}) == 2


# --- refusals -------------------------------------------------------------------------------------


def refusal(model: tiny.Loaded, amateurs: dict[str, tiny.Loaded], **settings: Any) -> str:
    request = tiny.request(
        "the cat sat on the mat", Decoding(contrastive={"amateur": "weak"}, **settings)
    )
    with pytest.raises(RequestError) as caught:
        Engine(model, amateurs=amateurs).generate([request])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_amateur_must_be_at_hand() -> None:
    told = refusal(tiny.loaded("llama"), {})
    assert told.startswith(
        "decoding.contrastive.amateur: the amateur weak is not loaded; pass it to the engine"
    )


def test_an_amateur_must_have_the_models_tokenizer() -> None:
    other = tiny.tokenizer.__wrapped__()
    other.add_tokens(["<other>"])
    told = refusal(tiny.loaded("llama"), {"weak": dataclasses.replace(amateur(), tokenizer=other)})
    assert told == (
        "decoding.contrastive.amateur: the amateur weak has a different tokenizer from the model "
        "(1 entries of their vocabularies differ); choose an amateur of the model's family"
    )


def test_an_amateur_must_split_the_prompt_alike() -> None:
    """The same vocabulary with other merges gives other ids for the same text."""

    class Letters:
        def __getattr__(self, name: str) -> Any:
            return getattr(tiny.tokenizer(), name)

        def __call__(self, text: str, **settings: Any) -> Any:
            made = tiny.tokenizer()(text, **settings)
            made["input_ids"] = [token for letter in text for token in self.encode(letter)]
            return made

    error = refusal(
        tiny.loaded("llama"), {"weak": dataclasses.replace(amateur(), tokenizer=Letters())}
    )
    assert "a different tokenizer from the model (it splits prompt p differently)" in error


def test_encoders_are_refused_on_either_side() -> None:
    assert "this one has an encoder" in refusal(tiny.loaded("t5"), {"weak": amateur()})
    error = refusal(tiny.loaded("llama"), {"weak": tiny.loaded("t5")})
    assert "the amateur weak has an encoder; choose a decoder-only model" in error


def test_the_prompt_must_fit_the_amateur() -> None:
    short = dataclasses.replace(amateur(), context_length=4)
    error = refusal(tiny.loaded("llama"), {"weak": short})
    assert error.startswith("prompt p: the prompt has ")
    assert "the amateur's context of 4; shorten the prompt or choose an amateur" in error
