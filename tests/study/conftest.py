"""What a store holds, for comparing two of them; a new study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ethogram.study import Study, init


def _stored(folder: Path) -> dict[str, Any]:
    """All that a study's store says about its generations, but for the clock."""
    with Study(folder) as study:
        return {
            generation.identity: (
                generation.prompt_id,
                generation.sample_index,
                generation.token_ids,
                generation.text,
                generation.finish_reason,
                generation.logprobs,
            )
            for generation in study.store.iter_generations()
        }


@pytest.fixture
def stored() -> Callable[[Path], dict[str, Any]]:
    """Reads a study's store: identity to everything but the clock."""
    return _stored


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A new study that has run nothing."""
    return init(tmp_path / "study")
