"""Hints for names of other libraries, for dates in YAML, and for two files of one version."""

from pathlib import Path

import pytest

from ethogram.errors import SpecError
from ethogram.spec import Decoding, load_study, load_suite
from ethogram.spec.aims import Note
from ethogram.spec.other_names import HINTS, REMOVED
from ethogram.spec.source import parse_yaml


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    (tmp_path / "study.yaml").write_text("name: s\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (
            "do_sample",
            "in decoding, write `strategy: sample` for true, `strategy: greedy` for false",
        ),
        ("stop_sequences", "did you mean 'stop'?"),
        ("max_tokens", "did you mean 'max_new_tokens'?"),
        ("max_length", "did you mean 'max_new_tokens'?"),
        ("num_predict", "did you mean 'max_new_tokens'?"),
        ("typical", "did you mean 'typical_p'?"),
        ("repeat_penalty", "did you mean 'repetition_penalty'?"),
        ("eos_token_id", "did you mean 'stop_token_ids'?"),
        ("seed", "set `seed` in study.yaml, for all versions of the study"),
        ("n", "set `samples` in the version, beside decoding"),
        ("temprature", "did you mean 'temperature'?"),
    ],
)
def test_names_of_other_libraries_get_a_hint(study: Path, name: str, hint: str) -> None:
    (study / "versions/v1.0.0.yaml").write_text(f"decoding:\n  {name}: 1\n")
    with pytest.raises(SpecError) as caught:
        load_study(study)
    path = study / "versions/v1.0.0.yaml"
    assert str(caught.value) == f"{path}:2: decoding.{name}: unknown field; {hint}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("max_tokens", "did you mean 'max_new_tokens' inside 'decoding'?"),
        (
            "do_sample",
            "in decoding, write `strategy: sample` for true, `strategy: greedy` for false",
        ),
        ("seed", "set `seed` in study.yaml, for all versions of the study"),
    ],
)
def test_they_get_one_outside_the_decoding_too(study: Path, name: str, hint: str) -> None:
    (study / "versions/v1.0.0.yaml").write_text(f"{name}: 1\n")
    with pytest.raises(SpecError) as caught:
        load_study(study)
    assert str(caught.value).endswith(f"yaml:1: {name}: unknown field; {hint}")


def test_no_hint_shadows_a_field() -> None:
    assert not set(Decoding.model_fields) & (set(HINTS) | set(REMOVED))


@pytest.mark.parametrize(
    "hint", sorted(hint for hint in set(HINTS.values()) if hint.startswith("did you mean"))
)
def test_hints_name_fields_that_exist(hint: str) -> None:
    name = hint.split("'")[1]
    assert name.split(".")[0] in Decoding.model_fields


def test_a_date_is_text(study: Path) -> None:
    (study / "versions/v1.0.0.yaml").write_text("title: 2024-01-01\nlearned: [2026-13-01]\n")
    version = load_study(study).version("v1.0.0")
    assert (version.title, version.learned) == ("2024-01-01", (Note(text="2026-13-01"),))
    suite = study / "suite.yaml"
    suite.write_text("- id: 2024-01-01\n  text: 2001-12-14t21:59:43.10-05:00\n")
    (item,) = load_suite(suite).prompts
    assert (item.id, item.text) == ("2024-01-01", "2001-12-14t21:59:43.10-05:00")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024-01-01", "2024-01-01"),
        ("!!timestamp 2024-01-01", "2024-01-01"),
        ("[on, off, yes, no]", ["on", "off", "yes", "no"]),
        ("[true, null, 1, 1e3, 0x10, .5]", [True, None, 1, 1000.0, 16, 0.5]),
        ("12:30:45", "12:30:45"),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
    ],
)
def test_yaml_is_read_by_the_core_schema_of_1_2(text: str, value: object) -> None:
    assert parse_yaml(text) == value


def test_two_files_of_one_version_are_refused(study: Path) -> None:
    for suffix in ("yaml", "yml"):
        (study / f"versions/v1.9.0.{suffix}").write_text("title: a\n")
    with pytest.raises(SpecError) as caught:
        load_study(study)
    assert str(caught.value) == (
        f"{study / 'versions'}: version v1.9.0 has two files, v1.9.0.yaml and v1.9.0.yml; "
        "delete or rename one of them"
    )
