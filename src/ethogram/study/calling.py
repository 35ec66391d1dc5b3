"""Calling: a verb takes a study or its folder, and one version name or several."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from ethogram.spec.source import suggest
from ethogram.study.workspace import Study

Params = ParamSpec("Params")
ResultT = TypeVar("ResultT")
Verb = Callable[Concatenate[Study, Params], ResultT]


def takes_study(
    verb: Verb[Params, ResultT],
) -> Callable[Concatenate[Study | str | Path, Params], ResultT]:
    """Let a verb take the path of a study in place of an opened one; it is closed afterwards."""

    @functools.wraps(verb)
    def called(
        study: Study | str | Path, /, *args: Params.args, **options: Params.kwargs
    ) -> ResultT:
        if isinstance(study, Study):
            return verb(study, *args, **options)
        with Study(study) as opened:
            return verb(opened, *args, **options)

    return called


def names_of(study: Study, versions: str | Iterable[str] | None) -> list[str]:
    """Version names from one name, several, or None for all.

    Raises:
        SpecError: there is no such version; names the nearest.
    """
    names = [versions] if isinstance(versions, str) else list(versions or study.versions)
    for name in names:
        study.spec.version(name)
    return names


def missing_key(name: str, known: Iterable[str]) -> KeyError:
    """The error of a subscript, with the nearest name."""
    return KeyError(f"{name!r}: {suggest(name, list(known))}")
