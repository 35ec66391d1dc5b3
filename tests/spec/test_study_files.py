"""Study files: what a user writes, and the one line that reports a mistake."""

import json
from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import SpecError
from ethogram.spec import Version, diff_versions, load_study, load_suite
from ethogram.spec.aims import Note


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    (tmp_path / "suites").mkdir()
    (tmp_path / "study.yaml").write_text("name: s\nsamples: 2\n")
    (tmp_path / "suites/prompts.jsonl").write_text('{"id": "a", "text": "Once"}\n')
    (tmp_path / "versions/v0.0.1.yaml").write_text(
        "title: Greedy\nmodel: gpt2\ndecoding: {strategy: greedy, max_new_tokens: 40}\n"
        "learned: it loops\n"
    )
    (tmp_path / "versions/v0.1.0.yaml").write_text(
        "title: Sampling\nparent: v0.0.1\n"
        "decoding:\n  strategy: sample\n  temperature: 0.7\n  top_p: 0.9\n"
    )
    return tmp_path


def write(study: Path, name: str, text: str) -> None:
    (study / name).write_text(text)


def test_child_states_only_what_differs(study: Path) -> None:
    spec = load_study(study)
    child = spec.version("v0.1.0")
    assert child.model == "gpt2"
    assert child.decoding.max_new_tokens == 40
    assert child.decoding.top_p == 0.9
    assert child.title == "Sampling"
    assert child.learned == (), "notes belong to the version that wrote them"
    assert spec.version("v0.0.1").learned == (Note(text="it loops"),)
    assert spec.samples("v0.1.0") == 2


def test_diff_in_words(study: Path) -> None:
    spec = load_study(study)
    changes = diff_versions(spec.version("v0.0.1"), spec.version("v0.1.0"))
    assert [change.field for change in changes] == ["decoding.strategy", "decoding.top_p"]
    # Nothing was sampled before, so no temperature fell.
    assert changes[0].words == "`decoding.strategy` `greedy` → `sample` (at temperature 0.7)"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"temperature": 0.9}, {"temperature": 0.7}, "`0.9` → `0.7`"),
        ({"top_k": 0}, {"top_k": 50}, "off → `50`"),
        ({"top_k": 50}, {"top_k": 80}, "`50` → `80`"),
        ({"top_p": 0.9}, {"top_p": 1.0}, "`0.9` → off"),
        ({"min_p": 0.0}, {"min_p": 0.1}, "off → `0.1`"),
        ({"repetition_penalty": 1.2}, {"repetition_penalty": 1.0}, "`1.2` → off"),
        ({"guidance_scale": 1}, {"guidance_scale": 1.5}, "off → `1.5`"),
        ({"guidance_scale": 2}, {"guidance_scale": 1}, "`2.0` → off"),
        ({}, {"negative_prompt": "Be rude."}, "`decoding.negative_prompt` none → `'Be rude.'`"),
        ({}, {"amateur": "gpt2"}, "`decoding.contrastive.amateur` none → `gpt2`"),
        (
            {"amateur": "gpt2"},
            {"amateur": "gpt2", "contrastive_alpha": 0.2},
            "`0.1` → `0.2`",
        ),
        (
            {"amateur": "gpt2", "contrastive_beta": 0.5},
            {"amateur": "gpt2", "contrastive_beta": 0.2},
            "`0.5` → `0.2`",
        ),
        ({}, {"dola_layers": "high"}, "`decoding.dola_layers` none → `high`"),
        ({"dola_layers": "low"}, {"dola_layers": [4, 6]}, "`low` → [4, 6]"),
        ({"max_new_tokens": 90}, {"max_new_tokens": 60}, "`90` → `60`"),
        (
            {"strategy": "greedy", "top_k": 5},
            {"strategy": "greedy", "top_k": 6},
            "`5` → `6` (no effect without sampling)",
        ),
    ],
)
def test_a_change_names_no_effect_that_was_not_measured(
    before: dict[str, Any], after: dict[str, Any], words: str
) -> None:
    base = {"strategy": "sample"}
    one, two = (Version(decoding={**base, **settings}) for settings in (before, after))
    (change,) = diff_versions(one, two)
    assert words in change.words


