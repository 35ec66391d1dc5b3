"""Complete versions: noted once all outputs were read, and never once one is gone or changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import event, text

from ethogram.errors import SpecError, StoreError
from ethogram.metrics import get
from ethogram.report import log
from ethogram.report.claims import measured_versions
from ethogram.report.findings import find, render_findings
from ethogram.spec import Generation
from ethogram.store import complete as stored
from ethogram.store.copying import copy_store
from ethogram.store.kept_tables import complete_table
from ethogram.store.queries import insert_new
from ethogram.study import Study, compare, run
from ethogram.study.complete import is_complete
from ethogram.study.kept_scores import ScoreColumn
from ethogram.study.matrix import Filters, Matrix
from ethogram.study.measure import Measured, measure
from ethogram.study.stored_outputs import StoredOutputs, outputs_of

NAMES = ("words", "loop_rate", "self_perplexity", "stop_rate")


@pytest.fixture(params=["sqlite", "postgres"])
def ran(tiny_study: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose outputs are all stored, in either database."""
    if request.param == "postgres":
        monkeypatch.setenv("ETHOGRAM_STORE", request.getfixturevalue("postgres_url"))
    with Study(tiny_study) as study:
        run(study)
    return tiny_study


def change(folder: Path, statement: str) -> None:
    with Study(folder) as study, study.store.database.begin(writes=True) as connection:
        assert connection.execute(text(statement)).rowcount


@pytest.mark.long
def test_a_run_with_nothing_to_do_reads_no_generation(ran: Path) -> None:
    asked: list[str] = []
    with Study(ran) as study:
        event.listen(
            study.store.database.engine,
            "before_cursor_execute",
            lambda *args: asked.append(args[2]),
        )
        found = run(study)
    assert found.made == 0
    assert found.reused == sum(row.work.reused for row in found.rows) > 0
    assert not [each for each in asked if "FROM generations" in each]


@pytest.mark.long
@pytest.mark.parametrize("gone", ["one", "version"])
def test_a_deleted_generation_is_made_again(ran: Path, gone: str) -> None:
    with Study(ran) as study:
        names = study.identities("v0.0.1")[: 1 if gone == "one" else None]
        assert is_complete(study, "v0.0.1")
        before = study.store.get(names)
        listed = ", ".join(f"'{name}'" for name in names)
        with study.store.database.begin(writes=True) as connection:
            connection.execute(text(f"DELETE FROM generations WHERE identity IN ({listed})"))
        # The opened study knows it too, not only one that is opened later.
        assert not is_complete(study, "v0.0.1")
        assert run(study).made == len(names)
        after = study.store.get(names)
    assert [after[name].token_ids for name in names] == [before[name].token_ids for name in names]


@pytest.mark.long
def test_a_generation_that_cannot_be_read_is_found_by_a_run(ran: Path) -> None:
    change(ran, "UPDATE generations SET selection = '{'")
    with Study(ran) as study, pytest.raises(StoreError, match="damaged"):
        run(study)


@pytest.mark.long
def test_an_emptied_table_has_no_complete_version(ran: Path) -> None:
    with Study(ran) as study:
        if study.store.database.is_sqlite:
            change(ran, "DELETE FROM generations")
        else:
            with study.store.database.begin(writes=True) as connection:
                connection.execute(text("TRUNCATE generations"))
        assert not any(is_complete(study, name) for name in study.versions)


@pytest.mark.long
@pytest.mark.parametrize("edit", ["samples", "suite", "version", "seed"])
def test_other_requests_are_another_basis(ran: Path, edit: str) -> None:
    settings, version = ran / "study.yaml", ran / "versions/v0.0.1.yaml"
    suite = next((ran / "suites").glob("*.jsonl"))
    if edit == "samples":
        settings.write_text(settings.read_text().replace("samples: ", "samples: 1"))
    elif edit == "seed":
        settings.write_text(re.sub("seed: .*", "seed: 77", settings.read_text()))
    elif edit == "suite":
        suite.write_text(suite.read_text() + '{"id": "more", "text": "the old sea"}\n')
    else:
        version.write_text(version.read_text().replace("max_new_tokens: ", "max_new_tokens: 1"))
    with Study(ran) as study:
        assert not is_complete(study, "v0.0.1")
        for name in study.versions:
            requests = study.requests(name)
            assert study.identities(name) == [each.identity for each in requests]


