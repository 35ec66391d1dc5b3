"""What a store holds, for comparing two of them; a study to judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.study.judging import study_of

from ethogram.study import Study, init


def _stored(folder: Path) -> dict[str, Any]:
    """All that a study's store says about its generations, but for the clock."""
    with Study(folder) as study:
        with study.store.database.begin() as connection:
            names = connection.execute(text("select identity from generations")).scalars().all()
        return {
            generation.identity: (
                generation.prompt_id,
                generation.sample_index,
                generation.token_ids,
                generation.text,
                generation.finish_reason,
                generation.logprobs,
            )
            for generation in study.store.get(names).values()
        }


@pytest.fixture
def stored() -> Callable[[Path], dict[str, Any]]:
    """Reads a study's store: identity to everything but the clock."""
    return _stored


@pytest.fixture(autouse=True)
def no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks the judge that the developer's environment names."""
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Twelve prompts, two samples; the second version's outputs are longer on two thirds."""
    return study_of(
        tmp_path / "study",
        lambda prompt, sample: f"short answer {sample}",
        lambda prompt, sample: f"{'a longer' if prompt % 3 else 'a'} answer {sample}",
        samples=(2, 2),
    )


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A new study that has run nothing."""
    return init(tmp_path / "study")
