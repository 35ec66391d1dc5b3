"""DoLa: token for token that of transformers 4.55.4, by vectors recorded there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.engine import seeded, tiny

from ethogram.engine import Engine
from ethogram.engine.forward.early_layers import early_layers
from ethogram.engine.sampling.contrast import _divergence, between_layers
from ethogram.errors import RequestError
from ethogram.spec import Decoding, Request
from ethogram.spec.guidance import EarlyLayers

VECTORS = json.loads((Path(__file__).parent / "vectors/dola.json").read_text(encoding="utf-8"))
MODELS = sorted({tuple(case["model"].items()) for case in VECTORS["cases"]})


class Numbers:
    """A tokenizer whose texts are lists of ids."""

    all_special_tokens = ()

    def __call__(self, text: str, **_: Any) -> Any:
        class Made:
            input_ids = tuple(int(word) for word in text.split())

        return Made()

    def decode(self, ids: list[int], **_: Any) -> str:
        return " ".join(map(str, ids))


@cache
def recorded_model(key: tuple[tuple[str, Any], ...]) -> tiny.Loaded:
    model = seeded.model(**dict(key), seed=VECTORS["seed"])
    return tiny.Loaded(model, Numbers(), 128, frozenset(), vocab_size=seeded.VOCAB)


def recorded_requests(key: tuple[tuple[str, Any], ...]) -> dict[str, tuple[Request, list[int]]]:
    found = {}
    cases = [case for case in VECTORS["cases"] if tuple(case["model"].items()) == key]
    for number, case in enumerate(cases):
        settings = {"strategy": "greedy", "max_new_tokens": VECTORS["new_tokens"]}
        settings |= case["settings"]
        noise = settings.pop("noise_key", None)
        if noise is not None:
            settings["strategy"] = "sample"
        for place, (prompt, expected) in enumerate(
            zip(VECTORS["prompts"], case["outputs"], strict=True)
        ):
            name, text = f"{number}/{place}", " ".join(map(str, prompt))
            request = Request(name, f"p{place}", 0, text, Decoding(**settings), noise_key=noise)
            found[name] = (request, expected)
    return found


def run(engine: Engine, requests: list[Request]) -> dict[str, Any]:
    return {
        made.identity: (made.token_ids, made.logprobs, made.finish_reason)
        for made in engine.generate(requests)
    }


@pytest.mark.parametrize("key", MODELS, ids=lambda key: "-".join(str(part) for _, part in key))
@pytest.mark.long
def test_tokens_are_those_of_transformers_4_55_4(key: tuple[tuple[str, Any], ...]) -> None:
    """Low, high, one layer and two, greedy and sampled, in one batch beside ordinary outputs."""
    model, recorded = recorded_model(key), recorded_requests(key)
    ordinary = [
        Request(f"plain{i}", "p", i, "3 14 15", Decoding(max_new_tokens=9), noise_key=i)
        for i in range(3)
    ]
    requests = [*ordinary, *(request for request, _ in recorded.values())]
    made = run(Engine(model), requests)
    wrong = [name for name, (_, ids) in recorded.items() if list(made[name][0]) != ids]
    assert not wrong
    assert len(recorded) == 21
    assert run(Engine(model), ordinary) == {one.identity: made[one.identity] for one in ordinary}
    assert run(Engine(model, max_rows=4), requests[::-1]) == made
    assert run(Engine(model, merging=False), requests) == made
    for request in requests[::8]:
        assert run(Engine(model), [request]) == {request.identity: made[request.identity]}


def test_the_last_layer_alone_gives_the_logprobs() -> None:
    model = tiny.loaded("llama")
    decoding = Decoding(strategy="greedy", dola_layers=[1], max_new_tokens=12)
    (made,) = Engine(model).generate([tiny.request("the cat", decoding)])
    ids = torch.tensor([[*made.prompt_token_ids, *made.token_ids]])
    with torch.inference_mode():
        logits = model.model(ids).logits[0].log_softmax(-1)
    start = len(made.prompt_token_ids)
    own = [float(logits[start + i - 1, token]) for i, token in enumerate(made.token_ids)]
    assert made.logprobs == pytest.approx(own, abs=1e-4)


def test_bfloat16_is_batch_invariant() -> None:
    model = dataclasses.replace(tiny.loaded("llama", torch.bfloat16), eos_token_ids=frozenset())
    requests = [
        tiny.request(prompt, Decoding(dola_layers=layers, max_new_tokens=14), index=i, name=prompt)
        for prompt in ("the cat", "a", "the old man who was there")
        for i, layers in enumerate(("low", "high", [0, 1]))
    ]
    made = run(Engine(model), requests)
    assert run(Engine(model, max_rows=2), requests[::-1]) == made
    assert run(Engine(model), requests[4:5]).items() <= made.items()


def test_a_layer_equal_to_the_last_leaves_the_plausible_tokens_alike() -> None:
    """Against itself every token within a tenth of the best scores nought, and no other is in."""
    logits = torch.randn(4, 30, generator=torch.Generator().manual_seed(1)) * 4
    scores = between_layers(logits, [logits])
    kept = logits.softmax(-1) >= 0.1 * logits.softmax(-1).amax(-1, keepdim=True)
    assert torch.equal(scores > -torch.inf, kept)
    assert torch.equal(scores[kept], torch.zeros(int(kept.sum())))


def test_each_row_chooses_its_layer_by_itself() -> None:
    """Also where all rows together would choose another one, as a batch of transformers does."""
    generator = torch.Generator().manual_seed(2)
    logits, *early = torch.randn(4, 6, 40, generator=generator) * 3
    together = between_layers(logits, early)
    chosen = set()
    for row in range(6):
        alone = between_layers(logits[row : row + 1], [one[row : row + 1] for one in early])
        assert torch.equal(alone[0], together[row])
        singly = [between_layers(logits[row : row + 1], [one[row : row + 1]]) for one in early]
        chosen.add(next(i for i, one in enumerate(singly) if torch.equal(one[0], together[row])))
    assert len(chosen) > 1


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_how_layers_differ_is_the_same_to_the_bit_for_a_row_alone() -> None:
    """torch's mean of a single long row is summed by its threads in parts, and rounds otherwise."""
    one, other = torch.randn(2, 6, 60_000, generator=torch.Generator().manual_seed(0)) * 2
    sides = [part for side in (one, other) for part in (side.log_softmax(-1), side.softmax(-1))]
    together = _divergence(*sides)
    alone = [_divergence(*(side[row : row + 1] for side in sides)) for row in range(6)]
    assert torch.equal(torch.cat(alone), together)


