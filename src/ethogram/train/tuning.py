"""What all kinds that start from a parent share: adapters, end tokens, dropout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import SpecError
from ethogram.extras import require

if TYPE_CHECKING:
    from ethogram.spec.recipes import Lora
    from ethogram.train.chats import Chat
    from ethogram.train.job import Job

#: Parts of a module's path that mark attention layers.
_ATTENTION = ("attn", "attention", "selfattention", "encdecattention")


def adapter(
    model: Any, lora: Lora, unlearned: Sequence[int] = (), *, task: str | None = None
) -> Any:
    """The PEFT configuration of a recipe's `lora`.

    Args:
        model: that it is for.
        lora: of the recipe.
        unlearned: ids whose embeddings are trained too (`unlearned_tokens`).
        task: of PEFT; default: by the model.

    Raises:
        SpecError: a name in `targets` matches no linear layer.
    """
    peft = require("peft", extra="train", needed_for="a LoRA adapter")
    linear = _linear_layers(model)
    default = "SEQ_2_SEQ_LM" if model.config.is_encoder_decoder else "CAUSAL_LM"
    return peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=_targets(lora, list(linear)),
        fan_in_fan_out=any(name == "Conv1D" for name in linear.values()),
        trainable_token_indices={_embedding_name(model): list(unlearned)} if unlearned else None,
        task_type=task or default,
    )


def _linear_layers(model: Any) -> dict[str, str]:
    """Class names of linear layers by path, without the head."""
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    return {
        path: type(module).__name__
        for path, module in model.named_modules()
        if type(module).__name__ in ("Linear", "Conv1D") and module is not head
    }


def _targets(lora: Lora, paths: list[str]) -> str | list[str]:
    if lora.targets == "all-linear":
        return sorted({path.rsplit(".", 1)[-1] for path in paths})
    if lora.targets == "attention":
        inside = [
            path
            for path in paths
            if any(part.lower() in _ATTENTION or part == "self_attn" for part in path.split("."))
        ]
        return sorted({".".join(path.split(".")[-2:]) for path in inside})
    for name in lora.targets:
        if not any(path == name or path.endswith(f".{name}") for path in paths):
            known = sorted({path.rsplit(".", 1)[-1] for path in paths})
            raise SpecError(
                f"no linear layer is named {name!r}",
                where="lora.targets",
                hint=f"the model has {', '.join(known)}",
            )
    return list(lora.targets)


def _embedding_name(model: Any) -> str:
    table = model.get_input_embeddings()
    path = next(path for path, module in model.named_modules() if module is table)
    return str(path.rsplit(".", 1)[-1])


def unlearned_tokens(job: Job, chat: Chat) -> list[int]:
    """Ids of the template's special tokens, where the parent has never learned them.

    That is so where the tokenizer was given a template, and where the parent was pretrained here on
    documents, with tokens reserved for chats. An adapter on linear layers would leave them random.
    """
    from ethogram.train.output import read_record

    folder = Path(job.parent.model) if job.parent is not None else None
    record = read_record(folder) if folder is not None else None
    pretrained = record is not None and record.get("kind") == "pretrain"
    if chat.seq2seq or not (chat.family or pretrained):
        return []
    template = chat.tokenizer.chat_template
    added = chat.tokenizer.added_tokens_decoder
    used = {at for at, token in added.items() if token.content in template}
    return sorted(used if chat.end_id is None else {*used, chat.end_id})


def set_ends(model: Any, chat: Chat) -> None:
    """Let generation stop at the token that ends a reply, and pad with one that ends none."""
    own = model.generation_config
    named = own.eos_token_id
    ends = [] if named is None else [named] if isinstance(named, int) else list(named)
    if not ends and model.config.eos_token_id is not None:
        ends = [model.config.eos_token_id]
    if chat.end_id is not None:
        ends = [chat.end_id, *(token for token in ends if token != chat.end_id)]
    own.eos_token_id = ends[0] if len(ends) == 1 else ends or None
    if chat.pad_id is not None:
        own.pad_token_id = chat.pad_id
        model.config.get_text_config().pad_token_id = chat.pad_id
    elif own.pad_token_id in ends:
        own.pad_token_id = None


def set_dropout(model: Any, share: float) -> None:
    """Set all dropout of a model, in its modules and in its configuration."""
    import torch

    config = model.config.get_text_config()
    for name in list(vars(config)):
        is_share = name.endswith(("dropout", "_pdrop", "dropout_rate"))
        if is_share and isinstance(getattr(config, name), float):
            setattr(config, name, share)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share
        elif isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = share
        elif isinstance(getattr(module, "dropout", None), float):
            module.dropout = share


def prompt_arguments(job: Job) -> dict[str, Any]:
    """Arguments of the chat template that the child version will use."""
    changed = job.recipe.changes.get("prompt", {})
    own = changed.get("template_args") if isinstance(changed, dict) else None
    if own is not None or job.recipe.parent is None:
        return dict(own or {})
    return dict(job.study.spec.version(job.recipe.parent).prompt.template_args)
