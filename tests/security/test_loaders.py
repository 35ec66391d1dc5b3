"""Every loader of a model library refuses code of a model folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ethogram

#: Of the package that is tested, which may be an installed wheel.
SOURCE = Path(ethogram.__file__).parent
#: Loaders that never run code of a folder, and take no such argument.
PLAIN = ("GenerationConfig", "PeftModel")


def loaders() -> Iterator[tuple[str, ast.Call]]:
    """Each call of a loader: its place and itself."""
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = ast.unparse(node.func.value)
            if node.func.attr in ("from_pretrained", "from_config") and not owner.endswith(PLAIN):
                yield f"{file.relative_to(SOURCE)}:{node.lineno}", node


def refuses_code(call: ast.Call) -> bool:
    """Whether the call has trust_remote_code=False, itself or by `**SAFE`."""
    for keyword in call.keywords:
        if keyword.arg == "trust_remote_code":
            return isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        if keyword.arg is None and ast.unparse(keyword.value) in ("SAFE", "source", "options"):
            return True
    return False


def test_every_loader_refuses_code() -> None:
    found = list(loaders())
    assert len(found) >= 15
    assert [place for place, call in found if not refuses_code(call)] == []


def test_what_they_are_given_is_no() -> None:
    from ethogram.models.weights import SAFE

    assert SAFE["trust_remote_code"] is False
    for file in ("models/gguf.py", "models/weights.py"):  # `source` and `options` hold it.
        assert "**SAFE" in (SOURCE / file).read_text(encoding="utf-8")
