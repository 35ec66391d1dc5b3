"""Weights: reads a checkpoint's tensors and refuses one that does not fit its model.

transformers fills a tensor that a file lacks with random numbers, leaves a tensor that it does not
know aside, and only logs both. Here either is an error, as are NaN and infinity.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ethogram.errors import ModelError
from ethogram.extras import require
from ethogram.models.checkpoint import check_adapter_folder, check_safetensors, weight_files

#: Names that a wrapper puts in front of a module's parameters: torch.compile, FSDP, activation
#: checkpointing; DistributedDataParallel and DataParallel put `module` at the front alone.
_INNER_WRAPPERS = re.compile(
    r"(?:(?<=\.)|^)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\."
)
_OUTER_WRAPPERS = re.compile(r"^(base_model\.model\.)?(?:module\.)+")
#: Tensors of a file that no model needs: tables that are computed from the configuration, masks
#: that old releases of transformers saved, heads that train beside a language model (TRL's value
#: head, BERT's pooler), and copies of tied embeddings.
LEFTOVERS = re.compile(
    r"rotary_emb\.(?:inv_freq|cos_cached|sin_cached)$"
    r"|attn(?:\.attention)?\.(?:bias|masked_bias)$|attention\.(?:bias|masked_bias)$"
    r"|position_ids$|embed_positions\.weights?$|attn\.causal_mask$|cls\.seq_relationship\."
    r"|(?:^|\.)v_head\.|(?:^|\.)pooler\."
    r"|(?:encoder|decoder)\.embed_tokens\.weight$"
)
_SHOWN = 3
#: Nothing is fetched, and no code that comes with a model is run.
SAFE = {"local_files_only": True, "trust_remote_code": False}


def read_weights(
    kind: Any,
    folder: Path,
    config: Any,
    dtype: Any,
    *,
    notes: list[str],
    uses_all: bool = True,
    without: str | None = None,
) -> Any:
    """Read a model from a folder.

    Args:
        kind: class of transformers that reads it, such as `AutoModelForCausalLM`.
        folder: a model folder that `check_model_folder` accepts.
        config: its configuration.
        dtype: of the weights, as torch names it.
        notes: what the user should know is added to these.
        uses_all: refuse tensors that the model does not use. An encoder leaves the heads of its
            file aside.
        without: part of the names of tensors that are not needed, such as a head.

    Raises:
        ModelError: a tensor is missing, of another shape, unused or not finite.
    """
    options = {
        **SAFE,
        "config": config,
        "dtype": dtype,
        "use_safetensors": True,
        "output_loading_info": True,
        "ignore_mismatched_sizes": True,  # so that they are named
    }
    files = weight_files(folder)
    names = [name for file in files for name in check_safetensors(file)]
    if any(plain_name(name) != name for name in names):
        model, info = _read_unwrapped(kind, files, config, dtype)
        _read_generation_config(model, folder)
        wrapped = next(name for name in names if plain_name(name) != name)
        notes.append(f"model {folder}: removed a wrapper's prefix from its tensors ({wrapped})")
    else:
        model, info = kind.from_pretrained(folder, **options)
    if without is not None:
        info["missing_keys"] = {name for name in info["missing_keys"] if without not in name}
    check_loading(info, config, where=f"model {folder}", uses_all=uses_all)
    check_finite(model, where=f"model {folder}")
    return model


def check_loading(
    info: Mapping[str, Any], config: Any, *, where: str, uses_all: bool = True
) -> None:
    """Refuse a checkpoint whose tensors are not those of the model.

    Args:
        info: `output_loading_info` of transformers.
        config: of the model.
        where: the checkpoint, for the message.
        uses_all: refuse tensors that the model does not use.

    Raises:
        ModelError: a tensor is missing, of another shape or unused.
    """
    missing = set(info["missing_keys"])
    unused = {name for name in info["unexpected_keys"] if not LEFTOVERS.search(name)}
    if getattr(config, "tie_word_embeddings", False):
        unused -= {"lm_head.weight", "embed_out.weight"}
    if missing:
        raise ModelError(
            f"{_counted(missing, 'tensor')} of the model {_are(missing)} not in its file "
            f"({_shown(missing)})",
            where=where,
            hint="save the model again without a wrapper, or check that config.json is that of "
            "these weights",
        )
    if info["mismatched_keys"]:
        name, found, wanted = sorted(info["mismatched_keys"])[0]
        raise ModelError(
            f"tensor {name} has shape {tuple(found)} in the file, {tuple(wanted)} by config.json",
            where=where,
            hint="use the config.json that belongs to these weights",
        )
    if unused and uses_all:
        raise ModelError(
            f"{_counted(unused, 'tensor')} of the file {_are(unused)} not used by "
            f"{config.model_type} ({_shown(unused)})",
            where=where,
            hint="check that config.json is that of these weights",
        )


def check_finite(model: Any, *, where: str) -> None:
    """Refuse a model with NaN or infinite weights.

    Raises:
        ModelError: names the first such tensor.
    """
    torch = require("torch", extra="engine", needed_for="running a model")
    for name, weight in model.named_parameters():
        if not weight.is_floating_point() or weight.is_meta:
            continue
        # The sum is finite in most cases and takes no memory; only then each value is looked at.
        if weight.detach().float().sum().isfinite() or torch.isfinite(weight).all():
            continue
        raise ModelError(
            f"tensor {name} holds NaN or infinite values",
            where=where,
            hint="export the weights again, in bfloat16 or float32",
        )


def with_adapter(model: Any, folder: Path, *, notes: list[str]) -> Any:
    """The model with a LoRA adapter merged into its weights, so that it runs at full speed.

    Args:
        model: the base model.
        folder: of the adapter.
        notes: what the user should know is added to these.

    Raises:
        ModelError: a file is missing, or the adapter's tensors are not those that the model and
            adapter_config.json call for.
        MissingExtraError: the extra [lora] is not installed.
    """
    peft = require("peft", extra="lora", needed_for="a LoRA adapter")
    safetensors = require("safetensors.torch", extra="engine", needed_for="a LoRA adapter")
    tensors: dict[str, Any] = {}
    for file in check_adapter_folder(folder):
        tensors |= safetensors.load_file(file)
    plain = {plain_name(name): tensor for name, tensor in tensors.items()}
    with warnings.catch_warnings():  # What is missing is checked below, by name.
        warnings.filterwarnings("ignore", "Found missing adapter keys", UserWarning)
        tuned = peft.PeftModel.from_pretrained(model, str(folder))
    loaded = peft.set_peft_model_state_dict(tuned, plain)
    where = f"adapter {folder}"
    own = (getattr(tuned.base_model, "prefix", "lora_"), ".modules_to_save.")
    missing = {name for name in loaded.missing_keys if any(part in name for part in own)}
    if missing:
        raise ModelError(
            f"{_counted(missing, 'tensor')} of the adapter {_are(missing)} not in its file "
            f"({_shown(missing)})",
            where=where,
            hint="check that the adapter was made for this model, and save it without a wrapper",
        )
    if loaded.unexpected_keys:
        raise ModelError(
            f"{_counted(loaded.unexpected_keys, 'tensor')} of the file "
            f"{_are(loaded.unexpected_keys)} not used ({_shown(loaded.unexpected_keys)})",
            where=where,
            hint="check that the adapter was made for this model",
        )
    if plain.keys() != tensors.keys():
        notes.append(f"{where}: removed a wrapper's prefix from its tensors")
    merged = tuned.merge_and_unload()
    check_finite(merged, where=where)
    return merged


def plain_name(name: str) -> str:
    """A tensor's name without the prefixes of wrappers."""
    return _OUTER_WRAPPERS.sub(r"\1", _INNER_WRAPPERS.sub("", name))


