"""IFEval's constraints against if-verifiable, verdict by verdict, and cases of our own."""

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ethogram.errors import SpecError
from ethogram.files import open_text
from ethogram.metrics import Output, get, read_outputs
from ethogram.metrics.constraints import follows, loose_variants
from ethogram.metrics.instruction import loose_verdicts, strict_verdicts
from ethogram.spec.constraints import INSTRUCTIONS
from ethogram.spec.suite import Constraint, load_suite

NAMES = ("prompt_strict", "instruction_strict", "prompt_loose", "instruction_loose")

ESSAY = (
    "The harbour wakes early. Boats leave before dawn, and gulls follow them.\n\n"
    "By noon the quay is full of crates. Men shout; nobody listens.\n\nP.S. Bring a coat."
)
#: Instruction, arguments, a text that follows, one that does not.
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("keywords:existence", {"keywords": ["gull", "QUAY"]}, ESSAY, "No birds here."),
    (
        "keywords:frequency",
        {"keyword": "tide", "frequency": 2, "relation": "at least"},
        "Tide and tide again.",
        "One tide.",
    ),
    ("keywords:forbidden_words", {"forbidden_words": ["cat"]}, "A catalogue.", "A Cat."),
    (
        "keywords:letter_frequency",
        {"letter": "Z", "let_frequency": 2, "let_relation": "less than"},
        "One z.",
        "Zigzag zoo.",
    ),
    (
        "keywords:letter_frequency",
        {"letter": "!", "let_frequency": 2, "let_relation": "at least"},
        "Oh! No!",
        "Oh! No.",
    ),
    (
        "language:response_language",
        {"language": "de"},
        "Der Hafen wacht früh auf, und die Boote fahren vor der Dämmerung hinaus.",
        "The harbour wakes early and the boats leave before dawn.",
    ),
    (
        "length_constraints:number_sentences",
        {"num_sentences": 2, "relation": "at least"},
        "Dr. Low left. We stayed.",
        "Dr. Low left us.",
    ),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "One\n***\nTwo", "One\n\nTwo"),
    (
        "length_constraints:number_words",
        {"num_words": 3, "relation": "less than"},
        "Two words.",
        "Now three words.",
    ),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "by"},
        ESSAY,
        ESSAY.replace("By noon", "At noon"),
    ),
    (
        "detectable_content:number_placeholders",
        {"num_placeholders": 2},
        "Dear [name], see [place].",
        "Dear [name].",
    ),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, ESSAY, "No more."),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P. P. S too", "P.S. one"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n* b\n* c"),
    ("detectable_format:constrained_response", {}, "My answer is maybe.", "My answer: yes."),
    (
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        "*one* and **two**",
        "*one* and **",
    ),
    (
        "detectable_format:multiple_sections",
        {"section_spliter": "SECTION", "num_sections": 2},
        "SECTION 1 a SECTION 2 b",
        "SECTION 1 a",
    ),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{'a': 1}"),
    ("detectable_format:title", {}, "<<The Tide>>\nIt rose.", "<< >>\nIt rose."),
    ("combination:two_responses", {}, "one\n******\ntwo", "one\n******\none"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say it."}, "say it. It.", "It. Say it."),
    ("startend:end_checker", {"end_phrase": "Any more?"}, 'Well. any more?"', "Any more? No."),
    ("startend:quotation", {}, '"All of it."', '"All" of it.'),
    (
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "GO NOW.",
        "GO now.",
    ),
    (
        "change_case:english_capital",
        {},
        "THE BOATS THAT YOU CAN SEE FROM HERE WILL LEAVE THE HARBOUR WITH THE NEXT TIDE.",
        "THE BOATS leave.",
    ),
    (
        "change_case:english_lowercase",
        {},
        "the boats that you see will leave with the next tide.",
        "The boats leave.",
    ),
    ("punctuation:no_comma", {}, "None here.", "One, here."),
]


def test_every_instruction_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(INSTRUCTIONS)
    assert len(INSTRUCTIONS) == 25


@pytest.mark.parametrize(("name", "kwargs", "good", "bad"), CASES)
def test_a_text_that_follows_and_one_that_does_not(
    name: str, kwargs: dict[str, Any], good: str, bad: str
) -> None:
    constraint = Constraint(type=name, kwargs=kwargs)
    assert follows(constraint, good)
    assert not follows(constraint, bad)
    assert not follows(constraint, " \n")


@pytest.fixture(scope="module")
def registry() -> Iterator[dict[str, Any]]:
    """The checkers of if-verifiable, with Punkt's English model from a wheel.

    Theirs load it as a pickle from nltk's download folder; the model is the same one.
    """
    import nltk
    import punkt
    from if_verifiable.ifeval import INSTRUCTION_DICT, instructions_util

    patch = pytest.MonkeyPatch()
    patch.setattr(instructions_util, "count_sentences", lambda text: len(punkt.sent_tokenize(text)))
    patch.setattr(
        nltk,
        "word_tokenize",
        lambda text: [
            word
            for sentence in punkt.sent_tokenize(text)
            for word in nltk.NLTKWordTokenizer().tokenize(sentence)
        ],
    )
    import langdetect

    langdetect.DetectorFactory.seed = 0
    yield INSTRUCTION_DICT
    patch.undo()


