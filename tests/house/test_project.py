"""The project itself: what starts quickly, what is pinned, which pages and packages are listed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ethogram

ROOT = Path(__file__).parents[2]
#: The package as it is installed: a release is tested without the checkout's source.
PACKAGE = Path(ethogram.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "requirements" / "constraints.txt").read_text(encoding="utf-8")
HEAVY = ("torch", "transformers", "scipy", "pyarrow", "openai")


def names(requirements: list[str]) -> set[str]:
    return {
        re.match(r"[\w.-]+", each)[0].lower().replace("_", "-")  # type: ignore[index]
        for each in requirements
    }


@pytest.mark.parametrize("module", ["ethogram", "ethogram.cli", "ethogram.spec", "ethogram.stats"])
def test_importing_loads_no_heavy_library(module: str) -> None:
    program = f"import sys, {module}; print(*[one for one in {HEAVY} if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == []


def test_constraints_pin_each_direct_requirement_and_name_no_place() -> None:
    pinned = re.findall(r"^([\w.-]+)==[\w.]+$", CONSTRAINTS, re.MULTILINE)
    lines = [line for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(pinned), "only NAME==VERSION, without a local part"
    assert "://" not in CONSTRAINTS
    assert " @ " not in CONSTRAINTS
    wanted = names(PROJECT["project"]["dependencies"])
    for extra, requirements in PROJECT["project"]["optional-dependencies"].items():
        if extra != "vllm":  # It pins its own torch and goes into an environment of its own.
            wanted |= names(requirements)
    for group in ("test", "lint", "docs"):
        wanted |= names(PROJECT["dependency-groups"][group])
    assert wanted - {"ethogram"} <= {name.lower().replace("_", "-") for name in pinned}


def test_each_page_of_the_documentation_is_in_its_navigation() -> None:
    listed = re.findall(r'"([\w/-]+\.md)"', (ROOT / "zensical.toml").read_text(encoding="utf-8"))
    there = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert set(listed) == there
    assert len(listed) == len(set(listed))


def test_each_target_of_make_that_contributing_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`?\bmake ([a-z-]+)`", text)) <= targets


def test_each_package_of_the_source_is_in_the_layers_and_in_contributing() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    listed = {name for layer in layers for name in re.findall(r"\w+", layer)}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages
    assert packages <= listed
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert not [name for name in packages if f"`{name}/`" not in text]


def test_each_path_that_contributing_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:[\w.-]+/)+(?:[\w-]+\.[a-z]+)?|[\w.-]+(?:/[\w.-]+)*\.py)`", text):
        inside = [
            PACKAGE,
            *(PACKAGE / name for name in ("store", "study", "replications", "train")),
        ]
        named = path.removeprefix("src/ethogram/")
        assert any((folder / named).exists() for folder in (ROOT, *inside)), path
