"""Loads models and tokenizers. Generates nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.cores import use_allowed_threads
from ethogram.errors import ModelError
from ethogram.extras import require
from ethogram.models.catalogue import locate, locate_adapter
from ethogram.models.quiet import quiet
from ethogram.models.reference import ModelReference
from ethogram.models.weights import SAFE, read_weights, with_adapter

#: A tokenizer without a limit has a huge `model_max_length`.
_NO_LIMIT = 10_000_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to run.

    Attributes:
        model: transformers module in eval mode, weights in the reference's dtype; None where
            another program runs it (`describe`).
        tokenizer: its tokenizer.
        reference: the name that it was loaded by.
        context_length: most tokens of prompt and output together (of the prompt alone for
            encoder-decoder models).
        eos_token_ids: ids that end an output, those that `generate` stops at.
        is_encoder_decoder: whether an encoder reads the prompt.
        has_chat_template: whether messages can be turned into a prompt.
        vocab_size: number of logits.
        device: where it runs, as torch names it; empty where another program runs it.
        forced_bos_token_id: the first token of every output, if generation_config.json names one
            (BART; multilingual models take their language so).
        forced_eos_token_id: the last token of an output that reaches its
            limit, if generation_config.json names one.
        bad_words_ids: sequences of ids that generation_config.json rules out (Marian's padding).
    """

    model: Any
    tokenizer: Any
    reference: ModelReference
    context_length: int
    eos_token_ids: frozenset[int]
    is_encoder_decoder: bool
    has_chat_template: bool
    vocab_size: int
    device: str
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | None = None
    bad_words_ids: tuple[tuple[int, ...], ...] = ()


def load(reference: ModelReference | str, *, device: str | None = None) -> LoadedModel:
    """Load a model from this machine; a built-in is fetched on first use.

    Args:
        reference: which model; a plain name means its float32 weights.
        device: name of a torch device; default: the first CUDA device, else the CPU.

    Raises:
        ModelError: the model is not downloaded or damaged, its weights do not fit it, or
            transformers lacks its architecture.
        MissingExtraError: the extra [engine] (or [lora]) is not installed.
    """
    if isinstance(reference, str):
        reference = ModelReference(reference)
    require("transformers", extra="engine", needed_for="running a model")
    torch = require("torch", extra="engine", needed_for="running a model")
    folder, adapter = locate(reference), locate_adapter(reference)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    notes: list[str] = []
    with quiet(), explained(reference.model):
        model, tokenizer = _read(folder, getattr(torch, reference.dtype), notes)
        if adapter is not None:
            model = with_adapter(model, adapter, notes=notes)
    for note in notes:  # The terminal is quiet until here.
        _log.warning(note)
    use_allowed_threads()
    model = model.to(device).eval()
    own = getattr(model, "generation_config", None)
    return _described(reference, model.config, own, tokenizer, model=model, device=device)


def in_memory(model: Any, tokenizer: Any, reference: ModelReference) -> LoadedModel:
    """A model that was not read from files, such as one in training, as the engine takes it.

    Args:
        model: transformers module in eval mode.
        tokenizer: its tokenizer.
        reference: what to call it.
    """
    own = getattr(model, "generation_config", None)
    device = str(model.device)
    return _described(reference, model.config, own, tokenizer, model=model, device=device)


def describe(reference: ModelReference | str) -> LoadedModel:
    """A model without its weights, for a backend that loads them itself.

    Args:
        reference: which model; a plain name means its float32 weights.

    Raises:
        ModelError: the model is not downloaded or damaged, its weights do not fit it, or
            transformers lacks its architecture.
        MissingExtraError: the extra [engine] is not installed.
    """
    if isinstance(reference, str):
        reference = ModelReference(reference)
    transformers = require("transformers", extra="engine", needed_for="running a model")
    folder, own = locate(reference), None
    with quiet(), explained(reference.model):
        config = transformers.AutoConfig.from_pretrained(folder, **SAFE)
        if (folder / "generation_config.json").is_file():
            own = transformers.GenerationConfig.from_pretrained(folder, local_files_only=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **SAFE)
    return _described(reference, config, own, tokenizer)


