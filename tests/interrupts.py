"""Programs that a test interrupts."""

from __future__ import annotations

import signal


def hears_interrupts() -> None:
    """Lets a program be interrupted: one that a shell began in the background is born deaf to it.

    For `preexec_fn`; Python keeps a SIGINT that is ignored when it starts.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
