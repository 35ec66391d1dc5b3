"""GGUF files: converted once to a float32 safetensors folder with a tokenizer. Fetches nothing.

transformers reads the weights and most of the tokenizer; what its reader leaves out is mended here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ethogram.errors import ModelError
from ethogram.extras import require
from ethogram.models.quiet import quiet

#: Number of this conversion. Raise it whenever converted models would write differently: it is
#: part of their identity and of their folder's name.
CONVERSION = 1

#: `tokenizer.ggml.pre` of vocabularies that split numbers into single digits and the rest as GPT-2
#: does (llama.cpp, src/llama-vocab.cpp, the group of LLAMA_VOCAB_PRE_TYPE_SMOLLM). transformers
#: 5.23 reads them as GPT-2's and so tokenises numbers in another way than the model learned.
_SINGLE_DIGITS = frozenset(
    {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"}
)


def check_gguf(file: Path) -> dict[str, Any]:
    """Read a GGUF file's metadata and check that all tensors are there.

    Returns:
        Metadata by key; long arrays are left out.

    Raises:
        ModelError: it is missing, truncated or not a GGUF file.
    """
    if not file.is_file():
        raise ModelError(
            "there is no such GGUF file", where=str(file), hint="check the path of `model:`"
        )
    gguf = require("gguf", extra="engine", needed_for="reading a GGUF file")
    try:
        reader = gguf.GGUFReader(file)
        fields = {key: field for key, field in reader.fields.items() if len(field.data) <= 64}
        metadata = {key: field.contents() for key, field in fields.items()}
    except (ValueError, OSError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise ModelError(
            f"it is truncated or not a GGUF file ({type(error).__name__})",
            where=str(file),
            hint="fetch the file again",
        ) from None
    if not reader.tensors:
        raise ModelError("it holds no weights", where=str(file), hint="fetch the file again")
    return metadata


def convert(file: Path, folder: Path, *, eos_token_ids: Sequence[int] = ()) -> None:
    """Write a GGUF model as a model folder: float32 safetensors, config, tokenizer.

    Args:
        file: the GGUF file.
        folder: an empty folder.
        eos_token_ids: ids that end an output; empty means the one that the file names.

    Raises:
        ModelError: the file is damaged, or its architecture or tokenizer is not known.
    """
    metadata = check_gguf(file)
    transformers = require("transformers", extra="engine", needed_for="running a model")
    torch = require("torch", extra="engine", needed_for="running a model")
    safetensors = require("safetensors.torch", extra="engine", needed_for="running a model")
    source = {"gguf_file": file.name, "local_files_only": True}
    with quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(file.parent, **source)
            kind = "AutoModelForSeq2SeqLM" if config.is_encoder_decoder else "AutoModelForCausalLM"
            model = getattr(transformers, kind).from_pretrained(
                file.parent,
                dtype=torch.float32,
                quantization_config=transformers.GgufConfig(dequantize=True),
                **source,
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(file.parent, **source)
        except (ValueError, KeyError, OSError, RuntimeError, NotImplementedError) as error:
            raise ModelError(
                f"this GGUF file cannot be converted ({_first_line(error)})",
                where=str(file),
                hint="use the model's safetensors folder or hub id",
            ) from error
    _mend_tokenizer(tokenizer, metadata)
    tokenizer.save_pretrained(folder)
    _save_config(model, folder, eos_token_ids)
    safetensors.save_file(_own_tensors(model), folder / "model.safetensors", {"format": "pt"})


def _mend_tokenizer(tokenizer: Any, metadata: dict[str, Any]) -> None:
    if metadata.get("tokenizer.ggml.pre") in _SINGLE_DIGITS:
        parts = require("tokenizers", extra="engine", needed_for="running a model").pre_tokenizers
        tokenizer.backend_tokenizer.pre_tokenizer = parts.Sequence(
            [
                parts.Digits(individual_digits=True),
                parts.ByteLevel(add_prefix_space=False, use_regex=True),
            ]
        )


def _save_config(model: Any, folder: Path, eos_token_ids: Sequence[int]) -> None:
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config  # The saved weights are plain.
    model.config.save_pretrained(folder)
    if eos_token_ids:
        model.generation_config.eos_token_id = list(eos_token_ids)
    model.generation_config.save_pretrained(folder)


def _own_tensors(model: Any) -> dict[str, Any]:
    """The weights by name; of tied weights only the first, as the config ties them on loading."""
    tensors: dict[str, Any] = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict().items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            tensors[name] = tensor.contiguous()
    return tensors


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
