"""GGUF files: converted once to a float32 safetensors folder with a tokenizer. Fetches nothing.

transformers reads the weights and most of the tokenizer. What its reader leaves out is added here:
the parts of a split file, the pre-tokenizer, further end tokens, and the frequencies of Llama 3.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ethogram.errors import ModelError
from ethogram.extras import require
from ethogram.files import system_errors
from ethogram.models import pretokenizers
from ethogram.models.checkpoint import file_digest
from ethogram.models.gguf_header import check_header
from ethogram.models.quiet import quiet
from ethogram.models.weights import SAFE, check_finite, check_loading

#: Number of this conversion. Raise it whenever some converted models would write differently: it
#: is part of their folder's name.
CONVERSION = 2

#: Keys of the ids that end an output, as in llama.cpp: of a sequence, a turn, a message.
_ENDS = tuple(f"tokenizer.ggml.{name}_token_id" for name in ("eos", "eot", "eom"))
#: Divisors of the rotary frequencies, a row of numbers that the file stores as a tensor.
_FREQUENCIES = "rope_freqs.weight"
_PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf")


def check_gguf(file: Path) -> dict[str, Any]:
    """Read a GGUF file's metadata and check that all tensors are there.

    Returns:
        Metadata by key, and whether the file has a tensor of rotary frequencies; long arrays are
        left out.

    Raises:
        ModelError: it is missing, truncated or not a GGUF file.
    """
    if not file.is_file():
        raise ModelError("GGUF file not found", where=str(file), hint="check the path of `model:`")
    stat = file.stat()
    try:
        metadata, names = _header(file, stat.st_size, stat.st_mtime_ns)
    except (ValueError, OSError, KeyError, IndexError, OverflowError, MemoryError) as error:
        why = str(error) if type(error) is ValueError else type(error).__name__
        raise ModelError(
            f"it is truncated or not a GGUF file ({why[:200]})",
            where=str(file),
            hint="fetch the file again",
        ) from None
    if not names and metadata.get("split.count", 1) < 2:
        raise ModelError("it contains no weights", where=str(file), hint="fetch the file again")
    return metadata | {_FREQUENCIES: _FREQUENCIES in names}


@lru_cache(maxsize=16)
def _header(file: Path, size: int, changed: int) -> tuple[dict[str, Any], frozenset[str]]:
    """Metadata and names of tensors; size and time of change tell two files of one path apart."""
    check_header(file)
    reader = _reader(file)
    fields = {key: field for key, field in reader.fields.items() if len(field.data) <= 64}
    metadata = {key: field.contents() for key, field in fields.items()}
    return metadata, frozenset(tensor.name for tensor in reader.tensors)


def gguf_parts(file: Path) -> list[Path]:
    """The files of a GGUF model: one, or all parts of the split one that this is a part of.

    Raises:
        ModelError: it is damaged, or a part is missing.
    """
    count = int(check_gguf(file).get("split.count", 1))
    if count < 2:
        return [file]
    named = _PART.fullmatch(file.name)
    if named is None or int(named[3]) != count:
        raise ModelError(
            f"it is one of {count} parts, and its name does not say which",
            where=str(file),
            hint=f"name the parts model-00001-of-{count:05}.gguf and so on",
        )
    parts = [file.with_name(f"{named[1]}-{n:05}-of-{count:05}.gguf") for n in range(1, count + 1)]
    for part in parts:
        if not part.is_file():
            raise ModelError(
                f"part {part.name} is missing", where=str(file.parent), hint="fetch all parts"
            )
        check_gguf(part)
    return parts


def gguf_digest(file: Path) -> str:
    """SHA-256 of a GGUF model: of its file, or over the digests of its parts."""
    parts = gguf_parts(file)
    if len(parts) == 1:
        return file_digest(file)
    joined = "".join(f"{file_digest(part)}\n" for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()


def conversion_of(file: Path) -> int:
    """The first number of `CONVERSION` that converts a file as this one does.

    It is part of the identity of a converted model, which so changes only where the model does.
    """
    metadata = check_gguf(file)
    kind = pretokenizers.pre_tokenizer(metadata, str(file))
    changed = (
        len(_end_ids(metadata)) > 1 or metadata.get("split.count", 1) > 1 or metadata[_FREQUENCIES]
    )
    return CONVERSION if changed else kind.since if kind else 1


def convert(file: Path, folder: Path, *, eos_token_ids: Sequence[int] = ()) -> None:
    """Write a GGUF model as a model folder: float32 safetensors, config, tokenizer.

    Args:
        file: the GGUF file, or one part of a split one.
        folder: an empty folder.
        eos_token_ids: ids that end an output; empty means those that the file names.

    Raises:
        ModelError: the file is damaged or lacks tensors, or its architecture, tokenizer or
            pre-tokenizer is not known.
    """
    parts = gguf_parts(file)
    if len(parts) == 1:
        _convert(file, folder, eos_token_ids)
        return
    with tempfile.TemporaryDirectory(dir=folder, prefix="join.") as work:
        joined = Path(work) / "joined.gguf"
        _join(parts, joined)
        _convert(joined, folder, eos_token_ids, where=str(file))


def _convert(
    file: Path, folder: Path, eos_token_ids: Sequence[int], where: str | None = None
) -> None:
    where = where or str(file)
    metadata = check_gguf(file)
    kind = pretokenizers.pre_tokenizer(metadata, where)
    transformers = require("transformers", extra="engine", needed_for="running a model")
    torch = require("torch", extra="engine", needed_for="running a model")
    safetensors = require("safetensors.torch", extra="engine", needed_for="running a model")
    source = {"gguf_file": file.name, **SAFE}
    with quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(file.parent, **source)
            auto = "AutoModelForSeq2SeqLM" if config.is_encoder_decoder else "AutoModelForCausalLM"
            model, info = getattr(transformers, auto).from_pretrained(
                file.parent,
                dtype=torch.float32,
                quantization_config=transformers.GgufConfig(dequantize=True),
                output_loading_info=True,
                **source,
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(file.parent, **source)
        except (ValueError, KeyError, OSError, RuntimeError, NotImplementedError) as error:
            raise ModelError(
                f"this GGUF file cannot be converted ({_first_line(error)})",
                where=where,
                hint="use the model's safetensors folder or hub id",
            ) from error
    info["unexpected_keys"] = {key for key in info["unexpected_keys"] if key != _FREQUENCIES}
    check_loading(info, model.config, where=where)
    check_finite(model, where=where)
    _scale_frequencies(model, file, where)
    if kind is not None:
        pretokenizers.apply(kind, tokenizer, metadata)
    ends = eos_token_ids or _end_ids(metadata, model.generation_config)
    with system_errors(folder.parent):
        tokenizer.save_pretrained(folder)
        _save_config(model, folder, ends)
        safetensors.save_file(_own_tensors(model), folder / "model.safetensors", {"format": "pt"})


def _end_ids(metadata: Mapping[str, Any], known: Any = None) -> list[int]:
    """The ids of the end tokens that a file names, and that transformers knows of, each once."""
    ids = getattr(known, "eos_token_id", None)
    before = [] if ids is None else [ids] if isinstance(ids, int) else ids
    return list(dict.fromkeys([*before, *(int(metadata[key]) for key in _ENDS if key in metadata)]))


def _scale_frequencies(model: Any, file: Path, where: str) -> None:
    """Set Llama 3's scaling of rotary frequencies, which a file gives as divisors.

    Raises:
        ModelError: the divisors are not those of this scaling.
    """
    stored = [tensor for tensor in _reader(file).tensors if tensor.name == _FREQUENCIES]
    if not stored:
        return
    torch = require("torch", extra="engine", needed_for="running a model")
    divisors = torch.tensor(stored[0].data).float().flatten()
    rotary: Any = getattr(getattr(model, "model", None), "rotary_emb", None)
    if bool((divisors == 1).all()):
        return
    parameters = dict(getattr(model.config, "rope_parameters", None) or {})
    if rotary is not None and parameters.get("rope_type", "default") == "default":
        plain = rotary.inv_freq.float()
        # The values of Llama 3.1 and later, whose factor is 8 or 32 (the largest divisor).
        parameters |= {
            "rope_type": "llama3",
            "factor": float(divisors.max()),
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        }
        model.config.rope_parameters = parameters
        scaled = rotary.__class__(model.config).inv_freq.float()
        if torch.allclose(plain / scaled, divisors, rtol=1e-3):
            return
    raise ModelError(
        "its scaling of rotary frequencies is not supported (rope_freqs)",
        where=where,
        hint="use the model's safetensors folder or hub id",
    )


def _join(parts: Sequence[Path], target: Path) -> None:
    """Write the parts of a split file as one."""
    gguf = require("gguf", extra="engine", needed_for="reading a GGUF file")
    readers = [_reader(part) for part in parts]
    first = readers[0]
    writer = gguf.GGUFWriter(target, first.fields["general.architecture"].contents())
    for key, field in first.fields.items():
        if key.startswith(("GGUF.", "split.")) or key == "general.architecture":
            continue
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, field.contents(), kind, sub_type=inner)
    for reader in readers:
        for tensor in reader.tensors:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _reader(file: Path) -> Any:
    return require("gguf", extra="engine", needed_for="reading a GGUF file").GGUFReader(file)


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