@pytest.mark.long
def test_kept_numbers_are_those_of_the_outputs(ran: Path) -> None:
    with Study(ran) as study:
        for version in study.versions:
            kept = measure(study, version, NAMES)
            outputs = outputs_of(study, version)
            for name, found in kept.items():
                assert isinstance(found.outputs, StoredOutputs)
                assert isinstance(found.scores, ScoreColumn)
                plain = Measured(
                    get(name), outputs, [get(name).measure(output) for output in outputs]
                )
                assert list(found.outputs) == outputs
                assert list(found.scores) == plain.scores
                assert repr(found.value) == repr(plain.value)
                assert found.counted == plain.counted
                assert repr(found.by_prompt()) == repr(plain.by_prompt())
                assert {each: list(at) for each, at in found.places.items()} == plain.places
                for mine, theirs in zip(
                    (found.parts_by_sample(), found.parts_by_prompt()),
                    (plain.parts_by_sample(), plain.parts_by_prompt()),
                    strict=True,
                ):
                    assert mine[0] == theirs[0]
                    assert np.array_equal(mine[1], theirs[1], equal_nan=True)
                prompt = outputs[-1].prompt_id
                assert found.of_prompt(prompt) == plain.of_prompt(prompt)
                assert found.showing == plain.showing
                texts = found.outputs.texts(range(len(outputs)))
                assert list(texts) == [output.text for output in outputs]


@pytest.mark.long
def test_a_cell_reads_the_outputs_of_its_prompt_only(ran: Path) -> None:
    with Study(ran) as study:
        Matrix(study, ["v0.0.1"])  # Notes that all is stored.
    with Study(ran) as study:
        outputs = outputs_of(study, "v0.0.1")
        wanted, last = outputs[0].prompt_id, outputs[-1].prompt_id
        read: list[int] = []
        get_all = study.store.get

        def counted(identities: Sequence[str]) -> dict[str, Generation]:
            read.append(len(identities))
            return get_all(identities)

        study.store.get = counted  # type: ignore[method-assign]
        matrix = Matrix(study, ["v0.0.1"])
        (column,) = matrix.columns
        own = [output for output in outputs if output.prompt_id == wanted]
        assert list(column.of(wanted)) == own
        assert column.texts(wanted) == [output.text for output in own]
        assert column.measured["loop_rate"].of_prompt(last)[-1][1] == outputs[-1]
        assert read == [len(own), len(own)]
        assert column.measured["loop_rate"].of_prompt(last)[-1][1] == outputs[-1]
        assert read == [len(own), len(own)]
        read.pop()
        matrix.rows(Filters(text="sea", mode="different"))
        assert read == [len(own)]
        column.read([wanted, last, "no such prompt"])
        assert list(column.of(last)) == [each for each in outputs if each.prompt_id == last]
        assert column.of("no such prompt") == ()
        assert sum(read) < len(outputs)


