"""Runners for the tests of workers; importable in the processes of a cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ethogram.errors import SpecError


class Doubling:
    """Doubles numbers; `die` ends its process, `slow` takes its time, `wrong` is a user's error."""

    def about(self) -> str:
        return f"process {os.getpid()}"

    def report(self) -> int:
        return os.getpid()

    def run(self, kind: str, tasks: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        for number in tasks:
            if kind == "die":
                os._exit(3)
            if kind == "wrong" and number == 3:
                raise SpecError("three is refused", where="here", hint="use four")
            if kind == "broken" and number == 3:
                raise ZeroDivisionError("a bug")
            if kind == "slow":
                time.sleep(0.05)
            yield str(number), 2 * number


def missing() -> Doubling:
    raise SpecError("cannot be made", where="this machine")
