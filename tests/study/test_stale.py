"""A suite that grew and a version that was edited keep their results, marked as such."""

import io
import json
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest
from rich.console import Console

from ethogram.errors import SpecError
from ethogram.report import log, verify
from ethogram.report.claims import entries
from ethogram.report.terminal import print_by_tag
from ethogram.study import Study, check, compare, compare_by_tag, export, run, versions
from ethogram.study.measure import measure

PROMPT = '{"id": "p6", "text": "a new prompt about the sea"}\n'


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def ran(tiny_study: Path) -> Path:
    """The folder of a study whose versions have run, with its log."""
    with Study(tiny_study) as study:
        run(study)
        log(study)
    return tiny_study


def test_a_suite_that_grew_keeps_its_results(ran: Path) -> None:
    with (ran / "suites/prompts.jsonl").open("a", encoding="utf-8") as suite:
        suite.write(PROMPT)
    edit(ran / "versions/v0.1.0.yaml", "title: Sampled", "title: Sampled\nexpect: {words: '> 1'}")
    words = "stale: 1 of 7 prompts have no output yet; `ethogram run v0.1.0` generates them"
    with Study(ran) as study:
        found = compare(study, "v0.0.1", "v0.1.0")
        assert found.prompts == 6
        assert f"v0.1.0 {words}" in found.stale
        assert check(study, "v0.1.0").contracts[0].stale == words
        assert versions(study)[1].stale == words
        assert [entry.stale for entry in entries(study)][1] == words
        with pytest.raises(SpecError, match="missing"):
            study.generations("v0.1.0")
        # Only one version has the new prompt: the run's table compares on what both have.
        rows = run(study, "v1.0.0").rows
        assert rows[0].stale == words
        assert {item.test.prompts for item in rows[0].differences.values()} <= {0, *range(7)}
        log(study)
        verified = verify(study)
    assert verified.holds
    assert f"v0.1.0 {words}" in verified.to_text()
    assert "**Stale: 1 of 7 prompts have no output yet" in (ran / "PROGRESS.md").read_text()


def test_an_edited_version_keeps_the_results_of_its_settings(ran: Path) -> None:
    with Study(ran) as study:
        before = compare(study, "v0.0.1", "v0.1.0")
    edit(ran / "versions/v0.1.0.yaml", "1.1", "0.8")
    with Study(ran) as study:
        after = compare(study, "v0.0.1", "v0.1.0")
        assert "v0.1.0 stale: edited since; results are of the settings run on 20" in after.stale
        assert repr(after.differences) == repr(before.differences)
        assert after.changes == before.changes
        with pytest.raises(SpecError, match="no version"):
            compare(study, "v0.0.1", "v9.0.0")
        assert not verify(study).holds  # The log says nothing of it yet.
        log(study)
        assert verify(study).holds
        assert verify(study).stale[0].startswith("v0.1.0 stale: edited since")
        # A contract is not decided on the outputs of other settings.
        with pytest.raises(SpecError, match="missing"):
            measure(study, "v0.1.0", ["words"], accept="partial")
        run(study, "v0.1.0")
        assert not compare(study, "v0.0.1", "v0.1.0").stale


def test_reworded_prompts_are_compared_only_in_one_wording(ran: Path) -> None:
    edit(ran / "suites/prompts.jsonl", "lighthouse keeper number 0", "miller number 0")
    with Study(ran) as study:
        found = compare(study, "v0.0.1", "v0.1.0")
        assert found.prompts == 5
        assert "1 of 6 prompts have no output yet" in found.stale
    edit(ran / "suites/prompts.jsonl", "lighthouse keeper", "miller")
    with Study(ran) as study:
        found = compare(study, "v0.0.1", "v0.1.0")
        assert found.prompts == 6
        assert "edited since" in found.stale
        assert "lighthouse" in found.samples[0].prompt
        run(study, "v0.0.1")
        # One has the old wording of every prompt and the other the new one.
        with pytest.raises(SpecError, match="share no prompt"):
            compare(study, "v0.0.1", "v0.1.0")
        log(study)
        assert verify(study).holds