def load_tokenizer(reference: ModelReference) -> Any:
    """Load only a model's tokenizer, which takes a second.

    Raises:
        ModelError: the model is not downloaded, or its tokenizer cannot be read.
        MissingExtraError: the extra [engine] is not installed.
    """
    transformers = require("transformers", extra="engine", needed_for="reading tokens")
    folder = locate(reference)
    with quiet(), explained(reference.model, what="its tokenizer"):
        return transformers.AutoTokenizer.from_pretrained(folder, **SAFE)


@contextmanager
def explained(name: str, *, what: str = "it") -> Iterator[None]:
    """Turns any error of transformers while it reads a model into one line.

    Args:
        name: of the model.
        what: the part that is read.

    Raises:
        ModelError: it could not be read.
    """
    try:
        yield
    except _reading_errors() as error:
        raise ModelError(
            f"{what} cannot be loaded ({_first_line(error)})",
            where=f"model {name}",
            hint="check that transformers knows its architecture, or fetch it again",
        ) from error


def _read(folder: Path, dtype: Any, notes: list[str]) -> tuple[Any, Any]:
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, **SAFE)
    kind = "AutoModelForSeq2SeqLM" if config.is_encoder_decoder else "AutoModelForCausalLM"
    model = read_weights(getattr(transformers, kind), folder, config, dtype, notes=notes)
    return model, transformers.AutoTokenizer.from_pretrained(folder, **SAFE)


def _reading_errors() -> tuple[type[BaseException], ...]:
    import safetensors

    return (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        TypeError,
        AttributeError,
        ImportError,
        safetensors.SafetensorError,
    )


def _described(
    reference: ModelReference,
    config: Any,
    generation_config: Any,
    tokenizer: Any,
    *,
    model: Any = None,
    device: str = "",
) -> LoadedModel:
    own = config.get_text_config()
    return LoadedModel(
        model=model,
        tokenizer=tokenizer,
        reference=reference,
        context_length=_context_length(own, tokenizer),
        eos_token_ids=_eos_token_ids(generation_config, config, tokenizer),
        is_encoder_decoder=bool(config.is_encoder_decoder),
        has_chat_template=bool(getattr(tokenizer, "chat_template", None)),
        vocab_size=int(own.vocab_size),
        device=device,
        forced_bos_token_id=_forced(generation_config, config, "forced_bos_token_id"),
        forced_eos_token_id=_forced(generation_config, config, "forced_eos_token_id"),
        bad_words_ids=tuple(
            tuple(map(int, word))
            for word in getattr(generation_config, "bad_words_ids", None) or ()
        ),
    )


def _bad_words(generation_config: Any) -> tuple[tuple[int, ...], ...]:
    named = getattr(generation_config, "bad_words_ids", None) or ()
    return tuple(tuple(int(token) for token in word) for word in named)


def _forced(generation_config: Any, config: Any, name: str) -> int | None:
    """A token id of generation_config.json, or of config.json where there is no such file."""
    owner = config if generation_config is None else generation_config
    named = getattr(owner, name, None)
    # transformers takes a list too, and forces its first id.
    named = next(iter(named), None) if isinstance(named, list | tuple) else named
    return None if named is None else int(named)


def _context_length(config: Any, tokenizer: Any) -> int:
    """Limit of the architecture, else of the tokenizer (T5 has relative positions)."""
    for name in ("max_position_embeddings", "n_positions", "max_sequence_length"):
        length = getattr(config, name, None)
        if length:
            return int(length)
    limit = int(getattr(tokenizer, "model_max_length", 0) or 0)
    return limit if 0 < limit < _NO_LIMIT else 512


def _eos_token_ids(*owners: Any) -> frozenset[int]:
    """The ids of the first owner that has any."""
    for owner in owners:
        named = getattr(owner, "eos_token_id", None)
        if named is not None:
            return frozenset([named] if isinstance(named, int) else named)
    return frozenset()


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
