"""The outputs behind a setting of a sweep, beside those of its parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ethogram.errors import SpecError
from ethogram.metrics import Span
from ethogram.study.measure import Measured, measure
from ethogram.study.numbers import value_in
from ethogram.study.sweeping.stored import StoredSweep
from ethogram.study.sweeping.values import part_of
from ethogram.study.workspace import Part, Study
from ethogram.ui.sweep_models import SamplesInfo, SweepOutput, SweepRow
from ethogram.ui.texts import loop_as_one, marked_text


def samples_info(
    study: Study,
    sweep: StoredSweep,
    setting: str,
    offset: int,
    limit: int | None,
    *,
    most: int | None = None,
) -> SamplesInfo:
    """A page of outputs: prompts in the order of the suite.

    Args:
        study: opened.
        sweep: as stored.
        setting: its name.
        offset: place of the first prompt.
        limit: prompts; None for all.
        most: characters of each output; None for all.

    Raises:
        SpecError: there is no such setting, or its outputs are not stored.
    """
    trial = sweep.trial(setting)
    view = study.with_versions({setting: trial.version})
    part, base = part_of(sweep, trial), sweep.record.base
    if not trial.samples:
        raise SpecError("not run yet", where=trial.setting.words)
    if _missing(view, setting, part):
        raise SpecError(
            "its outputs are not stored: they were pruned, or the suite was edited since",
            where=trial.setting.words,
            hint="do the sweep again",
        )
    parent = _parent(study, sweep, part)
    ids = [each.id for each in view.suite(setting).prompts if each.id in part.prompt_ids]  # type: ignore[operator]
    shown = ids[offset:][:limit]
    ours = _outputs(view, sweep, setting, part, most)
    theirs = {} if parent else _outputs(study, sweep, base, part, most)
    prompts = {each.id: each.as_text() for each in view.suite(setting).prompts}
    return SamplesInfo(
        setting=setting,
        words=trial.setting.words,
        base=base,
        missing=parent,
        total=len(ids),
        offset=offset,
        rows=[
            SweepRow(
                prompt_id=each,
                prompt=prompts[each],
                outputs=ours.get(each, []),
                parent=theirs.get(each, []),
            )
            for each in shown
        ],
    )


def _missing(study: Study, name: str, part: Part) -> bool:
    return bool(study.store.missing(study.identities(name, part)))


def _parent(study: Study, sweep: StoredSweep, part: Part) -> str:
    """Why the parent's outputs cannot stand beside; empty if they can."""
    base = sweep.record.base
    if base not in study.versions:
        return f"{base} is no longer in the study"
    if study.versions[base].identity != sweep.record.base_identity:
        return f"{base} was edited since"
    return f"outputs of {base} are not stored" if _missing(study, base, part) else ""


def _outputs(
    study: Study, sweep: StoredSweep, name: str, part: Part, most: int | None
) -> Mapping[str, Sequence[SweepOutput]]:
    """Prompt to its outputs; equal texts are one."""
    names = [each.name for each in sweep.asked.objectives if each.metric.scope == "output"]
    measured = measure(study, name, names, part) if names else {}
    found: dict[str, dict[str, SweepOutput]] = {}
    for place, output in enumerate(study.outputs(name, part)):
        same = found.setdefault(output.prompt_id, {})
        if output.text in same:
            same[output.text].indices.append(output.sample_index)
            continue
        same[output.text] = SweepOutput(
            indices=[output.sample_index],
            output=marked_text(output.text, _spans(measured, place), most=most),
            finish_reason=output.finish_reason or "unknown",
            values=_values(measured, place),
        )
    return {prompt: list(outputs.values()) for prompt, outputs in found.items()}


def _spans(measured: Mapping[str, Measured], place: int) -> list[tuple[str, Sequence[Span]]]:
    return [
        (
            name,
            loop_as_one(each.scores[place].spans) if "loop" in name else each.scores[place].spans,
        )
        for name, each in measured.items()
    ]


def _values(measured: Mapping[str, Measured], place: int) -> dict[str, str]:
    found = {}
    for each in measured.values():
        value = each.scores[place].value
        if value is not None:
            found[each.metric.title] = value_in(each.metric.unit, value)
    return found