def test_a_bias_joins_that_of_the_parent_and_a_zero_takes_it_away(study: Path) -> None:
    for name, parent, decoding in (
        ("v1.0.0", "v0.1.0", "{logit_bias: {7: 1, 8: -2}, bad_words: [cat, [1, 2]]}"),
        ("v1.1.0", "v1.0.0", "{logit_bias: {8: 0, 9: 3}, dry_multiplier: 0.8}"),
    ):
        write(study, f"versions/{name}.yaml", f"parent: {parent}\ndecoding: {decoding}\n")
    spec = load_study(study)
    child = spec.version("v1.1.0").decoding
    assert child.steps[0] == ("logit_bias", ((7, 1.0), (9, 3.0)))
    words = {
        change.field.removeprefix("decoding."): change.words.split("` ", 1)[1]
        for old, new in (("v0.1.0", "v1.0.0"), ("v1.0.0", "v1.1.0"))
        for change in diff_versions(spec.version(old), spec.version(new))
    }
    assert words == {
        "logit_bias": "[7: 1.0, 8: -2.0] → [7: 1.0, 8: 0.0, 9: 3.0]",
        "bad_words": "none → ['cat', [1, 2]]",
        "dry.multiplier": "off → `0.8`",
    }


MISTAKES = [
    (
        "decoding: {guidance_scale: 2, num_beams: 3}",
        "v0.2.0.yaml:1: decoding: guidance_scale cannot be combined with beam search; use",
    ),
    (
        "decoding:\n  amateur: gpt2\n  dola_layers: low",
        "v0.2.0.yaml:1: decoding: contrastive.amateur and dola_layers cannot be combined",
    ),
    ("decoding: {guidance_scale: -1}", "v0.2.0.yaml:1: decoding.guidance_scale: input should be"),
    ("decoding: {negative_prompt: ''}", "v0.2.0.yaml:1: decoding.negative_prompt"),
    ("decoding: {dola_layers: middle}", "v0.2.0.yaml:1: decoding.dola_layers"),
    ("decoding: {dola_layers: []}", "v0.2.0.yaml:1: decoding.dola_layers"),
    ("decoding: {dola_layers: [-1]}", "v0.2.0.yaml:1: decoding.dola_layers"),
    ("decoding: {contrastive_alpha: 1.1}", "v0.2.0.yaml:1: decoding.contrastive_alpha: input"),
    ("decoding: {amateur_temperature: 0}", "v0.2.0.yaml:1: decoding.amateur_temperature: input"),
    ("decoding: {logit_bias: {-1: 2}}", "v0.2.0.yaml:1: decoding.logit_bias"),
    ("decoding: {logit_bias: {5: 101}}", "v0.2.0.yaml:1: decoding.logit_bias.5: input should be"),
    ("decoding:\n  bad_words: ['']", "v0.2.0.yaml:2: decoding.bad_words"),
    ("decoding: {xtc_threshold: 0}", "v0.2.0.yaml:1: decoding.xtc_threshold: input should be"),
    (
        "temprature: 1",
        "v0.2.0.yaml:1: temprature: unknown field; did you mean 'temperature' inside 'decoding'?",
    ),
    ("decoding:\n  temprature: 1", "v0.2.0.yaml:2: decoding.temprature: unknown field; did you"),
    ("decoding: {temperature: -1}", "v0.2.0.yaml:1: decoding.temperature: input should be greater"),
    ("decoding:\n  top_p: 0", "v0.2.0.yaml:2: decoding.top_p: input should be greater than 0"),
    ("decoding:\n  top_p: 1.5", "v0.2.0.yaml:2: decoding.top_p: input should be less than"),
    ("decoding:\n  top_k: many", "v0.2.0.yaml:2: decoding.top_k: input should be a valid integer"),
    ("decoding: 3", "decoding: must be a mapping of fields, got 3"),
    ("parent: v0.0.9", "v0.2.0.yaml:1: parent: no version 'v0.0.9'; did you mean 'v0.0.1'?"),
    ("parent: v0.2.0", "versions are each other's parents: v0.2.0 -> v0.2.0"),
    ("title: [", "v0.2.0.yaml:1: not valid YAML"),
    ("title: a\ntitle: b", "not valid YAML: found duplicate key"),
    ("title: a\n!!set parent: v", "v0.2.0.yaml:2: not valid YAML: the tag 'set' is not read"),
    ("title: !!python/object x", "v0.2.0.yaml:1: not valid YAML: the tag 'python/object' is not"),
    ("title: !!bool x", "v0.2.0.yaml:1: not valid YAML: 'x' is neither true nor false"),
    ("- a", "must be a mapping"),
    ("prompt: {template: 'Q:'}", "template does not use {{ input }}"),
    ("prompt: {template: '{{ inptu }}'}", "'inptu' is undefined"),
    ("expect: {loop_rate: low}", "invalid bound 'low'"),
    ("decoding: {order: vlm, temperature: 1}", "unknown order 'vlm'"),
    ("decoding: {order: [temperature], top_k: 5}", "top_k is set but not in order"),
    ("decoding: {min_new_tokens: 50, max_new_tokens: 10}", "min_new_tokens 50 is above"),
    ("decoding: {strategy: beam}", "strategy beam needs num_beams"),
    (
        "decoding: {penalty_alpha: 0.6, temperature: 0.7, top_k: 4}",
        "under the strategy contrastive",
    ),
    ("decoding: {penalty_alpha: 0.6, top_k: 4, min_p: 0.1}", "has no effect under contrastive"),
    (
        "decoding: {num_beams: 4, num_beam_groups: 1}",
        "v0.2.0.yaml:1: decoding.num_beam_groups: diverse beam search was removed; delete this",
    ),
    (
        "decoding:\n  num_beams: 4\n  diversity_penalty: 0.5",
        "v0.2.0.yaml:3: decoding.diversity_penalty: diverse beam search was removed; delete this",
    ),
    ("decoding: {answer: pattern, answer_pattern: '('}", "answer_pattern is not a regular express"),
    (
        "decoding: {dry_multiplier: 1, dry: {multiplier: 1}}",
        "v0.2.0.yaml:1: decoding.dry_multiplier: dry_multiplier is the old name of dry.multiplier, "
        "which is also set; keep dry.multiplier",
    ),
    (
        "decoding:\n  xtc:\n    threshold: 0",
        "v0.2.0.yaml:3: decoding.xtc.threshold: input should be",
    ),
    (
        "decoding:\n  mirostat: 2",
        "v0.2.0.yaml:2: decoding.mirostat: must be a mapping of fields, got",
    ),
    ("decoding: {mirostat: 2}", "its fields are tau, eta"),
    ("decoding: {dry: 1, dry_base: 2}", "decoding.dry: must be a mapping of fields, got 1"),
    (
        "decoding: {dry: {muliplier: 1}}",
        "decoding.dry.muliplier: unknown field; did you mean 'mult",
    ),
    ("decoding: {dry_muliplier: 1}", "unknown field; did you mean 'multiplier' inside 'dry'?"),
    ("decoding: {order: [dry_multiplier, dry]}", "duplicate step in order"),
    (
        "parent: v0.0.1\ndecoding: {xtc_probability: 0.5}",
        "v0.2.0.yaml:2: decoding.xtc_probability: has no effect under greedy decoding",
    ),
    (
        "backend: vllm\ndecoding: {dry_multiplier: 1}",
        "yaml:2: decoding.dry_multiplier: vLLM has no",
    ),
    (
        "backend: vllm\ndecoding:\n  dry:\n    multiplier: 1",
        "yaml:4: decoding.dry.multiplier: vLLM has no DRY; turn it off (dry: {multiplier: 0})",
    ),
    ("parent: v0.0.1\ndecoding: {best_of: 4}", "best_of 4 needs sampling; under greedy"),
    ("parent: v0.0.1\ndecoding: {temperature: 0.7}", "no effect under the inherited strategy"),
    ("parent: v0.0.1\ndecoding: {top_p: 0.7}", "has no effect under greedy decoding"),
]


