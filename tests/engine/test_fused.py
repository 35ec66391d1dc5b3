"""Fused Llama-family models: logits of transformers, same bits in any batch."""

from __future__ import annotations

import copy
import dataclasses
import logging
import random
from functools import cache
from typing import Any

import pytest
import torch
import transformers
from tests.engine import tiny

from ethogram.engine import Engine, native
from ethogram.engine.forward import fused
from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.fused import FusedLlama, fuse, is_known
from ethogram.engine.native.layer_kernels import LayerKernels
from ethogram.spec import Decoding

SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 112,
    "max_position_embeddings": 512,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 10_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {}),
    "tied": ("Llama", {"tie_word_embeddings": True}),
    "one_head_each": ("Llama", {"num_key_value_heads": 4, "head_dim": 24}),
    "biased": ("Llama", {"attention_bias": True, "mlp_bias": True}),
    "llama3_rope": ("Llama", {"rope_parameters": LLAMA3_ROPE}),
    "linear_rope": (
        "Llama",
        {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}},
    ),
    "odd_sizes": ("Llama", {"hidden_size": 60, "intermediate_size": 77, "head_dim": 10}),
    "mistral": ("Mistral", {"sliding_window": None}),
    "qwen2": ("Qwen2", {}),
}
DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])

pytestmark = pytest.mark.skipif(native.library() is None, reason="no C++ compiler here")


@cache
def model_of(name: str, dtype: torch.dtype = torch.float32) -> Any:
    kind, changes = MODELS[name]
    config = getattr(transformers, f"{kind}Config")(**(SIZES | changes))
    torch.manual_seed(11)
    model = getattr(transformers, f"{kind}ForCausalLM")._from_config(
        config, attn_implementation="sdpa"
    )
    with torch.no_grad():
        for weight in model.parameters():
            # Larger weights, so that logits differ by token, and norms and biases that act.
            weight.mul_(4.0) if weight.dim() > 1 else weight.add_(torch.randn_like(weight) * 0.1)
    return model.to(dtype).eval()


def fused_of(model: Any, monkeypatch: pytest.MonkeyPatch, *, own: bool) -> FusedLlama:
    """With our products or torch's, whatever this processor would choose."""
    monkeypatch.setattr(fused, "has_own_kernel", lambda dtype: own)
    found = native.library()
    assert found is not None
    return FusedLlama(model, LayerKernels(found, model.dtype))


def stepwise(
    model: Any, fused: FusedLlama | None, sequences: list[list[int]], prompts: list[int]
) -> list[torch.Tensor]:
    """Logits of every token from the last of the prompt on, all sequences in one batch."""
    loaded = dataclasses.replace(tiny.loaded("llama"), model=model, context_length=512)
    return _stepwise(DecoderOnly(loaded, len(sequences), fused), sequences, prompts)


@torch.inference_mode()
def _stepwise(
    forward: DecoderOnly, sequences: list[list[int]], prompts: list[int]
) -> list[torch.Tensor]:
    made: list[list[torch.Tensor]] = []
    for row, (ids, prompt) in enumerate(zip(sequences, prompts, strict=True)):
        prefilled = forward.prefill(ids[:prompt])
        forward.fill(row, prefilled)
        made.append([prefilled.logits[0].clone()])
    for step in range(len(sequences[0]) - prompts[0]):
        places = [prompt + step for prompt in prompts]
        tokens = [ids[place] for ids, place in zip(sequences, places, strict=True)]
        logits = forward.decode(tokens, places)
        for row, rows in enumerate(made):
            rows.append(logits[row].clone())
    return [torch.stack(rows) for rows in made]


def ragged(prompts: list[int], new: int) -> list[list[int]]:
    random.seed(3)
    return [[random.randrange(2, 300) for _ in range(prompt + new)] for prompt in prompts]


# --- the logits of transformers -------------------------------------------------------------------


