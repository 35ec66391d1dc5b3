"""Pretrain: a model from scratch, or further from a parent, on documents packed into blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from transformers import Trainer, TrainingArguments, default_data_collator

from ethogram.corpus import Row, fingerprint, overlap
from ethogram.errors import SpecError
from ethogram.models import load, load_tokenizer
from ethogram.models.reference import ModelReference
from ethogram.models.weights import SAFE
from ethogram.spec.recipes import PretrainRecipe
from ethogram.train.blocks import IGNORED, Blocks, pack, token_bytes
from ethogram.train.documents import Documents, data_paths, read_documents, rules_used
from ethogram.train.fast import Fast, FastTraining, next_token_loss
from ethogram.train.job import Counts, Finding, Job, Prepared
from ethogram.train.suites import watched_suite
from ethogram.train.tokenizer import train_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Fewest words of a prompt that no document may hold.
_LONG_PROMPT = 8
#: Tokens shown of an example.
_SHOWN = 48


def prepare(job: Job) -> Prepared:
    """Read the documents, train or load the tokenizer, pack blocks, and make the model.

    Raises:
        DataError: a data file is missing, or a row of it is bad.
        ModelError: the parent's model, or the tokenizer's source, cannot be loaded.
    """
    recipe = _recipe(job)
    split = read_documents(job.study, recipe.data)
    parent = load(job.parent, device="cpu") if job.parent is not None else None
    tokenizer = _tokenizer(job, split.train) if parent is None else parent.tokenizer
    context = recipe.architecture.context if parent is None else parent.context_length
    sizes = token_bytes(tokenizer)
    pad = _pad_id(tokenizer)

    def packed(rows: Sequence[Row]) -> Blocks:
        encoded = tokenizer([row.words for row in rows], add_special_tokens=False)["input_ids"]
        ended = ([*ids, tokenizer.eos_token_id] for ids in encoded)
        return pack(ended, context, pad=pad, sizes=sizes)

    train = packed(split.train)
    held_out = {name: packed(rows) for name, rows in split.held_out.items()}
    model = _new_model(recipe, tokenizer, job.seed) if parent is None else parent.model
    return Prepared(
        model=model,
        tokenizer=tokenizer,
        train=train,
        held_out=held_out or None,
        counts=Counts(
            rows=len(split.train),
            held_out_rows=sum(map(len, split.held_out.values())),
            tokens=train.used,
            learned_tokens=train.learned,
            sequences=len(train),
            sequence_tokens=context,
            held_out_bytes=sum(blocks.learned_bytes for blocks in held_out.values()),
        ),
        fingerprint=fingerprint(data_paths(job.study, recipe.data)),
        examples=[_example(train, index, tokenizer) for index in range(min(2, len(train)))],
        findings=[*_findings(train, tokenizer), *rules_used(split.used), *_overlap(job, split)],
    )


def trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> Any:
    """The Trainer of packed blocks."""
    recipe = _recipe(job)
    return PretrainTrainer(
        fast=Fast.of(recipe, context=prepared.counts.sequence_tokens),
        model=prepared.model,
        args=TrainingArguments(**arguments),
        train_dataset=prepared.train,
        eval_dataset=prepared.held_out,
        data_collator=default_data_collator,
        processing_class=prepared.tokenizer,
    )


class PretrainTrainer(FastTraining, Trainer):  # type: ignore[misc]
    """The Trainer on blocks; held-out loss is summed token by token, for each file."""

    def __init__(self, **options: Any) -> None:
        super().__init__(compute_loss_func=next_token_loss, **options)

    @torch.inference_mode()
    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Held-out loss, in nats per token and bits per byte, of each file and of all."""
        model = self.model
        found: dict[str, float] = {}
        model.eval()
        nats = tokens = size = 0.0
        for name, blocks in (self.eval_dataset or {}).items():
            own_nats, own_tokens = self._nats(model, blocks)
            found |= _losses(f"eval_{name}/", own_nats, own_tokens, blocks.learned_bytes)
            nats, tokens, size = nats + own_nats, tokens + own_tokens, size + blocks.learned_bytes
        found |= _losses("eval_", nats, tokens, size)
        model.train()
        return found

    def _nats(self, model: Any, blocks: Blocks) -> tuple[float, float]:
        """The summed loss of the labelled tokens of some blocks, and their number."""
        nats = tokens = 0.0
        size = max(1, self.args.per_device_eval_batch_size)
        # Every process takes its share of the batches.
        starts = range(self.args.process_index * size, len(blocks), size * self.args.world_size)
        for start in starts:
            batch = default_data_collator(
                [blocks[i] for i in range(start, min(start + size, len(blocks)))]
            )
            batch = {name: each.to(model.device) for name, each in batch.items()}
            labels = batch.pop("labels")[:, 1:]  # [rows, context - 1]
            logits = model(**batch).logits[:, :-1].float()
            each = torch.nn.functional.cross_entropy(
                logits.reshape(-1, logits.shape[-1]),
                labels.reshape(-1),
                ignore_index=IGNORED,
                reduction="sum",
            )
            nats += float(each)
            tokens += float((labels != IGNORED).sum())
        if self.args.world_size > 1:
            both = torch.tensor([[nats, tokens]], dtype=torch.float64, device=self.args.device)
            nats, tokens = self.accelerator.gather(both).sum(0).tolist()
        return nats, tokens


