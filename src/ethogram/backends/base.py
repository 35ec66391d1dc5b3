"""The interface of a backend, and whether one is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from ethogram.errors import MissingExtraError
from ethogram.spec.generation import Generation, Request
from ethogram.spec.version import BackendName

if TYPE_CHECKING:
    from ethogram.engine import Work


class Backend(Protocol):
    """Turns requests into generations; `ethogram.engine.Engine` is one."""

    @property
    def work(self) -> Work:
        """What the last call of `generate` computed so far."""

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
    ) -> Iterator[Generation]:
        """Generate; all requests are checked before the first one runs.

        Args:
            requests: in any order; requests of equal identity are generated once.
            on_tokens: called now and then with how many new tokens were chosen.
            trace: record how each token was chosen; a backend that cannot refuses.

        Returns:
            Generations as they finish.

        Raises:
            EthogramError: a request or the model cannot be run.
        """


def check_installed(name: BackendName) -> None:
    """Refuse a backend whose optional part is missing, without importing it.

    Raises:
        MissingExtraError: names the part.
    """
    if name == "openai" and find_spec("openai") is None:
        raise MissingExtraError("endpoint", "a model at an endpoint")
    if name == "vllm" and find_spec("vllm") is None:
        error = MissingExtraError("vllm", "backend: vllm")
        error.hint = (
            "it pins other versions of torch and transformers than [engine], so install it in an "
            "environment of its own, in the checkout: pip install '.[vllm]'"
        )
        raise error