def by_reference(registry: dict[str, Any], name: str, kwargs: dict[str, Any], text: str) -> bool:
    checker = registry[name](name)
    checker.build_description(**kwargs)
    return bool(text.strip() and checker.check_following(text))


def loose_by_reference(
    registry: dict[str, Any], name: str, kwargs: dict[str, Any], text: str
) -> bool:
    from if_verifiable.common import get_loose_transformations

    return any(
        by_reference(registry, name, kwargs, variant) for variant in get_loose_transformations(text)
    )


def reshaped(text: str, rng: random.Random) -> str:
    """A text in some other shape, so that constraints of form are met now and then."""
    words = text.split()
    section = "".join(f"Section {n} {word} " for n, word in enumerate(words[:4], 1))
    return rng.choice(
        [
            text,
            text.upper(),
            text.lower(),
            text.replace(",", ""),
            f'"{text}"',
            f"Sure, here it is:\n\n{text}\n\nP.S. Also this.",
            f"<<{words[0] if words else 'x'}>>\n" + "\n".join(f"* {word}" for word in words[:5]),
            " ".join(f"*{word}* [{word}]" for word in words[:6]),
            text + "\n******\n" + text[::-1],
            "\n***\n".join(words[:5]),
            "\n\n".join(words[:4]),
            section,
            json.dumps({"answer": text}),
            "My answer is yes. " + text,
            "",
        ]
    )


@pytest.mark.long
def test_verdicts_are_those_of_if_verifiable(
    registry: dict[str, Any], released: Callable[[str], Path]
) -> None:
    with open_text(released("self-instruct/text-davinci-003.jsonl")) as file:
        texts = [json.loads(line)["output"] for line in file]
    rng = random.Random(0)
    followed: dict[str, set[bool]] = {}
    compared = 0
    for name, kwargs in published_constraints(released("ifeval-prompts.jsonl")):
        if name == "keywords:letter_frequency" and not kwargs["letter"].isalpha():
            continue  # There the released checker counts a letter drawn by chance.
        constraint = Constraint(type=name, kwargs=kwargs)
        starts = [kwargs.get("prompt_to_repeat", ""), kwargs.get("first_word", "")]
        text = rng.choice(["", *starts]) + reshaped(rng.choice(texts), rng)
        text += rng.choice(["", " " + kwargs.get("end_phrase", "")])
        text += " ".join(kwargs.get("keywords", [])) if rng.random() < 0.5 else ""
        expected = by_reference(registry, name, kwargs, text)
        assert follows(constraint, text) == expected, (name, kwargs, text)
        output = Output(text, constraints=(constraint,))
        assert strict_verdicts(output) == (expected,)
        loose = loose_by_reference(registry, name, kwargs, text)
        assert loose_verdicts(output) == (loose,), (name, kwargs, text)
        followed.setdefault(name, set()).add(expected)
        compared += 1
    assert compared > 800
    # Every instruction was met, and most of them by texts that follow and texts that do not.
    assert set(followed) == set(INSTRUCTIONS)
    assert sum(len(seen) == 2 for seen in followed.values()) >= 20