def _read_unwrapped(
    kind: Any, files: Collection[Path], config: Any, dtype: Any
) -> tuple[Any, dict[str, Any]]:
    """A model of tensors that were saved straight from a wrapped one, under today's names."""
    model = kind.from_config(config, dtype=dtype, trust_remote_code=False).eval()
    tensors, shapes = _unwrapped(files), {n: each.shape for n, each in model.state_dict().items()}
    other = {
        (name, tensors[name].shape, shapes[name])
        for name in tensors.keys() & shapes.keys()
        if tensors[name].shape != shapes[name]
    }
    fitting = {name: tensors[name] for name in tensors if name not in {each[0] for each in other}}
    loaded = model.load_state_dict(fitting, strict=False)
    model.tie_weights()
    tied = set(getattr(model, "all_tied_weights_keys", None) or {})
    missing = set(loaded.missing_keys) - tied - {each[0] for each in other}
    return model, {
        "missing_keys": missing,
        "unexpected_keys": set(loaded.unexpected_keys),
        "mismatched_keys": other,
    }


def _unwrapped(files: Collection[Path]) -> dict[str, Any]:
    safetensors = require("safetensors.torch", extra="engine", needed_for="running a model")
    tensors: dict[str, Any] = {}
    for file in files:
        for name, tensor in safetensors.load_file(file).items():
            plain = plain_name(name)
            if plain in tensors:
                raise ModelError(
                    f"it holds tensor {plain} twice, with and without the prefix of a wrapper",
                    where=str(file),
                    hint="save the model again without a wrapper",
                )
            tensors[plain] = tensor
    return tensors


def _read_generation_config(model: Any, folder: Path) -> None:
    transformers = require("transformers", extra="engine", needed_for="running a model")
    if (folder / "generation_config.json").is_file() and model.can_generate():
        model.generation_config = transformers.GenerationConfig.from_pretrained(
            folder, local_files_only=True
        )


def _shown(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return f"{shown}, …" if len(names) > _SHOWN else shown


def _counted(names: Collection[str], noun: str) -> str:
    return f"{len(names)} {noun}" if len(names) == 1 else f"{len(names)} {noun}s"


def _are(names: Collection[str]) -> str:
    return "is" if len(names) == 1 else "are"
