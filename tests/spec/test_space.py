"""Axes and settings of a sweep: how they are written and what they become."""

import math
from typing import Any

import pytest

from ethogram.errors import SpecError
from ethogram.spec import Version
from ethogram.spec.space import Setting, apply, distinct, grid, parse_axis


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("decoding.temperature=0.2:1.2:0.2", (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)),
        ("decoding.top_k=10:50:20", (10, 30, 50)),
        ("decoding.top_p=0.8,0.9,0.95", (0.8, 0.9, 0.95)),
        ("decoding.temperature = 0.7", (0.7,)),
        ("prompt.template=['Q: {{ input }}', '{{ input }}, please']", None),
        ("decoding.order=transformers,vllm", ("transformers", "vllm")),
    ],
)
def test_values_are_read_as_written(text: str, values: list[Any]) -> None:
    axis = parse_axis(text)
    expected = values or ("Q: {{ input }}", "{{ input }}, please")
    assert axis.values == expected
    assert [type(v) for v in axis.values] == [type(v) for v in expected]


def test_steps_are_decimal() -> None:
    assert parse_axis("decoding.temperature=0.1:0.7:0.1").values[2] == 0.3


def test_ranges_are_for_a_search() -> None:
    axis = parse_axis("decoding.min_p=0.001:0.1:log")
    assert (axis.is_range, axis.low, axis.high, axis.log) == (True, 0.001, 0.1, True)
    assert parse_axis("decoding.temperature=0.2:1").is_range
    with pytest.raises(SpecError, match="this is a range"):
        grid([axis])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("decoding.temperature", "an axis is FIELD=VALUES"),
        ("decoding.temprature=1", "did you mean 'temperature'"),
        ("decodin.temperature=1", "did you mean 'decoding'"),
        ("decoding=1", "group of fields"),
        ("parent=v0.0.1", "no field 'parent'"),
        ("title=a,b", "no field 'title'"),
        ("samples=1,4", "no field 'samples' that a sweep can set"),
        ("suite=a.jsonl,b.jsonl", "no field 'suite'"),
        ("expect.words='< 9','< 8'", "no field 'expect'"),
        ("decoding.temperature=1:0:0.1", "LOW below HIGH"),
        ("decoding.temperature=0:1:0", "positive STEP"),
        ("decoding.temperature=0:1:0.0001", "10001 steps"),
        ("decoding.min_p=0:0.1:log", "above 0 on a logarithmic scale"),
        ("decoding.top_p=0.9,0.9", "duplicate value"),
        ("decoding.top_p=[0.9", "cannot parse these values"),
    ],
)
def test_mistakes_are_reported(text: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_axis(text)
    assert says in str(caught.value)
    assert "--set" in str(caught.value)


def test_a_grid_is_every_combination() -> None:
    axes = [parse_axis("decoding.temperature=0.5,1"), parse_axis("decoding.top_k=0,10,50")]
    settings = grid(axes)
    assert len(settings) == 6
    assert settings[1].stated() == {"decoding": {"temperature": 0.5, "top_k": 10}}
    assert settings[1].words == "temperature 0.5, top_k 10"


def test_a_setting_overrides_the_inherited_one() -> None:
    base = Version.model_validate(
        {
            "title": "Parent",
            "notes": ["own"],
            "model": "some-model",
            "decoding": {"top_p": 0.9, "max_new_tokens": 40},
        }
    )
    version = apply(base, Setting((("decoding.temperature", 0.5),)), parent="v0.1.0")
    assert (version.model, version.parent, version.notes) == ("some-model", "v0.1.0", ())
    assert version.decoding.temperature == 0.5
    assert (version.decoding.top_p, version.decoding.max_new_tokens) == (0.9, 40)


def test_a_value_out_of_bounds_names_the_setting() -> None:
    with pytest.raises(SpecError, match=r"--set \(top_p 1.5\).*decoding.top_p"):
        apply(Version(), Setting((("decoding.top_p", 1.5),)), parent="v0.1.0")


def test_a_setting_without_effect_is_refused_as_in_a_version_file() -> None:
    greedy = Version.model_validate({"decoding": {"strategy": "greedy"}})
    for field in ("temperature", "top_p"):
        with pytest.raises(SpecError, match=f"decoding.{field}: has no effect under .*greedy"):
            apply(greedy, Setting(((f"decoding.{field}", 0.7),)), parent="v0.1.0")
    sampled = (("decoding.strategy", "sample"), ("decoding.temperature", 0.7))
    assert apply(greedy, Setting(sampled), parent="v0.1.0").decoding.is_stochastic


def test_equal_behaviour_is_one_setting() -> None:
    axes = [parse_axis("decoding.temperature=0,1"), parse_axis("decoding.top_p=0.8,0.9")]
    versions = [(s, apply(Version(), s, parent="v0.1.0")) for s in grid(axes)]
    kept = [setting.words for setting, _ in distinct(versions).values()]
    assert kept == [
        "temperature 0, top_p 0.8",
        "temperature 1, top_p 0.8",
        "temperature 1, top_p 0.9",
    ]


def test_fields_that_share_a_name_are_written_in_full() -> None:
    setting = Setting((("decoding.stop", "a"), ("prompt.stop", "b")))
    assert setting.words == "decoding.stop a, prompt.stop b"
    assert math.isclose(parse_axis("decoding.temperature=1:2:0.5").values[1], 1.5)
