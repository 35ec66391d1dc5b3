"""AlpacaEval 2 from the judgements that its authors released."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ethogram.errors import SpecError
from ethogram.study.alpaca_eval import PUBLISHED, alpaca_eval_replication


def test_published_win_rates_come_out_again(shared_data: Path) -> None:
    rows = alpaca_eval_replication(shared_data / "alpaca-eval" / "judgements")
    assert [row.model for row in rows] == list(PUBLISHED)
    for row in rows:
        # The same mean over the same judgements: equal but for rounding in the files.
        assert 100 * row.joint.raw == pytest.approx(row.published_raw, abs=1e-6)
        # Another regression (WHY says how it differs): the published value lies in our interval.
        assert 100 * row.joint.low < row.published_controlled < 100 * row.joint.high
        ours, plain = 100 * row.joint.win_rate, 100 * row.plain.win_rate
        # At equal length all four do better than raw, and difficulty brings each of the three
        # shortest nearer to what was published.
        assert ours > 100 * row.joint.raw
        assert row.joint.difficulty_coefficient > 0
        if row.model != "gpt35_turbo_instruct":
            off = abs(plain - row.published_controlled)
            assert abs(ours - row.published_controlled) < off
    assert rows[1].to_json()["length_controlled"]["published"] == PUBLISHED[rows[1].model][1]
    order = sorted(PUBLISHED, key=lambda model: PUBLISHED[model][1])
    assert [row.model for row in sorted(rows, key=lambda row: row.joint.win_rate)] == order


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "alpaca-7b.jsonl.gz:1"),
        ("[" * 100_000, "alpaca-7b.jsonl.gz:1"),
        ('{"prompt": "p", "preference": 1.0}', "output_a_chars"),
        (
            '{"prompt": "p", "preference": 3, "output_a_chars": 1, "output_b_chars": 1}',
            "preference must lie in 1 to 2, got 3",
        ),
        (None, "no such file"),
        (b"no gzip", "cannot be read"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, line: str | bytes | None, words: str) -> None:
    path = tmp_path / "alpaca-7b.jsonl.gz"
    if isinstance(line, str):
        path.write_bytes(gzip.compress(line.encode()))
    elif line is not None:
        path.write_bytes(line)
    with pytest.raises(SpecError, match="alpaca-7b") as caught:
        alpaca_eval_replication(tmp_path)
    assert words in str(caught.value)
