"""A contender in a process of its own: contender.py NAME; each line on its input is some steps.

Prints a line of JSON when it is ready, and one for the steps that each line asked for.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from typing import Any

from benchmarks.train.rows import rows


class Turns:
    """Holds a training between its steps until it is asked for more."""

    def __init__(self) -> None:
        self.left = 1  # The first step allocates and is not timed.
        self.asked = 0
        self.began = (0.0, 0.0)

    def after_step(self) -> bool:
        """Count a step; False once nothing more is asked for."""
        self.left -= 1
        if self.left:
            return True
        say(steps=self.asked, **self._spent())
        line = sys.stdin.readline().strip()
        if not line:
            return False
        self.left = self.asked = int(line)
        self.began = (time.process_time(), time.perf_counter())
        return True

    def _spent(self) -> dict[str, float]:
        cpu, wall = self.began
        return {
            "cpu_seconds": time.process_time() - cpu,
            "seconds": time.perf_counter() - wall,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }


def say(**values: Any) -> None:
    print("@" + json.dumps(values), flush=True)


def main() -> None:
    name, threads = sys.argv[1], int(sys.argv[2])
    import torch
    from transformers import PrinterCallback, TrainerCallback

    torch.set_num_threads(threads)
    turns = Turns()

    class Held(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> Any:
            control.should_training_stop = not turns.after_step()
            return control

    with tempfile.TemporaryDirectory() as folder:
        contender = rows()[1][name](folder)
        contender.trainer.remove_callback(PrinterCallback)
        contender.trainer.add_callback(Held())
        say(tokens=contender.tokens, flop=contender.flop)
        contender.trainer.train()


if __name__ == "__main__":
    main()