def _losses(prefix: str, nats: float, tokens: float, size: float) -> dict[str, float]:
    found: dict[str, float] = {}
    if tokens:
        found[f"{prefix}loss"] = nats / tokens
    if size:
        found[f"{prefix}bits_per_byte"] = nats / math.log(2) / size
    return found


def _recipe(job: Job) -> PretrainRecipe:
    if not isinstance(job.recipe, PretrainRecipe):
        raise TypeError(f"{job.recipe.kind} is not pretrain")
    return job.recipe


def _tokenizer(job: Job, rows: Sequence[Row]) -> Any:
    """The tokenizer of the recipe; one that is trained is kept, so that resuming has the same."""
    from transformers import PreTrainedTokenizerFast

    recipe = _recipe(job)
    if recipe.tokenizer.source is not None:
        name = recipe.tokenizer.source
        local = job.study.folder / name
        tokenizer = load_tokenizer(ModelReference.parse(str(local) if local.exists() else name))
        if tokenizer.eos_token_id is None:
            raise SpecError(
                "this tokenizer has no end token",
                where=f"{job.path}: tokenizer.source",
                hint="train one: leave tokenizer.source out",
            )
        return tokenizer
    kept = job.work / "tokenizer"
    if (kept / "tokenizer.json").is_file():
        return PreTrainedTokenizerFast.from_pretrained(kept, **SAFE)
    return train_tokenizer(
        (row.words for row in rows),
        vocab_size=recipe.tokenizer.vocab_size,
        context=recipe.architecture.context,
        chat_tokens=recipe.tokenizer.reserve_chat_tokens,
    )


def _pad_id(tokenizer: Any) -> int:
    """Padding's id; any will do where there is none, since padding is neither learned nor seen."""
    return int(tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id)


def _new_model(recipe: PretrainRecipe, tokenizer: Any, seed: int) -> Any:
    """A model of random weights, the same for the same seed."""
    from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

    wanted, vocab = recipe.architecture, len(tokenizer)
    ids = {
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    dropout = recipe.training.dropout
    if wanted.family == "gpt2":
        config = GPT2Config(
            vocab_size=vocab,
            n_positions=wanted.context,
            n_embd=wanted.width,
            n_layer=wanted.layers,
            n_head=wanted.heads,
            activation_function="gelu_pytorch_tanh",  # GPT-2's, as one kernel wherever it runs.
            resid_pdrop=dropout,
            embd_pdrop=dropout,
            attn_pdrop=dropout,
            **ids,
        )
    else:
        config = LlamaConfig(
            vocab_size=vocab,
            max_position_embeddings=wanted.context,
            hidden_size=wanted.width,
            intermediate_size=_feed_forward(wanted.width),
            num_hidden_layers=wanted.layers,
            num_attention_heads=wanted.heads,
            num_key_value_heads=wanted.heads,
            attention_dropout=dropout,
            tie_word_embeddings=True,
            **ids,
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False)


def _feed_forward(width: int) -> int:
    """Width of Llama's gated layer with as many weights as GPT-2's of four times the width."""
    return 32 * max(1, round(8 * width / 3 / 32))


def _overlap(job: Job, split: Documents) -> list[Finding]:
    """Documents that hold a long prompt of the suite that is watched.

    Short prompts are phrases that any text may have.
    """
    prompts = [
        prompt
        for prompt in (each.as_text() for each in watched_suite(job).prompts)
        if len(prompt.split()) >= _LONG_PROMPT
    ]
    found = overlap(split.train, prompts)
    if not found:
        return []
    first = found[0]
    return [
        Finding(
            "suite_in_data",
            f"{len(found)} documents hold prompts of the suite, such as {first.example!r}",
            "leave these documents out, or use other prompts",
            where=first.row.where,
        )
    ]


def _example(blocks: Blocks, index: int, tokenizer: Any) -> list[tuple[str, bool]]:
    row = blocks[index]
    shown = zip(row["input_ids"].tolist(), row["labels"].tolist(), strict=True)
    return [
        (tokenizer.decode([token]), label != IGNORED)
        for (token, label), _ in zip(shown, range(_SHOWN), strict=False)
    ]


def _findings(train: Blocks, tokenizer: Any) -> list[Finding]:
    found = []
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id == tokenizer.eos_token_id:
        found.append(
            Finding(
                "pad_is_end",
                "the tokenizer pads with its end token, so tuning may unlearn to end",
                "train a tokenizer, or give this one a padding token of its own",
                refuses=False,
            )
        )
    if train.learned == 0:
        found.append(Finding("nothing_learned", "no token of the data would be learned"))
    return found
