"""Promote: the choice of a sweep as a child version, with the reason in its notes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.spec.version import VERSION_NAME
from ethogram.study.difference import Difference
from ethogram.study.sweeping.landscape import Goal, Landscape
from ethogram.study.workspace import Study


def check_name(study: Study, name: str) -> None:
    """Refuse a name that no new version can have, before anything long is run.

    Raises:
        SpecError: no version name, or taken.
    """
    if not VERSION_NAME.match(name):
        raise SpecError("no version name", where=name, hint="use a name like v0.1.0")
    if name in study.versions:
        raise SpecError("this version exists already", where=name, hint="choose another name")


def promote(study: Study, landscape: Landscape, name: str) -> Path:
    """Write the chosen setting as a child version that states it and says why.

    Returns:
        The path of the version file.

    Raises:
        SpecError: no setting was chosen, or the name is no version name or taken.
        WriteError: it cannot be written.
    """
    from ruamel.yaml import YAML

    check_name(study, name)
    if landscape.chosen is None:
        raise SpecError("the sweep chose nothing", where=landscape.base)
    point = landscape.point(landscape.chosen)
    data: dict[str, Any] = {
        "title": f"{point.setting.words}, chosen by a sweep",
        "parent": landscape.base,
        **point.setting.stated(),
        "notes": reasons(landscape),
    }
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(data, text)
    path = study.folder / f"versions/{name}.yaml"
    write_whole(path, [text.getvalue()])
    return path


def reasons(landscape: Landscape) -> list[str]:
    """Why this setting, in a few sentences with the numbers they rest on."""
    point = landscape.point(landscape.chosen or "")
    goals = " and ".join(_aim(goal) for goal in landscape.goals)
    chosen = ", ".join(
        f"{goal.metric.title} {_value(landscape.base_values[goal.name])} to "
        f"{_value(point.values[goal.name])}"
        for goal in landscape.goals
    )
    said = [
        f"Chosen among {len(landscape.points)} settings of {landscape.base} for {goals}: "
        f"{landscape.why}; {len(landscape.dropped)} were dropped early. On the "
        f"{len(landscape.selection)} prompts that chose it: {chosen}.",
    ]
    proof = landscape.confirmation
    if proof:
        found = "; ".join(_difference(difference) for difference in proof.differences)
        verdict = (
            "it beats its parent" if proof.holds else "it does not beat its parent beyond doubt"
        )
        said.append(f"On the {proof.prompts} prompts held out, {verdict}: {found}.")
    return said


def _aim(goal: Goal) -> str:
    return f"{'higher' if goal.higher_is_better else 'lower'} {goal.metric.title}"


def _difference(d: Difference) -> str:
    return (
        f"{d.metric.title} {_value(d.before)} to {_value(d.after)}, "
        f"difference {d.estimate:+.3g} [{d.low:+.3g}, {d.high:+.3g}]"
    )


def _value(value: float) -> str:
    return f"{value:.3g}"
