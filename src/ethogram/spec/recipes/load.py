"""Read a recipe file; every mistake is one line with file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter

from ethogram.errors import SpecError
from ethogram.spec.recipes.recipe import KINDS, AnyRecipe, ModelRecipe, Recipe, RlhfRecipe
from ethogram.spec.source import read_yaml, suggest, validate


def load_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file.

    Args:
        path: of the file; its stem is the model's name unless the recipe has one.

    Raises:
        SpecError: no such file, no YAML, an unknown kind or field, or a value out of bounds.
    """
    data, places = read_yaml(path)
    kinds = ", ".join(KINDS)
    if not isinstance(data, dict) or "kind" not in data:
        raise SpecError("a recipe states its kind", where=str(path), hint=f"kind is one of {kinds}")
    kind = data["kind"]
    if kind not in KINDS:
        raise SpecError(
            f"unknown kind {kind!r}",
            where=places.where(("kind",), path),
            hint=suggest(str(kind), list(KINDS)),
        )
    recipe = cast(Recipe, validate(KINDS[kind], data, path, places))
    if recipe.name:
        return recipe
    # Validated again, because a file's name need not be a model's name.
    return cast(Recipe, validate(KINDS[kind], {**data, "name": path.stem}, path, places))


def load_chain(path: Path) -> tuple[tuple[Path, ModelRecipe], ...]:
    """The recipes that a file stands for: itself, or the steps of an `rlhf` recipe, in order.

    Raises:
        SpecError: a file is wrong, a step is itself a chain, or a step after the first starts from
            a version that no step before it makes.
    """
    recipe = load_recipe(path)
    if not isinstance(recipe, RlhfRecipe):
        return ((path, recipe),)
    chain: list[tuple[Path, ModelRecipe]] = []
    for step in recipe.steps:
        inner = load_recipe(path.parent / step)
        if isinstance(inner, RlhfRecipe):
            raise SpecError(
                "a step of an rlhf recipe is itself an rlhf recipe",
                where=f"{path}: steps",
                hint="name the recipes of its steps instead",
            )
        made = [earlier.version for _, earlier in chain if earlier.version]
        if chain and inner.parent not in made:
            raise SpecError(
                f"{step} starts from {inner.parent or 'nothing'}, which no step before it makes",
                where=f"{path}: steps",
                hint=f"set its parent to {' or '.join(made)}"
                if made
                else "set `version:` in the first step, and `parent:` to it in the others",
            )
        chain.append((path.parent / step, inner))
    return tuple(chain)


def recipe_schema() -> dict[str, Any]:
    """The JSON Schema of a recipe file of any kind."""
    return TypeAdapter[Any](AnyRecipe).json_schema()
