"""Measure: stored generations to numbers, per prompt and per version."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress
from types import MappingProxyType
from typing import Any

import numpy as np

from ethogram.errors import SpecError
from ethogram.metrics import DEFAULT_METRICS, Metric, Models, Output, Score, get
from ethogram.spec.identity import digest
from ethogram.spec.study import STUDY_FILE
from ethogram.stages import stage
from ethogram.store import Scored, Scorer
from ethogram.study.complete import note_complete
from ethogram.study.kept_scores import KeptScores, ScoreColumn, Values
from ethogram.study.stale import Accept, Results, results_of
from ethogram.study.stored_outputs import StoredOutputs, outputs_of
from ethogram.study.tested import StoredTests
from ethogram.study.workspace import WHOLE, Part, Study

#: Model-based metrics measure this many outputs at once and then store the scores: enough to fill
#: batches of equal length, few enough that an interrupted run loses little.
BATCH = 256
#: Metrics whose scores follow from an output's text and from nothing else: where they differ, so do
#: the texts, which then need not be read.
OF_TEXT = ("words", "distinct_2")


@dataclass(frozen=True)
class Measured:
    """The scores of one version under one metric.

    Attributes:
        metric: what was measured.
        outputs: what each score is about, in suite order: every output, or, for a metric of all
            samples of a prompt, each prompt's first.
        scores: one score for each of `outputs`.
    """

    metric: Metric
    outputs: Sequence[Output]
    scores: Sequence[Score]
    #: Why these are not the results of the version as it is now; see `stale`.
    stale: str = ""
    #: Paired tests in the store, where there is one.
    stored_tests: StoredTests | None = field(default=None, repr=False, compare=False)
    #: Differences already tested with this as the second version; see `difference`.
    tested: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def value(self) -> float:
        """The version's value; NaN where the metric applies to no output."""
        if isinstance(self.scores, ScoreColumn):
            return self.scores.values.value
        return float(self.metric.aggregate(self.parts_by_prompt()[1].sum(axis=0)))

    @property
    def basis(self) -> str:
        """What the scores follow from, as a digest; empty unless all are kept in the store."""
        if isinstance(self.outputs, StoredOutputs) and isinstance(self.scores, ScoreColumn):
            return self.scores.basis
        return ""

    @property
    def counted(self) -> tuple[int, int]:
        """The sum of the outputs' values, and how many have one; of a rule, how many show it."""
        if isinstance(self.scores, ScoreColumn):
            values = self.scores.values
        else:
            values = Values.of(self.metric, self.scores, math.nan)
        return int(values.total), values.applies

    @property
    def showing(self) -> frozenset[str]:
        """Ids of the prompts of which an output has a value other than zero."""
        if isinstance(self.scores, ScoreColumn) and isinstance(self.outputs, StoredOutputs):
            shows = self.scores.shows.reshape(-1, self.outputs.samples)
            return frozenset(compress(self.places, map(any, shows.tolist())))
        return frozenset(
            output.prompt_id
            for output, score in zip(self.outputs, self.scores, strict=True)
            if score.value
        )

    @property
    def prompts(self) -> Sequence[Output]:
        """An output of each prompt at least, in suite order; the texts may be left out."""
        return self.outputs.prompts if isinstance(self.outputs, StoredOutputs) else self.outputs

    @cached_property
    def places(self) -> Mapping[str, Sequence[int]]:
        """Prompt id to the places of its outputs, in suite order."""
        if isinstance(self.outputs, StoredOutputs):
            return self.outputs.places
        found: dict[str, list[int]] = {}
        for place, output in enumerate(self.outputs):
            found.setdefault(output.prompt_id, []).append(place)
        return found

    def of_prompt(self, prompt: str) -> list[tuple[int, Output, Score]]:
        """The outputs of one prompt: place, output, score."""
        places = self.places[prompt]
        stored = self.outputs if isinstance(self.outputs, StoredOutputs) else None
        outputs = stored.of(prompt) if stored else [self.outputs[place] for place in places]
        scores = [self.scores[place] for place in places]
        return list(zip(places, outputs, scores, strict=True))

    def parts_by_prompt(self) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
        """Prompt ids and the parts of each, averaged over its samples: [prompts, parts].

        The mean, not the sum, so that a greedy version with one sample and a sampled version with
        four weigh each prompt alike.
        """
        return self._parts_by_prompt

    @cached_property
    def _parts_by_prompt(self) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
        if grid := self._grid():
            return grid[0], grid[1].mean(axis=1)
        ids: dict[str, list[tuple[float, ...]]] = {}
        for output, score in zip(self.outputs, self.scores, strict=True):
            ids.setdefault(output.prompt_id, []).append(score.parts)
        parts = np.array([np.mean(np.array(rows), axis=0) for rows in ids.values()], dtype=float)
        return list(ids), parts

    def by_prompt(self) -> Mapping[str, float]:
        """The value of every prompt; NaN where the metric applies to none of its outputs."""
        return self._by_prompt

    @cached_property
    def _by_prompt(self) -> Mapping[str, float]:
        ids, parts = self.parts_by_prompt()
        values = np.asarray(self.metric.aggregate(parts), dtype=float) if ids else np.empty(0)
        return MappingProxyType(dict(zip(ids, values.tolist(), strict=True)))

    def parts_by_sample(self) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
        """Prompt ids and the parts of each output: [prompts, sample indices, parts].

        Rows are NaN where a prompt has no sample of that index. A score of all samples of a
        prompt is at index 0, whichever output it is stored under.
        """
        if grid := self._grid():
            return grid
        rows = {
            prompt: row
            for row, prompt in enumerate(dict.fromkeys(each.prompt_id for each in self.outputs))
        }
        grouped = self.metric.scope == "prompt"
        at = [0 if grouped else output.sample_index for output in self.outputs]
        indices = 1 + max(at, default=0)
        width = len(self.scores[0].parts) if self.scores else 0
        parts = np.full((len(rows), indices, width), np.nan)
        for output, index, score in zip(self.outputs, at, self.scores, strict=True):
            parts[rows[output.prompt_id], index] = score.parts
        return list(rows), parts

    def _grid(self) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]] | None:
        """The kept parts of a complete version: prompt ids, [prompts, sample indices, parts]."""
        if not (isinstance(self.outputs, StoredOutputs) and isinstance(self.scores, ScoreColumn)):
            return None
        ids = list(self.outputs.places)
        return ids, self.scores.parts.reshape(len(ids), self.outputs.samples, -1)


