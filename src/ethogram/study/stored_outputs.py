"""Stored outputs: the stored or imported generations of a version, and as the metrics read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from ethogram.errors import SpecError
from ethogram.spec import FinishReason, Generation, Suite
from ethogram.spec.identity import digest
from ethogram.study.complete import noted_identities
from ethogram.study.requests import WHOLE, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ethogram.metrics import Output
    from ethogram.study.stale import Results
    from ethogram.study.workspace import Study

#: Sample indices of imported outputs stay below this: scores have a place for each index, and one
#: that is really a seed would take all memory.
MOST_SAMPLES = 10_000
#: Prompts of a version whose outputs are kept, once they were read alone.
_RECENT = 4


def identities_of(study: Study, version: str, part: Part = WHOLE) -> list[str]:
    """Identities of a version's generations, in suite order; of an imported one always all."""
    if study.spec.version(version).outputs:
        return [generation.identity for generation in imported(study, version)]
    if version not in study.spec.stated:  # A setting of a sweep: too many to keep.
        return [request.identity for request in study.requests(version, part)]
    if (version, part) not in study.known_identities and part == WHOLE:
        noted = noted_identities(study, version)
        if noted is not None:
            study.known_identities[version, part] = noted
            study.known_stored.add(noted)
            study.known_complete.add(noted)
    if (version, part) not in study.known_identities:
        requests = study.requests(version, part)
        study.known_identities[version, part] = tuple(request.identity for request in requests)
    return list(study.known_identities[version, part])


def imported(study: Study, version: str) -> list[Generation]:
    """The outputs of a version that were made elsewhere, as generations.

    Raises:
        SpecError: the file cannot be read, a line is broken, or a sample index is too large.
    """
    return [
        Generation(
            identity=digest(["import", _identifying(row)]),
            prompt_id=row.prompt_id,
            sample_index=row.sample_index,
            prompt_text=row.prompt,
            prompt_token_ids=(),
            token_ids=row.token_ids or (),
            text=row.text,
            finish_reason=_finish_reason(row),
            logprobs=row.logprobs or (),
            seconds=0.0,
            guarded=row.guarded,
        )
        for row in study.imported_outputs(version)
    ]


def generations_of(
    study: Study, version: str, part: Part = WHOLE, results: Results | None = None
) -> list[Generation]:
    """The stored generations of a version, in suite order; of `results`, if given.

    Raises:
        SpecError: some are missing.
    """
    if version in study.beside:
        return imported(study, version)
    wanted = results.identities if results else identities_of(study, version, part)
    if study.spec.version(version).outputs:
        # Nothing has to be made: what the store lacks is in the file.
        study.store.add(study.imported(version), model=study.spec.version(version).model)
    found = study.store.get(wanted)
    missing = sum(identity not in found for identity in wanted)
    if missing:
        raise SpecError(
            f"{missing} of {len(wanted)} generations are missing",
            where=version,
            hint=f"make them with `ethogram run {version}`",
        )
    return [found[identity] for identity in wanted]


def outputs_of(
    study: Study, version: str, part: Part = WHOLE, results: Results | None = None
) -> list[Output]:
    """The stored generations of a version, or of its `results`, as the metrics read them.

    `Output.prompt` is the suite's wording, not the rendered prompt that the model read; the latter
    is `Generation.prompt_text`, used only where the suite no longer has the prompt.
    """
    suite = results.suite if results else study.suite(version)
    return _as_outputs(generations_of(study, version, part, results), suite)


def _as_outputs(generations: Iterable[Generation], suite: Suite) -> list[Output]:
    """Generations as the metrics read them, with the wording and references of a suite."""
    from ethogram.metrics import Output

    items = {item.id: item for item in suite.prompts}
    outputs = []
    for generation in generations:
        item = items.get(generation.prompt_id)
        right = item.references if item else ()
        outputs.append(
            Output(
                text=generation.text,
                prompt=item.as_text() if item else generation.prompt_text,
                token_ids=generation.token_ids or None,
                logprobs=generation.logprobs or None,
                finish_reason=generation.finish_reason or None,
                reference=right[0] if right else None,
                other_references=right[1:],
                tags=item.tags if item else (),
                prompt_id=generation.prompt_id,
                sample_index=generation.sample_index,
                constraints=item.constraints if item else (),
                guarded=generation.guarded,
            )
        )
    return outputs


