"""How many examples the property tests draw: `fast` few, `ci` the usual number, `full` many.

Chosen by `pytest --hypothesis-profile=NAME`. `fast` and `ci` draw the same examples every time, so
that a failure is about the change at hand; `full` draws new ones and prints how to repeat them.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

#: The number that a test writes down is for a profile of this many.
USUAL = 100
FEWEST = 5


def register() -> None:
    """Make the three profiles known; `ci` is the default."""
    # No deadline: on a shared machine a test's time says more about the machine.
    common = {"deadline": None, "print_blob": True}
    few = {"suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("fast", max_examples=20, derandomize=True, **few, **common)
    settings.register_profile("ci", max_examples=USUAL, derandomize=True, **few, **common)
    settings.register_profile("full", max_examples=5 * USUAL, **common)
    settings.load_profile("ci")


def examples(usual: int) -> int:
    """How many examples to draw under the chosen profile, given the usual number.

    >>> @settings(max_examples=examples(60))
    """
    return max(FEWEST, usual * settings.default.max_examples // USUAL)