def metric_names(study: Study) -> tuple[str, ...]:
    """The metrics of the study's table.

    Raises:
        SpecError: study.yaml names one that there is not, or that has no value for a version.
    """
    names = study.spec.settings.metrics or _default_names(study)
    for place, name in enumerate(names):
        try:
            get(name)
        except SpecError as error:
            where = study.spec.own_places.where(("metrics", place), study.folder / STUDY_FILE)
            raise SpecError(f"{name!r}: {error.what}", where=where, hint=error.hint) from None
    return names


def _default_names(study: Study) -> tuple[str, ...]:
    """The default metrics; right answers only where a prompt of a suite has one."""
    suites = {id(suite): suite for suite in map(study.suite, study.versions)}  # Most share one.
    known = any(
        prompt.reference is not None for suite in suites.values() for prompt in suite.prompts
    )
    return tuple(name for name in DEFAULT_METRICS if known or name != "contains_reference")


def measure(
    study: Study,
    version: str,
    names: Sequence[str],
    part: Part = WHOLE,
    *,
    accept: Accept = "whole",
) -> dict[str, Measured]:
    """Score the stored generations of a version, or a part of them.

    Scores of model-based metrics are stored, and an opened study keeps the measurements of its
    versions: measuring again computes only what is new.

    Args:
        study: the opened study.
        version: its name.
        names: of the metrics.
        part: which of its generations.
        accept: whether results of some prompts, or of the settings before an edit, will do.

    Raises:
        SpecError: a generation is missing, or a metric's name is unknown.
        ModelError: a metric needs a model that cannot be had.
    """
    if version not in study.spec.stated:  # A setting of a sweep: too many to keep.
        return _measure(study, version, names, part)
    results = results_of(study, version, part, accept)
    if not results.identities:  # Reports what is missing.
        results = results_of(study, version, part, "whole")
    key = (f"{version} {results.suite.identity}", results.identities)
    known: dict[str, Measured] = study.measured.setdefault(key, {})
    missing = [name for name in names if name not in known]
    if missing or not names:
        found = _measure(study, version, missing, part, results)
        tests = StoredTests(study.store)
        known |= {
            name: replace(each, stale=results.stale, stored_tests=tests)
            for name, each in found.items()
        }
    return {name: known[name] for name in names}


def _measure(
    study: Study, version: str, names: Sequence[str], part: Part, results: Results | None = None
) -> dict[str, Measured]:
    stage(f"Scoring {version}")
    metrics = {name: get(name) for name in names}
    outputs = _outputs(study, version, part, results)
    quick = {name: metric for name, metric in metrics.items() if metric.reads_one_output}
    measured = {
        name: Measured(quick[name], outputs, scores)
        for name, scores in _quick_scores(study, version, outputs, quick, results).items()
    }
    expensive = {name: metric for name, metric in metrics.items() if name not in measured}
    if expensive:
        identities = results.identities if results else study.identities(version, part)
        measured |= _measure_expensive(study, version, outputs, identities, expensive)
    if isinstance(outputs, StoredOutputs):
        outputs.forget()
    return {name: measured[name] for name in metrics}