@pytest.mark.long
def test_findings_read_the_outputs_of_all_versions_at_once(
    ran: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        (ran / f"versions/v0.2.{number}.yaml").write_text(
            f"title: Another\nparent: v0.{number % 2}.{1 - number % 2}\n"
            f"decoding: {{strategy: sample, temperature: 0.{4 + number}}}\naim: {{words: higher}}\n"
        )
    with Study(ran) as study:
        run(study)
        find(study)  # Notes that all is stored.

    def found() -> tuple[object, int]:
        with Study(ran) as study:
            asked: list[str] = []
            event.listen(
                study.store.database.engine,
                "before_cursor_execute",
                lambda *args: asked.append(args[2]),
            )
            shown = find(study)
            queries = [each for each in asked if "FROM generations" in each]
            again = find(study)
            assert [each for each in asked if "FROM generations" in each] == queries
        examples = [(each.pair, each.example) for each in shown.entries]
        assert [(each.pair, each.example) for each in again.entries] == examples
        assert len(examples) == 9
        return (examples, shown.thread, render_findings(shown)), len(queries)

    together, queries = found()
    monkeypatch.setattr("ethogram.report.examples.read_together", lambda *_: None)
    alone, one_by_one = found()
    assert together == alone
    # The first version, which has no parent; all pairs; the thread.
    assert queries == 3
    assert one_by_one > 8


@pytest.mark.long
def test_an_output_that_is_gone_is_named_when_the_findings_show_it(ran: Path) -> None:
    with Study(ran) as study:
        measured = measured_versions(study)
        identities = [each for name in measured for each in study.identities(name)]
        assert set(study.store.get(identities)) == set(identities)
        with study.store.database.begin(writes=True) as connection:
            connection.execute(text("DELETE FROM generations"))
        with pytest.raises(SpecError, match="generations are missing"):
            find(study)


@pytest.mark.long
def test_rows_that_differ_are_found_from_few_texts(ran: Path) -> None:
    names = ["v0.0.1", "v0.1.0"]
    with Study(ran) as study:
        Matrix(study, names)  # Notes that all is stored.
        texts: list[dict[str, list[str]]] = [{}, {}]
        for name, found in zip(names, texts, strict=True):
            for output in outputs_of(study, name):
                found.setdefault(output.prompt_id, []).append(output.text)
    with Study(ran) as study:
        read: list[str] = []
        get_texts = study.store.texts

        def counted(identities: Sequence[str]) -> dict[str, str]:
            read.extend(identities)
            return get_texts(identities)

        study.store.texts = counted  # type: ignore[method-assign]
        rows = Matrix(study, names).rows(Filters(mode="different", sort="suite"))
    first, second = texts
    assert rows == [prompt for prompt in first if first[prompt] != second[prompt]]
    assert len(read) == len(set(read)) < sum(map(len, [*first.values(), *second.values()]))


@pytest.mark.long
def test_log_and_comparison_are_the_same_without_notes(ran: Path) -> None:
    def results() -> tuple[str, object]:
        with Study(ran) as study:
            return log(study).progress.read_text(), compare(
                study, *list(study.versions)[:2]
            ).to_json()

    kept = results()
    for table in ("tests", "version_scores", "version_values", "complete"):
        change(ran, f"DELETE FROM {table}")
    assert results() == kept
    change(ran, "UPDATE version_scores SET data = '['")
    change(ran, "UPDATE version_values SET data = '['")
    assert results() == kept


@pytest.mark.long
def test_a_version_that_lacks_an_output_is_not_noted(ran: Path) -> None:
    with Study(ran) as study:
        identities = study.identities("v0.0.1")
        assert stored.add_complete(study.store, "basis", identities)
        assert stored.complete_identities(study.store, "basis") == tuple(identities)
        assert not stored.add_complete(study.store, "other", [*identities, "0" * 64])
        assert stored.complete_identities(study.store, "other") is None


@pytest.mark.long
def test_a_copy_has_the_notes_that_hold_for_it(
    ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.sqlite"
    with Study(ran) as study:
        whole = study.identities("v0.0.1")
        assert stored.add_complete(study.store, "basis", whole)
        with study.store.database.begin(writes=True) as connection:
            row = {"basis": "untrue", "identities": bytes(32)}
            insert_new(connection, complete_table, [row])
        copy_store(study.store.database.engine.url.render_as_string(hide_password=False), target)
    monkeypatch.setenv("ETHOGRAM_STORE", str(target))
    with Study(ran) as study:
        assert all(is_complete(study, name) for name in study.versions)
        assert stored.complete_identities(study.store, "basis") == tuple(whole)
        assert not stored.is_noted(study.store, "untrue")
        with study.store.database.begin(writes=True) as connection:
            connection.execute(text("DELETE FROM generations WHERE sample_index = 0"))
        assert not any(is_complete(study, name) for name in study.versions)
