"""GRPO: advantages by the formula, rewards of every kind, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.preferences import FLOAT, losses, pairs, preference_job, preference_study
from tests.train.small import arguments, talks

from ethogram.errors import DataError, SpecError
from ethogram.metrics import Output
from ethogram.spec.recipes import load_chain
from ethogram.study import Study
from ethogram.train import grpo, train
from ethogram.train.rewards import reward_functions

pytestmark = pytest.mark.long

TRAINING = {**FLOAT, "batch_size": 8, "steps": 2}


def job_of(folder: Path, *, rows: Any = None, kind: str = "gpt2", **recipe: Any) -> Any:
    stated = {
        "kind": "grpo",
        "generations": 4,
        "max_new_tokens": 8,
        "rewards": [{"metric": "tokens", "bound": "< 8"}],
        "training": TRAINING,
        **recipe,
    }
    return preference_job(folder, stated, rows=talks() if rows is None else rows, kind=kind)


def trainer_of(job: Any, **changes: Any) -> Any:
    options = arguments(job, per_device_train_batch_size=8, **changes)
    return grpo.trainer(job, grpo.prepare(job), options)


def test_advantages_are_those_of_the_paper(tmp_path: Path) -> None:
    """Each reward minus its group's mean, over the group's standard deviation."""
    trainer = trainer_of(job_of(tmp_path))
    values = iter([1.0, 2.0, 3.0, 6.0, 5.0, 5.0, 5.0, 5.0])
    trainer.reward_funcs[0] = lambda **_: [next(values) for _ in range(8)]
    rows = [trainer.train_dataset[at] for at in (0, 0, 0, 0, 1, 1, 1, 1)]
    trainer.model.train()
    found = trainer._generate_and_score_completions(rows)["advantages"]
    deviation = torch.tensor([1.0, 2.0, 3.0, 6.0]).std()
    expected = (torch.tensor([1.0, 2.0, 3.0, 6.0]) - 3) / (deviation + 1e-4)
    assert found[:4].tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert found[4:].tolist() == [0.0] * 4
    assert trainer._metrics["train"]["frac_reward_zero_std"] == [0.5]


@pytest.mark.parametrize("lora", [None, {"rank": 4}])
def test_the_reference_is_the_parent(lora: Any, tmp_path: Path) -> None:
    trainer = trainer_of(job_of(tmp_path, lora=lora))
    assert (trainer.ref_model is None) == (lora is not None)
    trainer.train()
    log = [entry for entry in trainer.state.log_history if "kl" in entry]
    assert log[0]["kl"] == pytest.approx(0.0, abs=1e-6)


def test_without_a_kl_term_no_reference_is_kept(tmp_path: Path) -> None:
    trainer = trainer_of(job_of(tmp_path, beta=0))
    assert trainer.ref_model is None
    assert len(losses(trainer)) == 2


def test_prompts_are_read_as_generation_reads_them(tmp_path: Path) -> None:
    trainer = trainer_of(job_of(tmp_path))
    prompt = trainer.train_dataset[0]["prompt"]
    ids, _, _ = trainer._tokenize_prompts([prompt])
    text = trainer.processing_class.decode(ids[0])
    assert text.startswith("<|user|>")
    assert text.endswith("<|assistant|>")


ROWS: dict[str, list[dict[str, Any]]] = {
    "messages": [
        {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]}
    ],
    "text": [{"text": "Why?"}],
    "pairs": [{"prompt": "Why?", "chosen": "So.", "rejected": "No."}],
}


@pytest.mark.parametrize("shape", ROWS)
def test_prompts_come_from_any_rows(shape: str, tmp_path: Path) -> None:
    job = job_of(tmp_path, rows=ROWS[shape] * 2, data={"train": "data/train.jsonl", "held_out": 0})
    train_rows = grpo.prepare(job).train
    assert [row["prompt"] for row in train_rows] == [[{"role": "user", "content": "Why?"}]]
    assert train_rows[0]["reference"] == (None if shape == "text" else "So.")


def test_a_metric_of_which_less_is_better_is_negative(tmp_path: Path) -> None:
    job = job_of(
        tmp_path,
        rewards=[
            {"metric": "loop_rate"},
            {"metric": "tokens", "bound": "< 3"},
            {"metric": "distinct_2"},
        ],
    )
    loops, short, distinct = reward_functions(job).values()
    text = "go on and " * 30
    outputs = [
        Output(text=text, token_ids=tuple(range(90))),
        Output(text="A plain answer.", token_ids=(1, 2)),
    ]
    found = loops(outputs, [[], []])
    assert found[0] == -1.0
    assert found[1] == 0.0
    assert short(outputs, [[], []]) == [0.0, 1.0]
    found = distinct(outputs, [[], []])
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] < found[1]


def test_a_judge_scores_from_0_to_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ethogram.backends import ChatClient, ChatReply

    asked: list[str] = []

    def ask(self: ChatClient, requests: Any) -> Any:
        for request in requests:
            asked.append(request.text)
            names = [line for line in request.text.splitlines() if line.startswith("- ")]
            scores = json.dumps({line[2:].split(":")[0]: 10 for line in names})
            text = scores if "good" in request.text else "I would rather not say."
            yield ChatReply(request.identity, text, "stop", "judge", 1, 1, 0.1)

    monkeypatch.setattr(ChatClient, "ask", ask)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:9/v1")
    (judge,) = reward_functions(job_of(tmp_path, rewards=[{"judge": "some-model"}])).values()
    outputs = [Output(text=text, prompt="Say.") for text in ("good", "bad", "good")]
    assert judge(outputs, [[]] * 3) == [1.0, None, 1.0]
    assert len(asked) == 2  # Equal requests are sent once.
    judge(outputs, [[]] * 3)
    assert len(asked) == 2


def test_a_constant_reward_is_refused(tmp_path: Path) -> None:
    job = job_of(tmp_path, rewards=[{"metric": "tokens", "bound": "< 1000"}])
    prepared = grpo.prepare(job)
    trainer = grpo.trainer(job, prepared, arguments(job, per_device_train_batch_size=8))
    before = torch.random.get_rng_state()
    (finding,) = grpo.check(job, prepared, trainer)
    assert finding.code == "constant_reward"
    assert finding.refuses
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"rewards": [{"metric": "tokens"}]}, "neither more nor less of tokens is better"),
        ({"rewards": [{"metric": "no_such"}]}, "unknown metric"),
        ({"rewards": [{"metric": "tokens", "bound": "few"}]}, "invalid bound 'few'"),
        ({"rewards": [{"model": "no-such"}]}, "there is no reward model 'no-such'"),
        ({"training": {**TRAINING, "batch_size": 6}}, "does not divide into groups of 4"),
    ],
)
def test_what_cannot_be_rewarded_is_refused(
    recipe: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=message):
        grpo.prepare(job_of(tmp_path, **recipe))


def test_a_prompt_without_space_for_a_reply_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leave no space for 8 new tokens"):
        grpo.prepare(
            job_of(
                tmp_path,
                rows=[{"text": "word " * 200}],
                data={"train": "data/train.jsonl", "held_out": 0},
            )
        )


def test_a_reward_rises(tmp_path: Path) -> None:
    """A tiny model learns within some steps to end early."""
    job = job_of(tmp_path, training={**TRAINING, "batch_size": 32, "learning_rate": 3e-3}, beta=0)
    trainer = trainer_of(job, max_steps=25, learning_rate=3e-3)
    trainer.args.per_device_train_batch_size = 32
    trainer.reward_funcs[0] = lambda *, completion_ids, **_: [
        float(sum(token > 60 for token in ids)) / 8 for ids in completion_ids
    ]
    trainer.train()
    rewards = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    assert sum(rewards[-5:]) / 5 > sum(rewards[:5]) / 5 + 0.1


def test_the_chain_sft_reward_grpo(tmp_path: Path) -> None:
    """Each step starts from the model before it."""
    path = preference_study(
        tmp_path,
        {"kind": "sft", "version": "v1.0.0", "training": {**FLOAT, "steps": 2}},
        rows=talks(),
    )
    (tmp_path / "data/pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pairs()))
    steps: dict[str, dict[str, Any]] = {
        "reward": {"kind": "reward", "data": {"train": "data/pairs.jsonl"}},
        "grpo": {
            "kind": "grpo",
            "version": "v1.1.0",
            "generations": 4,
            "max_new_tokens": 6,
            "data": {"train": "data/pairs.jsonl"},
            "rewards": [{"model": "reward"}],
        },
    }
    training = {**FLOAT, "steps": 2, "batch_size": 8}
    evaluate = {"prompts": 1, "max_new_tokens": 4}
    for name, step in steps.items():
        stated = {**step, "parent": "v1.0.0", "training": training, "evaluate": evaluate}
        (path.parent / f"{name}.yaml").write_text(json.dumps(stated))
    chain = path.parent / "rlhf.yaml"
    chain.write_text(
        json.dumps({"kind": "rlhf", "steps": ["tuned.yaml", "reward.yaml", "grpo.yaml"]})
    )
    with Study(tmp_path) as study:
        done = train(study, chain)
    assert [each.finished.folder.name for each in done if each.finished] == [
        "tuned",
        "reward",
        "grpo",
    ]
    values = done[2].finished.values  # type: ignore[union-attr]
    assert "train/rewards/model reward/mean" in values
    assert "train/frac_reward_zero_std" in values
    with Study(tmp_path) as study:
        assert study.spec.version("v1.1.0").parent == "v1.0.0"
        again = train(study, chain)
    assert all(each.repeated for each in again)


def test_a_chain_whose_step_starts_elsewhere_is_refused(tmp_path: Path) -> None:
    path = preference_study(tmp_path, {"kind": "sft", "version": "v1.0.0"})
    (path.parent / "other.yaml").write_text(
        json.dumps({**json.loads(path.read_text()), "version": "v1.1.0"})
    )
    chain = path.parent / "rlhf.yaml"
    chain.write_text(json.dumps({"kind": "rlhf", "steps": ["tuned.yaml", "other.yaml"]}))
    with pytest.raises(SpecError, match=r"other.yaml starts from v0.0.1, which no step before"):
        load_chain(chain)


def test_epochs_of_sampled_replies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"set training\.steps instead of epochs"):
        job_of(tmp_path, training={"epochs": 2})
