"""KTO against TRL's own trainer, and against the formula of the paper."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import trl
from tests.train.preferences import (
    FLOAT,
    in_order,
    losses,
    pairs,
    preference_job,
    single_votes,
)
from tests.train.small import arguments

from ethogram.errors import SpecError
from ethogram.train import kto

pytestmark = pytest.mark.long


def job_of(folder: Path, rows: Any = None, **recipe: Any) -> Any:
    stated = {"kind": "kto", "training": FLOAT, **recipe}
    return preference_job(folder, stated, rows=single_votes() if rows is None else rows)


def our_trainer(job: Any, **changes: Any) -> Any:
    return kto.trainer(job, kto.prepare(job), arguments(job, max_steps=3, **changes))


@pytest.mark.parametrize("weights", [{}, {"desirable_weight": 1.5, "undesirable_weight": 0.5}])
def test_three_steps_equal_those_of_trl(weights: dict[str, float], tmp_path: Path) -> None:
    job = job_of(tmp_path, **weights)
    prepared = kto.prepare(job)
    trainer = in_order(trl.KTOTrainer)(
        model=prepared.model,
        ref_model=copy.deepcopy(prepared.model),
        args=trl.KTOConfig(
            **arguments(job, max_steps=3, train_sampling_strategy="sequential"),
            bf16=False,
            activation_checkpointing=False,
            max_length=None,
            adam_beta2=0.95,
            beta=job.recipe.beta,
            **weights,
        ),
        train_dataset=prepared.train,
        processing_class=prepared.tokenizer,
    )
    expected = losses(trainer)
    assert len(expected) == 3
    assert losses(our_trainer(job)) == pytest.approx(expected, abs=1e-5)


def test_the_loss_is_that_of_the_paper(tmp_path: Path) -> None:
    """Equation 7 of arXiv:2402.01306, with the KL estimated on replies of other prompts."""
    job = job_of(tmp_path, beta=0.5)
    prepared = kto.prepare(job)
    reference = copy.deepcopy(prepared.model).eval()
    trainer = our_trainer(job)
    with torch.no_grad():
        for weight in trainer.model.parameters():
            weight += 0.02 * torch.randn_like(weight)
    trainer.model.eval()
    rows = [trainer.train_dataset[at] for at in range(4)]

    def ratio(row: Any, name: str) -> float:
        ids, start = row["prompt_ids"] + row[name], len(row["prompt_ids"])
        found = []
        for model in (trainer.model, reference):
            with torch.no_grad():
                logits = model(torch.tensor([ids]), use_cache=False).logits[0].double()
            logps = torch.log_softmax(logits, -1)
            found.append(sum(float(logps[at - 1, ids[at]]) for at in range(start, len(ids))))
        return found[0] - found[1]

    kl = max(0.0, sum(ratio(row, "KL_completion_ids") for row in rows) / 4)
    value = [
        (1 if row["label"] else -1) * 0.5 * (ratio(row, "completion_ids") - kl) for row in rows
    ]
    expected = sum(1 - 1 / (1 + 2.718281828459045**-each) for each in value) / 4
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(rows)).detach()
    assert float(loss) == pytest.approx(expected, abs=1e-5)


def test_a_reply_of_another_prompt_stays_in_its_micro_batch(tmp_path: Path) -> None:
    train = kto.prepare(job_of(tmp_path)).train
    for start in range(0, len(train), 4):
        rows = [train[at] for at in range(start, min(start + 4, len(train)))]
        others = sorted(map(tuple, (row["KL_completion_ids"] for row in rows)))
        assert others == sorted(map(tuple, (row["completion_ids"] for row in rows)))
        assert len(rows) == 1 or rows[0]["KL_completion_ids"] == rows[-1]["completion_ids"]


def test_a_pair_counts_as_two_votes(tmp_path: Path) -> None:
    prepared = kto.prepare(job_of(tmp_path, pairs(8)))
    labels = prepared.train["label"]
    assert sum(labels) * 2 == len(labels)


def test_votes_of_one_kind_are_refused(tmp_path: Path) -> None:
    liked = [row for row in single_votes() if row["label"]]
    with pytest.raises(SpecError, match="every vote is a like"):
        kto.prepare(job_of(tmp_path, liked))


def test_one_vote_at_a_time_is_refused(tmp_path: Path) -> None:
    job = job_of(tmp_path, training={**FLOAT, "micro_batch_size": 1})
    with pytest.raises(SpecError, match="at least 2 votes"):
        kto.prepare(job)
