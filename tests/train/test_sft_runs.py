"""`train` with an SFT recipe, on tiny checkpoints of several architectures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.train.small import make_study, talks

from ethogram.errors import SpecError
from ethogram.study import Study, run
from ethogram.train.run import train

pytestmark = pytest.mark.long
KINDS = ("gpt2", "gpt_neox", "llama", "qwen2", "t5")
RECIPE: dict[str, Any] = {
    "version": "v2.0.0",
    "evaluate": {"prompts": 2, "max_new_tokens": 6},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lora", [False, True])
def test_a_tuned_model_generates_in_the_study(kind: str, lora: bool, tmp_path: Path) -> None:
    recipe = {**RECIPE, **({"lora": {"rank": 2}} if lora else {})}
    path = make_study(tmp_path, recipe, talks(), kind=kind)
    study = Study(tmp_path)
    (planned,) = train(study, path, dry_run=True)
    assert planned.plan is not None
    counts = planned.plan.counts
    # An encoder-decoder model has a row for each reply, and every third conversation has two.
    every = 16 if kind == "t5" else 12
    assert (counts.rows + counts.held_out_rows, planned.plan.steps) == (every, 2)
    assert min(counts.rows, counts.held_out_rows) > 0
    assert not (tmp_path / "models/tuned").exists()
    (trained,) = train(study, path)
    assert trained.finished is not None
    assert {"config.json", "model.safetensors", "tokenizer.json", "training.json"} <= {
        file.name for file in (tmp_path / "models/tuned").iterdir()
    }
    study.close()
    study = Study(tmp_path)
    run(study, versions=["v2.0.0"])
    outputs = study.store.get([each.identity for each in study.requests("v2.0.0")])
    assert len(outputs) == 2
    study.close()


def test_what_is_written_ends_where_training_ended(tmp_path: Path) -> None:
    path = make_study(tmp_path, RECIPE, talks())
    train(Study(tmp_path), path)
    own = json.loads((tmp_path / "models/tuned/generation_config.json").read_text())
    from ethogram.models import load

    loaded = load(str(tmp_path / "models/tuned"))
    assert own["eos_token_id"] == loaded.tokenizer.eos_token_id
    assert own["pad_token_id"] == loaded.tokenizer.pad_token_id
    assert loaded.has_chat_template


def test_the_model_that_is_watched_is_the_one_in_training(tmp_path: Path) -> None:
    """A copy whose patched forward pass called the original would show other weights."""
    import torch
    from tests.train.small import arguments, make_job

    from ethogram.train import sft
    from ethogram.train.merged import plain_copy

    job = make_job(make_study(tmp_path, {}, talks()))
    trainer = sft.trainer(job, sft.prepare(job), arguments(job))
    copied = plain_copy(trainer)
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        before = copied(ids).logits.clone()
        for weight in trainer.model.parameters():
            weight.zero_()
        assert torch.equal(copied(ids).logits, before)


def test_a_refused_training_writes_nothing(tmp_path: Path) -> None:
    path = make_study(tmp_path, {**RECIPE, "changes": {}}, talks())
    with pytest.raises(SpecError, match=r"would generate without the chat template"):
        train(Study(tmp_path), path)
    assert not (tmp_path / "models/tuned").exists()
