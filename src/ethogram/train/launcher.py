"""Launcher: how many processes the program that started this one was asked for."""

from __future__ import annotations

from collections.abc import Sequence

import psutil


def asked_processes(command: Sequence[str] | None = None) -> int | None:
    """Processes that `accelerate launch` was asked for; None where nothing says so.

    On a CPU it starts one process whatever it is asked for, and says nothing.

    Args:
        command: of the parent process; default: as the system tells it.
    """
    if command is None:
        try:
            parent = psutil.Process().parent()
            command = parent.cmdline() if parent is not None else []
        except psutil.Error:
            return None
    words = list(command)
    if not any("accelerate" in word for word in words) or "launch" not in words:
        return None
    for place, word in enumerate(words):
        name, sign, value = word.partition("=")
        if name.replace("-", "_") == "__num_processes":
            given = value if sign else next(iter(words[place + 1 : place + 2]), "")
            return int(given) if given.isdecimal() else None
    return None
