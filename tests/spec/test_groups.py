"""Grouped settings (`dry: {...}`) and the flat names of version 0.1 have one identity."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ethogram.errors import SpecError
from ethogram.spec import Decoding, Version, diff_versions, load_study
from ethogram.spec.groups import GROUPS, OLD_NAMES
from ethogram.spec.space import apply, grid, parse_axis
from ethogram.spec.steps import STEPS
from ethogram.study.settings import show
from ethogram.study.workspace import Study

EXAMPLES = Path(__file__).parents[2] / "examples"
RECORDED: dict[str, dict[str, str]] = json.loads(
    Path(__file__).with_name("identities.json").read_text(encoding="utf-8")
)
FLAT = {
    "dry_multiplier": st.floats(0, 2),
    "dry_base": st.floats(1, 3),
    "dry_allowed_length": st.integers(1, 5),
    "dry_penalty_last_n": st.integers(-1, 9),
    "dry_sequence_breakers": st.lists(st.text("ab", min_size=1, max_size=2), max_size=3),
    "xtc_probability": st.floats(0, 1),
    "xtc_threshold": st.floats(0.01, 1),
    "mirostat_tau": st.sampled_from([0, 3.0]),
    "mirostat_eta": st.floats(0, 1),
    "amateur": st.sampled_from([None, "gpt2"]),
    "contrastive_alpha": st.floats(0, 1),
    "contrastive_beta": st.none() | st.floats(0, 2),
    "amateur_temperature": st.floats(0.5, 2),
}


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    groups: dict[str, Any] = {}
    for old, value in flat.items():
        group, field = OLD_NAMES[old]
        groups.setdefault(group, {})[field] = value
    return groups


@pytest.mark.parametrize("study", sorted(RECORDED))
def test_examples_have_the_identities_of_release_0_1_0(study: str) -> None:
    """first-light has other versions by now, so those of the release lie beside this file."""
    kept = Path(__file__).parent / "release_0_1" / study
    versions = load_study(kept if kept.exists() else EXAMPLES / study).versions
    assert {name: version.identity for name, version in versions.items()} == RECORDED[study]


@given(st.fixed_dictionaries({}, optional=FLAT))
def test_flat_and_grouped_settings_are_one_decoding(flat: dict[str, Any]) -> None:
    one, other = Decoding(**flat), Decoding(**nested(flat))
    assert one == other
    assert Version(decoding=one).identity == Version(decoding=other).identity


def test_every_flat_name_is_tested() -> None:
    assert set(FLAT) == set(OLD_NAMES)


@pytest.mark.parametrize(
    ("settings", "identity"),
    [
        (
            {"dry_multiplier": 0.8, "dry_base": 2, "dry_sequence_breakers": ["b", "a"]},
            "204260d625bcce50893921ba09c09ec99dd272e5f0774933f04194c04c6a680c",
        ),
        (
            {"xtc_probability": 0.5, "xtc_threshold": 0.2, "temperature": 0.7},
            "376a5a32e0b33052c4ea58a2fac99966ffbf04b17f1f3fad4791a308cc0a79a5",
        ),
        (
            {"mirostat_tau": 3, "mirostat_eta": 0.2},
            "6732de3de0c19970994da1ee9eba4a9bbc93f8e10b694bcddc389faf99e7f298",
        ),
        (
            {"amateur": "gpt2", "contrastive_alpha": 0.2, "contrastive_beta": 0.5},
            "9b011fb78977fdc9e1454e2cbd7067fb4fe2ed0fd1dac528cb37e058b073ef8a",
        ),
        (
            {"order": ["dry_multiplier", "temperature"], "dry_multiplier": 1},
            "ccf1e555fb0b273cf7d6027e4891d6d5c376b58b6a23189b23a1c83614c50fe1",
        ),
    ],
)
def test_flat_settings_have_the_identities_of_release_0_1_0(
    settings: dict[str, Any], identity: str
) -> None:
    assert Version(decoding=settings).identity == identity


def test_a_setting_under_both_names_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"dry_base and dry\.base are one setting; keep dry"):
        Decoding.model_validate({"dry_base": 2, "dry": {"base": 2}})


def test_orders_name_steps_by_their_groups() -> None:
    settings = {"dry": {"multiplier": 1}, "strategy": "greedy"}
    old, new = (Decoding(order=[name], **settings) for name in ("dry_multiplier", "dry"))
    assert old == new
    assert new.active_step_names() == ("dry",)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "versions").mkdir()
    (tmp_path / "study.yaml").write_text("name: s\n")
    (tmp_path / "versions/v1.0.0.yaml").write_text(
        "decoding:\n  dry_multiplier: 0.8\n  dry_base: 2\n  xtc: {probability: 0.5}\n"
    )
    (tmp_path / "versions/v1.1.0.yaml").write_text(
        "parent: v1.0.0\ndecoding: {dry: {base: 1.5}, xtc_threshold: 0.2}\n"
    )
    return tmp_path


def test_children_merge_with_parents_under_either_name(study: Path) -> None:
    spec = load_study(study)
    child = spec.version("v1.1.0").decoding
    assert (child.dry.multiplier, child.dry.base) == (0.8, 1.5)
    assert (child.xtc.probability, child.xtc.threshold) == (0.5, 0.2)
    assert spec.stated["v1.1.0"]["decoding"] == {"dry": {"base": 1.5}, "xtc": {"threshold": 0.2}}
    assert spec.old_names == {
        "v1.0.0": ("dry_multiplier", "dry_base"),
        "v1.1.0": ("xtc_threshold",),
    }


def test_a_message_keeps_the_name_that_the_file_uses(study: Path) -> None:
    for text, name in (("dry_base: 0", "dry_base"), ("dry:\n    base: 0", "dry.base")):
        (study / "versions/v1.0.0.yaml").write_text(f"decoding:\n  {text}\n")
        with pytest.raises(SpecError, match=rf"yaml:[23]: decoding\.{name}: input should be"):
            load_study(study)


def test_differences_use_the_grouped_names(study: Path) -> None:
    spec = load_study(study)
    changes = diff_versions(spec.version("v1.0.0"), spec.version("v1.1.0"))
    assert [change.plain for change in changes] == [
        "decoding.xtc.threshold 0.1 → 0.2",
        "decoding.dry.base 2.0 → 1.5",
    ]


@pytest.mark.parametrize("field", ["decoding.dry_multiplier", "decoding.dry.multiplier"])
def test_axes_take_either_name(field: str) -> None:
    axis = parse_axis(f"{field}=0,0.8")
    assert axis.field == "decoding.dry.multiplier"
    setting = grid([axis])[1]
    assert setting.words == "dry.multiplier 0.8"
    assert setting.stated() == {"decoding": {"dry": {"multiplier": 0.8}}}
    base = Version(decoding={"dry_base": 2})
    assert apply(base, setting, parent="v1").decoding.dry.base == 2


def test_an_axis_over_a_group_is_refused() -> None:
    with pytest.raises(
        SpecError, match=r"group of fields; name one of them, such as decoding\.dry"
    ):
        parse_axis("decoding.dry=1,2")


def test_the_json_schema_has_both_names() -> None:
    schema = Version.model_json_schema()
    properties = schema["$defs"]["Decoding"]["properties"]
    assert set(GROUPS) | set(OLD_NAMES) < set(properties)
    assert properties["dry_base"]["deprecated"] is True
    assert properties["dry_base"]["description"] == "old name of dry.base"
    assert properties["dry_base"]["maximum"] == 100.0
    assert set(schema["$defs"]["Dry"]["properties"]) == {
        field for group, field in OLD_NAMES.values() if group == "dry"
    }
    assert "num_beam_groups" not in properties


def test_every_step_is_a_field_of_the_decoding() -> None:
    assert set(STEPS) < set(Decoding.model_fields)


def test_show_names_what_is_old(study: Path) -> None:
    (study / "suites").mkdir()
    (study / "suites/prompts.jsonl").write_text('{"id": "a", "text": "Once"}\n')
    with Study(study) as opened:
        assert show(opened, "v1.1.0").to_text().split("\n")[1:] == [
            "# xtc_threshold in the file is an old name of xtc.threshold",
            "decoding:",
            "  dry: {base: 1.5}",
            "  xtc: {threshold: 0.2}",
            "parent: v1.0.0",
        ]
        resolved = show(opened, "v1.1.0", resolved=True).fields["decoding"]
    assert resolved["mirostat"] == {"tau": 0.0, "eta": 0.1}
    assert not set(OLD_NAMES) & set(resolved)
