"""What the tests of endpoints share: the options of this machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ethogram.backends.endpoint import KEY_VARIABLE, URL_VARIABLE, VARIABLE


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the options of this machine; retries are few and time-outs short by default."""

    def options(**changed: Any) -> None:
        settings = {"retries": 2, "timeout": 3.0, **changed}
        monkeypatch.setenv(VARIABLE, json.dumps(settings))

    for name in (URL_VARIABLE, KEY_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    options()
    return options
