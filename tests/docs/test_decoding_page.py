"""The tables of docs/decoding.md agree with the declarations of settings and steps."""

from __future__ import annotations

import pytest
from scripts.decoding_page import PAGE, page

from ethogram.spec.decoding import Decoding
from ethogram.spec.setting import leaves


def test_the_tables_are_those_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run: python scripts/decoding_page.py"


def test_a_page_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table 'settings'"):
        page("# Decoding\n")


@pytest.mark.parametrize("name", [name for name, _ in leaves(Decoding)])
def test_every_setting_is_on_the_page(name: str) -> None:
    assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")
