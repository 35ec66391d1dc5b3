"""The drawn file of outputs: as long as it says, the same each time, and worth measuring."""

from pathlib import Path

from benchmarks import measured_outputs
from ethogram.metrics import score


def test_drawn_outputs(tmp_path: Path) -> None:
    first, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    for file in (first, again):
        measured_outputs.write(file, 120)
    assert first.read_bytes() == again.read_bytes()
    table = score(first, "all")
    assert table.outputs == 120
    assert list(table.samples) == list(range(measured_outputs.SAMPLES))
    assert table["tokens"].value == measured_outputs.TOKENS
    # Each kind of thing that a metric looks for is there.
    for name in (
        "loop_rate",
        "near_duplicate_sentences",
        "references_cited",
    ):
        assert table[name].value > 0
    assert table["format_valid"].applies_to > 0
    assert table["ifeval_prompt_strict"].applies_to > 0
