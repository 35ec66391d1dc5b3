"""Found: the recipes in a study's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ethogram.errors import EthogramError
from ethogram.spec.recipes.load import load_recipe
from ethogram.spec.recipes.recipe import Recipe
from ethogram.spec.source import read_yaml

#: Folders of a study that are searched.
_FOLDERS = ("", "recipes", "train")


@dataclass(frozen=True)
class FoundRecipe:
    """A recipe file.

    Attributes:
        path: from the study's folder, with slashes.
        recipe: validated; None if it is wrong.
        problem: why it is wrong, in one line; otherwise empty.
    """

    path: str
    recipe: Recipe | None
    problem: str = ""


def find_recipes(study: Path) -> list[FoundRecipe]:
    """YAML files that state a `kind`, in the study's folder and in `recipes/` and `train/`."""
    found = []
    for folder in (study / name for name in _FOLDERS):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix not in (".yaml", ".yml") or not _states_kind(path):
                continue
            name = path.relative_to(study).as_posix()
            try:
                found.append(FoundRecipe(name, load_recipe(path)))
            except EthogramError as error:
                found.append(FoundRecipe(name, None, str(error)))
    return found


def _states_kind(path: Path) -> bool:
    try:
        data, _ = read_yaml(path)
    except (EthogramError, OSError):
        return False
    return isinstance(data, dict) and "kind" in data
