"""Promote: the choice of a sweep as a child version, with the reason in its notes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.files import write_whole
from ethogram.spec.space import apply
from ethogram.spec.version import VERSION_NAME
from ethogram.store import StoredPromotion, Sweeps
from ethogram.store.rows import now
from ethogram.study.calling import takes_study
from ethogram.study.difference import Difference
from ethogram.study.sweeping.result import Objective, SweepResult, Trial
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
def promote(study: Study, result: SweepResult, name: str, setting: str | None = None) -> Path:
    """Write a setting as a child version that states it and the reason.

    Args:
        study: opened, or its folder.
        result: of a finished sweep.
        name: of the new version.
        setting: name of a setting of the sweep. Default: the one that it chose.

    Returns:
        The path of the version file.

    Raises:
        SpecError: no setting was chosen, the parent was edited since, or the name is not that of
            a new version.
        WriteError: it cannot be written.
    """
    from ruamel.yaml import YAML

    check_name(study, name)
    if setting is None and result.chosen is None:
        raise SpecError("the sweep did not choose a setting", where=result.base)
    trial = result.trial(setting or result.chosen or "")
    tried = apply(study.spec.version(result.base), trial.setting, parent=result.base)
    if tried.identity != trial.version.identity:
        raise SpecError(
            f"{result.base} was edited since, so this setting of it was not tried",
            where=trial.name,
            hint="do the sweep again",
        )
    by = "chosen by a sweep" if trial.name == result.chosen else "from a sweep"
    data: dict[str, Any] = {
        "title": f"{trial.setting.words}, {by}",
        "parent": result.base,
        **trial.setting.stated(),
        "notes": reasons(result, trial),
    }
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    text = io.StringIO()
    yaml.dump(data, text)
    path = study.folder / f"versions/{name}.yaml"
    write_whole(path, [text.getvalue()])
    if result.id is not None:
        number = 1 + result.trials.index(trial)
        Sweeps(study.store).promote(result.id, StoredPromotion(name, number, now()))
    return path


def doubt_of(result: SweepResult, setting: str) -> str:
    """Why a setting should not become a version without a second thought; empty if it may."""
    if setting == result.chosen:
        return result.doubt
    trial = result.trial(setting)
    if trial.eliminated_by:
        return f"it was eliminated: {trial.eliminated_by} beat it on every objective"
    return "the sweep did not choose it, so it was not tested on held-out prompts"


def reasons(result: SweepResult, trial: Trial) -> list[str]:
    """Why this setting, in a few sentences with the numbers they rest on."""
    objectives = " and ".join(_aim(objective) for objective in result.objectives)
    values = ", ".join(
        f"{objective.metric.title} {_value(result.base_values[objective.name])} to "
        f"{_value(trial.values[objective.name])}"
        for objective in result.objectives
    )
    is_choice = trial.name == result.chosen
    why = f"{result.why}; {len(result.eliminated)} were eliminated early" if is_choice else ""
    said = [
        f"{'Chosen' if is_choice else 'Picked by hand'} among {len(result.trials)} settings of "
        f"{result.base} for {objectives}{': ' if why else ''}{why}. On the "
        f"{len(result.selection)} prompts {'that chose it' if is_choice else 'for selection'}: "
        f"{values}.",
    ]
    holdout = result.holdout
    if not is_choice:
        said.append("Not tested on held-out prompts.")
    elif holdout:
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
