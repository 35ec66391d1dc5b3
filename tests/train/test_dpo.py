"""DPO against TRL's own trainer, and against the formula of the paper."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import trl
from tests.train.preferences import FLOAT, in_order, losses, preference_job
from tests.train.small import arguments

from ethogram.train import dpo, logprobs
from ethogram.train.preference_loss import dpo_losses

pytestmark = pytest.mark.long


def trl_losses(job: Any, **changes: Any) -> list[float]:
    """Three steps of TRL's DPOTrainer over the same rows, with a copy of the parent beside it."""
    prepared = dpo.prepare(job)
    recipe = job.recipe
    reference = copy.deepcopy(prepared.model)
    weighted = {"loss_type": [recipe.loss, "sft"], "loss_weights": [1.0, recipe.sft_weight]}
    trainer = in_order(trl.DPOTrainer)(
        model=prepared.model,
        ref_model=reference,
        args=trl.DPOConfig(
            **arguments(job, max_steps=3, **changes),
            bf16=False,
            activation_checkpointing=False,
            max_length=None,
            adam_beta2=0.95,
            beta=recipe.beta,
            label_smoothing=recipe.label_smoothing,
            **(weighted if recipe.sft_weight else {"loss_type": [recipe.loss]}),
        ),
        train_dataset=prepared.train,
        processing_class=prepared.tokenizer,
    )
    return losses(trainer)


def our_trainer(job: Any, **changes: Any) -> Any:
    options = arguments(job, max_steps=3, train_sampling_strategy="sequential", **changes)
    return dpo.trainer(job, dpo.prepare(job), options)


LOSSES = [
    {},
    {"sft_weight": 0.5},
    {"loss": "ipo"},
    {"loss": "hinge"},
    {"loss": "robust", "label_smoothing": 0.1},
]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("loss", LOSSES, ids=str)
def test_three_steps_equal_those_of_trl(kind: str, loss: dict[str, Any], tmp_path: Path) -> None:
    job = preference_job(tmp_path, {"training": FLOAT, **loss}, kind=kind)
    expected = trl_losses(job)
    assert len(expected) == 3
    assert expected[2] < expected[0]
    assert losses(our_trainer(job)) == pytest.approx(expected, rel=1e-6, abs=1e-5)


def test_a_kept_copy_and_values_computed_ahead_are_one_reference(tmp_path: Path) -> None:
    job = preference_job(tmp_path, {"training": {**FLOAT, "steps": 2}})  # Fewer than a pass.
    kept = our_trainer(job)
    assert kept.ref_model is not None
    job = preference_job(tmp_path, {"training": {**FLOAT, "epochs": 2}})
    ahead = our_trainer(job)
    assert ahead.ref_model is None
    assert "ref_chosen_logps" in ahead.train_dataset.column_names
    assert losses(kept) == pytest.approx(losses(ahead), abs=1e-6)


@pytest.mark.parametrize("steps", [2, 20])
def test_with_lora_the_reference_is_the_model_without_its_adapter(
    steps: int, tmp_path: Path
) -> None:
    training = {**FLOAT, "steps": steps}
    job = preference_job(tmp_path, {"training": training, "lora": {"rank": 4}})
    trainer = our_trainer(job, learning_rate=1e-2)
    assert trainer.ref_model is None
    first = losses(trainer)
    assert first[0] == pytest.approx(0.6931472, abs=1e-5)  # Equal models: the loss is log 2.
    assert first[2] < first[0]


def test_the_loss_is_that_of_the_paper(tmp_path: Path) -> None:
    job = preference_job(tmp_path, {"training": FLOAT, "beta": 0.3})
    prepared = dpo.prepare(job)
    reference = copy.deepcopy(prepared.model).eval()
    changed = prepared.model
    with torch.no_grad():
        for weight in changed.parameters():
            weight += 0.05 * torch.randn_like(weight)
    policy = copy.deepcopy(changed).eval()
    trainer = dpo.trainer(job, prepared, arguments(job))
    rows = [prepared.train[at] for at in range(4)]
    total = 0.0
    for row in rows:
        ratios = []
        for side in ("chosen_ids", "rejected_ids"):
            ids = row["prompt_ids"] + row[side]
            both = [_logprob(model, ids, len(row["prompt_ids"])) for model in (policy, reference)]
            ratios.append(both[0] - both[1])
        total += -torch.nn.functional.logsigmoid(0.3 * (ratios[0] - ratios[1])).item()
    trainer.ref_model = reference
    logprobs.patch(reference)
    batch = trainer.data_collator(rows)
    trainer.model.eval()
    loss = trainer.compute_loss(trainer.model, batch).detach()
    assert float(loss) == pytest.approx(total / 4, abs=1e-5)


def _logprob(model: Any, ids: list[int], start: int) -> Any:
    """log p(reply | prompt), token by token."""
    with torch.no_grad():
        logits = model(torch.tensor([ids]), use_cache=False).logits[0].double()
    return sum(torch.log_softmax(logits[at - 1], -1)[ids[at]] for at in range(start, len(ids)))


def test_each_loss_by_hand() -> None:
    chosen, rejected = torch.tensor([1.0]), torch.tensor([-2.0])
    lengths: dict[str, Any] = {
        "chosen_tokens": torch.tensor([4.0]),
        "rejected_tokens": torch.tensor([2.0]),
    }
    expected = {"sigmoid": 0.554355, "hinge": 0.7, "ipo": (0.25 + 1.0 - 5.0) ** 2}
    for name, value in expected.items():
        found = dpo_losses(chosen, rejected, loss=name, beta=0.1, **lengths)
        assert float(found) == pytest.approx(value, abs=1e-5)
    with pytest.raises(ValueError, match="unknown loss"):
        dpo_losses(chosen, rejected, loss="other")


def test_accumulated_micro_batches_equal_one_batch(tmp_path: Path) -> None:
    job = preference_job(tmp_path, {"training": FLOAT})
    whole = losses(our_trainer(job, per_device_train_batch_size=4))
    parts = our_trainer(job, per_device_train_batch_size=2, gradient_accumulation_steps=2)
    assert losses(parts) == pytest.approx(whole, abs=1e-5)