def published_constraints(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with open_text(path) as file:
        for row in map(json.loads, file):
            yield from zip(row["instruction_id_list"], row["kwargs"], strict=True)


@given(st.text(alphabet="a*\n ", max_size=20))
def test_loose_variants_are_the_eight_of_if_verifiable(text: str) -> None:
    from if_verifiable.common import get_loose_transformations

    assert sorted(loose_variants(text)) == sorted(get_loose_transformations(text))


def output_of(text: str, *constraints: tuple[str, dict[str, Any]]) -> Output:
    return Output(text, constraints=tuple(Constraint(type=n, kwargs=k) for n, k in constraints))


def test_four_readings() -> None:
    output = output_of(
        "Sure, here it is:\nno commas at all",
        ("punctuation:no_comma", {}),
        ("keywords:existence", {"keywords": ["commas"]}),
    )
    values = [get(f"ifeval_{name}").measure(output).value for name in NAMES]
    assert values == [0, 0.5, 1, 1]
    (span,) = get("ifeval_prompt_strict").measure(output).spans
    assert (output.text[span.start : span.end], span.label) == (",", "breaks punctuation:no_comma")
    assert get("ifeval_instruction_strict").measure(output).parts == (1, 2)
    assert get("ifeval_prompt_strict").measure(Output("x")).value is None


@given(st.text(max_size=60), st.lists(st.sampled_from(CASES), min_size=1, max_size=4))
def test_loose_forgives_and_prompts_are_stricter(text: str, cases: list[Any]) -> None:
    slow = ("change_case:english", "language:")  # langdetect takes long to tell a language.
    kept = [case[:2] for case in cases if not case[0].startswith(slow)]
    output = output_of(text, *kept) if kept else output_of(text, ("punctuation:no_comma", {}))
    prompt, instruction, loose_prompt, loose_instruction = (
        get(f"ifeval_{name}").measure(output).value or 0.0 for name in NAMES
    )
    assert 0 <= prompt <= instruction <= loose_instruction <= 1
    assert prompt <= loose_prompt <= loose_instruction


@pytest.mark.parametrize(
    ("name", "kwargs", "said"),
    [
        ("punctuation:no_coma", {}, "did you mean 'punctuation:no_comma'?"),
        ("no_comma", {}, "did you mean 'punctuation:no_comma'?"),
        ("punctuation:no_comma", {"n": 1}, "has no argument 'n'; it takes none"),
        ("keywords:existence", {}, "needs the argument 'keywords'"),
        ("keywords:existence", {"keyword": ["a"]}, "did you mean 'keywords'?"),
        ("keywords:existence", {"keywords": "sea"}, "keywords must be a list of texts, got 'sea'"),
        (
            "length_constraints:number_words",
            {"num_words": 3, "relation": "under"},
            "relation must be 'less than' or 'at least', got 'under'",
        ),
        (
            "detectable_format:number_bullet_lists",
            {"num_bullets": -1},
            "num_bullets must be a whole number from 0 on, got -1",
        ),
    ],
)
def test_a_wrong_constraint_is_an_error_with_its_line(
    tmp_path: Path, name: str, kwargs: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        Constraint(type=name, kwargs=kwargs)
    suite = tmp_path / "suite.jsonl"
    row = {"id": "a", "text": "Go.", "constraints": [{"id": name, "kwargs": kwargs}]}
    suite.write_text('{"id": "first", "text": "Hi."}\n' + json.dumps(row) + "\n")
    with pytest.raises(SpecError) as told:
        load_suite(suite)
    assert said in str(told.value)
    assert f"{suite}:2" in str(told.value)
    outputs = tmp_path / "outputs.jsonl"
    outputs.write_text(json.dumps({"text": "x", "constraints": [{"type": name, "kwargs": kwargs}]}))
    with pytest.raises(SpecError) as told:
        list(read_outputs(outputs))
    assert said in str(told.value)
    assert f"{outputs}:1" in str(told.value)


def test_constraints_come_with_outputs_in_two_forms(tmp_path: Path) -> None:
    file = tmp_path / "outputs.jsonl"
    rows = [
        {"text": "a", "constraints": [{"type": "punctuation:no_comma"}]},
        {"text": "a", "constraints": [{"id": "punctuation:no_comma", "kwargs": {}}]},
        # Tables of many instructions fill other arguments with null.
        {"text": "a", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
        {
            "text": "a",
            "instruction_id_list": ["keywords:existence"],
            "kwargs": [{"keywords": ["a"], "num_words": None}],
        },
        {"text": "a"},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    found = [output.constraints for output in read_outputs(file)]
    no_comma = Constraint(type="punctuation:no_comma")
    assert found[:3] == [(no_comma,)] * 3
    assert follows(found[3][0], "an a")
    assert found[4] == ()


def test_a_suite_of_old_keeps_its_identity(tmp_path: Path) -> None:
    identities = set()
    for key in ("type", "id"):
        file = tmp_path / f"{key}.jsonl"
        row = {"id": "a", "text": "Go.", "constraints": [{key: "punctuation:no_comma"}]}
        file.write_text(json.dumps(row))
        identities.add(load_suite(file).identity)
    assert len(identities) == 1


def test_a_study_measures_the_constraints_of_its_suite(tmp_path: Path) -> None:
    from ethogram.study import Study, import_outputs, init, run
    from ethogram.study.measure import measure

    rows = tmp_path / "outputs.jsonl"
    no_comma = [{"type": "punctuation:no_comma", "kwargs": {}}]
    rows.write_text(
        json.dumps({"prompt_id": "a", "prompt": "Go.", "text": "I, no.", "constraints": no_comma})
        + "\n"
        + json.dumps({"prompt_id": "b", "prompt": "Go.", "text": "I, no."})
    )
    folder = init(tmp_path / "study")
    with Study(folder) as study:
        import_outputs(study, rows, "v9.0.0")
    with Study(folder) as study:
        run(study, ["v9.0.0"])
        measured = measure(study, "v9.0.0", ["ifeval_prompt_strict"])["ifeval_prompt_strict"]
    assert measured.value == 0
    assert [score.value for score in measured.scores] == [0, None]


def test_imported_outputs_keep_their_identity_without_constraints() -> None:
    from dataclasses import asdict

    from ethogram.spec.identity import digest
    from ethogram.study.stored_outputs import _identifying

    row = Output("text", prompt="p", token_ids=(1, 2), logprobs=(-1.0, -2.0), tags=("a",))
    before = {
        name: value for name, value in asdict(row).items() if name not in ("constraints", "guarded")
    }
    assert digest(["import", _identifying(row)]) == digest(["import", before])
