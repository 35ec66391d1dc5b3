"""SFT against TRL's own trainer, and packing against sequences alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
import trl
from tests.train.small import arguments, make_job, make_study, talks

from ethogram.train import sft
from ethogram.train.collate import Packer, Padder, best_fit, pack

pytestmark = pytest.mark.long
CAUSAL = ("gpt2", "gpt_neox", "llama", "qwen2")


def losses(trainer: Any) -> list[float]:
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def job_of(folder: Path, **recipe: Any) -> Any:
    kind = recipe.pop("model", "gpt2")
    return make_job(make_study(folder, recipe, talks(), kind=kind))


class Fixed(trl.SFTTrainer):
    """TRL's trainer, in the order of the rows."""

    def _get_train_sampler(self, *_: Any) -> Any:
        return torch.utils.data.SequentialSampler(self.train_dataset)


def trl_losses(job: Any, **changes: Any) -> list[float]:
    """Three steps of TRL's SFTTrainer on its own collator, over the same rows."""
    prepared = sft.prepare(job)
    config = trl.SFTConfig(
        **arguments(job, max_steps=3, **changes),
        bf16=False,
        activation_checkpointing=False,
        max_length=None,
        adam_beta2=0.95,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    prepared.tokenizer.pad_token = "<pad>"
    trainer = Fixed(
        model=prepared.model,
        args=config,
        train_dataset=prepared.train,
        processing_class=prepared.tokenizer,
    )
    return losses(trainer)


def our_losses(job: Any, **changes: Any) -> list[float]:
    prepared = sft.prepare(job)
    options = arguments(job, max_steps=3, train_sampling_strategy="sequential", **changes)
    return losses(sft.trainer(job, prepared, options))


TRAINING = {
    "learning_rate": 1e-3,
    "schedule": "constant",
    "warmup_steps": 0,
    "precision": "float32",
    "batch_size": 4,
}


@pytest.mark.parametrize("kind", CAUSAL)
@pytest.mark.parametrize("packing", [True, False])
def test_three_steps_equal_those_of_trl(kind: str, packing: bool, tmp_path: Path) -> None:
    job = job_of(tmp_path, model=kind, packing=packing, training=TRAINING)
    expected = trl_losses(job)
    assert len(expected) == 3
    assert expected[2] < expected[0]
    assert our_losses(job) == pytest.approx(expected, abs=1e-5)


def test_accumulated_micro_batches_equal_one_batch(tmp_path: Path) -> None:
    job = job_of(tmp_path, training=TRAINING)
    whole = our_losses(job, per_device_train_batch_size=8)
    parts = our_losses(job, per_device_train_batch_size=2, gradient_accumulation_steps=4)
    assert parts == pytest.approx(whole, abs=1e-5)


def test_an_encoder_decoder_model_learns_the_mean_over_tokens(tmp_path: Path) -> None:
    job = job_of(tmp_path, model="t5", training=TRAINING)
    whole = our_losses(job, per_device_train_batch_size=8)
    parts = our_losses(job, per_device_train_batch_size=2, gradient_accumulation_steps=4)
    assert parts == pytest.approx(whole, abs=1e-5)
    prepared = sft.prepare(job)
    batch = Padder(0)([prepared.train[at] for at in range(8)])
    with torch.no_grad():
        logits = prepared.model(**batch).logits
    wanted = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch["labels"].flatten())
    assert whole[0] == pytest.approx(float(wanted), abs=1e-5)


