"""The function of each decoding step, by the step's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor

from ethogram.engine.steps.history import History
from ethogram.spec.steps import STEPS

#: A pure function of scores, the step's value (`Decoding.step_value`) and the rows' history.
StepFunction = Callable[[Tensor, Any, History], Tensor]
F = TypeVar("F", bound=Callable[..., Tensor])

#: The function of each step that is declared in `spec/steps.py`; filled by `step`.
FUNCTIONS: dict[str, StepFunction] = {}


def step(function: F) -> F:
    """Register a function for the declared step of its name.

    Raises:
        KeyError: no such step is declared.
    """
    name = function.__name__
    if name not in STEPS:
        raise KeyError(name)
    FUNCTIONS[name] = function
    return function
