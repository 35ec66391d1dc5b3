"""How long the microscope takes: a stored trace of 500 tokens, its steps, a branch.

    python -m benchmarks.microscope [--tokens 500]

Runs on the built-in model in a folder of its own. Opening runs no model; the first step replays the
whole output; each further step applies the decoding to scores that are kept.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ethogram.study import Study, trace
from ethogram.study.branching import branch
from ethogram.study.token_choice import Microscope

VERSION, PROMPT = "v0.1.0", "p"
#: Every kind of step: penalties, a ban, a warper and truncations.
DECODING = (
    "{{max_new_tokens: {0}, min_new_tokens: {0}, repetition_penalty: 1.1, temperature: 0.9, "
    "top_k: 40, top_p: 0.95}}"
)


def seconds(work: Callable[[], Any]) -> float:
    """How long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def make(folder: Path, tokens: int) -> None:
    """A study of one version and one prompt."""
    (folder / "versions").mkdir()
    (folder / "suites").mkdir()
    (folder / "study.yaml").write_text("name: microscope\n", encoding="utf-8")
    version = f"title: Long\ndecoding: {DECODING.format(tokens)}\n"
    (folder / f"versions/{VERSION}.yaml").write_text(version, encoding="utf-8")
    (folder / "suites/prompts.jsonl").write_text(
        '{"id": "p", "text": "Once upon a time, in a village below a glacier,"}\n',
        encoding="utf-8",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=500)
    tokens = parser.parse_args().tokens
    with tempfile.TemporaryDirectory() as name:
        make(Path(name), tokens)
        with Study(name) as study:
            trace(study, VERSION, PROMPT)
        with Study(name) as study:
            opened = [seconds(lambda: trace(study, VERSION, PROMPT).to_json()) for _ in range(20)]
            microscope = Microscope(study)
            first = seconds(lambda: microscope.choice(VERSION, PROMPT, step=tokens - 1))
            steps = [
                seconds(lambda at=at: microscope.choice(VERSION, PROMPT, step=at).to_json())  # type: ignore[misc]
                for at in range(0, tokens, max(1, tokens // 20))
            ]
            made = seconds(
                lambda: branch(
                    study, VERSION, PROMPT, at=tokens - 20, draw=1, backends=microscope.backends
                )
            )
    print(f"{tokens} tokens of the built-in model")
    print(
        f"open a stored trace    median {1000 * statistics.median(opened):.0f} ms, "
        f"worst {1000 * max(opened):.0f} ms"
    )
    print(f"first step, with model {first:.1f} s")
    print(f"a further step         median {1000 * statistics.median(steps):.0f} ms")
    print(f"branch 20 tokens before the end {made:.1f} s")


if __name__ == "__main__":
    main()
