"""Model host: the models that views run, loaded once and used by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ethogram.study.pools import Backends


class ModelHost:
    """Keeps the model that was used last loaded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: Callable[[str], None] = lambda model: None
        self._backends = Backends(None, lambda model: self._said(model))

    @contextmanager
    def use(self, on_load: Callable[[str], None] | None = None) -> Iterator[Backends]:
        """The models, for this thread alone while the block runs.

        Args:
            on_load: called with a model's name before it is loaded.
        """
        with self._lock:
            self._said = on_load or (lambda model: None)
            try:
                yield self._backends
            finally:
                self._said = lambda model: None

    @property
    def is_busy(self) -> bool:
        """Whether a thread uses them."""
        return self._lock.locked()

    def close(self) -> None:
        """Free them."""
        self._backends.close()
