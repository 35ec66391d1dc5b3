"""A program that trains, and may kill itself at a moment: killed.py RECIPE [MOMENT].

A moment is `step:N` (before what step N showed is stored), `write:N` (while the Nth checkpoint is
written), `rename:N` (before the Nth checkpoint gets its name) or `output` (while the model is
written).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _at_call(number: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Die at a call of a function, half-way: nothing of what it does is done."""
    calls = 0

    def called(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            _die()
        return function(*arguments, **options)

    return called


def arm(moment: str) -> None:
    """Have the process killed at a moment."""
    from ethogram.train import checkpoints, output
    from ethogram.train.watch import Watch

    kind, _, number = moment.partition(":")
    if kind == "step":
        end = Watch.on_step_end

        def on_step_end(self: Watch, args: Any, state: Any, control: Any, **rest: Any) -> None:
            if state.global_step == int(number):
                _die()
            end(self, args, state, control, **rest)

        Watch.on_step_end = on_step_end
    elif kind == "write":
        checkpoints.save_file = _at_call(int(number), checkpoints.save_file)
    elif kind == "rename":
        checkpoints._finish = _at_call(int(number), checkpoints._finish)
    elif kind == "output":
        output._put = _at_call(1, output._put)
    else:
        raise ValueError(moment)


def main() -> None:
    recipe = Path(sys.argv[1])
    if len(sys.argv) > 2:
        arm(sys.argv[2])
    from ethogram.train import train

    train(recipe.parent, recipe)


if __name__ == "__main__":
    main()
