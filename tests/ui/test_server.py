"""The server itself: what it does when it starts."""

from __future__ import annotations

import gc
from pathlib import Path

from tests.ui.conftest import serving


def test_what_a_started_server_has_loaded_is_not_collected_again(folder: Path) -> None:
    gc.unfreeze()
    try:
        with serving(folder):
            assert gc.get_freeze_count() > len(gc.get_objects())
    finally:
        gc.unfreeze()