@pytest.mark.parametrize("kind", CAUSAL)
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_packed_sequence_is_read_as_if_alone(kind: str, attention: str, tmp_path: Path) -> None:
    prepared = sft.prepare(job_of(tmp_path, model=kind))
    model = prepared.model.eval()
    model.set_attn_implementation(attention)
    whole = [prepared.train[at] for at in range(8)]
    rows = [
        {name: row[name][: len(row[name]) // (1 + at % 3)] for name in ("input_ids", "labels")}
        for at, row in enumerate(whole)
    ]
    batch = Packer(0, 256)(rows)
    assert len(batch["input_ids"]) < len(rows)
    with torch.no_grad():
        packed = model(**{k: v for k, v in batch.items() if k != "labels"}, use_cache=False).logits
        for row in rows:
            alone = model(input_ids=torch.tensor([row["input_ids"]]), use_cache=False).logits[0]
            at, start = _find(batch["input_ids"], row["input_ids"])
            assert torch.allclose(packed[at, start : start + len(alone)], alone, atol=1e-5)


def _find(ids: Any, row: list[int]) -> tuple[int, int]:
    for at, packed in enumerate(ids.tolist()):
        for start in range(len(packed) - len(row) + 1):
            if packed[start : start + len(row)] == row:
                return at, start
    raise AssertionError("the row is in no pack")


@pytest.mark.parametrize(
    ("lengths", "capacity", "expected"),
    [
        ([5, 4, 3, 2, 1], 6, [[0, 4], [1, 3], [2]]),
        ([6, 6], 6, [[0], [1]]),
        ([1, 2, 3], 6, [[2, 1, 0]]),
    ],
)
def test_best_fit_decreasing(lengths: list[int], capacity: int, expected: list[list[int]]) -> None:
    assert best_fit(lengths, capacity) == expected


def test_packs_are_as_narrow_as_they_can_be() -> None:
    assert pack([10, 5, 5], 256) == ([[0], [1, 2]], 10)
    assert pack([256, 1], 256) == ([[0], [1]], 256)


def test_a_packed_batch_literally() -> None:
    rows = [
        {"input_ids": [7, 8, 9], "labels": [-100, 8, 9]},
        {"input_ids": [5, 6], "labels": [5, 6]},
        {"input_ids": [4], "labels": [-100]},
    ]
    batch = {name: value.tolist() for name, value in Packer(0, 8)(rows).items()}
    assert batch == {
        "input_ids": [[7, 8, 9], [5, 6, 4]],
        "position_ids": [[0, 1, 2], [0, 1, 0]],
        "labels": [[-100, 8, 9], [-100, 6, -100]],
    }


def test_dropout_is_that_of_the_recipe(tmp_path: Path) -> None:
    prepared = sft.prepare(job_of(tmp_path))
    shares = {m.p for m in prepared.model.modules() if isinstance(m, torch.nn.Dropout)}
    assert shares == {0.0}


def test_the_model_gets_its_end_and_padding(tmp_path: Path) -> None:
    prepared = sft.prepare(job_of(tmp_path))
    own = prepared.model.generation_config
    assert isinstance(own, transformers.GenerationConfig)
    assert own.eos_token_id == prepared.tokenizer.eos_token_id
    assert own.pad_token_id == prepared.tokenizer.get_vocab()["<pad>"]


@pytest.mark.slow
@pytest.mark.model
def test_the_built_in_model_keeps_packed_conversations_apart(tmp_path: Path) -> None:
    from ethogram.train import preflight

    path = make_study(tmp_path, {"lora": {"rank": 4}, "version": "v2.0.0"}, talks())
    version = tmp_path / "versions/v0.0.1.yaml"
    version.write_text(version.read_text().replace("models/base", "smollm2-135m-instruct"))
    job = make_job(path)
    prepared = sft.prepare(job)
    assert prepared.findings == []
    rows = [prepared.train[at] for at in range(4)]
    prepared.model.config.use_cache = True
    finding = preflight.packing_leak(prepared.model, Packer(0, 256), rows)
    assert finding is not None
    assert finding.code == "packing_leak"


@pytest.mark.parametrize("kind", ["gpt2", "qwen2"])
def test_tokens_that_were_never_learned_are_trained_under_lora(kind: str, tmp_path: Path) -> None:
    """With tied and untied heads: the rows of the embedding change, and no others."""
    job = job_of(tmp_path, model=kind, lora={"rank": 2}, training=TRAINING)
    prepared = sft.prepare(job)
    before = prepared.model.get_input_embeddings().weight.detach().clone()
    trainer = sft.trainer(job, prepared, arguments(job, max_steps=2))
    trainer.train()
    merged = trainer.model.merge_and_unload()
    changed = (merged.get_input_embeddings().weight != before).any(-1).nonzero().flatten().tolist()
    names = prepared.tokenizer.convert_ids_to_tokens(changed)
    assert set(names) == {"<|user|>", "<|assistant|>", "<eos>"}


@pytest.mark.parametrize(("made_by", "expected"), [("pretrain", 3), ("sft", 0)])
def test_a_parent_pretrained_here_has_never_learned_its_chat_tokens(
    made_by: str, expected: int, tmp_path: Path
) -> None:
    from ethogram.train.chats import FAMILIES, make_chat
    from ethogram.train.tuning import unlearned_tokens

    job = job_of(tmp_path)
    (tmp_path / "models/base/training.json").write_text(f'{{"kind": "{made_by}"}}')
    words = sft.prepare(job).tokenizer
    words.chat_template = FAMILIES[0].template
    assert len(unlearned_tokens(job, make_chat(words))) == expected


@pytest.mark.parametrize(
    ("kind", "targets", "expected"),
    [
        ("gpt2", "all-linear", {"c_attn", "c_proj", "c_fc"}),
        ("gpt2", "attention", {"attn.c_attn", "attn.c_proj"}),
        ("gpt_neox", "attention", {"attention.query_key_value", "attention.dense"}),
        ("llama", "attention", {f"self_attn.{name}_proj" for name in "qkvo"}),
        (
            "t5",
            "attention",
            {f"{a}.{b}" for a in ("SelfAttention", "EncDecAttention") for b in "qkvo"},
        ),
        ("llama", ["q_proj"], {"q_proj"}),
    ],
)
def test_layers_that_an_adapter_targets(
    kind: str, targets: Any, expected: set[str], tmp_path: Path
) -> None:
    from ethogram.spec.recipes import Lora
    from ethogram.train.tuning import adapter

    model = sft.prepare(job_of(tmp_path, model=kind)).model
    assert set(adapter(model, Lora(targets=targets)).target_modules) == expected


def test_a_target_that_no_layer_has_is_refused(tmp_path: Path) -> None:
    from ethogram.errors import SpecError
    from ethogram.spec.recipes import Lora
    from ethogram.train.tuning import adapter

    model = sft.prepare(job_of(tmp_path)).model
    with pytest.raises(SpecError, match="no linear layer is named 'q_proj'; the model has c_attn"):
        adapter(model, Lora(targets=("q_proj",)))
