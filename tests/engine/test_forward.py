"""What the engine accepts and holds: architectures, windows, slots and their memory."""

from __future__ import annotations

import ctypes
import dataclasses
from typing import Any

import pytest
import torch
from tests.engine import tiny

from ethogram.engine import Engine, memory
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.encoder_decoder import EncoderDecoder
from ethogram.engine.forward.kv_cache import SlotCache, additive, bucketed
from ethogram.errors import ModelError, RequestError
from ethogram.spec import Decoding


class Disguised:
    """A model whose config says something else."""

    def __init__(self, model: Any, **changes: Any) -> None:
        self.model, self.changes = model, changes
        self.dtype, self.device = model.dtype, model.device
        self.config = self

    def forward(self, input_ids: Any, position_ids: Any, past_key_values: Any) -> None:
        """Only its signature is read."""

    def get_text_config(self, decoder: bool = False) -> Any:
        return self

    def modules(self) -> list[Any]:
        return []

    def __getattr__(self, name: str) -> Any:
        return self.changes.get(name)


def disguise(**changes: Any) -> tiny.Loaded:
    plain = tiny.loaded("llama")
    return dataclasses.replace(plain, model=Disguised(plain.model, model_type="odd", **changes))


def test_an_architecture_without_position_ids_is_refused() -> None:
    model = disguise()
    model.model.forward = lambda input_ids: None
    with pytest.raises(ModelError, match="odd takes no position ids"):
        DecoderOnly(model, 4)


@pytest.mark.parametrize("layers", [("linear_attention",), ("full_attention", "mamba")])
def test_an_architecture_without_ordinary_attention_is_refused(layers: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match="odd has layers without ordinary attention"):
        DecoderOnly(disguise(layer_types=layers), 4)


@pytest.mark.parametrize(
    ("changes", "context"),
    [
        ({"sliding_window": 30}, 30),
        ({"sliding_window": 30, "layer_types": ("full_attention",)}, 256),
        ({"sliding_window": 3000, "layer_types": ("sliding_attention",)}, 256),
        ({}, 256),
    ],
)
def test_a_sliding_window_bounds_the_context(changes: dict[str, Any], context: int) -> None:
    assert DecoderOnly(disguise(**changes), 4).context_length == context


def test_an_encoder_decoder_needs_a_start_token() -> None:
    model = disguise(generation_config=None)
    with pytest.raises(ModelError, match="no decoder_start_token_id"):
        EncoderDecoder(model, 4)
    model = disguise(decoder_start_token_id=5)
    assert EncoderDecoder(model, 4).decoder_prompt([7, 8]) == (5,)


def test_slots_grow_with_what_they_hold_and_keep_it() -> None:
    """Memory follows the longest row in buckets of 64, not the model's context."""
    cache = SlotCache(2, rows=3)
    pairs = [(torch.full((1, 2, 5, 4), 1.0 + n), torch.full((1, 2, 5, 4), 3.0 + n)) for n in (0, 1)]
    cache.fill(1, pairs)
    assert cache.layers[0].keys.shape == (3, 2, 64, 4)
    cache.prepare(torch.tensor([0, 63, 64]), [0, 63, 64])
    assert cache.visible == cache.capacity == 128
    for n, layer in enumerate(cache.layers):
        assert layer.keys.shape == layer.values.shape == (3, 2, 128, 4)
        assert (layer.keys[1, :, :5] == 1 + n).all()
        assert (layer.values[1, :, :5] == 3 + n).all()
        assert layer.keys[1, :, 5:].abs().sum() == 0


def test_a_step_writes_each_row_at_its_own_position() -> None:
    cache = SlotCache(1, rows=3)
    cache.fill(0, [(torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 1, 2))])
    cache.prepare(torch.tensor([4, 9]), [4, 9])
    new = torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1).expand(2, 1, 1, 2)
    keys, values = cache.layers[0].update(new, new * 10)
    assert keys.shape == values.shape == (2, 1, 64, 2)
    assert torch.nonzero(keys[:, 0, :, 0]).tolist() == [[0, 4], [1, 9]]
    assert values[1, 0, 9, 0] == 20
    shown = cache.mask(torch.float32)[:, 0, 0] == 0
    assert shown.sum(-1).tolist() == [5, 10]


def test_reordered_beams_hold_what_their_parents_held() -> None:
    """Also where two beams swap, so that neither may be overwritten before it is read."""
    cache = SlotCache(1, rows=4)
    for row in range(4):
        cache.fill(row, [(torch.full((1, 1, 3, 2), float(row)), torch.full((1, 1, 3, 2), -row))])
    cache.reorder([3, 1, 0], [1, 0, 2], length=3)
    assert cache.layers[0].keys[:, 0, 0, 0].tolist() == [0, 3, 2, 1]
    assert cache.layers[0].values[:, 0, 2, 1].tolist() == [0, -3, -2, -1]


@pytest.mark.parametrize(("length", "capacity"), [(1, 64), (64, 64), (65, 128), (1000, 1024)])
def test_lengths_are_rounded_up_to_buckets(length: int, capacity: int) -> None:
    assert bucketed(length) == capacity


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_hidden_positions_get_no_weight(dtype: torch.dtype) -> None:
    mask = additive(torch.tensor([[False, True, False]]), dtype)
    assert mask.shape == (1, 1, 1, 3)
    assert mask.softmax(-1)[0, 0, 0].tolist() == [0.5, 0, 0.5]


def test_a_context_cut_by_a_window_is_named_in_the_error() -> None:
    with pytest.raises(RequestError, match="context of 30"):
        Engine(disguise(sliding_window=30)).generate(
            [tiny.request("the cat sat on the mat " * 9, Decoding())]
        )


def test_a_prompt_is_not_kept_once_its_outputs_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys and values lie in the slots; a second copy for each row would double the memory."""
    from ethogram.engine.batch import Batch
    from ethogram.engine.forward.batch_invariance import BatchSizes
    from ethogram.engine.jobs import make_jobs
    from ethogram.engine.scheduler import BatchConfig
    from ethogram.engine.work import Work

    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    forward = DecoderOnly(model, 8)
    held: list[Any] = []
    plain = forward.prefill_in_parts

    def traced(ids: Any, cached: Any) -> Any:
        import weakref

        made = yield from plain(ids, cached)
        held.append(weakref.ref(made.pairs[0][0]))
        return made

    monkeypatch.setattr(forward, "prefill_in_parts", traced)
    requests = [
        tiny.request(prompt, Decoding(max_new_tokens=4), name=prompt) for prompt in ("a", "b", "c")
    ]
    batch = Batch(
        forward,
        make_jobs(requests, model, forward),
        BatchConfig(8, BatchSizes(None, 64)),
        tokenizer=model.tokenizer,
        clock=lambda: 0.0,
        work=Work(),
    )
    batch.step()
    assert [ref() is not None for ref in held] == [False, False, True]


def test_allocator_settings_are_made_where_the_c_library_supports_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Library:
        def __init__(self, answer: int) -> None:
            self.answer, self.asked = answer, list[tuple[int, int]]()

        def mallopt(self, name: int, value: int) -> int:
            self.asked.append((name, value))
            return self.answer

    good = Library(1)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: good)
    assert memory.keep_large_blocks() is True
    assert good.asked == [(-3, 2**31 - 1), (-1, 2**31 - 1)]
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library(0))
    assert memory.keep_large_blocks() is False

    def missing(name: str) -> None:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert memory.keep_large_blocks() is False
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert memory.keep_large_blocks() is False
