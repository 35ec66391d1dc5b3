"""Study: an opened folder with its versions, its store and the requests they imply.

Knows how a version becomes requests and where its generations lie; generates nothing itself.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import SpecError, WriteError
from ethogram.spec import (
    FinishReason,
    Generation,
    Request,
    StudySpec,
    Suite,
    Version,
    load_study,
    make_requests,
)
from ethogram.spec.identity import digest
from ethogram.study.dated_chats import DatedChats

if TYPE_CHECKING:
    from collections.abc import Callable

    from ethogram.metrics import Models, Output
    from ethogram.models import ModelReference
    from ethogram.store import Store


@dataclass(frozen=True)
class Part:
    """Which of a version's requests are meant, where not all are.

    Attributes:
        prompt_ids: of the suite; None is all.
        samples: sample indices 0..samples-1; None is as many as the study says.
    """

    prompt_ids: frozenset[str] | None = None
    samples: int | None = None


#: Every request of a version.
WHOLE = Part()
#: Sample indices of imported outputs stay below this: scores have a place for each index, and one
#: that is really a seed would take all memory.
MOST_SAMPLES = 10_000


class Study:
    """A study folder opened for work.

    Args:
        folder: the folder that holds study.yaml.
        on_measured: told as metrics that need a model get on: version, outputs done, outputs.
        on_load: told the name of a model that scores, before it is loaded.

    Raises:
        SpecError: a file of the study is wrong.
    """

    def __init__(
        self,
        folder: str | Path = ".",
        *,
        on_measured: Callable[[str, int, int], None] | None = None,
        on_load: Callable[[str], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.on_measured, self._on_load = on_measured, on_load
        self.spec: StudySpec = load_study(self.folder)
        self._model_identities: dict[ModelReference, str] = {}
        self._suites: dict[Path, Suite] = {}
        self._dated_chats = DatedChats(datetime.now())

    def __repr__(self) -> str:
        return f"Study({str(self.folder)!r}, versions={list(self.spec.versions)})"

    @property
    def name(self) -> str:
        """The study's name."""
        return self.spec.settings.name

    @property
    def versions(self) -> dict[str, Version]:
        """Resolved versions by name, parents first."""
        return self.spec.versions

    @cached_property
    def store(self) -> Store:
        """The store, opened (and made) on first use."""
        from ethogram.store import Store

        location = self.spec.settings.store
        if "://" in location:
            return Store.open(location)
        path = self.folder / location
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(path.parent, error) from None
        return Store.open(path)

    @cached_property
    def models(self) -> Models:
        """The models that the study's model-based metrics read, loaded when one asks."""
        from ethogram.metrics import NamedModels
        from ethogram.spec import ScoringModels

        named = self.spec.settings.scoring
        return NamedModels(
            ScoringModels(
                encoder=self._local(named.encoder),
                reference=self._local(named.reference),
                nli=self._local(named.nli) if named.nli else None,
            ),
            on_load=self._on_load,
        )

    def close(self) -> None:
        """Close the store if it was opened."""
        if "store" in self.__dict__:
            self.store.close()
            del self.__dict__["store"]

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def with_versions(self, versions: Mapping[str, Version]) -> Study:
        """This study and further versions that no file states, such as the settings of a sweep.

        They share the store, so the view must not outlive the study, nor be closed by itself.
        """
        view = copy.copy(self)
        view.store = self.store
        view.spec = replace(self.spec, versions={**self.spec.versions, **versions})
        return view

    def suite(self, version: str) -> Suite:
        """The suite of a version, read once."""
        path = self.spec.suite_path(version)
        if path not in self._suites:
            self._suites[path] = self.spec.suite(version)
        return self._suites[path]

    def model_reference(self, version: str) -> ModelReference:
        """The model of a version; a relative path counts from the study's folder."""
        from ethogram.models import ModelReference

        resolved = self.spec.version(version)
        return ModelReference(
            model=self._local(resolved.model),
            revision=resolved.revision,
            adapter=self._local(resolved.adapter) if resolved.adapter else None,
            dtype=resolved.dtype,
        )

    def amateur_reference(self, version: str) -> ModelReference | None:
        """The amateur that a version's decoding names, if it has one; in the model's format."""
        from ethogram.models import ModelReference

        resolved = self.spec.version(version)
        if resolved.decoding.amateur is None:
            return None
        return ModelReference.parse(self._local(resolved.decoding.amateur), dtype=resolved.dtype)

    def _local(self, name: str) -> str:
        path = self.folder / name
        return str(path.resolve()) if path.exists() else name

    def model_identity(self, version: str) -> str:
        """What tells this version's weights from all others."""
        return self._identity(self.model_reference(version))

    def _identity(self, reference: ModelReference) -> str:
        from ethogram.models import identity

        if reference not in self._model_identities:
            self._model_identities[reference] = identity(reference)
        return self._model_identities[reference]

    def coupled(self, first: str, second: str) -> bool:
        """Whether two versions meet the same noise at the same prompt and sample index.

        Greedy decoding meets none, nobody knows the noise of outputs made elsewhere, and other
        backends than the engine draw in their own way.
        """
        return self.spec.settings.coupling == "prompt" and all(
            version.decoding.is_stochastic and not version.outputs and version.backend == "engine"
            for version in (self.spec.version(first), self.spec.version(second))
        )

    def stored_samples(self, version: str) -> int:
        """Samples per prompt that a version has in the store, if more than the study asks for.

        Sequential checks make samples beyond those of the study; whole rounds of them count.
        """
        resolved, samples = self.spec.version(version), self.spec.samples(version)
        if resolved.outputs or not resolved.decoding.is_stochastic:
            return samples
        while True:
            # Twice as many at each look: all that is built is a few times what there is.
            requests = self.requests(version, Part(samples=2 * samples))
            further = [each for each in requests if each.sample_index >= samples]
            missing = set(self.store.missing([each.identity for each in further]))
            if missing:
                return min(each.sample_index for each in further if each.identity in missing)
            samples *= 2

    def requests(self, version: str, part: Part = WHOLE) -> list[Request]:
        """The requests of a version, in suite order.

        Args:
            version: its name.
            part: which of them.

        Raises:
            SpecError: the version's outputs were made elsewhere.
        """
        resolved = self.spec.version(version)
        if resolved.outputs:
            raise SpecError(
                "its outputs were made elsewhere, so nothing can be generated", where=version
            )
        settings = self.spec.settings
        suite = self.suite(version)
        if part.prompt_ids is not None:
            chosen = tuple(item for item in suite.prompts if item.id in part.prompt_ids)
            suite = suite.model_copy(update={"prompts": chosen})
        amateur = self.amateur_reference(version)
        chat_model = self.model_reference(version) if resolved.prompt.chat else None
        return make_requests(
            resolved,
            suite,
            samples=part.samples or self.spec.samples(version),
            seed=settings.seed,
            model_identity=self.model_identity(version),
            amateur_identity=self._identity(amateur) if amateur else None,
            independent_noise=settings.coupling == "independent",
            finish=self._dated_chats.finish(chat_model) if chat_model else None,
        )

    def identities(self, version: str, part: Part = WHOLE) -> list[str]:
        """Identities of a version's generations, in suite order; of an imported one always all."""
        if self.spec.version(version).outputs:
            return [generation.identity for generation in self.imported(version)]
        return [request.identity for request in self.requests(version, part)]

    def imported(self, version: str) -> list[Generation]:
        """The outputs of a version that were made elsewhere, as generations.

        Raises:
            SpecError: the file cannot be read, a line is broken, or a sample index is no count.
        """
        path = self.spec.outputs_path(version)
        if path is None:
            return []
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
            )
            for row in read_imported(path)
        ]

    def generations(self, version: str, part: Part = WHOLE) -> list[Generation]:
        """The stored generations of a version, in suite order.

        Raises:
            SpecError: some are missing.
        """
        wanted = self.identities(version, part)
        found = self.store.get(wanted)
        missing = sum(identity not in found for identity in wanted)
        if missing:
            raise SpecError(
                f"{missing} of {len(wanted)} generations are missing",
                where=version,
                hint=f"make them with `ethogram run {version}`",
            )
        return [found[identity] for identity in wanted]

    def outputs(self, version: str, part: Part = WHOLE) -> list[Output]:
        """The stored generations of a version as the metrics read them."""
        from ethogram.metrics import Output

        items = {item.id: item for item in self.suite(version).prompts}
        outputs = []
        for generation in self.generations(version, part):
            item = items.get(generation.prompt_id)
            outputs.append(
                Output(
                    text=generation.text,
                    prompt=item.as_text() if item else generation.prompt_text,
                    token_ids=generation.token_ids or None,
                    logprobs=generation.logprobs or None,
                    finish_reason=generation.finish_reason or None,
                    reference=item.reference if item else None,
                    tags=item.tags if item else (),
                    prompt_id=generation.prompt_id,
                    sample_index=generation.sample_index,
                    constraints=item.constraints if item else (),
                )
            )
        return outputs


def _identifying(row: Output) -> dict[str, Any]:
    """What tells an output made elsewhere from others: all of it but the checks of its prompt."""
    names = [field.name for field in fields(row) if field.name != "constraints"]
    return {name: getattr(row, name) for name in names}


def _finish_reason(row: Output) -> FinishReason:
    """Outputs made elsewhere often do not say how they ended, or say it in other words."""
    known: dict[str, FinishReason] = {"stop": "stop", "eos": "eos", "length": "length"}
    return known.get(row.finish_reason or "", "unknown")


def read_imported(path: Path) -> list[Output]:
    """The outputs of a file that stand for a version's.

    Raises:
        SpecError: the file cannot be read, a line is broken, or a sample index is no count.
    """
    from ethogram.metrics import read_outputs

    rows = list(read_outputs(path))
    for row in rows:
        if row.sample_index >= MOST_SAMPLES:
            raise SpecError(
                f"sample index {row.sample_index} of prompt {row.prompt_id!r} is no count",
                where=str(path),
                hint="number the outputs of a prompt from 0",
            )
    return rows