@pytest.mark.parametrize(("text", "line"), MISTAKES, ids=[line[:40] for _, line in MISTAKES])
def test_one_line_for_a_mistake(study: Path, text: str, line: str) -> None:
    write(study, "versions/v0.2.0.yaml", text)
    with pytest.raises(SpecError) as caught:
        load_study(study)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cycle_and_bad_name(study: Path) -> None:
    write(study, "versions/v0.2.0.yaml", "parent: v0.3.0")
    write(study, "versions/v0.3.0.yaml", "parent: v0.2.0")
    with pytest.raises(SpecError, match=r"v0\.2\.0 -> v0\.3\.0 -> v0\.2\.0"):
        load_study(study)
    (study / "versions/v0.3.0.yaml").rename(study / "versions/best.yaml")
    with pytest.raises(SpecError, match="not a version name"):
        load_study(study)


def test_missing_study_and_version(study: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"no study\.yaml here"):
        load_study(tmp_path / "nowhere")
    with pytest.raises(SpecError, match=r"did you mean 'v0\.0\.1'"):
        load_study(study).version("v0.0.2")


SUITES = [
    ("", "the suite is empty"),
    (
        '{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n',
        ":2: duplicate prompt id 'a' (first on line 1)",
    ),
    ('{"id": "a", "text": "x"}\n' * 0 + "\n" * 6 + '{"id": "b"\n', ":7: not valid JSON"),
    ('{"id": "a"}\n', ":1: give either text or messages"),
    ('{"id": "a", "text": "x", "tag": []}\n', "did you mean 'tags'?"),
    ("[1]\n", "must be a JSON object"),
    (
        '{"id": "a", "text": "x"}\n' + "[" * 100_000,
        ":2: the JSON is nested too deeply; fix or remove",
    ),
    ('{"id": ' + "9" * 5000 + "}", ":1: a whole number of more than 4300 digits; fix or remove"),
]


