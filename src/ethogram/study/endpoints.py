"""Endpoints: the backends of a run's models at endpoints, one each, under one budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ethogram.stages import stage

if TYPE_CHECKING:
    from ethogram.backends import Budget
    from ethogram.backends.remote import RemoteBackend
    from ethogram.spec.endpoint import RemoteModel


class Endpoints:
    """Keeps the connections of a run.

    Args:
        budget: of each model; what it leaves open is as in ETHOGRAM_ENDPOINT.
    """

    def __init__(self, budget: Budget | None) -> None:
        self._budget = budget
        self._backends: dict[RemoteModel, RemoteBackend] = {}

    def get(self, model: RemoteModel) -> RemoteBackend:
        """The backend of a model."""
        from ethogram.backends.remote import RemoteBackend

        if model not in self._backends:
            self._backends[model] = RemoteBackend(model, budget=self._budget)
            stage(f"Asking {model.name} at {self._backends[model].where}")
        return self._backends[model]

    @property
    def spent(self) -> list[str]:
        """What was spent at each so far, in words."""
        return list(map(str, self._backends.values()))

    def close(self) -> None:
        """Close the connections."""
        for each in self._backends.values():
            each.close()
