"""Load: a reference becomes a model and tokenizer ready to run. Generates nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import ModelError
from ethogram.extras import require
from ethogram.models.catalogue import locate, locate_adapter
from ethogram.models.checkpoint import check_safetensors, read_json, weight_files
from ethogram.models.quiet import quiet
from ethogram.models.reference import ModelReference

#: Tokenizers without a limit of their own say so by a huge number.
_NO_LIMIT = 10_000_000
#: Nothing is fetched, and no code that comes with a model is run.
_SAFE = {"local_files_only": True, "trust_remote_code": False}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to run.

    Attributes:
        model: transformers module in eval mode, weights in the reference's dtype; None where
            another program runs it (`describe`).
        tokenizer: its tokenizer.
        reference: what was asked for.
        context_length: most tokens of prompt and output together (of the prompt alone for
            encoder-decoder models).
        eos_token_ids: ids that end an output, those that `generate` stops at.
        is_encoder_decoder: whether an encoder reads the prompt.
        has_chat_template: whether messages can be turned into a prompt.
        vocab_size: number of logits.
        device: where it runs, as torch names it; empty where another program runs it.
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


def load(reference: ModelReference | str, *, device: str | None = None) -> LoadedModel:
    """Load a model from this machine; a built-in is fetched on first use.

    Args:
        reference: which model; a plain name means its float32 weights.
        device: as torch names it; default the first CUDA device if there is one, else the CPU.

    Raises:
        ModelError: the model is not here, damaged, or of an architecture transformers lacks.
        MissingExtraError: the optional part [engine] (or [lora]) is not installed.
    """
    if isinstance(reference, str):
        reference = ModelReference(reference)
    require("transformers", extra="engine", needed_for="running a model")
    torch = require("torch", extra="engine", needed_for="running a model")
    folder, adapter = locate(reference), locate_adapter(reference)
    place = device or ("cuda" if torch.cuda.is_available() else "cpu")
    with quiet(), explained(reference.model):
        model, tokenizer = _read(folder, getattr(torch, reference.dtype))
        if adapter is not None:
            model = _with_adapter(model, adapter)
    model = model.to(place).eval()
    own = getattr(model, "generation_config", None)
    return _described(reference, model.config, own, tokenizer, model=model, device=place)


def describe(reference: ModelReference | str) -> LoadedModel:
    """All that is known of a model without its weights, for a backend that runs it itself.

    Args:
        reference: which model; a plain name means its float32 weights.

    Raises:
        ModelError: the model is not here, damaged, or of an architecture transformers lacks.
        MissingExtraError: the optional part [engine] is not installed.
    """
    if isinstance(reference, str):
        reference = ModelReference(reference)
    transformers = require("transformers", extra="engine", needed_for="running a model")
    folder, own = locate(reference), None
    with quiet(), explained(reference.model):
        config = transformers.AutoConfig.from_pretrained(folder, **_SAFE)
        if (folder / "generation_config.json").is_file():
            own = transformers.GenerationConfig.from_pretrained(folder, local_files_only=True)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **_SAFE)
    return _described(reference, config, own, tokenizer)


def load_tokenizer(reference: ModelReference) -> Any:
    """Load a model's tokenizer alone, which takes a second where the model takes many.

    Raises:
        ModelError: the model is not here, or its tokenizer cannot be read.
        MissingExtraError: the optional part [engine] is not installed.
    """
    transformers = require("transformers", extra="engine", needed_for="reading tokens")
    folder = locate(reference)
    with quiet(), explained(reference.model, what="its tokenizer"):
        return transformers.AutoTokenizer.from_pretrained(folder, **_SAFE)


@contextmanager
def explained(name: str, *, what: str = "it") -> Iterator[None]:
    """Turns whatever transformers says while it reads a model into one line.

    Args:
        name: of the model.
        what: is read of it.

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


def _read(folder: Path, dtype: Any) -> tuple[Any, Any]:
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, **_SAFE)
    kind = "AutoModelForSeq2SeqLM" if config.is_encoder_decoder else "AutoModelForCausalLM"
    model = getattr(transformers, kind).from_pretrained(
        folder, config=config, dtype=dtype, use_safetensors=True, **_SAFE
    )
    return model, transformers.AutoTokenizer.from_pretrained(folder, **_SAFE)


def _with_adapter(model: Any, folder: Path) -> Any:
    """The model with a LoRA adapter merged into its weights, so that it runs at full speed."""
    peft = require("peft", extra="lora", needed_for="a LoRA adapter")
    read_json(folder / "adapter_config.json")
    for file in weight_files(folder, stem="adapter_model"):
        check_safetensors(file)
    return peft.PeftModel.from_pretrained(model, str(folder)).merge_and_unload()


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
    )


def _context_length(config: Any, tokenizer: Any) -> int:
    """What the architecture can hold, else what the tokenizer says (T5 has no limit of its own)."""
    for name in ("max_position_embeddings", "n_positions", "max_sequence_length"):
        length = getattr(config, name, None)
        if length:
            return int(length)
    limit = int(getattr(tokenizer, "model_max_length", 0) or 0)
    return limit if 0 < limit < _NO_LIMIT else 512


def _eos_token_ids(*owners: Any) -> frozenset[int]:
    """The ids that the first owner to name any names."""
    for owner in owners:
        named = getattr(owner, "eos_token_id", None)
        if named is not None:
            return frozenset([named] if isinstance(named, int) else named)
    return frozenset()


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