@pytest.mark.parametrize(("text", "line"), SUITES)
def test_suite_mistakes(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "suite.jsonl"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_suite(path)
    assert line in str(caught.value)


SEPARATORS = "\u2028\u2029\x85"  # str.splitlines() cuts here; JSON strings may hold them raw.


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_a_line_feed_ends_a_line(tmp_path: Path, end: str) -> None:
    path = tmp_path / "suite.jsonl"
    rows = [{"id": name, "text": f"{name}{SEPARATORS}{name}"} for name in "ab"]
    text = end.join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(text + end, encoding="utf-8", newline="")
    assert [item.text for item in load_suite(path).prompts] == [row["text"] for row in rows]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- id: " + "9" * 5000, "a value cannot be read: Exceeds the limit (4300 digits)"),
        ("[" * 300, "the YAML is nested too deeply; use at most 100 levels"),
        ("[" * 99 + "\n[" * 2, "the YAML is nested too deeply"),
    ],
)
def test_values_that_yaml_cannot_read(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_suite(path)
    assert str(caught.value).startswith(str(path))
    assert line in str(caught.value)


def test_yaml_suite_with_messages(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(
        "- id: a\n  text: Once\n- id: b\n  messages:\n    - {role: user, content: Hi}\n"
    )
    suite = load_suite(path)
    assert [item.as_text() for item in suite.prompts] == ["Once", "Hi"]
    path.write_text("- id: a\n  text: Once\n- id: a\n  text: Two\n")
    with pytest.raises(SpecError, match=r"suite\.yaml:3: duplicate prompt id 'a'"):
        load_suite(path)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        load_suite(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match="not UTF-8"):
        load_suite(tmp_path / "latin.jsonl")
    with pytest.raises(SpecError, match="cannot be read"):
        load_suite(tmp_path)
