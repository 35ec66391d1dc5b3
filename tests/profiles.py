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
    common = settings(settings.get_profile("default"), deadline=None, print_blob=True)
    same = settings(common, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("fast", same, max_examples=USUAL // 5)
    settings.register_profile("ci", same, max_examples=USUAL)
    settings.register_profile("full", common, max_examples=5 * USUAL)
    settings.load_profile("ci")


def examples(usual: int) -> int:
    """How many examples to draw under the chosen profile, given the usual number.

    >>> @settings(max_examples=examples(60))
    """
    chosen = settings.default
    assert chosen is not None
    return max(FEWEST, usual * chosen.max_examples // USUAL)
