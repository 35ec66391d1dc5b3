"""Every command in words and in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.calls import Run, one_line, parsed


def test_the_whole_story(ethogram: Run, tiny_study: Path, tmp_path: Path) -> None:
    at = ("--study", str(tiny_study))
    result = parsed(ethogram("run", *at, "--json"))
    assert result["made"] == 30
    assert [row["version"] for row in result["versions"]] == ["v0.0.1", "v0.1.0", "v1.0.0"]
    assert {item["metric"] for item in result["versions"][1]["differences"]} >= {"loop_rate"}
    assert parsed(ethogram("run", *at, "--json"))["made"] == 0

    code, out, _ = ethogram("run", *at)
    assert code == 0
    assert "Sampled  (against v0.0.1)" in out
    assert "0 outputs generated, 30 already stored" in out
    assert "95 % interval" in ethogram("run", "--details", *at)[1]

    code, out, _ = ethogram("show", "v0.1.0", *at)
    assert "parent: v0.0.1" in out
    shown = parsed(ethogram("show", "v1.0.0", "--resolved", "--json", *at))
    assert shown["decoding"]["top_p"] == 0.9
    assert (shown["samples"], shown["suite"]) == (2, "suites/prompts.jsonl")
    assert shown["decoding"]["strategy"] == "sample"

    code, out, _ = ethogram("diff", "v0.0.1", "v0.1.0", *at)
    assert "temperature" in out
    assert len(parsed(ethogram("diff", "v0.0.1", "v0.1.0", "--json", *at))) >= 2
    assert ethogram("diff", "v0.0.1", "v0.0.1", *at)[1] == "No setting differs.\n"

    assert parsed(ethogram("compare", "v0.0.1", "v0.1.0", "--json", *at))["prompts"] == 6
    code, out, _ = ethogram("compare", "v0.0.1", "v0.1.0", "--samples", "1", *at)
    assert code == 0
    assert "v0.0.1 → v0.1.0" in out
    assert "95 % interval" in ethogram("compare", "v0.0.1", "v0.1.0", "--all", *at)[1]

    paths = parsed(ethogram("log", "--json", *at))
    assert all(Path(path).is_file() for path in paths.values())
    assert ethogram("log", *at)[0] == 0
    code, out, _ = ethogram("verify", *at)
    assert code == 0
    assert "0 do not match the store" in out

    log = tiny_study / "PROGRESS.md"
    text = log.read_text()
    place = text.index("| Loop rate") if "| Loop rate" in text else text.index("|---|")
    digit = next(i for i in range(place, len(text)) if text[i].isdigit())
    log.write_text(text[:digit] + str((int(text[digit]) + 1) % 10) + text[digit + 1 :])
    code, out, _ = ethogram("verify", *at)
    assert code == 1
    assert "PROGRESS.md:" in out
    code, out, _ = ethogram("verify", "--json", *at)
    assert code == 1
    assert len(json.loads(out)["problems"]) == 1

    rows = tmp_path / "rows.jsonl"
    assert parsed(ethogram("export", str(rows), "v0.1.0", "--json", *at))["rows"] == 12
    assert "12 generations" in ethogram("export", str(rows), "v0.1.0", *at)[1]
    scores = parsed(ethogram("score", str(rows), "--json"))
    assert scores
    assert "loop_rate" in ethogram("score", str(rows))[1]
    looping = tmp_path / "looping.jsonl"
    looping.write_text('{"text": "round and round and round and round"}\n')
    shown = ethogram("score", str(looping), "--evidence")[1]
    assert "loop starts: 3.5 times a phrase of 2" in shown
    assert (
        parsed(ethogram("import", str(rows), "--as", "v5.0.0", "--json", *at))["version"]
        == "v5.0.0"
    )
    code, out, _ = ethogram("run", "v5.0.0", *at)
    assert code == 0
    assert "12 outputs imported, 0 already stored" in out
    assert "outputs generated" not in out


def test_the_microscope(ethogram: Run, tiny_study: Path) -> None:
    at = ("--study", str(tiny_study))
    assert parsed(ethogram("run", "v0.1.0", "--trace", "--json", *at))["made"] == 12
    data = parsed(ethogram("trace", "v0.1.0", "--prompt", "p1", "--sample", "1", "--json", *at))
    assert (data["prompt_id"], data["sample_index"]) == ("p1", 1)
    assert {"rank", "entropy", "kept", "alternatives"} <= set(data["tokens"][0])
    code, out, _ = ethogram("trace", "v0.1.0", "--prompt", "the sea wrote", *at)
    assert code == 0
    assert "a prompt of your own, sample 0" in out
    assert "alternatives" in out
    one_line(ethogram("trace", "v0.1.0", "--prompt", "p1", "--sample", "9", *at), "use 0 to 1")
    one_line(ethogram("trace", "v0.1.0", "--prompt", "sea " * 400, *at), "v0.1.0", "shorten")
    one_line(ethogram("trace", "v0.1.0", *at), "--prompt")
    one_line(ethogram("trace", "v0.9.0", "--prompt", "p1", *at), "no version")


def test_init_then_the_hint_is_true(ethogram: Run, tmp_path: Path) -> None:
    code, out, _ = ethogram("init", str(tmp_path / "new"))
    assert code == 0
    assert f"ethogram run --study {tmp_path / 'new'}" in out
    one_line(ethogram("init", str(tmp_path / "new")), "a study already exists here")
    assert "study" in parsed(ethogram("init", str(tmp_path / "other"), "--json"))


def test_init_example_copies_the_study_of_the_tutorial(ethogram: Run, tmp_path: Path) -> None:
    assert ethogram("init", str(tmp_path / "light"), "--example")[0] == 0
    listed = parsed(ethogram("ls", "-C", str(tmp_path / "light"), "--json"))
    assert [each["version"] for each in listed] == [
        "v0.0.1",
        "v0.0.2",
        "v0.1.0",
        "v0.1.1",
        "v1.0.0",
        "v1.1.0",
        "v1.2.0",
        "v2.0.0",
    ]
    assert [each["wanted"] for each in listed] == [44, 44, 88, 88, 88, 88, 88, 88]


def test_reading_versions_and_outputs(
    ethogram: Run, tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    at = ("-C", str(tiny_study))
    code, out, _ = ethogram("ls", *at)
    assert code == 0
    assert "0/12" in out
    assert "Next: ethogram run v0.0.1 v0.1.0 v1.0.0" in out
    parsed(ethogram("run", *at, "-j"))
    assert "12/12" in ethogram("ls", *at)[1]

    code, out, _ = ethogram("outputs", "v0.1.0", "-p", "p1", *at)
    assert code == 0
    assert "the old lighthouse keeper number 1 said" in out
    assert "number 2" not in out
    shown = parsed(ethogram("outputs", "v0.1.0", "-n", "3", "-j", *at))
    assert len(shown["outputs"]) == 3
    assert "3 of 12 outputs" in ethogram("outputs", "v0.1.0", "-n", "3", *at)[1]
    same = parsed(ethogram("outputs", "v0.1.0", "--differ", "v0.1.0", "-j", *at))
    assert same["outputs"] == []
    assert "is the same in" in ethogram("outputs", "v0.1.0", "--differ", "v0.1.0", *at)[1]
    differ = parsed(ethogram("outputs", "v0.1.0", "--differ", "v0.0.1", "-j", *at))
    assert all(each["output"] != each["other"] for each in differ["outputs"])
    one_line(ethogram("outputs", "v0.1.0", "-p", "p11", *at), "no prompt 'p11'", "did you mean")
    one_line(ethogram("outputs", "v0.1.0", "-t", "sea", *at), "no tag 'sea'")


def test_several_comparisons_and_tags(ethogram: Run, tiny_study: Path) -> None:
    at = ("-C", str(tiny_study))
    parsed(ethogram("run", *at, "-j"))
    both = parsed(ethogram("compare", "v0.0.1", "v0.1.0", "v1.0.0", "-j", *at))
    assert [(each["before"], each["after"]) for each in both] == [
        ("v0.0.1", "v0.1.0"),
        ("v0.0.1", "v1.0.0"),
    ]
    shown = parsed(ethogram("compare", "v0.0.1", "v0.1.0", "-p", "p3", "-j", *at))
    assert [each["prompt_id"] for each in shown["samples"]] == ["p3"]
    one_line(ethogram("compare", "v0.0.1", "v0.1.0", "-p", "q", *at), "no prompt 'q'")
    one_line(ethogram("compare", "v0.0.1", "v0.1.0", "--by", "tag", *at), "no prompt has a tag")
    suite = tiny_study / "suites/prompts.jsonl"
    suite.write_text(
        "".join(
            line.replace("}", f', "tags": ["{"odd" if number % 2 else "even"}"]}}') + "\n"
            for number, line in enumerate(suite.read_text().splitlines())
        )
    )
    tags = parsed(ethogram("compare", "v0.0.1", "v0.1.0", "--by", "tag", "-m", "words", "-j", *at))
    assert list(tags["tags"]) == ["even", "odd"]
    assert {each["prompts"] for found in tags["tags"].values() for each in found} == {3}
    code, out, _ = ethogram("compare", "v0.0.1", "v0.1.0", "--by", "tag", "--all", *at)
    assert code == 0
    assert "odd  3 prompts" in out


def test_a_new_version(ethogram: Run, tiny_study: Path) -> None:
    at = ("-C", str(tiny_study))
    given = ("new", "v0.2.0", "--from", "v0.1.0", "--set", "decoding.temperature=0.5")
    assert "Next: ethogram run v0.2.0" in ethogram(*given, *at)[1]
    assert ethogram("diff", "v0.1.0", "v0.2.0", *at)[1].count("\n") == 1
    one_line(ethogram(*given, *at), "already exists")
    again = ("new", "v0.3.0", "--from", "v0.1.0", "--set")
    one_line(ethogram(*again, "decoding.temperatur=1", *at), "temperatur")
    one_line(ethogram(*again, "decoding.temperature=-1", *at), "temperature")
    one_line(ethogram(*again, "temperature", *at), "FIELD=VALUE")
    one_line(ethogram("new", "three", "--from", "v0.1.0", *at), "v0.1.0")
    one_line(ethogram("new", "v0.3.0", "--from", "v9.0.0", *at), "no version 'v9.0.0'")


def test_metrics_are_listed_and_explained(ethogram: Run) -> None:
    names = [each["name"] for each in parsed(ethogram("metrics", "--json"))]
    assert {"loop_rate", "rep_4", "words"} <= set(names)
    assert not any(name.startswith("pitfall_") for name in names)
    assert "rep_4" in ethogram("metrics")[1]
    assert "pitfall_loop" in ethogram("metrics", "--pitfalls")[1]
    assert "formula" in ethogram("metrics", "rep_4")[1]
    assert parsed(ethogram("metrics", "rep_4", "--json"))["unit"] == "percent"
    one_line(ethogram("metrics", "rep_5x"), "unknown metric")


def test_models_and_pull(ethogram: Run, model_cache: Path) -> None:
    listed = parsed(ethogram("models", "--json"))
    assert listed[0]["name"] == "smollm2-135m-instruct"
    assert "smollm2-135m-instruct" in ethogram("models")[1]
    one_line(ethogram("pull", "gpt2"), "gpt2", "unreachable")


@pytest.mark.parametrize("kind", ["study", "version", "suite"])
def test_schemas(ethogram: Run, kind: str) -> None:
    schema = parsed(ethogram("schema", kind))
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False


def test_check_has_an_exit_code_for_each_outcome(
    ethogram: Run, tiny_study: Path, tmp_path: Path
) -> None:
    at = ("--study", str(tiny_study))
    assert "No contract to check" in ethogram("check", *at)[1]
    parsed(ethogram("run", *at, "--json"))
    path = tiny_study / "versions/v0.0.1.yaml"
    plain = path.read_text()
    path.write_text(plain + 'expect: {tokens: "> 0"}\n')
    code, out, _ = ethogram("check", "v0.0.1", *at)
    assert (code, "1 passed, 0 broken" in out) == (0, True)

    path.write_text(plain + 'expect: {tokens: "> 1000"}\n')
    junit = tmp_path / "junit.xml"
    code, out, _ = ethogram("check", "v0.0.1", "--github", "--junit", str(junit), *at)
    assert code == 1
    assert "tokens is " in out
    assert "::error file=" in out
    assert 'failures="1"' in junit.read_text()
    code, out, err = ethogram("check", "v0.0.1", "--github", "--json", *at)
    assert code == 1
    assert json.loads(out)["contracts"][0]["outcome"] == "fail"
    assert "::error file=" in err

    path.write_text(plain)
    child = tiny_study / "versions/v0.1.0.yaml"
    child.write_text(child.read_text() + 'expect: {loop_rate: "< 0.1"}\n')
    code, out, _ = ethogram("check", "v0.1.0", *at)
    assert code == 0
    assert "more would decide" in out
    assert ethogram("check", "v0.1.0", "--strict", *at)[0] == 1
    one_line(ethogram("check", "v0.1.1", *at), "no version")


def test_a_model_to_measure_with_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    from ethogram.cli.options import measure_progress

    with measure_progress(quiet=False) as (_, load):
        assert load is not None
        for name in ("encoder", "encoder", "judge"):
            load(name)
    shown = capsys.readouterr().err
    assert [shown.count(f"Loading {name} to measure") for name in ("encoder", "judge")] == [1, 1]
