"""Guards as a table of a completion and its reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ethogram.metrics.pitfalls.rules import loop_run
from ethogram.spec.generation import FinishReason, Generation
from ethogram.wrap import guards
from ethogram.wrap.reply import Reply
from ethogram.wrap.turns import next_turn_stops

PROMPT = "Question: Why is the sky blue?\nAnswer:"


def reply(text: str, finish_reason: FinishReason = "eos") -> Reply:
    generation = Generation(
        identity="i",
        prompt_id="p",
        sample_index=0,
        prompt_text=PROMPT,
        prompt_token_ids=(1,),
        token_ids=(2, 3),
        text=text,
        finish_reason=finish_reason,
        logprobs=(-0.5, -1.5),
        seconds=0.0,
    )
    return Reply.of(generation)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Light scatters.\nQuestion: Why is grass green?", "Light scatters."),
        ("Light scatters.\n\nUser: And grass?", "Light scatters."),
        ("Light.<|im_end|>\n<|im_start|>user", "Light."),
        ("Light scatters.\nWhy? Because of air.", "Light scatters.\nWhy? Because of air."),
        ("It answers the question: yes.", "It answers the question: yes."),
    ],
)
def test_stop_at_next_turn(text: str, left: str) -> None:
    cut = guards.stop_at_next_turn(reply(text), PROMPT)
    assert cut.text == left
    assert [action.guard for action in cut.actions] == (
        ["stop_at_next_turn"] if left != text else []
    )
    assert cut.finish_reason == ("stop" if left != text else "eos")


@pytest.mark.parametrize(
    ("text", "finish_reason", "left"),
    [
        ("It is so. And then they", "length", "It is so."),
        ('He said "no." Then he', "length", 'He said "no."'),
        ("It is so. And then they", "eos", "It is so. And then they"),
        ("Without any end", "length", "Without any end"),
        ("It is so. It ends.", "length", "It is so. It ends."),
        ("First line\nSecond is so. Third", "length", "First line\nSecond is so."),
    ],
)
def test_whole_sentences(text: str, finish_reason: FinishReason, left: str) -> None:
    assert guards.whole_sentences(reply(text, finish_reason)).text == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It is so.\n\nAlso this.", "It is so."),
        ("Heading\n\nIt is so.\n\nMore.", "Heading\n\nIt is so."),
        ("It is so. And so.", "It is so. And so."),
        ("It is so.\n\n", "It is so.\n\n"),
    ],
)
def test_stop_when_answered(text: str, left: str) -> None:
    assert guards.stop_when_answered(reply(text)).text == left


def test_most_sentences() -> None:
    assert guards.most_sentences(reply("One. Two. Three."), 2).text == "One. Two."
    assert guards.most_sentences(reply("One. Two."), 2).actions == ()


def test_sources_that_the_prompt_lacks_are_flagged_and_stay() -> None:
    text = "See arXiv:1804.09222 and https://a.example/x (Smith, 2019)."
    flagged = guards.flag_sources(reply(text), "Summarise https://a.example/x")
    assert flagged.text == text
    assert [action.what for action in flagged.actions] == [
        "names arxiv:1804.09222 from memory",
        "names smith 2019 from memory",
    ]


def test_the_askers_labels_of_a_prompt_end_a_completion() -> None:
    few = f"Question: Why is snow white?\nAnswer: It scatters light.\n\n{PROMPT}"
    assert next_turn_stops(few) == ("\nQuestion:",)
    assert next_turn_stops("Once upon a time") == ()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (
            "Here they are. Step 1: mix it well. Step 2: mix it well. Step 3: mix it well.",
            "Here they are. Step 1: mix it well.",
        ),
        ("Yes. " + "* " * 30, "Yes. *"),
        ("Nothing here repeats itself at all, and so nothing is cut.", None),
        ("One, two. One, two.", None),
        ("", None),
    ],
)
def test_a_loop_that_a_reader_sees_is_cut_after_its_first_copy(text: str, kept: str | None) -> None:
    made = reply(text)
    found = guards.cut_loops(made)
    if kept is None:
        assert found is made
        return
    assert found.text == kept
    assert found.finish_reason == "loop"
    assert [action.guard for action in found.actions] == ["loop_breaker"]
    assert loop_run(found.text, cut=False) is None


@given(st.lists(st.sampled_from(["a b", "c.", "d 1", "d 2", "\n", "e"]), max_size=40))
def test_no_loop_is_left_after_the_cut(parts: list[str]) -> None:
    found = guards.cut_loops(reply(" ".join(parts)))
    assert loop_run(found.text, cut=False) is None
    assert " ".join(parts).startswith(found.text)
