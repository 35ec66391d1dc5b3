"""`log`, `verify` and `sweep --promote`: what is printed, and exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.calls import Run


def test_verify_fails_when_a_digit_was_changed(ethogram: Run, tiny_study: Path) -> None:
    at = ("--study", str(tiny_study))
    assert ethogram("run", *at)[0] == 0
    assert ethogram("log", *at)[0] == 0
    assert ethogram("verify", *at)[0] == 0
    progress = tiny_study / "PROGRESS.md"
    text = progress.read_text()
    line = next(each for each in text.splitlines() if each.startswith("- **Evidence:** "))
    progress.write_text(text.replace(line, line.replace("outputs on 6", "outputs on 7"), 1))
    code, out, err = ethogram("verify", *at)
    assert (code, err) == (1, "")
    assert re.search(r"PROGRESS\.md:\d+: v0\.0\.1: ", out)
    assert "outputs on 7" in out
    assert "1 does not match the store" in out


def test_a_log_prints_what_was_found_first(ethogram: Run, tiny_study: Path) -> None:
    at = ("--study", str(tiny_study))
    code, out, _ = ethogram("run", "--log", *at)
    assert code == 0
    lines = out.splitlines()
    found = lines[: lines.index("")]
    assert 1 <= len(found) <= 6
    assert found[0].startswith("- From v0.0.1 to v1.0.0: ")
    assert max(map(len, found)) <= 80
    assert f"ethogram verify -C {tiny_study}" in out
    assert (tiny_study / "PROGRESS.md").is_file()
    detailed = ethogram("log", "--details", *at)[1]
    assert detailed.splitlines()[0].startswith("- From v0.0.1 to v1.0.0: ")


def test_a_sweep_promotes_only_what_is_better_or_forced(ethogram: Run, tiny_study: Path) -> None:
    rows = [{"id": f"p{n}", "text": f"the sea wrote {n} letter"} for n in range(20)]
    suite = tiny_study / "suites/prompts.jsonl"
    suite.write_text("".join(json.dumps(row) + "\n" for row in rows))
    at = ("--study", str(tiny_study))
    own = ("--set", "decoding.temperature=1.1", "--goal", "distinct_2", "--promote", "v7.0.1")
    promoted = tiny_study / "versions/v7.0.1.yaml"
    code, _, err = ethogram("sweep", "v0.1.0", *own, *at)
    assert code == 1
    assert "v7.0.1 was not written: the best setting is the parent's own" in err
    assert not promoted.exists()
    code, out, _ = ethogram("sweep", "v0.1.0", *own, "--force", *at)
    assert code == 0
    assert "Next: ethogram run v7.0.1" in out
    assert promoted.is_file()
