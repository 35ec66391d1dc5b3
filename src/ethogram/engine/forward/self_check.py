"""Compares the engine's decode steps with transformers' own forward pass, on random tokens.

Architectures that were compared token for token with `generate` (docs/architectures.md) are not
compared again. Any other is, once for each model that is loaded, so that an architecture that slots
do not serve is refused and never silently different.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ethogram.engine.forward.decoder_only import DecoderOnly
from ethogram.engine.forward.encoder_decoder import EncoderDecoder
from ethogram.engine.forward.passes import ForwardPass, ServedModel
from ethogram.engine.forward.support import not_served
from ethogram.engine.memory import is_out_of_memory
from ethogram.errors import EthogramError

#: `model_type` of architectures that scripts/architectures.py found equal to `generate`.
KNOWN_EQUAL = frozenset(
    ("gpt2", "gpt_neox", "llama", "mistral", "qwen2", "qwen3", "t5"),
)
#: Lengths of the prompts that are read side by side: one of them fills more than one bucket.
_PROMPTS = (3, 21, 70)
#: Those of sources, which share a bucket.
_SOURCES = (3, 21, 40)
_STEPS = 3
#: Norm of the difference of the logits over their own: the rounding of sums in another order.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1}


def check_forward(loaded: ServedModel) -> None:
    """Refuse a model that the engine would run otherwise than transformers.

    Raises:
        ModelError: the logits differ, or the model cannot be run in slots.
    """
    kind = loaded.model.config.model_type
    if kind in KNOWN_EQUAL:
        return
    try:
        difference = _difference(loaded)
    except EthogramError:
        raise
    except Exception as error:
        # An unknown architecture may fail in any way inside transformers.
        if is_out_of_memory(error):
            raise
        reason = next(iter(str(error).splitlines()), "")[:120]
        raise not_served(
            kind, f"cannot be run row by row ({type(error).__name__}: {reason})"
        ) from (error)
    if not difference <= _TOLERANCE.get(loaded.model.dtype, 0.1):  # true for NaN
        raise not_served(kind, f"differs from transformers by {difference:.2g} when run row by row")


@torch.inference_mode()
def _difference(loaded: ServedModel) -> float:
    """The largest difference over all rows and steps."""
    kind: type[ForwardPass] = DecoderOnly
    lengths = _PROMPTS
    if loaded.is_encoder_decoder:
        kind, lengths = EncoderDecoder, _SOURCES
    forward = kind(loaded, len(lengths))
    most = forward.context_length - _STEPS - 1
    prompts = [
        _random_ids(loaded, max(1, min(length, most)), seed) for seed, length in enumerate(lengths)
    ]
    follow = [_random_ids(loaded, _STEPS, 100 + row) for row in range(len(prompts))]
    forward.start(max(forward.source_capacity(prompt) for prompt in prompts))
    made: list[list[Tensor]] = []
    for row, prompt in enumerate(prompts):
        read = forward.prefill(prompt)
        forward.fill(row, read)
        made.append([read.logits[0]])
    starts = [len(forward.decoder_prompt(prompt)) for prompt in prompts]
    for step in range(_STEPS):
        tokens = [row[step] for row in follow]
        logits = forward.decode(tokens, [start + step for start in starts])
        for row, scores in enumerate(made):
            scores.append(logits[row].clone())
    return max(
        _relative(torch.stack(scores), _reference(loaded, forward, prompt, after))
        for scores, prompt, after in zip(made, prompts, follow, strict=True)
    )


def _reference(
    loaded: ServedModel, forward: ForwardPass, prompt: Sequence[int], after: Sequence[int]
) -> Tensor:
    """Logits [steps + 1, vocab] of one plain pass over the whole sequence."""
    device = loaded.model.device
    written = [*forward.decoder_prompt(prompt), *after]
    ids = torch.tensor([written], device=device)
    if loaded.is_encoder_decoder:
        source = torch.tensor([list(prompt)], device=device)
        output = loaded.model(input_ids=source, decoder_input_ids=ids, use_cache=False)
    else:
        output = loaded.model(input_ids=ids, use_cache=False)
    return torch.as_tensor(output.logits[0, -len(after) - 1 :])


def _relative(made: Tensor, expected: Tensor) -> float:
    made, expected = made.float(), expected.float()
    return float(((made - expected).norm(dim=-1) / expected.norm(dim=-1)).max())


def _random_ids(loaded: ServedModel, count: int, seed: int) -> list[int]:
    """Ordinary tokens: the first ids of a vocabulary are mostly special ones."""
    generator = torch.Generator().manual_seed(seed)
    least = min(20, loaded.vocab_size // 2)
    taken = torch.randint(least, loaded.vocab_size, (count,), generator=generator)
    return [int(token) for token in taken]