@pytest.mark.parametrize("own", [True, False], ids=["own", "torch"])
@pytest.mark.parametrize("name", MODELS)
def test_the_logits_are_those_of_transformers(
    name: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At all positions, for prompts of 1 to 260 tokens that cross buckets and chunks."""
    model, prompts = model_of(name), [1, 5, 62, 200, 260]
    sequences = ragged(prompts, 9)
    made = stepwise(model, fused_of(model, monkeypatch, own=own), sequences, prompts)
    for ids, prompt, logits in zip(sequences, prompts, made, strict=True):
        with torch.inference_mode():
            expected = model(input_ids=torch.tensor([ids])).logits[0, prompt - 1 :]
        assert (logits - expected).abs().max() < 1e-4
        sure = expected.topk(2).values
        sure = (sure[:, 0] - sure[:, 1]) > 1e-3
        assert torch.equal(logits.argmax(-1)[sure], expected.argmax(-1)[sure])


@pytest.mark.parametrize("name", ["llama", "qwen2"])
def test_in_bf16_they_are_nearer_to_exact_than_transformers_is(name: str) -> None:
    """Both round to 8 bits, at other places: neither is the other's measure, fp32 is of both."""
    model = model_of(name, torch.bfloat16)
    fused = fuse(model)
    assert fused is not None
    ids = torch.tensor(ragged([150], 0)[0])
    with torch.inference_mode():
        theirs = model(input_ids=ids.unsqueeze(0)).logits[0].float()
        ours = fused.logits(ids, prompt=140).float()
        exact = copy.deepcopy(model).float()(input_ids=ids.unsqueeze(0)).logits[0]
    assert (ours - exact).norm() < 1.1 * (theirs - exact).norm()
    assert (ours - theirs).norm() < 0.03 * theirs.norm()


def test_greedy_tokens_are_those_of_generate() -> None:
    plain = tiny.loaded("llama")
    decoding = Decoding(strategy="greedy", max_new_tokens=40)
    for name in ("tied", "llama3_rope", "qwen2"):
        loaded = dataclasses.replace(plain, model=model_of(name), eos_token_ids=frozenset())
        model_of(name).generation_config = transformers.GenerationConfig(pad_token_id=0)
        engine = Engine(loaded)
        assert engine.fused is not None
        (made,) = engine.generate([tiny.request("the cat sat", decoding)])
        assert list(made.token_ids) == tiny.generate(loaded, "the cat sat", decoding), name


def test_a_window_shorter_than_the_check_is_no_disagreement() -> None:
    config = transformers.MistralConfig(**SIZES, sliding_window=9)
    model = transformers.MistralForCausalLM._from_config(config, attn_implementation="sdpa").eval()
    assert fuse(model) is not None


# --- the same bits in any batch -----------------------------------------------------------------


@DTYPES
def test_a_row_is_the_same_alone_in_a_batch_and_in_a_prompt(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, prompts = model_of("llama", dtype), [3, 50, 199, 230]
    fused, sequences = fused_of(model, monkeypatch, own=True), ragged(prompts, 6)
    together = stepwise(model, fused, sequences, prompts)
    for row, (ids, prompt) in enumerate(zip(sequences, prompts, strict=True)):
        (alone,) = stepwise(model, fused, [ids], [prompt])
        assert torch.equal(alone, together[row])
        with torch.inference_mode():
            at_once = fused.logits(torch.tensor(ids), prompt=len(ids))
        assert torch.equal(at_once[prompt - 1 :].float(), together[row])


def test_no_row_is_padded_where_products_are_row_independent() -> None:
    engine = Engine(tiny.loaded("llama"))
    if engine.fused is None or not engine.fused.is_row_independent:
        pytest.skip("this processor multiplies by torch")
    requests = [
        tiny.request("the cat", Decoding(max_new_tokens=6), index=i, key=i) for i in range(5)
    ]
    assert len(list(engine.generate(requests))) == 5
    assert engine.work.padding == 0


def test_batch_sizes_are_invariant_where_torch_multiplies(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.loaded("llama")
    monkeypatch.setattr(fused, "has_own_kernel", lambda dtype: False)
    engine = Engine(model)
    assert engine.fused is not None
    assert engine.batch_sizes.allowed is not None
    requests = [
        tiny.request(prompt, Decoding(max_new_tokens=9), index=i, key=i, name=prompt)
        for i in range(9)
        for prompt in ("the cat", "naïve café")
    ]
    together = {made.identity: made.token_ids for made in engine.generate(requests)}
    for request in requests[::5]:
        (alone,) = Engine(model).generate([request])
        assert alone.token_ids == together[request.identity]


def test_long_prompts_run_on_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("llama")
    fused = fused_of(model, monkeypatch, own=True)
    loaded = dataclasses.replace(tiny.loaded("llama"), model=model, context_length=512)
    read: list[int] = []

    def counted(ids: Any, cached: Any) -> Any:
        read.append(len(ids))
        return FusedLlama.prefill(fused, ids)

    monkeypatch.setattr(fused, "prefill", counted)
    for length in (1, 256, 257):
        DecoderOnly(loaded, 1, fused).prefill(ragged([length], 0)[0])
    assert read == [1, 256]


# --- what it does not take ------------------------------------------------------------------------


def _fresh(**changes: Any) -> Any:
    config = transformers.LlamaConfig(**(SIZES | changes))
    return transformers.LlamaForCausalLM._from_config(config, attn_implementation="sdpa").eval()


def _with_hook() -> Any:
    model = _fresh()
    model.model.layers[1].register_forward_hook(lambda part, given, made: made)
    return model


def _wrapped() -> Any:
    class Wrapped(torch.nn.Linear):
        pass

    model = _fresh()
    model.model.layers[1].mlp.down_proj = Wrapped(112, 64, bias=False)
    return model


def _eager() -> Any:
    model = _fresh()
    model.config._attn_implementation = "eager"
    return model


DYNAMIC_ROPE = {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}


@pytest.mark.parametrize(
    "make",
    [
        lambda: tiny.loaded("gpt2").model,
        lambda: tiny.loaded("gpt_neox").model,
        lambda: tiny.loaded("t5").model,
        lambda: _fresh(hidden_act="gelu"),
        lambda: _fresh(rope_parameters=DYNAMIC_ROPE),
        lambda: _fresh().half(),
        _with_hook,
        _wrapped,
        _eager,
    ],
    ids=["gpt2", "gpt_neox", "t5", "gelu", "dynamic_rope", "fp16", "hook", "wrapped", "eager"],
)
def test_unsupported_models_run_on_transformers(make: Any) -> None:
    model = make()
    assert not is_known(model)
    assert fuse(model) is None


def test_a_fused_model_that_disagrees_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Broken on purpose: the engine says so once and gives the tokens of transformers."""
    model = dataclasses.replace(tiny.loaded("llama"), eos_token_ids=frozenset())
    decoding = Decoding(strategy="greedy", max_new_tokens=12)
    build = FusedLlama.__init__

    def broken(self: FusedLlama, *given: Any) -> None:
        build(self, *given)
        self.scale *= 1.2

    monkeypatch.setattr(FusedLlama, "__init__", broken)
    engine = Engine(model)
    with caplog.at_level(logging.WARNING):
        (made,) = engine.generate([tiny.request("the cat", decoding)])
    assert engine.fused is None
    assert "LlamaForCausalLM differs from transformers by" in caplog.text
    assert list(made.token_ids) == tiny.generate(model, "the cat", decoding)


def test_the_kernels_turned_off_leave_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETHOGRAM_NATIVE", "0")
    monkeypatch.setattr(native, "library", native.library.__wrapped__)
    assert fuse(tiny.loaded("llama").model) is None


@pytest.mark.parametrize("name", ["tied", "qwen2"])
def test_the_model_stays_as_it_was(name: str, tmp_path: Any) -> None:
    """Same logits, same weights, no memory beyond its own, and it can be saved."""
    model_of.cache_clear()
    model = model_of(name)
    ids = torch.tensor(ragged([20], 0))
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.inference_mode():
        before = model(input_ids=ids).logits
    assert fuse(model) is not None
    with torch.inference_mode():
        assert torch.equal(model(input_ids=ids).logits, before)
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[key])
    storages = {w.untyped_storage().data_ptr(): w.untyped_storage() for w in model.parameters()}
    held = sum(storage.nbytes() for storage in storages.values())
    assert held == sum(weight.numel() * 4 for weight in model.parameters())
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)
    assert all(torch.equal(value, weights[key]) for key, value in again.state_dict().items())
