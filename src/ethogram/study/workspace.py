"""Study: an opened folder with its versions, its store and the models its metrics read."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ethogram.errors import ModelError, WriteError
from ethogram.spec import Generation, Request, StudySpec, Suite, Version, load_study
from ethogram.spec.endpoint import is_remote, remote_model
from ethogram.study.dated_chats import DatedChats
from ethogram.study.requests import WHOLE as WHOLE
from ethogram.study.requests import Part as Part
from ethogram.study.requests import requests_of, stored_samples
from ethogram.study.stored_outputs import MOST_SAMPLES as MOST_SAMPLES
from ethogram.study.stored_outputs import generations_of, identities_of, imported, outputs_of
from ethogram.study.stored_outputs import read_imported as read_imported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ethogram.metrics import Models, Output
    from ethogram.models import ModelReference
    from ethogram.store import Store
    from ethogram.study.measure import Measured
    from ethogram.study.stale import Results


class Study:
    """A study folder opened for work.

    Args:
        folder: the folder with study.yaml.
        on_measured: progress of model-based metrics, called with version, outputs done, outputs.
        on_load: called with the name of a scoring model before it is loaded.

    Raises:
        SpecError: a file of the study is wrong.
    """

    def __init__(
        self,
        folder: str | Path = ".",
        *,
        on_measured: Callable[[str, int, int], None] | None = None,
        on_load: Callable[[str], None] | None = None,
        spec: StudySpec | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.on_measured, self._on_load = on_measured, on_load
        self.spec: StudySpec = spec or load_study(self.folder)
        self._model_identities: dict[ModelReference, str] = {}
        self._suites: dict[Path, Suite] = {}
        self.dated_chats = DatedChats(datetime.now())
        #: Identities of the generations of versions and parts, once computed.
        self.known_identities: dict[tuple[str, Part], tuple[str, ...]] = {}
        #: Files of outputs that stand beside the versions: name to prompts and outputs.
        self.beside: dict[str, tuple[Suite, list[Output]]] = {}
        #: Identities of whole versions that were found stored; what is stored stays.
        self.known_stored: set[tuple[str, ...]] = set()
        #: Results of whole versions and parts that were found stored; see `stale`.
        self.known_whole: dict[tuple[str, Part], Results] = {}
        #: Identities of versions that the store noted as complete; see `study.complete`.
        self.known_complete: set[tuple[str, ...]] = set()
        #: Digests of all that the identities of a version follow from; see `study.complete`.
        self.known_bases: dict[str, str | None] = {}
        #: Identities of suites that are in the store.
        self.known_suites: set[str] = set()
        #: Measurements by version and identities of its generations, then by metric; see `measure`.
        self.measured: dict[tuple[str, tuple[str, ...]], dict[str, Measured]] = {}

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
        from ethogram.store import Store, location_of

        location = location_of(self.spec.settings.store)
        if "://" in location:
            return Store.open(location)
        path = self.folder / location
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(path.parent, error) from None
        return Store.open(path)

    @property
    def is_shared(self) -> bool:
        """Whether the store is on a server, which other machines may use too."""
        return not self.store.database.is_sqlite

    @cached_property
    def models(self) -> Models:
        """The models that the study's model-based metrics read, loaded on first use."""
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

    def frame(
        self,
        kind: str = "generations",
        versions: Sequence[str] | None = None,
        *,
        metrics: Sequence[str] | None = None,
    ) -> Any:
        """`generations`, `scores` or `comparisons` as a pandas DataFrame; see `study.frame`."""
        from ethogram.study.frame import frame

        return frame(self, kind, versions, metrics=metrics)

    def with_versions(self, versions: Mapping[str, Version]) -> Study:
        """A view of this study with further versions that have no file, such as a sweep's settings.

        The view shares the store, so it must not outlive the study, and only the study is closed.
        """
        view = copy.copy(self)
        view.store = self.store
        view.spec = replace(self.spec, versions={**self.spec.versions, **versions})
        return view

    def reopened(self) -> Study:
        """This study with its files read again, for what shows it while they are edited.

        The store stays open and belongs to the new one; measurements go by identities, so they
        stay too.

        Raises:
            SpecError: a file of the study is wrong.
        """
        fresh = Study(self.folder, on_measured=self.on_measured, on_load=self._on_load)
        if fresh.spec.settings.store != self.spec.settings.store:
            self.close()
            return fresh
        if "store" in self.__dict__:
            fresh.store = self.store
        if fresh.spec.settings.scoring == self.spec.settings.scoring:
            fresh.measured = self.measured
        return fresh

    def suite(self, version: str) -> Suite:
        """The suite of a version, read once."""
        if version in self.beside:
            return self.beside[version][0]
        path = self.spec.suite_path(version)
        if path not in self._suites:
            self._suites[path] = self.spec.suite(version)
        return self._suites[path]

    def model_reference(self, version: str) -> ModelReference:
        """The model that a version runs on; a relative path counts from the study's folder.

        Raises:
            ModelError: it is at an endpoint.
        """
        from ethogram.models import ModelReference

        resolved = self.spec.version(version)
        if is_remote(resolved.model):
            raise ModelError(
                f"{resolved.model} is at an endpoint, so its weights are not here", where=version
            )
        return ModelReference(
            model=self._local(self._stand_in(resolved.model)),
            revision=None if resolved.model in self._stand_ins else resolved.revision,
            adapter=self._local(resolved.adapter) if resolved.adapter else None,
            dtype=resolved.dtype,
        )

    def amateur_reference(self, version: str) -> ModelReference | None:
        """The amateur model of a version's decoding, if it has one, in the model's dtype."""
        from ethogram.models import ModelReference

        resolved = self.spec.version(version)
        amateur = resolved.decoding.contrastive.amateur
        if not amateur:
            return None
        return ModelReference.parse(self._local(self._stand_in(amateur)), dtype=resolved.dtype)

    def model_words(self, version: str) -> str:
        """The model of a version as the log names it: with its stand-in, if it has one."""
        model = self.spec.version(version).model
        other = self._stand_in(model)
        return model if other == model else f"{model} (stand-in: {other})"

    @property
    def _stand_ins(self) -> Mapping[str, str]:
        return self.spec.settings.stand_ins

    def _stand_in(self, model: str) -> str:
        """The model that is run for a name: itself, or what study.yaml names in its place."""
        return self._stand_ins.get(model, model)

    def _local(self, name: str) -> str:
        path = self.folder / name
        return str(path.resolve()) if path.exists() else name

    def model_identity(self, version: str) -> str:
        """The identity of this version's weights; of a model at an endpoint, that of its names."""
        resolved = self.spec.version(version)
        if is_remote(resolved.model):
            return remote_model(resolved).identity
        return self.identity_of(self.model_reference(version))

    def identity_of(self, reference: ModelReference) -> str:
        """The identity of a model's weights, computed once."""
        from ethogram.models import identity

        if reference not in self._model_identities:
            self._model_identities[reference] = identity(reference)
        return self._model_identities[reference]

    def coupled(self, first: str, second: str) -> bool:
        """Whether two versions use common random numbers at equal prompt and sample index.

        Greedy decoding has no noise, that of imported outputs is unknown, and other backends than
        the engine draw their own.
        """
        return self.spec.settings.coupling == "prompt" and all(
            version.decoding.is_stochastic and not version.outputs and version.backend == "engine"
            for version in (self.spec.version(first), self.spec.version(second))
        )

    def stored_samples(self, version: str) -> int:
        """Samples per prompt in the store, if more than the study's number; see `requests`."""
        return stored_samples(self, version)

    def requests(
        self, version: str, part: Part = WHOLE, *, suite: Suite | None = None
    ) -> list[Request]:
        """The requests of a version, in suite order; see `requests.requests_of`."""
        return requests_of(self, version, part, suite=suite)

    def identities(self, version: str, part: Part = WHOLE) -> list[str]:
        """Identities of a version's generations, in suite order; of an imported one always all."""
        return identities_of(self, version, part)

    def imported(self, version: str) -> list[Generation]:
        """The imported outputs of a version, as generations; see `stored_outputs.imported`."""
        return imported(self, version)

    def imported_outputs(self, version: str) -> list[Output]:
        """The rows of a version's imported outputs; empty if it has none.

        Raises:
            SpecError: as `imported`.
        """
        if version in self.beside:
            return self.beside[version][1]
        path = self.spec.outputs_path(version)
        return [] if path is None else read_imported(path)

    def generations(self, version: str, part: Part = WHOLE) -> list[Generation]:
        """The stored generations of a version, in suite order.

        Raises:
            SpecError: some are missing.
        """
        return generations_of(self, version, part)

    def outputs(self, version: str, part: Part = WHOLE) -> list[Output]:
        """The stored generations of a version as the metrics read them."""
        return outputs_of(self, version, part)