def _outputs(study: Study, version: str, part: Part, results: Results | None) -> Sequence[Output]:
    """The outputs of a version, of a complete one only once they are needed."""
    if results is None or results.stale or part != WHOLE:
        return outputs_of(study, version, part, results)
    if results.identities not in study.known_complete:
        outputs = outputs_of(study, version, part, results)
        if not note_complete(study, version, outputs):
            return outputs
    return StoredOutputs(study, version, results)


def _quick_scores(
    study: Study,
    version: str,
    outputs: Sequence[Output],
    metrics: dict[str, Metric],
    results: Results | None,
) -> dict[str, Sequence[Score]]:
    """Scores of metrics that need no model; of a version with a file they are kept in the store."""
    kept = KeptScores(study, version, results) if results else None
    found: dict[str, Sequence[Score]] = {**kept.get(metrics.values())} if kept else {}
    fresh: dict[str, Sequence[Score]] = {
        name: [metric.measure(output) for output in outputs]
        for name, metric in metrics.items()
        if name not in found
    }
    if kept and fresh:
        kept.add(
            {
                metrics[name]: (_values(metrics[name], outputs, scores), scores)
                for name, scores in fresh.items()
            }
        )
        if isinstance(outputs, StoredOutputs):  # So that neither outputs nor scores are held.
            fresh.update(kept.get([metrics[name] for name in fresh]))
    return found | fresh


def _values(metric: Metric, outputs: Sequence[Output], scores: Sequence[Score]) -> Values:
    return Values.of(metric, scores, Measured(metric, outputs, scores).value)


def _measure_expensive(
    study: Study,
    version: str,
    outputs: Sequence[Output],
    identities: Sequence[str],
    metrics: dict[str, Metric],
) -> dict[str, Measured]:
    """Metrics that need a model or whole prompts, all of them on one batch, then on the next."""
    about: dict[str, dict[int, Score]] = {name: {} for name in metrics}
    done = 0
    for batch in _batches(outputs):
        for name, metric in metrics.items():
            units = batch if metric.scope == "prompt" else [[i] for g in batch for i in g]
            scores = _scores(study, metric, outputs, identities, units)
            about[name] |= {unit[0]: score for unit, score in zip(units, scores, strict=True)}
        done += sum(map(len, batch))
        if study.on_measured:
            study.on_measured(version, done, len(outputs))
    return {
        name: Measured(
            metrics[name],
            [outputs[index] for index in sorted(scores)],
            [scores[index] for index in sorted(scores)],
        )
        for name, scores in about.items()
    }


def _batches(outputs: Sequence[Output]) -> Iterator[list[list[int]]]:
    """Positions of outputs, one list per prompt; a batch holds whole prompts."""
    prompts: dict[str, list[int]] = {}
    for index, output in enumerate(outputs):
        prompts.setdefault(output.prompt_id, []).append(index)
    batch: list[list[int]] = []
    for places in prompts.values():
        batch.append(places)
        if sum(map(len, batch)) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _scores(
    study: Study,
    metric: Metric,
    outputs: Sequence[Output],
    identities: Sequence[str],
    units: Sequence[Sequence[int]],
) -> list[Score]:
    """A score for each unit (the places of one output, or of a prompt's samples)."""
    groups = [[outputs[place] for place in unit] for unit in units]
    if not metric.needs:
        return _compute(metric, groups, study.models)
    scorer = Scorer(metric.name, metric.version, study.models.identity(metric.needs))
    keys = [
        Scored(identities[unit[0]], _read(group, [identities[place] for place in unit]))
        for unit, group in zip(units, groups, strict=True)
    ]
    found = study.store.scores(scorer, keys)
    todo = [place for place, key in enumerate(keys) if key not in found]
    if todo:
        fresh = _compute(metric, [groups[place] for place in todo], study.models)
        made = {keys[place]: score for place, score in zip(todo, fresh, strict=True)}
        study.store.add_scores(scorer, made)
        found |= made
    return [found[key] for key in keys]


def _read(group: Sequence[Output], identities: Sequence[str]) -> str:
    """Digest of what a metric may read beside the first generation."""
    first = group[0]
    return digest([list(identities), first.prompt, first.reference, list(first.tags)])


def _compute(metric: Metric, groups: Sequence[Sequence[Output]], models: Models) -> list[Score]:
    if metric.scope == "prompt":
        return metric.measure_groups(groups, models)
    return metric.measure_batch([output for group in groups for output in group], models)
