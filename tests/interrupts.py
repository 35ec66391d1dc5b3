"""Programs that a test interrupts."""

from __future__ import annotations

import signal


def hears_interrupts() -> None:
    """Lets a program be interrupted: a shell starts background programs with SIGINT ignored.

    For `preexec_fn`; Python keeps a SIGINT that is ignored when it starts.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