# --- which layers ---------------------------------------------------------------------------------


class Config:
    def __init__(self, depth: int, tied: bool) -> None:
        self.num_hidden_layers, self.tie_word_embeddings = depth, tied

    def get_text_config(self) -> Config:
        return self


class Deep:
    """A model that is only asked for its shape."""

    def __init__(self, depth: int, tied: bool) -> None:
        self.config = Config(depth, tied)

    def get_output_embeddings(self) -> object:
        return self


class Shape:
    """A loaded model of which only the shape is known."""

    def __init__(self, depth: int, tied: bool) -> None:
        self.model = Deep(depth, tied)


@pytest.mark.parametrize(
    ("depth", "tied", "chosen", "expected"),
    [
        (32, False, "low", range(0, 16, 2)),
        (32, False, "high", range(16, 32, 2)),
        (30, True, "low", range(2, 15, 2)),
        (48, False, "low", range(0, 20, 2)),
        (48, True, "low", range(2, 20, 2)),
        (48, False, "high", range(28, 48, 2)),
        (2, True, "low", (1,)),
        (1, True, "low", (0,)),
        (4, True, "low", (2,)),
        (1, False, "high", (0,)),
        (6, False, (5, 1, 1), (1, 5)),
    ],
)
def test_layers_are_chosen_as_in_transformers(
    depth: int, tied: bool, chosen: Any, expected: Any
) -> None:
    view = Decoding(dola_layers=chosen).guidance_branch
    assert isinstance(view, EarlyLayers)
    assert early_layers(Shape(depth, tied), view) == tuple(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "layers", "message"),
    [
        ("llama", [2], "layer 2 is not an early one of the model's 2; use numbers from 0 to 1"),
        ("t5", "low", "has an encoder; turn it off"),
    ],
)
def test_layers_that_the_model_lacks(kind: str, layers: Any, message: str) -> None:
    request = tiny.request("the cat", Decoding(dola_layers=layers))
    with pytest.raises(RequestError, match=rf"^decoding.dola_layers: .*{message}"):
        Engine(tiny.loaded(kind)).generate([request])


def test_a_model_of_three_tied_layers_has_no_low_ones() -> None:
    with pytest.raises(RequestError, match="3 layers has no low layers to choose from; use high"):
        early_layers(Shape(3, True), EarlyLayers("low"))  # type: ignore[arg-type]
