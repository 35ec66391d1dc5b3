"""Tables made again from released outputs and judgements, to the last published digit."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from ethogram.cli import cli
from ethogram.errors import SpecError
from ethogram.replications import DATA_SETS, REPLICATIONS, Replicated, Row, replicate
from ethogram.replications.alpaca import PUBLISHED, win_rate
from ethogram.report.scores import replication_text

PAGE = Path(__file__).parents[2] / "docs" / "replications.md"


@cache
def contrastive_search(data: Path) -> Replicated:
    return replicate("contrastive-search", data)


@cache
def alpaca_eval(data: Path) -> Replicated:
    return replicate("alpaca-eval", data)


@pytest.mark.long
def test_contrastive_search_to_the_last_digit(shared_data: Path) -> None:
    made = contrastive_search(shared_data)
    compared = [row for row in made.rows if row.published is not None]
    assert len(compared) == 11
    assert [row.difference for row in compared] == [0] * 11
    assert made.why[0].startswith("All published values come out")
    # Not released by themselves, so not shown as published; computed by another program.
    rep = made["nucleus, run 2", "rep_3"]
    assert rep.published is None
    assert round(rep.ours, 2) == 1.50


@pytest.mark.long
def test_holtzman_has_the_published_order(shared_data: Path) -> None:
    """Other outputs, counted in words: no value can agree, but what the table shows must."""
    made = replicate("holtzman", shared_data)
    for measure in ("self_bleu_4", "loop_rate_degen"):
        human, greedy, nucleus = (made[of, measure] for of in ("human", "greedy", "nucleus"))
        for side in ("ours", "published"):
            assert getattr(human, side) < getattr(nucleus, side) < getattr(greedy, side)
    # Read in the paper's own text; the greedy row by the same rule on words, by another program.
    assert made["greedy", "loop_rate_degen"].published == 73.66
    assert round(made["greedy", "loop_rate_degen"].ours, 1) == 57.2
    for row in made.rows:
        if row.measure == "zipf_coefficient":
            assert row.ours == pytest.approx(row.published, abs=0.12)


def test_alpaca_eval_raw_rates(shared_data: Path) -> None:
    made = alpaca_eval(shared_data)
    for model, raw in PUBLISHED.items():
        row = made[model, "win rate"]
        assert row.published == round(raw, 3)
        assert row.difference == 0
        assert row.ours == pytest.approx(raw, abs=1e-6)
    assert "length-controlled ones are left out" in made.why[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "alpaca-7b.jsonl.gz:1"),
        ("[" * 100_000, "alpaca-7b.jsonl.gz:1"),
        ('{"prompt": "p"}', "not a judgement with prompt and preference"),
        ('{"prompt": "p", "preference": 3}', "preference must be between 1 and 2, got 3"),
        (None, "no such file"),
        (b"no gzip", "cannot be read"),
    ],
)
def test_a_broken_file_of_judgements(tmp_path: Path, line: str | bytes | None, words: str) -> None:
    path = tmp_path / "alpaca-7b.jsonl.gz"
    if isinstance(line, str):
        path.write_bytes(gzip.compress(line.encode()))
    elif line is not None:
        path.write_bytes(line)
    with pytest.raises(SpecError, match="alpaca-7b") as caught:
        win_rate(path)
    assert words in str(caught.value)


@pytest.mark.long
def test_json_and_words_say_the_same(shared_data: Path) -> None:
    arguments = ["replicate", "contrastive-search", "--data", str(shared_data), "--json"]
    data = json.loads(CliRunner().invoke(cli, arguments, catch_exceptions=False).stdout)
    made = contrastive_search(shared_data)
    assert data == made.to_json()
    lines = [line.split() for line in replication_text(made).splitlines()]
    assert ["greedy", "diversity", "5.38", "5.38", "0"] in lines


@pytest.mark.parametrize("name", ["contrastive-search", "alpaca-eval", "holtzman"])
@pytest.mark.long
def test_the_page_shows_what_comes_out(shared_data: Path, name: str) -> None:
    cached = {"contrastive-search": contrastive_search, "alpaca-eval": alpaca_eval}
    made = cached[name](shared_data) if name in cached else replicate(name, shared_data)
    page = PAGE.read_text(encoding="utf-8")
    for cells in made.table()[1:]:
        assert f"| {' | '.join(cells)} |" in page


def test_the_page_lists_data_sets_and_replications() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for each in DATA_SETS.values():
        assert f"| `{each.name}` | {each.title} | {each.licence} | <{each.origin}> |" in page
    for name in REPLICATIONS:
        assert f"## {name}" in page


def test_without_a_name_it_lists() -> None:
    words = CliRunner().invoke(cli, ["replicate"], catch_exceptions=False).stdout
    assert [line.split()[0] for line in words.splitlines()] == list(REPLICATIONS)
    data = json.loads(CliRunner().invoke(cli, ["replicate", "--json"]).stdout)
    assert [each["name"] for each in data] == list(REPLICATIONS)
    assert all(each["data"][0]["licence"] for each in data)


def test_every_replication_names_its_data() -> None:
    used = {name for each in REPLICATIONS.values() for name in each.data}
    assert used == set(DATA_SETS)


def test_a_wrong_name_or_option_is_one_line() -> None:
    with pytest.raises(SpecError, match="did you mean 'alpaca-eval'"):
        replicate("alpaca")
    with pytest.raises(SpecError, match="has no option --max-new-tokens"):
        replicate("alpaca-eval", max_new_tokens=3)


def test_a_row_is_compared_at_the_digits_that_were_published() -> None:
    assert Row("a", "b", 5.384, 2, 5.38).difference == 0
    assert Row("a", "b", 5.386, 2, 5.38).difference == 0.01
    assert Row("a", "b", 5.386, 2).difference is None
    assert Row("a", "b", 5.0, 1, 6.0, 4.0, 5.5).cells() == [
        *("a", "b", "6.0", "5.0"),
        *("[4.0, 5.5]", "-1.0"),
    ]


def test_the_interval_has_a_column_only_where_there_is_one() -> None:
    plain, bounded = Row("a", "b", 5.0, 1, 6.0), Row("a", "b", 5.0, 1, 6.0, 4.0, 5.5)
    page = Replicated("n", "<b>t</b>", "s", [plain], ["w"])._repr_html_()
    assert "<b>t</b>" not in page
    assert "95 %" not in replication_text(Replicated("n", "t", "s", [plain], ["w"]))
    assert "95 %" in replication_text(Replicated("n", "t", "s", [plain, bounded], ["w"]))
