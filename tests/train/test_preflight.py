"""Every refusal of the pre-flight: data that trigger it, and clean data that do not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.train.byte_words import said, tokenizer
from tests.train.small import ROLES, arguments, make_job, make_study, talks

from ethogram.train import preflight, sft
from ethogram.train.chats import TokenRow, make_chat
from ethogram.train.collate import Packer

pytestmark = pytest.mark.long
VERSION = {"version": "v2.0.0"}
#: Nothing is held out.
ALL = {"data": {"train": "data/train.jsonl", "held_out": 0.0}}


def row(*messages: str, **options: Any) -> dict[str, Any]:
    turns = said(*messages, **options)
    return {"messages": [{"role": turn.role, "content": turn.content} for turn in turns]}


def codes(folder: Path, recipe: dict[str, Any], rows: list[dict[str, Any]], **study: Any) -> Any:
    """Findings of a recipe by code."""
    job = make_job(make_study(folder, {**VERSION, **recipe}, rows, **study))
    return {finding.code: finding for finding in sft.prepare(job).findings}


def words(**options: Any) -> Any:
    return tokenizer(ROLES, **{"eos": "<eos>", "pad": "<pad>", **options})


def test_clean_data_have_no_finding(tmp_path: Path) -> None:
    assert codes(tmp_path, {}, talks()) == {}


NO_END = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def test_no_end_token_in_the_loss(tmp_path: Path) -> None:
    found = codes(tmp_path, {"template": NO_END, **ALL}, talks())
    assert set(found) == {"no_end_token"}
    finding = found["no_end_token"]
    assert finding.refuses
    assert finding.message.startswith("12 of 12 rows learn no end token")
    assert "the first is '<|user|>What is the capital of" in finding.message
    assert finding.where.endswith("train.jsonl:1")


def test_an_end_token_inside_of_a_reply(tmp_path: Path) -> None:
    rows = [*talks(8), row("Which token ends a text?", "It is <eos>, they say.")]
    found = codes(tmp_path, ALL, rows)
    assert set(found) == {"no_end_token"}
    assert "1 of 9 rows have a reply that does not end with its only <eos>" in (
        found["no_end_token"].message
    )


TWICE = "{{ bos_token }}{{ bos_token }}" + NO_END.replace(
    "{% endfor %}", "{{ eos_token }}{% endfor %}"
)


@pytest.mark.parametrize(("template", "expected"), [(TWICE, {"doubled_bos"}), (TWICE[15:], set())])
def test_doubled_bos(template: str, expected: set[str], tmp_path: Path) -> None:
    found = codes(tmp_path, {"template": template}, talks(), words=words(bos="<bos>"))
    assert set(found) == expected


def test_empty_mask() -> None:
    made = words()
    bad, clean = TokenRow((5, 6), (False, False), "a:1"), TokenRow((5, 6), (False, True), "a:2")
    finding = preflight.empty_masks([clean, bad], made)
    assert finding is not None
    assert finding.refuses
    assert (finding.where, finding.message[:38]) == (
        "a:1",
        "1 of 2 rows have no token to learn; th",
    )
    assert preflight.empty_masks([clean], made) is None


def test_a_reply_that_is_cut_away_leaves_an_empty_mask(tmp_path: Path) -> None:
    recipe = {"data": {"train": "data/train.jsonl", "held_out": 0.0, "too_long": "cut"}}
    found = codes(tmp_path, recipe, [*talks(8), row("word " * 60, "Yes.")])
    assert set(found) == {"empty_mask"}
    assert "1 of 9 rows have no token to learn" in found["empty_mask"].message
    assert found["empty_mask"].where.endswith("train.jsonl:9")


def test_full_mask() -> None:
    made = words()
    bad, clean = TokenRow((5, 6), (True, True), "a:1"), TokenRow((5, 6), (False, True), "a:2")
    finding = preflight.full_masks([clean, bad], made)
    assert finding is not None
    assert (finding.where, finding.message[:11]) == ("a:1", "1 of 2 rows")
    assert preflight.full_masks([clean], made) is None
    assert preflight.full_masks([TokenRow((6,), (True,), "a:3", (5,))], made) is None


def test_a_template_that_generation_does_not_use(tmp_path: Path) -> None:
    found = codes(tmp_path, {"changes": {}}, talks())
    assert set(found) == {"unused_template"}
    assert "v2.0.0 would generate without the chat template" in found["unused_template"].message


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ({"chat": True, "system": "Be kind."}, {"served_otherwise"}),
        ({"chat": True, "template": "Q: {{ input }}"}, {"served_otherwise"}),
        ({"chat": True}, set()),
    ],
)
def test_ids_of_training_are_those_of_serving(
    prompt: dict[str, Any], expected: set[str], tmp_path: Path
) -> None:
    found = codes(tmp_path, {"changes": {"prompt": prompt}}, talks())
    assert set(found) == expected
    if found:
        assert "generation would read other tokens than training, from token" in (
            found["served_otherwise"].message
        )


@pytest.mark.parametrize(("merge", "expected"), [(False, {"served_otherwise"}), (True, set())])
def test_an_adapter_alone_is_served_without_the_new_template(
    merge: bool, expected: set[str], tmp_path: Path
) -> None:
    assert set(codes(tmp_path, {"lora": {"merge": merge}}, talks())) == expected


def test_a_system_message_of_the_data_is_that_of_the_version(tmp_path: Path) -> None:
    rows = [row(f"Number {at}?", "Yes.", system="Be kind.") for at in range(8)]
    recipe = {"changes": {"prompt": {"chat": True, "system": "Be kind."}}}
    assert codes(tmp_path, recipe, rows) == {}


@pytest.mark.parametrize(
    ("rule", "expected", "cut", "dropped"),
    [("refuse", {"too_long"}, 0, 0), ("cut", set(), 1, 0), ("drop", set(), 0, 1)],
)
def test_rows_cut_by_the_context(
    rule: str, expected: set[str], cut: int, dropped: int, tmp_path: Path
) -> None:
    recipe = {
        **VERSION,
        "data": {"train": "data/train.jsonl", "held_out": 0.0, "too_long": rule},
    }
    rows = [*talks(8), row("Tell me all.", "word " * 100)]
    prepared = sft.prepare(make_job(make_study(tmp_path, recipe, rows)))
    assert {finding.code for finding in prepared.findings} == expected
    assert (prepared.counts.cut_rows, prepared.counts.dropped_rows) == (cut, dropped)
    for finding in prepared.findings:
        assert "1 of 9 rows have more tokens than the context of 256" in finding.message


def test_suite_prompts_in_the_training_data(tmp_path: Path) -> None:
    long = "Tell me a story about the old man and the sea"
    asked = ("who are you and why", "Where does it go", long, "Something else entirely?")
    clean = [*talks(8), row("And where does it go now?", "Tell me a story about the old man.")]
    assert codes(tmp_path / "clean", ALL, clean, suite=asked) == {}
    rows = [*clean, row("WHO are you: and why?!", "A model."), row(f"Please! {long}, now", "No.")]
    found = codes(tmp_path, ALL, rows, suite=asked)
    assert set(found) == {"suite_overlap"}
    assert "2 of 4 prompts of the suite are in the training data" in found["suite_overlap"].message
    assert found["suite_overlap"].where.endswith("train.jsonl:10")


def test_labels_outside_of_the_vocabulary(tmp_path: Path) -> None:
    rows = [TokenRow((5, 6), (False, True), "a:1"), TokenRow((5, 300), (False, True), "a:2")]
    finding = preflight.outside_vocabulary(rows, 300)
    assert finding is not None
    assert (finding.where, "the first is 300" in finding.message) == ("a:2", True)
    assert preflight.outside_vocabulary(rows, 301) is None


def _packed(folder: Path) -> tuple[Any, list[Any]]:
    prepared = sft.prepare(make_job(make_study(folder, {}, talks())))
    return prepared.model, [prepared.train[at] for at in range(4)]


def test_packing_that_lets_sequences_see_each_other(tmp_path: Path) -> None:
    model, examples = _packed(tmp_path)
    packer = Packer(0, 256)
    assert preflight.packing_leak(model, packer, examples) is None

    def masked(rows: Any) -> Any:
        batch = packer(rows)
        return {**batch, "attention_mask": batch["input_ids"] * 0 + 1}

    def one_count(rows: Any) -> Any:
        return {name: value for name, value in packer(rows).items() if name != "position_ids"}

    for collate in (masked, one_count):
        finding = preflight.packing_leak(model, collate, examples)
        assert finding is not None
        assert "packed sequences see each other" in finding.message
    model.config.use_cache = True
    assert preflight.packing_leak(model, packer, examples) is not None


def test_adapters_without_a_gradient(tmp_path: Path) -> None:
    job = make_job(make_study(tmp_path, {"lora": {"rank": 2}}, talks()))
    prepared = sft.prepare(job)
    trainer = sft.trainer(job, prepared, arguments(job))
    assert preflight.check_trainer(trainer) == []
    assert all(weight.grad is None for weight in trainer.model.parameters())
    layer = trainer.model.get_base_model().transformer.h[1]
    layer.forward = lambda states, *_, **__: states  # Skipped, so its adapters do nothing.
    (finding,) = preflight.check_trainer(trainer)
    assert finding.message.startswith("4 of 9 adapted layers get no gradient")


def test_constant_rewards() -> None:
    same = {"short": [[1.0, 1.0], [0.5, 0.5]]}
    (finding,) = preflight.constant_rewards(same)
    assert finding.refuses
    assert "the reward short is the same for all completions of each of 2 prompts" in (
        finding.message
    )
    assert preflight.constant_rewards({"short": [[1.0, 1.0], [0.5, 0.6]]}) == []
    (warned,) = preflight.constant_rewards({**same, "other": [[0.0, 1.0], [0.0, 0.0]]})
    assert not warned.refuses


def test_an_example_is_one_short_line() -> None:
    from ethogram.train.preflight.showing import example

    assert example("a\n b") == "'a b'"
    assert len(example("word " * 100)) < 70


def test_rows_of_an_encoder_are_checked_too() -> None:
    made = words(eos="</s>")
    chat = make_chat(made, seq2seq=True)
    rows = chat.rows(said("Hi", "Yo"))
    assert preflight.no_end_token(rows, chat) is None
    assert preflight.empty_masks(rows, made) is None
    assert preflight.doubled_bos(rows, SimpleNamespace(bos_token_id=None)) is None