class StoredOutputs(Sequence["Output"]):
    """The outputs of a complete version, read from the store when they are needed.

    Args:
        study: opened.
        version: its name.
        results: all of its outputs.

    Attributes:
        samples: of each prompt.
    """

    def __init__(self, study: Study, version: str, results: Results) -> None:
        self._study, self._version, self._results = study, version, results
        self.samples = len(results.identities) // len(results.suite)
        #: Prompt to its outputs, the last ones asked for: findings read the same ones each time.
        self._recent: dict[str, Sequence[Output]] = {}
        self._most = _RECENT  # More where more are read together.

    def __len__(self) -> int:
        return len(self._results.identities)

    @overload
    def __getitem__(self, place: int) -> Output: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Output]: ...
    def __getitem__(self, place: int | slice) -> Output | Sequence[Output]:
        return self.all[place]

    def __iter__(self) -> Iterator[Output]:
        return iter(self.all)

    @cached_property
    def all(self) -> Sequence[Output]:
        """Every output, in suite order."""
        return self._read(self._results.identities)

    @cached_property
    def places(self) -> dict[str, range]:
        """Prompt id to the places of its outputs."""
        return {
            item.id: range(place * self.samples, (place + 1) * self.samples)
            for place, item in enumerate(self._results.suite.prompts)
        }

    @cached_property
    def prompts(self) -> Sequence[Output]:
        """A prompt each, in suite order: outputs without a text."""
        from ethogram.metrics import Output

        return [
            Output(text="", prompt=item.as_text(), tags=item.tags, prompt_id=item.id)
            for item in self._results.suite.prompts
        ]

    def of(self, prompt: str) -> Sequence[Output]:
        """The outputs of one prompt; only these are read."""
        if "all" in self.__dict__:
            places = self.places[prompt]
            return self.all[places.start : places.stop]
        found = self._recent.pop(prompt, None)
        if found is None:
            found = self._read(self._identities(prompt))
        self._keep(prompt, found)
        return found

    def unread(self, prompts: Sequence[str]) -> dict[str, Sequence[str]]:
        """Those of some prompts that are not read, with the identities of their outputs.

        There is room for all of these prompts from now on.
        """
        if "all" in self.__dict__:
            return {}
        self._most = max(self._most, len(prompts) + _RECENT)
        for prompt in prompts:
            if prompt in self._recent:
                self._keep(prompt, self._recent.pop(prompt))
        return {each: self._identities(each) for each in prompts if each not in self._recent}

    def take(self, found: Mapping[str, Generation], prompts: Sequence[str]) -> None:
        """Have the outputs of some prompts of which all generations were found, as if read here."""
        whole = [each for each in prompts if found.keys() >= set(self._identities(each))]
        generations = [found[identity] for each in whole for identity in self._identities(each)]
        outputs = iter(_as_outputs(generations, self._results.suite))
        for prompt in whole:
            self._keep(prompt, list(islice(outputs, self.samples)))

    def of_each(self, prompts: Sequence[str]) -> dict[str, Sequence[Output]]:
        """The outputs of some prompts, read at once."""
        wanted = [place for prompt in prompts for place in self.places[prompt]]
        found = iter(self._read([self._results.identities[place] for place in wanted]))
        return {prompt: list(islice(found, self.samples)) for prompt in prompts}

    def texts(self, places: Sequence[int]) -> Sequence[str]:
        """The texts of the outputs at some places, in their order; nothing else is read.

        Raises:
            SpecError: one is missing.
        """
        wanted = [self._results.identities[place] for place in places]
        found = self._study.store.texts(wanted)
        if len(found) < len(set(wanted)):
            return [output.text for output in self._read(wanted)]  # Which says what is missing.
        return [found[identity] for identity in wanted]

    def forget(self) -> None:
        """Drop what was read."""
        self.__dict__.pop("all", None)
        self._recent.clear()

    def _identities(self, prompt: str) -> Sequence[str]:
        places = self.places[prompt]
        return self._results.identities[places.start : places.stop]

    def _keep(self, prompt: str, outputs: Sequence[Output]) -> None:
        self._recent[prompt] = outputs
        if len(self._recent) > self._most:
            del self._recent[next(iter(self._recent))]

    def _read(self, identities: Sequence[str]) -> Sequence[Output]:
        part = replace(self._results, identities=tuple(identities))
        return outputs_of(self._study, self._version, results=part)


def read_together(study: Study, wanted: Iterable[tuple[Sequence[Output], str]]) -> None:
    """Read the outputs of some prompts of several versions at once, so that `of` has them.

    What is missing is left out, and `of` says so. Other sequences of outputs are in memory already.

    Args:
        study: opened.
        wanted: the outputs of a version of it, and a prompt.
    """
    prompts: dict[StoredOutputs, dict[str, None]] = {}
    for outputs, prompt in wanted:
        if isinstance(outputs, StoredOutputs):
            prompts.setdefault(outputs, {})[prompt] = None
    unread = {outputs: outputs.unread(list(some)) for outputs, some in prompts.items()}
    missing = [each for some in unread.values() for ids in some.values() for each in ids]
    found = study.store.get(missing) if missing else {}
    for outputs, some in unread.items():
        outputs.take(found, list(some))


def _identifying(row: Output) -> dict[str, Any]:
    """What tells an output made elsewhere from others: all of it but the checks of its prompt."""
    names = [each.name for each in fields(row) if each.name not in ("constraints", "guarded")]
    form = {name: getattr(row, name) for name in names}
    return form if row.guarded is None else {**form, "guarded": row.guarded.to_json()}


def _finish_reason(row: Output) -> FinishReason:
    """Outputs made elsewhere often do not say how they ended, or say it in other words."""
    known: dict[str, FinishReason] = {
        "stop": "stop",
        "eos": "eos",
        "length": "length",
        "closed": "closed",
        "loop": "loop",
    }
    return known.get(row.finish_reason or "", "unknown")


def read_imported(
    path: Path,
    select: str | None = None,
    on_bad: Callable[[SpecError], None] | None = None,
) -> list[Output]:
    """The outputs of a file that a version imports; arguments as for `read_outputs`.

    Raises:
        SpecError: the file cannot be read, a line is broken, or a sample index is too large.
    """
    from ethogram.metrics import read_outputs

    rows = list(read_outputs(path, select, on_bad=on_bad))
    for row in rows:
        if row.sample_index >= MOST_SAMPLES:
            raise SpecError(
                f"sample index {row.sample_index} of prompt {row.prompt_id!r} is too large (max "
                f"{MOST_SAMPLES - 1})",
                where=str(path),
                hint="number the outputs of a prompt from 0",
            )
    return rows
