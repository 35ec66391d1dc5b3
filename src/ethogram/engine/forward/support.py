"""Which decoder-only models can be run row by row in slots: rules by the kind of their layers.

A rule names what it refuses. What no rule knows is compared with transformers by `self_check`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ethogram.engine.forward.kv_cache import BUCKET
from ethogram.errors import ModelError

_HINT = "choose a model that docs/architectures.md lists as equal"
#: Architectures with ALiBi whose configuration does not say so.
_ALIBI = ("bloom",)


def check_architecture(model: Any, config: Any, accepts: Collection[str]) -> None:
    """Refuse a decoder-only model that slots of keys and values cannot hold.

    Args:
        model: the transformers module.
        config: of its decoder.
        accepts: names of the arguments of its forward pass.

    Raises:
        ModelError: names what is not served.
    """
    kind = config.model_type
    if has_alibi(config):
        raise not_served(kind, "uses ALiBi position biases, which slots do not carry")
    if getattr(model, "_is_stateful", False):
        raise not_served(kind, "keeps a recurrent state in place of keys and values")
    if "position_ids" not in accepts:
        raise not_served(kind, "takes no position ids, which batching needs")
    types = _layer_types(config)
    others = sorted(types - {"full_attention", "sliding_attention"})
    if others:
        raise not_served(kind, f"has layers without ordinary attention ({', '.join(others)})")


def context_limit(config: Any) -> int | None:
    """Positions within which local attention sees what full attention sees; None is no limit.

    Raises:
        ModelError: its windows are too narrow for slots.
    """
    window = getattr(config, "sliding_window", None)
    if window and "sliding_attention" in _layer_types(config):
        return int(window)
    if "local" in str(getattr(config, "attention_types", "")):
        # GPT-Neo cuts its window from the end of the slot, which grows by whole buckets.
        limit = int(config.window_size) // BUCKET * BUCKET
        if not limit:
            raise not_served(
                config.model_type, f"has local attention over {config.window_size} positions"
            )
        return limit
    return None


def numbers_a_position(config: Any) -> int:
    """Numbers that the keys and values of one position take, in all layers of the decoder."""
    layers = getattr(config, "num_decoder_layers", None) or config.num_hidden_layers
    if getattr(config, "is_heterogeneous", False):  # Gemma 4: layers differ in the width of heads.
        return sum(_numbers(config.per_layer_config[layer]) for layer in range(layers))
    return int(layers * _numbers(config))


def _numbers(config: Any) -> int:
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    if getattr(config, "kv_lora_rank", None):  # latent attention (DeepSeek-V2)
        pair = config.qk_nope_head_dim + config.qk_rope_head_dim + config.v_head_dim
        return int(heads * pair)
    width = getattr(config, "head_dim", None) or getattr(config, "d_kv", None)
    return int(2 * heads * (width or config.hidden_size // config.num_attention_heads))


def has_alibi(config: Any) -> bool:
    """Whether attention is biased by distance (Press et al. 2022) in place of positions."""
    own = getattr(config, "attn_config", None)
    inner = own.get("alibi") if isinstance(own, dict) else getattr(own, "alibi", False)
    return bool(getattr(config, "alibi", False) or inner or config.model_type in _ALIBI)


def _layer_types(config: Any) -> set[str]:
    stated = getattr(config, "layer_types", None) or getattr(config, "layers_block_type", None)
    if stated:
        return {str(each) for each in stated}
    window = getattr(config, "sliding_window", None)
    return {"sliding_attention" if window else "full_attention"}


def not_served(kind: str, what: str) -> ModelError:
    """The error that an architecture is refused with."""
    return ModelError(f"architecture {kind} {what}", hint=_HINT)
