"""Promote: the choice of a sweep as a child version, with the reason in its notes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.spec.version import VERSION_NAME
from ethogram.study.calling import takes_study
from ethogram.study.difference import Difference
from ethogram.study.sweeping.result import Objective, SweepResult
from ethogram.study.workspace import Study


def check_name(study: Study, name: str) -> None:
    """Refuse a name that no new version can have, before anything long is run.

    Raises:
        SpecError: no version name, or taken.
    """
    if not VERSION_NAME.match(name):
        raise SpecError("not a version name", where=name, hint="use a name like v0.1.0")
    if name in study.versions:
        raise SpecError("this version already exists", where=name, hint="choose another name")


@takes_study
def promote(study: Study, result: SweepResult, name: str) -> Path:
    """Write the chosen setting as a child version that states it and the reason.

    Returns:
        The path of the version file.

    Raises:
        SpecError: no setting was chosen, or the name is not that of a new version.
        WriteError: it cannot be written.
    """
    from ruamel.yaml import YAML

    check_name(study, name)
    if result.chosen is None:
        raise SpecError("the sweep did not choose a setting", where=result.base)
    trial = result.trial(result.chosen)
    data: dict[str, Any] = {
        "title": f"{trial.setting.words}, chosen by a sweep",
        "parent": result.base,
        **trial.setting.stated(),
        "notes": reasons(result),
    }
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(data, text)
    path = study.folder / f"versions/{name}.yaml"
    write_whole(path, [text.getvalue()])
    return path


def reasons(result: SweepResult) -> list[str]:
    """Why this setting, in a few sentences with the numbers they rest on."""
    trial = result.trial(result.chosen or "")
    objectives = " and ".join(_aim(objective) for objective in result.objectives)
    chosen = ", ".join(
        f"{objective.metric.title} {_value(result.base_values[objective.name])} to "
        f"{_value(trial.values[objective.name])}"
        for objective in result.objectives
    )
    said = [
        f"Chosen among {len(result.trials)} settings of {result.base} for {objectives}: "
        f"{result.why}; {len(result.eliminated)} were eliminated early. On the "
        f"{len(result.selection)} prompts that chose it: {chosen}.",
    ]
    holdout = result.holdout
    if holdout:
        found = "; ".join(_difference(difference) for difference in holdout.differences)
        verdict = "it beats its parent" if holdout.holds else "it does not clearly beat its parent"
        said.append(f"On the {holdout.prompts} prompts held out, {verdict}: {found}.")
    return said


def _aim(objective: Objective) -> str:
    return f"{'higher' if objective.higher_is_better else 'lower'} {objective.metric.title}"


def _difference(d: Difference) -> str:
    return (
        f"{d.metric.title} {_value(d.before)} to {_value(d.after)}, "
        f"difference {d.estimate:+.3g} [{d.low:+.3g}, {d.high:+.3g}]"
    )


def _value(value: float) -> str:
    return f"{value:.3g}"
