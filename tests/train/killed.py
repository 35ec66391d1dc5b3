"""A program that trains, and may kill itself at a moment: killed.py RECIPE [MOMENT].

A moment is `step:N` (before what step N showed is stored), `write:N` (while the Nth checkpoint is
written), `rename:N` (before the Nth checkpoint gets its name) or `output` (while the model is
written).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(module: ModuleType, name: str, number: int) -> None:
    """Die at a call of a function, before it does anything."""
    function, calls = getattr(module, name), 0

    def called(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            _die()
        return function(*arguments, **options)

    setattr(module, name, called)


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

        Watch.on_step_end = on_step_end  # type: ignore[method-assign]
    elif kind == "write":
        _arm(checkpoints, "save_file", int(number))
    elif kind == "rename":
        _arm(checkpoints, "_finish", int(number))
    elif kind == "output":
        _arm(output, "_put", 1)
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
