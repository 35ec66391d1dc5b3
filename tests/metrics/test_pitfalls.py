"""Pitfalls: each rule on cases of its own, what it marks, and what it does not apply to."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples

from ethogram.cli import cli
from ethogram.metrics import PITFALLS, Output, find_pitfalls, get
from ethogram.spec.suite import Constraint

RULES = {pitfall.name: pitfall for pitfall in PITFALLS}
GIBBERISH = (
    "Winter arrives scrawlbed lantern hydroscopic mandate Foster breach halomas replace iql "
    "OpticalprojectsHealthcare Historic InnovatAk Minar javusk Sevel adseTeck lamine Exceptov "
    "mdisha bolen Journal Nobbr disappointed Diligual Masel CharAadanza rooftop grass combatting "
    "shutter marble wrench polite comma sofa toggle touch ease lateco neon tasting menopause "
    "reverse lagarray pognavit omana"
)
PROSE = (
    "The bridge was closed for the whole of the winter, and the people of the valley had to go by "
    "the old road, which took them an hour more. In the spring it was mended, and the first who "
    "went over it was a girl with a goat that had lived on the other side since it was born."
)

GERMAN = (
    "Die Stadt liegt am Fluss, so dass man im Sommer oft am Wasser sitzt und hört, was der Tag "
    "gebracht hat. Viele Häuser sind alt, und die Bürger lieben sie sehr, weil sie schön sind. Im "
    "Winter ist es still in den Gassen, denn dann bleiben die Leute gern zu Hause."
)
FRENCH = (
    "On me dit souvent que les rues de ma ville sont trop étroites, mais je les aime comme elles "
    "sont. Le matin, on trouve au port les pêcheurs qui vendent leur poisson, et le soir on se "
    "promène le long de la mer avant de rentrer."
)
DUTCH = (
    "De stad ligt aan de rivier, waar we als kind in het water speelden en waar mijn vader zijn "
    "werk had. In de zomer is het er druk, en over de brug of langs de kade komen mensen van ver "
    "om te zien hoe mooi het was en nog is."
)
NAMES = (
    "I use iPhone and eBay and YouTube and GitHub with LaTeX and OpenAI and McDonald and LinkedIn "
    "on the MacBook every day for fun"
)

CASES = [
    ("loop", "", "The sun set. The sun set. The sun set. The sun", True),
    ("loop", "", "It was no use. " * 2, False),
    ("loop", "", "1.23\nB: 1.8\nC: 2.2\nD: 3.1\nE: 4.1", True),
    ("loop", "", "7 7 7 7 7 7 7 7", True),
    ("loop", "", "1 2 3 4 5 6 7 8 9 10", False),
    (
        "loop",
        "",
        "The first day was long and cold. The second day was long and cold. "
        "The third day was long and cold.",
        True,
    ),
    ("loop", "", "hahahahahahahahahahahahahahahaha", True),
    ("loop", "", "| ant | 6 legs |\n| bee | 6 legs |\n| fly | 6 legs |\n| bug | 6 legs |", False),
    ("loop", "", "Go home. Go home. Go home. " + PROSE, False),
    ("loop", "", "1. Rice and beans\n2. Bread\n3. A bowl of soup\n4. Fruit", False),
    ("drift", "Tell me about winter.", GIBBERISH, True),
    ("drift", "Tell me about winter.", PROSE, False),
    ("drift", "Translate into French: The bread is warm.", "Le pain est chaud. " * 9, None),
    ("drift", "Erzähle mir von deiner Stadt.", GERMAN, None),
    ("drift", "Was ist die Hauptstadt von Frankreich?", GERMAN, None),
    ("drift", "Parle-moi de ta ville.", FRENCH, None),
    ("drift", "Vertel me over je stad.", DUTCH, None),
    (
        "drift",
        "请介绍一下你的城市",
        "这 是 一 个 测试 的 文本 它 有 很多 词 但是 没有 英文 的 词 " * 3,
        None,
    ),
    ("drift", "", GERMAN, None),
    ("drift", "What do you use?", NAMES, False),
    ("drift", "What do you use?", "of it. " * 9 + "LinkedIn eBay GitHub MacBook " * 3, True),
    ("drift", "Erzähle mir von deiner Stadt.", PROSE + " " + GIBBERISH, True),
    ("drift", "List winter sports.", "- Skating\n- Curling\n- Luge\n- Biathlon", None),
    ("fabrication", "Cite a study.", "See doi:10.1038/s41586-020-1234-5 for more.", True),
    ("fabrication", "Cite a book.", "“The Glass Age” by Elena Kostova is a good one.", True),
    ("fabrication", "Read https://example.org/a", "It is at https://example.org/a", False),
    ("fabrication", "Cite a film.", "The Godfather (1972) is a film.", False),
    ("fabrication", "Cite a study.", "A study shows that bees can count.", False),
    ("format_break", "Return a JSON array of two colours.", '["red", "blue"]', False),
    ("format_break", "Return a JSON array of two colours.", "Red and blue.", True),
    ("format_break", "Write one sentence in capital letters.", "SNOW FALLS.", False),
    ("format_break", "Write one sentence in capital letters.", "Snow falls.", True),
    (
        "format_break",
        "Explain in two sentences how ice forms.",
        "It is cold. Water freezes.",
        False,
    ),
    ("format_break", "Explain in two sentences how ice forms.", "It is cold.", True),
    ("format_break", "Name three birds.", "Wren, robin and owl.", False),
    ("format_break", "Name three birds.", "1. Wren\n2. Robin", True),
    (
        "format_break",
        "Write a haiku about snow.",
        "Snow on the tin roof\nall night\nno sound",
        False,
    ),
    ("format_break", "Write a haiku about snow.", "Snow is white and cold.", True),
    ("format_break", "Make a table of two fruits.", "| a | b |\n|---|---|\n| c | d |", False),
    ("format_break", "Make a table of two fruits.", "An apple and a pear.", True),
    (
        "format_break",
        "Write a Python function that adds.",
        "def add(a, b):\n    return a + b",
        False,
    ),
    ("format_break", "Write a Python function that adds.", "You add the two numbers.", True),
    ("format_break", "Translate into French: The bread is warm.", "Le pain est chaud.", False),
    ("format_break", "Translate into French: It is warm.", "The bread is warm in the oven.", True),
    ("format_break", "Recommend a book with its ISBN.", "Glass, ISBN 0-306-40615-2", False),
    ("format_break", "Recommend a book with its ISBN.", "A book on glass.", True),
    ("format_break", "A train covers 180 km in 2 hours. How fast is it?", "90 km/h", None),
    ("format_break", "Tell me about winter.", PROSE, None),
    (
        "echo",
        "Why does iron rust near the sea?",
        "Iron rusts faster near the sea, as salt helps.",
        False,
    ),
    (
        "echo",
        "Why does old iron rust faster near the sea?",
        "The answer is: old iron rust faster near the sea.",
        True,
    ),
    ("echo", "Rewrite: the ice on the lake is thin", "the ice on the lake is thin", None),
    ("turn_leakage", "Q: What is ice?\nA:", "Frozen water.\nQ: What is steam?", True),
    ("turn_leakage", "What is ice?", "Frozen water.<|im_end|>", True),
    ("turn_leakage", "What is ice?", "Frozen water.\nYour answer must have five lines.", True),
    ("turn_leakage", "How many apples are left?", "Two. How many apples are left then?", True),
    ("turn_leakage", "Q: What is ice?\nA:", "a\nB: b\nC: c\nO: o\nP: p\nQ: q\nR: r", False),
    ("turn_leakage", "What is ice?", "Frozen water.", False),
]


@pytest.mark.parametrize(("name", "prompt", "text", "found"), CASES)
def test_a_rule_on_a_plain_case(name: str, prompt: str, text: str, found: bool | None) -> None:
    finding = RULES[name].find(Output(text=text, prompt=prompt))
    assert finding.found is found
    assert bool(finding.spans) is bool(found)


def test_truncation_needs_to_know_why_the_output_ended() -> None:
    look = RULES["truncation"].find
    assert look(Output(text="It was a")).found is None
    assert look(Output(text="It was a", finish_reason="eos")).found is False
    assert look(Output(text="It was so. It was a", finish_reason="length")).found is True
    assert look(Output(text="It was so.", finish_reason="length")).found is False
    assert look(Output(text="```\nx = 1.", finish_reason="length")).found is True
    assert look(Output(text="One.\n2.", finish_reason="length")).found is True


def test_what_the_limit_cut_off_is_no_format_break() -> None:
    look = RULES["format_break"].find
    asked = "Name three birds."
    assert look(Output("1. Wren\n2. Ro", asked, finish_reason="length")).found is False
    assert look(Output("1. A\n2. B\n3. C\n4. D", asked, finish_reason="length")).found is True
    json_asked = "Return a JSON array of colours."
    assert look(Output('["red", "bl', json_asked, finish_reason="length")).found is False
    assert look(Output("Red and bl", json_asked, finish_reason="length")).found is True


def test_constraints_of_the_suite_count_and_a_cut_text_is_judged_by_what_stays() -> None:
    def output(text: str, kind: str, reason: str, **kwargs: object) -> Output:
        constraint = Constraint(type=kind, kwargs=kwargs)
        return Output(text, "Speak.", finish_reason=reason, constraints=(constraint,))

    look = RULES["format_break"].find
    comma = output("Yes, no.", "punctuation:no_comma", "length")
    assert look(comma).found is True
    assert look(comma).scores == {"demands": 1.0, "broken": 1.0}
    wanted = {"num_words": 9, "relation": "at least"}
    words = "length_constraints:number_words"
    assert look(output("Too few.", words, "eos", **wanted)).found is True
    assert look(output("Too few", words, "length", **wanted)).found is None


def test_an_empty_output_is_empty_and_nothing_else() -> None:
    output = Output(text=" \n", prompt="Name three birds.", finish_reason="eos")
    assert {p.name: p.find(output).found for p in PITFALLS} == {
        pitfall.name: True if pitfall.name == "empty" else None for pitfall in PITFALLS
    }


@settings(max_examples=examples(60))
@given(
    st.text(alphabet='ab .:?\n1|"`é文{}#-QA', max_size=200),
    st.sampled_from(["", "Q: a?\nA:", "Return JSON.", "Write a poem in two sentences.", "a b a b"]),
    st.sampled_from([None, "eos", "length"]),
)
def test_spans_lie_in_the_text_in_order_and_only_where_something_is_found(
    text: str, prompt: str, reason: str | None
) -> None:
    output = Output(text=text, prompt=prompt, finish_reason=reason)
    for pitfall in PITFALLS:
        finding = pitfall.find(output)
        assert bool(finding.spans) is bool(finding.found)
        ends = [0]
        for span in finding.spans:
            assert ends[-1] <= span.start <= span.end <= len(text)
            ends.append(span.end)
        assert get(f"pitfall_{pitfall.name}").measure(output).value == finding.found


def test_a_table_counts_shares_and_shows_the_clearest() -> None:
    outputs = [
        Output(PROSE + " No use. No use. No use.", prompt_id="late"),
        Output("No use. No use. No use.", prompt_id="whole"),
        Output(PROSE, prompt_id="none"),
        Output("", prompt_id="empty"),
    ]
    table = find_pitfalls(outputs)
    row = table["loop"]
    assert (row.found, row.applies_to) == (2, 3)
    assert row.share == 2 / 3
    assert row.evidence is not None
    assert row.evidence.prompt_id == "whole"
    assert table["truncation"].share is None
    with pytest.raises(KeyError):
        table["loops"]


def test_the_command_prints_counts_evidence_and_json(tmp_path: Path) -> None:
    file = tmp_path / "outputs.jsonl"
    lines = [{"text": "No use. No use. No use.", "prompt_id": "p"}, {"text": ""}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = ["score", str(file), "--pitfalls"]
    words = CliRunner().invoke(cli, [*command, "--evidence"])
    assert words.exit_code == 0
    assert "loop              1   1  100.0 %  repeats a phrase" in words.output
    assert "at 0: 3.0 times a phrase of 2 words: 'No use. No use. No use.'" in words.output
    data = json.loads(CliRunner().invoke(cli, [*command, "--json"]).output)
    assert data["pitfalls"]["loop"]["share"] == 1.0
    assert data["pitfalls"]["loop"]["evidence"]["spans"][0]["text"] == "No use. No use. No use."
    assert data["pitfalls"]["empty"] == {
        "title": "Empty",
        "meaning": "has no text",
        "found": 1,
        "applies_to": 2,
        "share": 0.5,
        "evidence": data["pitfalls"]["empty"]["evidence"],
    }
    refused = CliRunner().invoke(cli, [*command, "--metric", "words"])
    assert refused.exit_code == 2
    assert "--pitfalls can only be combined with --evidence and --json" in refused.output


def test_no_outputs_are_refused() -> None:
    from ethogram.errors import SpecError

    with pytest.raises(SpecError, match="no outputs"):
        find_pitfalls([])


@pytest.mark.parametrize(
    "unit", ["Ab ", "Ab of ", ".", '"Ab ', "|", "978-1", " ", "(Ab ", "\n ", "`"]
)
def test_long_monotone_text_is_looked_at_like_any_other(unit: str) -> None:
    output = Output(text=unit * 3000 + "a", prompt="Write a Python function with its DOI.")
    for pitfall in PITFALLS:
        assert pitfall.find(output).found in (True, False, None)  # A bad pattern would never end.


@pytest.mark.parametrize("unit", ["A-", "A’", "A-'", '"Abcdefg" [A '])
def test_a_long_word_of_capitals_costs_no_more_than_its_length(unit: str) -> None:
    def seconds(characters: int) -> float:
        output = Output(text=unit * (characters // len(unit)) + " as Ab (2019) says")
        begun = time.process_time()
        RULES["fabrication"].find(output)
        return time.process_time() - begun

    short, long = (min(seconds(size) for _ in range(3)) for size in (1500, 24_000))
    assert long < 80 * short, "16 times as long; its square would be 256 times"


def test_a_score_table_leaves_pitfalls_to_their_own_unless_named() -> None:
    from ethogram.metrics import score_outputs

    outputs = [Output("No use. No use. No use.")]
    names = {row.metric.name for row in score_outputs(outputs).rows}
    assert not any(name.startswith("pitfall_") for name in names)
    assert score_outputs(outputs, ["pitfall_loop"])["pitfall_loop"].value == 1


def test_the_table_shows_itself_in_a_notebook() -> None:
    page = find_pitfalls([Output(text="round and round " * 9, prompt="Go on")])._repr_html_()
    assert page.startswith("<table><tr><th>pitfall")
    assert "loop" in page