def test_a_log_is_not_replaced_by_nothing(ran: Path) -> None:
    before = (ran / "PROGRESS.md").read_bytes()
    shutil.rmtree(ran / ".ethogram")
    with Study(ran) as study, pytest.raises(SpecError, match="no version has stored outputs"):
        log(study)
    assert (ran / "PROGRESS.md").read_bytes() == before


def test_a_store_of_the_previous_schema_is_upgraded(ran: Path) -> None:
    path = ran / ".ethogram/store.sqlite"
    with sqlite3.connect(path) as old:
        old.execute("alter table runs drop column settings")
        old.execute("drop table suites")
        old.execute("drop table tests")
        old.execute("delete from schema_version where version > 5")
    old.close()
    with Study(ran) as study:
        assert not compare(study, "v0.0.1", "v0.1.0").stale
        assert {one.settings for one in study.store.runs()} == {None}
        assert run(study).made == 0  # Records the settings of what is stored.
        last = study.store.runs("v0.1.0")[-1]
        assert json.loads(last.settings or "")["samples"] == 2
        assert last.made == 0
    edit(ran / "versions/v0.1.0.yaml", "1.1", "0.8")
    with Study(ran) as study:
        assert "edited since" in compare(study, "v0.0.1", "v0.1.0").stale


def test_a_kept_test_is_the_computed_one(ran: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Study(ran) as study:
        computed = compare(study, "v0.0.1", "v0.1.0")
    calls: list[int] = []
    module = sys.modules["ethogram.study.difference"]
    original = module.paired

    def counted(*args: object, **settings: object) -> object:
        calls.append(1)
        return original(*args, **settings)

    monkeypatch.setattr(module, "paired", counted)
    with Study(ran) as study:
        kept = compare(study, "v0.0.1", "v0.1.0")
    assert not calls
    assert [repr(one.test) for one in kept.differences] == [
        repr(one.test) for one in computed.differences
    ]
    tested = sys.modules["ethogram.study.tested"]
    monkeypatch.setattr(tested, "STATISTICS_VERSION", 99)
    with Study(ran) as study:
        compare(study, "v0.0.1", "v0.1.0")
    assert len(calls) == len(kept.differences)


def test_tags_frames_and_exports_take_what_is_stored(
    ran: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    suite = ran / "suites/prompts.jsonl"
    suite.write_text(suite.read_text().replace('said"}', 'said", "tags": ["sea"]}') + PROMPT)
    words = "stale: 1 of 7 prompts have no output yet; `ethogram run v0.1.0` generates them"
    edit(ran / "versions/v0.1.0.yaml", "title: Sampled", "title: Sampled\naim: {words: higher}")
    with Study(ran) as study:
        tagged = compare_by_tag(study, "v0.0.1", "v0.1.0", metrics=["words"])
        assert (tagged.tags["sea"][0].test.prompts, tagged.stale.endswith(words)) == (6, True)
        print_by_tag(Console(file=(shown := io.StringIO()), width=200), tagged)
        assert words in shown.getvalue()
        for kind in ("generations", "scores", "comparisons"):
            table = study.frame(kind, ["v0.1.0"], metrics=["words"])
            assert all(words in each for each in table["stale"]), kind
        assert len(study.frame("generations", ["v0.1.0"])["output"]) == 12
        aims = compare(study, "v0.0.1", "v0.1.0").aims
        assert aims is not None
        assert aims.aims[0].difference.test.prompts == 6
        assert export(study, tmp_path / "a.jsonl", ["v0.1.0"], metrics=["words"]) == 12
    assert caplog.messages == [f"v0.1.0 {words}"]


def test_frames_leave_out_versions_that_never_ran(tiny_study: Path) -> None:
    with Study(tiny_study) as study:
        run(study, "v0.0.1")
        assert set(study.frame()["version"]) == {"v0.0.1"}
        assert len(study.frame("comparisons")) == 0
        with pytest.raises(SpecError, match=r"v0\.1\.0: 12 of 12 generations are missing"):
            study.frame("scores", ["v0.1.0"])
