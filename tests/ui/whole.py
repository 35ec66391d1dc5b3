"""A study with all that a report holds: versions, sweeps and trainings, with hostile outputs."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

from tests.train.studies import BASE as RECIPE
from tests.ui.conftest import HOSTILE
from tests.ui.swept import BASE, copied
from tests.ui.test_train_view import begin, measured

from ethogram.store import TrainingOutput, Trainings
from ethogram.study import Study

CHILD = "v0.2.0"


def make_whole(swept: Path, folder: Path) -> Path:
    """The study with sweeps, and beside them a child version and two trainings."""
    copied(swept, folder)
    suite = (folder / "suites/prompts.jsonl").read_text(encoding="utf-8")
    prompts = [json.loads(line) for line in suite.splitlines()]
    rows = [
        {
            "prompt_id": prompt["id"],
            "prompt": prompt["text"],
            "output": HOSTILE[(at + sample) % 6],
            "sample_index": sample,
        }
        for at, prompt in enumerate(prompts)
        for sample in range(2)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "child.jsonl").write_text(lines, encoding="utf-8")
    version = {"title": HOSTILE[0], "parent": BASE, "model": "elsewhere", "outputs": "child.jsonl"}
    (folder / f"versions/{CHILD}.yaml").write_text(json.dumps(version), encoding="utf-8")
    (folder / "base.yaml").write_text(RECIPE, encoding="utf-8")
    with Study(folder) as study:
        study.generations(CHILD)  # Stores them, as `ethogram run` does.
        stored = Trainings(study.store)
        for seed in (1, 2):
            number = begin(study, key=f"{seed}" * 64, seed=seed)
            stored.add_points(number, measured(1, 1200))
            stored.add_outputs(
                number,
                [
                    TrainingOutput(step, "greedy", "p1", 0, HOSTILE[step // 500], "length")
                    for step in range(0, 1001, 500)
                ],
            )
    return folder


def held(path: Path) -> dict[str, Any]:
    """What a report holds, read by other code than the page's."""
    found = re.search(r"globalThis\.ethogramReport = '([\w+/=]*)';", path.read_text("utf-8"))
    assert found
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return data


def unpacked(value: Any, columns: list[list[Any]]) -> Any:
    """An answer of a report with the rows of its charts."""
    if isinstance(value, list):
        return [unpacked(each, columns) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"packed"}:
        names = value["packed"].keys()
        rows = zip(*(columns[at] for at in value["packed"].values()), strict=True)
        return {"values": [dict(zip(names, row, strict=True)) for row in rows]}
    return {key: unpacked(each, columns) for key, each in value.items()}
