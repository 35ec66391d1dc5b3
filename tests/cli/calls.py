"""The command line, called in this process: what a test expects of an exit code and its lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Run = Callable[..., tuple[int, str, str]]


def parsed(result: tuple[int, str, str]) -> Any:
    """What a command that succeeded printed as JSON."""
    code, out, err = result
    assert code == 0, err
    return json.loads(out)


def one_line(result: tuple[int, str, str], *words: str) -> None:
    """Exit code 2 and one line that holds all the words."""
    code, out, err = result
    assert code == 2, (out, err)
    lines = [line for line in err.splitlines() if not re.search(r" \(\d+ s\)$", line)]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    assert "pydantic" not in err
    for word in words:
        assert word in err, err
