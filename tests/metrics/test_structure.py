"""Answering, keeping the form, copying the prompt: a table of cases."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.metrics import Output, get
from ethogram.metrics.asking import asks, task_of

CAPITAL = "What is the capital of France?"
FEW_SHOT = "Q: What is the capital of Spain?\nA: Madrid\n\nQ: What is the capital of France?\nA:"


@pytest.mark.parametrize(
    ("prompt", "text", "label"),
    [
        (CAPITAL, "Paris.", "answers"),
        (CAPITAL, "\n\nThe capital of France is Paris. It lies on the Seine.", "answers"),
        (CAPITAL, "A: Paris", "answers"),
        (CAPITAL, "Sure! The capital of France is Paris.", "answers"),
        (CAPITAL, "Great question! I'd be happy to help. It is Paris.", "answers"),
        (CAPITAL, "paris", "answers"),
        (CAPITAL, "\n\nWhat is the largest city of France?\n\nWhat", "asks instead of answering"),
        (CAPITAL, "\n\nWhat is the capital of France?", "asks the prompt again"),
        (CAPITAL, " and why did they move it there, of all the places", "continues the prompt"),
        (CAPITAL, ", asked the teacher, and nobody in the room knew.", "continues the prompt"),
        (CAPITAL, "Q: What is the capital of Spain?", "writes the asker's turn itself"),
        (CAPITAL, "User: hello", "writes the asker's turn itself"),
        (CAPITAL, "I'm sorry, but I cannot answer that.", "declines"),
        (CAPITAL, "As an AI language model, I have no opinion.", "declines"),
        (CAPITAL, "I don't know.", "declines"),
        (CAPITAL, "Sure!", "courtesy only"),
        (CAPITAL, "Hello! Thanks for asking. Let me tell you:", "courtesy only"),
        ("Is it safe?", "Certainly not.", "answers"),
        ("Name a town.", "Great Falls.", "answers"),
        ("List some fruits.", "Here are some: apples, pears, plums, figs and dates.", "answers"),
        (
            CAPITAL,
            "My grandmother used to bake bread every morning before the others woke.",
            "speaks about something else",
        ),
        (FEW_SHOT, " Paris", "answers"),
        (FEW_SHOT, " paris, which is the largest town of France too", "answers"),
        (FEW_SHOT, "\n\nQ: What is the capital of Italy?", "writes the asker's turn itself"),
        ("List three fruits.", "1. Apple\n2. Pear\n3. Plum", "answers"),
        ("List three fruits.", "Here are three fruits:\n- apple\n- pear\n- plum", "answers"),
        ("List three fruits.", "List three fruits. List three", "says the prompt again"),
        ("Write a slogan for a bakery.", "Fancy a bun?", "answers"),
        ("Write a Python loop.", "for i in range(3):\n    print(i)", "answers"),
        (
            "Name the author of the play Hamlet and the year",
            "name the author of the play Hamlet and the year it",
            "says the prompt again",
        ),
        (
            "Where is it?\n\nInput: Barcelona, Spain\nOutput:",
            " Barcelona, Spain\n",
            "says the prompt again",
        ),
        ("Which one is a fruit?\nA) Chair\nB) Pear", "B) Pear", "answers"),
        (
            "Correct the spelling.\n\nInput: It solvs problems of every team.\nOutput:",
            "It solves problems of every team.",
            "answers",
        ),
        (
            "Correct the spelling.\n\nInput: It solvs problems of every team.\nOutput:",
            "It solvs problems of every team.",
            "says the prompt again",
        ),
        ("Why is Dr. Who famous?", "Dr. Who travels in a blue box that bends time.", "answers"),
        ("Who wears it?", 'The line "Who wears it?" comes from a song.', "answers"),
    ],
)
def test_answer_first(prompt: str, text: str, label: str) -> None:
    score = get("answer_first").measure(Output(text, prompt=prompt))
    assert score.value == float(label == "answers")
    assert [span.label for span in score.spans] == [label]


@pytest.mark.parametrize("piece", [".", "?!", "a: ", "\n", " ", '."', "Sure, i ", "Q", "-", "A"])
def test_long_monotony_takes_little_time(piece: str) -> None:
    output = Output(piece * 20_000 + "x", prompt=CAPITAL)
    started = time.process_time()
    for name in ("answer_first", "qa_structure"):
        get(name).measure(output)
    assert time.process_time() - started < 5


def test_answer_first_shows_the_sentence_it_rests_on() -> None:
    text = "\n\nSure! The capital of France is Paris. It is old."
    (span,) = get("answer_first").measure(Output(text, prompt=CAPITAL)).spans
    assert text[span.start : span.end] == "The capital of France is Paris."


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 100 °C, or 212 °F.", 1.0),
        (" 100°C.", 1.0),
        (" a temperature that depends on the pressure.", 0.0),
        (" 1000 degrees.", 0.0),
    ],
)
def test_a_beginning_with_a_reference_wants_the_reference(text: str, value: float) -> None:
    output = Output(text, prompt="At sea level, pure water boils at", reference="100")
    assert get("answer_first").measure(output).value == value


def test_a_short_answer_tag_takes_any_statement() -> None:
    text = "My grandmother used to bake bread every morning before the others woke."
    output = Output(text, prompt=CAPITAL, tags=("short-answer",))
    assert get("answer_first").measure(output).value == 1.0


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (CAPITAL, True),
        ("What is the capital of France", True),
        ("Please write a poem about kelp", True),
        ("Can you tell me the time", True),
        ("I need a recipe for bread", True),
        ("Sort the numbers.\n\n3, 1, 2", True),
        (FEW_SHOT, True),
        ("The sky today.\nAnswer:", True),
        ("The old lighthouse keeper opened the letter and", False),
        ("When the sun rose, the", False),
        ("Did it rain? Nobody knew, for the", False),
        ("The end came soon.", False),
        ("", False),
        ("Q:", False),
    ],
)
def test_which_prompts_ask(prompt: str, expected: bool) -> None:
    assert asks(prompt, (), None) == expected
    score = get("answer_first").measure(Output("Some words.", prompt=prompt))
    assert (score.value is not None) == expected


def test_tags_and_references_make_a_prompt_ask() -> None:
    assert asks("The moon", ("qa",), None)
    assert asks("The moon", (), "grey")
    assert not asks("The moon", ("story",), None)


def test_the_task_is_the_last_turn() -> None:
    assert task_of(FEW_SHOT) == CAPITAL
    assert task_of("Be brief.\n\nUser: Hi there\nAssistant:") == "Hi there"


@pytest.mark.parametrize(
    ("prompt", "text", "value"),
    [
        (CAPITAL, "Paris.", 1.0),
        (CAPITAL, "Paris.\nQ: What is the capital of Spain?\nA: Madrid", 0.0),
        (CAPITAL, "Paris.\n\nUser: thanks", 0.0),
        (CAPITAL, "Paris.\n<|user|>\nthanks", 0.0),
        (CAPITAL, "Paris.\n\nWhat is the capital of France?\nParis.", 0.0),
        (CAPITAL, "", 0.0),
        (CAPITAL, "The input:\nInput: 3 gives\nOutput: 4", 1.0),
        ("Add one.\nInput: 1\nOutput:", "2\n\nInput: 2\nOutput: 3", 0.0),
        ("Write a quiz about France.", "Question 1: What is its capital?", None),
        ("The old keeper opened the letter and", "Q: what?", None),
    ],
)
def test_qa_structure(prompt: str, text: str, value: float | None) -> None:
    assert get("qa_structure").measure(Output(text, prompt=prompt)).value == value


def test_leaked_turn_is_shown() -> None:
    text = "Paris.\n\nUser: thanks"
    (span,) = get("qa_structure").measure(Output(text, prompt=CAPITAL)).spans
    assert text[span.start : span.end] == "User:"


PIECES = st.sampled_from(
    [
        *(
            "Q:",
            "A:",
            "User:",
            "Assistant:",
            "### Response:",
            "Input:",
            "\n",
            "\n\n",
            " ",
            "?",
            ".",
        ),
        *("What is the capital of France", "the capital of France", "Paris", "Sure!", "I'm sorry"),
        *("<|im_start|>user", "<|im_end|>", "[INST]", "<|user|>", "Human:", "Question:", "## "),
        *("1. ", "- ", "```", "“", "\u2028", "İ", "ß", "e\u0301", "😀", "…", "”.", "\x00"),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=14).map("".join)
ENDS = st.sampled_from([None, "eos", "stop", "length", "unknown"])


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("answer_first", True),
        ("qa_structure", True),
        ("pitfall_turn_leakage", True),
        ("pitfall_echo", True),
        ("pitfall_truncation", True),
    ],
)
@given(prompt=TEXTS, text=TEXTS, end=ENDS, reference=st.none() | st.just("Paris"))
@settings(max_examples=examples(60))
def test_values_and_spans_stay_within_their_bounds(
    name: str, whole: bool, prompt: str, text: str, end: str | None, reference: str | None
) -> None:
    for output in (
        Output(text, prompt=prompt, finish_reason=end, reference=reference),
        Output(prompt + text, prompt=prompt, finish_reason=end, reference=reference),
    ):
        score = get(name).measure(output)
        assert score.value is None or 0 <= score.value <= 1
        assert score.value in (None, 0, 1) or not whole
        assert (score.value is None) == (not any(score.parts))
        assert score.value is not None or not score.spans
        spans = sorted(score.spans, key=lambda span: span.start)
        for span in spans:
            assert 0 <= span.start < span.end <= len(output.text) or (span.end, text) == (0, "")
            assert span.label
        assert all(one.end <= two.start for one, two in pairwise(spans))
