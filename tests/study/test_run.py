"""Runs: what is missing is made once, in any number of tries, and measured against the parent."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethogram.errors import RequestError, SpecError
from ethogram.study import Progress, Study, VersionProgress, record, run

Stored = Callable[[Path], dict[str, Any]]


def test_a_run_makes_what_is_missing_and_nothing_else(tiny_study: Path, stored: Stored) -> None:
    with Study(tiny_study) as study:
        first = run(study)
    # Greedy needs one sample a prompt, whatever the study asks for.
    assert [(row.version, row.work.generations) for row in first.rows] == [
        ("v0.0.1", 6),
        ("v0.1.0", 12),
        ("v1.0.0", 12),
    ]
    assert first.computed.delivered == first.tokens
    assert 0 < first.computed.rows < first.tokens, "samples of a prompt begin as one"
    assert first.to_json()["merged_share"] == pytest.approx(first.computed.merged_share, abs=1e-4)
    before = stored(tiny_study)
    assert len(before) == 30
    with Study(tiny_study) as study:
        second = run(study)
    assert second.made == 0
    assert second.tokens == 0
    assert [row.work.reused for row in second.rows] == [6, 12, 12]
    assert [row["values"] for row in second.to_json()["versions"]] == [
        row["values"] for row in first.to_json()["versions"]
    ]
    assert stored(tiny_study) == before


def test_an_unknown_metric_is_an_error_before_anything_is_generated(
    tiny_study: Path, stored: Stored
) -> None:
    settings = tiny_study / "study.yaml"
    settings.write_text(settings.read_text().rstrip() + "\nmetrics:\n  - words\n  - loop_rat\n")
    line = len(settings.read_text().splitlines())
    with Study(tiny_study) as study, pytest.raises(SpecError) as caught:
        run(study)
    assert f"study.yaml:{line}: metrics.1: 'loop_rat': unknown metric" in str(caught.value)
    assert "did you mean 'loop_rate'" in str(caught.value)
    assert not stored(tiny_study)


def test_a_setting_that_changes_nothing_generates_nothing(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study)
    (tiny_study / "versions/v0.0.2.yaml").write_text(
        # Greedy decoding is blind to top_k.
        "title: Same\nparent: v0.0.1\ndecoding: {strategy: greedy, top_k: 5}\n"
    )
    with Study(tiny_study) as study:
        assert run(study, ["v0.0.2"]).made == 0


def test_one_more_prompt_generates_only_for_it(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study)
    with (tiny_study / "suites/prompts.jsonl").open("a") as suite:
        suite.write('{"id": "new", "text": "the sea wrote back"}\n')
    with Study(tiny_study) as study:
        assert [row.work.generations for row in run(study).rows] == [1, 2, 2]


def test_progress_counts_every_token_and_ends_whole(tiny_study: Path) -> None:
    seen: list[Progress] = []
    with Study(tiny_study) as study:
        result = run(study, ["v0.0.1"], on_progress=seen.append)
    assert (seen[0].done, seen[0].tokens) == (0, 0)
    last = seen[-1]
    assert (last.done, last.total) == (6, 6)
    assert last.tokens == result.tokens
    assert last.spent == last.allowance == 6 * 24
    assert last.versions == (VersionProgress("v0.0.1", 6, 6),)
    assert [now.spent for now in seen] == sorted(now.spent for now in seen)


# --- versions of one model are made together ------------------------------------------------------


def alike(folder: Path) -> None:
    """Two neighbours of the sampled version on the same noise, and one that asks for the same."""
    for name, over in (("v0.1.1", "temperature: 1.05"), ("v0.1.2", "top_p: 0.92")):
        (folder / f"versions/{name}.yaml").write_text(
            f"title: Near\nparent: v0.1.0\ndecoding: {{{over}}}\n"
        )
    (folder / "versions/v0.1.3.yaml").write_text("title: The same\nparent: v0.1.0\n")


def test_versions_share_rows_and_give_what_they_give_alone(
    tiny_study: Path, tmp_path: Path, stored: Stored
) -> None:
    alike(tiny_study)
    alone = Path(shutil.copytree(tiny_study, tmp_path / "alone"))
    names = ["v0.1.0", "v0.1.1", "v0.1.2", "v0.1.3"]
    seen: list[Progress] = []
    with Study(tiny_study) as study:
        together = run(study, names, on_progress=seen.append)
        records = {record.version: record for record in study.store.runs()}
    with Study(alone) as study:
        apart = [run(study, [name]) for name in reversed(names[:3])]
        assert run(study, names).made == 0
    assert stored(tiny_study) == stored(alone)
    assert together.computed.delivered == sum(one.computed.delivered for one in apart)
    assert together.computed.rows < sum(one.computed.rows for one in apart)
    assert together.computed.merged_share > max(one.computed.merged_share for one in apart)
    # What two versions share is made once and counts for the first.
    work = {row.version: row.work for row in together.rows}
    assert [(work[name].generations, work[name].reused) for name in names] == [
        (12, 0),
        (12, 0),
        (12, 0),
        (0, 12),
    ]
    assert set(records) == set(names)
    assert records.pop(names[3]).made == 0
    for name, one in records.items():
        assert (one.made, one.tokens) == (12, work[name].tokens)
        assert one.finished_at
    assert [one.version for one in seen[0].versions] == names[:3]
    assert seen[-1].versions == tuple(VersionProgress(name, 12, 12) for name in names[:3])


def test_a_version_whose_outputs_are_all_stored_has_finished_its_run(
    tiny_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C once the short version is done: its run ended well, the other's was cut off."""
    monkeypatch.setattr(record, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(record, "COMMIT_ROWS", 1)
    short = tiny_study / "versions/v0.0.1.yaml"
    short.write_text(short.read_text().replace("max_new_tokens: 24", "max_new_tokens: 2"))
    long = tiny_study / "versions/v0.1.0.yaml"
    long.write_text(long.read_text().replace("top_p: 0.9", "top_p: 0.9, max_new_tokens: 40"))

    def stop(now: Progress) -> None:
        if now.done >= 6 and now.tokens > 30:
            raise KeyboardInterrupt

    with Study(tiny_study) as study, pytest.raises(KeyboardInterrupt):
        run(study, ["v0.0.1", "v0.1.0"], on_progress=stop)
    with Study(tiny_study) as study:
        ended = {one.version: (one.finished_at is not None, one.made) for one in study.store.runs()}
        assert ended == {"v0.0.1": (True, 6), "v0.1.0": (False, None)}
        again = run(study, ["v0.0.1", "v0.1.0"])
    assert again.rows[0].work.reused == 6


def test_a_bad_request_names_its_version(tiny_study: Path, stored: Stored) -> None:
    (tiny_study / "versions/v0.2.0.yaml").write_text(
        "title: Foreign\nparent: v0.1.0\ndecoding: {logit_bias: {90000: 1.0}}\n"
    )
    place = r"versions/v0\.2\.0\.yaml:3: decoding\.logit_bias \(version v0\.2\.0\): the model has"
    with Study(tiny_study) as study, pytest.raises(RequestError, match=place):
        run(study)
    assert stored(tiny_study) == {}


def test_an_interrupted_run_keeps_what_is_done(
    tiny_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: Stored
) -> None:
    (tiny_study / "suites/prompts.jsonl").write_text(
        "".join(f'{{"id": "p{i}", "text": "keeper {i} said"}}\n' for i in range(50))
    )
    undisturbed = Path(shutil.copytree(tiny_study, tmp_path / "undisturbed"))
    monkeypatch.setattr(record, "REPORT_SECONDS", 0.0)

    def stop(now: Progress) -> None:
        if now.done >= 5:
            raise KeyboardInterrupt

    with Study(tiny_study) as study, pytest.raises(KeyboardInterrupt):
        run(study, ["v0.1.0"], on_progress=stop)
    kept = stored(tiny_study)
    assert 5 <= len(kept) < 100
    with Study(tiny_study) as study:
        assert run(study, ["v0.1.0"]).made == 100 - len(kept)
    with Study(undisturbed) as study:
        run(study, ["v0.1.0"])
    assert stored(tiny_study) == stored(undisturbed)


def test_a_prompt_that_is_too_long_is_named_before_anything_runs(
    tiny_study: Path, stored: Stored
) -> None:
    with (tiny_study / "suites/prompts.jsonl").open("a") as suite:
        suite.write('{"id": "endless", "text": "%s"}\n' % ("sea " * 400))
    with Study(tiny_study) as study, pytest.raises(RequestError, match="prompt endless"):
        run(study)
    assert stored(tiny_study) == {}


def test_an_unknown_version_is_named(tiny_study: Path) -> None:
    with Study(tiny_study) as study, pytest.raises(SpecError, match=r"v0\.1\.1"):
        run(study, ["v0.1.1"])


def test_versions_share_noise_at_the_same_sample_index(tiny_study: Path) -> None:
    """Coupling: a version that only allows more tokens says the same and goes on."""
    (tiny_study / "versions/v0.1.1.yaml").write_text(
        "title: Longer\nparent: v0.1.0\ndecoding: {max_new_tokens: 30}\n"
    )
    with Study(tiny_study) as study:
        run(study, ["v0.1.0", "v0.1.1"])
        short, long = study.generations("v0.1.0"), study.generations("v0.1.1")
    assert all(
        b.token_ids[: len(a.token_ids)] == a.token_ids for a, b in zip(short, long, strict=True)
    )
    samples = [generation.token_ids for generation in short if generation.prompt_id == "p0"]
    assert len(set(samples)) == len(samples)


def test_the_run_shows_itself_in_a_notebook(tiny_study: Path) -> None:
    study_file = tiny_study / "versions/v0.1.0.yaml"
    study_file.write_text(study_file.read_text().replace("Sampled", "<script>alert(1)</script>"))
    with Study(tiny_study) as study:
        shown = run(study)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "v1.0.0" in shown
