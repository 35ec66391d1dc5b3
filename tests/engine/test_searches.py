"""Contrastive search: equal to recorded outputs of transformers 4.55.4, alone and in a batch."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tests.engine.tiny import Loaded
from tests.engine.vectors.checkpoint import VOCAB, build
from tokenizers import Tokenizer, models, pre_tokenizers

from ethogram.engine import Engine
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.search import contrastive as contrastive_search
from ethogram.spec import Decoding, Generation, Request

VECTORS: dict[str, Any] = json.loads(
    Path(__file__).with_name("vectors").joinpath("searches.json").read_text(encoding="utf-8")
)
KINDS = tuple(VECTORS["outputs"])
SETTINGS: dict[str, dict[str, Any]] = VECTORS["settings"]
#: What runs beside them in a mixed batch.
OTHERS: dict[str, dict[str, Any]] = {
    "greedy": {"strategy": "greedy"},
    "sample": {"temperature": 1.3, "top_p": 0.95},
    "beam": {"num_beams": 3},
    "best_of": {"best_of": 3},
}


@cache
def numbers() -> transformers.PreTrainedTokenizerFast:
    """A tokenizer whose tokens are their ids: "5 17 30"."""
    vocab = {str(token): token for token in range(VOCAB)}
    raw = Tokenizer(models.WordLevel(vocab, unk_token="0"))
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=raw)


@cache
def model_of(kind: str, dtype: torch.dtype = torch.float32) -> Loaded:
    model = build(kind, VECTORS["seed"]).to(dtype)
    return Loaded(
        model,
        numbers(),
        128,
        frozenset(VECTORS["eos_token_ids"]),
        is_encoder_decoder=kind == "t5",
        vocab_size=VOCAB,
    )


def decoding(**settings: Any) -> Decoding:
    # The recorded runs ban padding, see record_searches.py.
    return Decoding(max_new_tokens=VECTORS["new_tokens"], bad_words=((0,),), **settings)


def requests(settings: dict[str, dict[str, Any]]) -> list[Request]:
    return [
        Request(f"{name}/{place}", f"p{place}", 0, text, decoding(**one), noise_key=40 + place)
        for name, one in settings.items()
        for place, prompt in enumerate(VECTORS["prompts"])
        for text in [" ".join(map(str, prompt))]
    ]


def generate(loaded: Loaded, todo: list[Request], **options: Any) -> dict[str, Generation]:
    return {made.identity: made for made in Engine(loaded, **options).generate(todo)}


@cache
def together(kind: str, dtype: torch.dtype = torch.float32) -> dict[str, Generation]:
    return generate(model_of(kind, dtype), requests(SETTINGS | OTHERS))


def without_end(generation: Generation) -> list[int]:
    ids = list(generation.token_ids)
    return ids[:-1] if ids[-1] in VECTORS["eos_token_ids"] else ids


@pytest.mark.parametrize("kind", KINDS)
def test_a_mixed_batch_equals_the_recorded_vectors(kind: str) -> None:
    made = together(kind)
    for name, recorded in VECTORS["outputs"][kind].items():
        for place, ids in enumerate(recorded):
            assert without_end(made[f"{name}/{place}"]) == ids, (name, place)


@pytest.mark.parametrize("kind", KINDS)
def test_alone_each_gives_the_same_to_the_bit(kind: str) -> None:
    for request in requests(SETTINGS | OTHERS):
        name, place = request.identity.split("/")
        if int(place) == sorted(SETTINGS | OTHERS).index(name) % len(VECTORS["prompts"]):
            (alone,) = generate(model_of(kind), [request]).values()
            mixed = together(kind)[request.identity]
            assert alone.token_ids == mixed.token_ids, request.identity
            assert alone.logprobs == mixed.logprobs, request.identity
            assert alone.finish_reason == mixed.finish_reason
            assert alone.selection == mixed.selection


@pytest.mark.long
def test_in_bf16_the_batch_changes_nothing_either() -> None:
    mixed = together("llama", torch.bfloat16)
    todo = [one for one in requests(SETTINGS | OTHERS) if one.identity.endswith(("/1", "/3"))]
    for rows in (1, 7):
        some = generate(model_of("llama", torch.bfloat16), todo[::-1], max_rows=rows)
        for identity, made in some.items():
            assert made.token_ids == mixed[identity].token_ids, identity
            assert made.logprobs == mixed[identity].logprobs, identity


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "t5"])
def test_states_of_a_cached_prefix_are_kept(
    kind: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contrastive search looks at the states of all tokens, of blocks taken over as well."""
    monkeypatch.setattr(DecoderOnly, "chunk", 16)
    header, loaded = [(7 * place) % 90 + 1 for place in range(40)], model_of(kind, dtype)
    # Of the fourth prompt only the last token is read: all else stands in blocks taken over.
    tails = ([5], [5, 6], [*range(20, 28), 9], [*range(20, 28), 10], [*range(30, 45)])
    todo = [
        Request(str(place), f"p{place}", 0, " ".join(map(str, [*header, *tail])), one)
        for place, tail in enumerate(tails)
        for one in [decoding(penalty_alpha=0.7, top_k=5)]
    ]
    engine = Engine(loaded)
    mixed = {made.identity: made for made in engine.generate(todo)}
    assert engine.work.prompt_tokens - engine.work.prompt_tokens_computed == 32 * 3 + 48
    for request in todo:
        (alone,) = generate(loaded, [request]).values()
        assert alone.token_ids == mixed[request.identity].token_ids
        assert alone.logprobs == mixed[request.identity].logprobs


def test_the_vectors_cover_enough() -> None:
    """Guards the tests above: settings differ from each other, and outputs end at many places."""
    assert VECTORS["transformers"] == "4.55.4"
    for kind in KINDS:
        outputs = VECTORS["outputs"][kind]
        lengths = {len(ids) for recorded in outputs.values() for ids in recorded}
        assert len(lengths) > 6
        distinct = {json.dumps(recorded) for recorded in outputs.values()}
        assert len(distinct) > len(outputs) // 2


def test_a_search_stops_at_stop_strings_and_keeps_raw_logprobs() -> None:
    todo = [
        Request(name, "p", 0, "5 17 30 5 17", decoding(stop=["5 "], **(SETTINGS | OTHERS)[name]))
        for name in ("contrastive", "beam")
    ]
    for made in generate(model_of("llama"), todo).values():
        with torch.inference_mode():
            ids = torch.tensor([[*made.prompt_token_ids, *made.token_ids]])
            scores = model_of("llama").model(ids).logits[0].log_softmax(-1)
        start = len(made.prompt_token_ids) - 1
        for place, (token, logprob) in enumerate(zip(made.token_ids, made.logprobs, strict=True)):
            assert logprob == pytest.approx(float(scores[start + place, token]), abs=1e-4)
        assert "5 " not in made.text


@pytest.mark.parametrize(
    ("owner", "name", "wrong"),
    [
        (contrastive_search.ContrastiveSearch, "shared_length", property(lambda s: s.length - 1)),
        (contrastive_search, "normalize", lambda states, dim: states),
    ],
)
def test_a_wrong_search_is_noticed(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, wrong: Any
) -> None:
    """Negative controls: each of these mistakes makes outputs differ from the vectors."""
    monkeypatch.setattr(owner, name, wrong)
    made = generate(model_of("gpt2"), requests(SETTINGS))
    recorded = VECTORS["outputs"]["gpt2"]
    assert any(
        without_end(made[f"{key}/{place}"]) != ids
        for key in SETTINGS
        for place, ids in enumerate(recorded[key])
    )
