"""Tiny random models with a byte-level tokenizer, and the reference that the engine must equal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import transformers
from tests.architectures import tiny_config, train_tokenizer
from transformers import PreTrainedTokenizerFast

from ethogram.spec import Decoding, Request

WORDS = (
    "the cat sat on the mat and the dog ran to the house of the old man who was there then",
    "naïve café über straße smörgåsbord 日本語 привет 🙂🙃 ends. stops! halt; done",
    "0 1 2 3 4 5 6 7 8 9 alpha beta gamma delta epsilon",
)


@dataclass(frozen=True)
class Loaded:
    model: Any
    tokenizer: Any
    context_length: int
    eos_token_ids: frozenset[int]
    is_encoder_decoder: bool = False
    has_chat_template: bool = False
    device: torch.device = torch.device("cpu")  # noqa: RUF009
    vocab_size: int = 0


@cache
def tokenizer(*, adds_eos: bool = False) -> PreTrainedTokenizerFast:
    return train_tokenizer(WORDS, adds_eos=adds_eos)


@cache
def loaded(kind: str, dtype: torch.dtype = torch.float32) -> Loaded:
    """A random model of a kind: gpt2, gpt_neox, llama or t5."""
    words = tokenizer(adds_eos=kind == "t5")
    config = tiny_config(kind, len(words), width=64)
    config.tie_word_embeddings = kind in ("gpt2", "t5")
    make = transformers.AutoModelForSeq2SeqLM if kind == "t5" else transformers.AutoModelForCausalLM
    torch.manual_seed(7)
    model = make.from_config(config, attn_implementation="sdpa")
    with torch.no_grad():
        # Random weights of ordinary size give an almost flat distribution; larger ones make
        # texts that differ by prompt and margins that rounding cannot close.
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.mul_(1.0 if "relative" in name or kind == "t5" else 6.0)
        model.get_output_embeddings().weight.mul_(1.0 if kind != "t5" else 0.5)
    model = model.to(dtype).eval()
    model.generation_config = transformers.GenerationConfig(
        eos_token_id=1, pad_token_id=0, decoder_start_token_id=0
    )
    return Loaded(
        model, words, 256, frozenset({1}), is_encoder_decoder=kind == "t5", vocab_size=len(words)
    )


def request(
    prompt: Any, decoding: Decoding, *, index: int = 0, key: int = 11, name: str = "p"
) -> Request:
    return Request(f"{name}-{index}", name, index, prompt, decoding, noise_key=key)


class CountPenalty(transformers.LogitsProcessor):
    """Frequency and presence penalties over the output only, as vLLM and OpenAI define them."""

    def __init__(self, prompt_length: int, frequency: float, presence: float) -> None:
        self.skip, self.frequency, self.presence = prompt_length, frequency, presence

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores = scores.clone()
        for row, ids in enumerate(input_ids[:, self.skip :].tolist()):
            for token in set(ids):
                scores[row, token] -= self.frequency * ids.count(token)
                scores[row, token] -= self.presence
        return scores


def generate(
    model: Loaded, prompt: str, decoding: Decoding, extra: tuple[Any, ...] = ()
) -> list[int]:
    """New token ids of transformers `generate` for one unpadded prompt."""
    inputs = model.tokenizer(prompt, return_tensors="pt").to(model.device)
    start = 1 if model.is_encoder_decoder else inputs.input_ids.shape[1]
    processors = transformers.LogitsProcessorList()
    if decoding.frequency_penalty or decoding.presence_penalty:
        processors.append(
            CountPenalty(start, decoding.frequency_penalty, decoding.presence_penalty)
        )
    processors.extend(extra)
    settings: dict[str, Any] = {
        "do_sample": False,
        "num_beams": decoding.num_beams,
        "max_new_tokens": decoding.max_new_tokens,
        "repetition_penalty": decoding.repetition_penalty,
        "no_repeat_ngram_size": decoding.no_repeat_ngram_size,
        "eos_token_id": sorted(model.eos_token_ids | set(decoding.stop_token_ids)),
        "pad_token_id": 0,
        "logits_processor": processors,
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
    }
    if decoding.min_new_tokens:
        settings["min_new_tokens"] = decoding.min_new_tokens
    if decoding.logit_bias:
        settings["sequence_bias"] = [[[token], bias] for token, bias in decoding.logit_bias.items()]
    if decoding.bad_words:
        settings["bad_words_ids"] = [list(word) for word in decoding.bad_words]
    if decoding.guidance_scale != 1:
        settings["guidance_scale"] = decoding.guidance_scale
        if decoding.negative_prompt:
            negative = model.tokenizer(decoding.negative_prompt, return_tensors="pt").input_ids
            settings["negative_prompt_ids"] = negative.to(model.device)
    if decoding.num_beams > 1:
        settings |= {
            "length_penalty": decoding.length_penalty,
            "early_stopping": decoding.early_stopping,
        }
    with torch.inference_mode():
        ids = model.model.generate(
            input_ids=inputs.input_ids, attention_mask=inputs.attention_mask, **settings
        )
    new: list[int] = ids[0, start:].tolist()
    ends = [i for i, token in enumerate(new) if token in settings["eos_token_id"]]
    return new[: ends[0] + 1] if ends else new


@cache
def long_llama() -> Loaded:
    """A Llama with room for prompts of more than a thousand tokens."""
    config = tiny_config("llama", len(tokenizer()), width=64)
    config.max_position_embeddings = 2048
    torch.manual_seed(8)
    model = transformers.LlamaForCausalLM._from_config(config, attn_implementation="sdpa").eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(6.0)
    return Loaded(model, tokenizer(), 2048, frozenset({1}), vocab_size=len(tokenizer()))
