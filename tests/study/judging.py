"""Studies to judge, whose outputs were made elsewhere, and what the terminal shows of them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

import ethogram as eg
from ethogram.backends import Endpoint
from ethogram.report.judging import print_pairwise, print_rubric
from ethogram.spec.rubric import Criterion, Rubric
from ethogram.study import PairwiseJudgement, RubricJudgement

KIND = Rubric(criteria=(Criterion(name="kind", question="Kind?"),))
BOTH = Rubric(criteria=(*KIND.criteria, Criterion(name="true", question="True?")))
Texts = Callable[[int, int], str]


def study_of(
    folder: Path,
    before: Texts,
    after: Texts,
    *,
    prompts: int = 12,
    samples: tuple[int, int],
    shift: int = 0,
) -> eg.Study:
    """A study of two versions whose outputs were made elsewhere.

    The second one's sample indices begin at `shift`.
    """
    (folder / "suites").mkdir(parents=True)
    (folder / "versions").mkdir()
    (folder / "study.yaml").write_text("name: judged\nsuite: suites/prompts.jsonl\n")
    (folder / "suites" / "prompts.jsonl").write_text('{"id": "unused", "text": "unused"}\n')
    for name, texts, number in (("v0.0.1", before, samples[0]), ("v0.1.0", after, samples[1])):
        file = folder / f"{name}.jsonl"
        rows = [
            {
                "prompt_id": f"p{prompt}",
                "prompt": f"Question {prompt}?",
                "sample_index": sample + (shift if texts is after else 0),
                "output": texts(prompt, sample),
            }
            for prompt in range(prompts)
            for sample in range(number)
        ]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with eg.Study(folder) as study:
            eg.import_outputs(study, file, name)
    study = eg.Study(folder)
    eg.run(study)
    return study


def judged(study: eg.Study, url: str, **options: Any) -> Any:
    endpoint = Endpoint(url, retries=0, timeout=10)
    return eg.judge(study, "v0.0.1", "v0.1.0", model="small", endpoint=endpoint, **options)


def words_of(found: PairwiseJudgement | RubricJudgement, *, shown: int = 1) -> str:
    """What the terminal shows."""
    console = Console(width=120, no_color=True, record=True, file=io.StringIO())
    if isinstance(found, PairwiseJudgement):
        print_pairwise(console, found, shown=shown)
    else:
        print_rubric(console, found, shown=shown)
    return console.export_text()
