"""Metrics of a server, in Prometheus' text form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from ethogram.serve.loop import EngineLoop

#: A decode step takes milliseconds on a GPU and tenths of a second on a loaded CPU.
_STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """Counts of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "ethogram_requests", "HTTP requests", ["path", "status"], registry=self.registry
        )
        self.prompt_tokens = Counter(
            "ethogram_prompt_tokens", "Tokens of prompts", registry=self.registry
        )
        self.output_tokens = Counter(
            "ethogram_output_tokens", "Generated tokens", registry=self.registry
        )
        self.first_token = Histogram(
            "ethogram_first_token_seconds",
            "From the request to its first token",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.between_tokens = Histogram(
            "ethogram_between_tokens_seconds",
            "Between the tokens of one output",
            buckets=_STEPS,
            registry=self.registry,
        )
        self.seconds = Histogram(
            "ethogram_request_seconds",
            "From the request to the end of its reply",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._running = Gauge(
            "ethogram_rows_running", "Outputs in progress", ["model"], registry=self.registry
        )
        self._waiting = Gauge(
            "ethogram_rows_waiting", "Outputs that wait", ["model"], registry=self.registry
        )

    def watch(self, model: str, loop: EngineLoop) -> None:
        """Show the rows of an engine."""
        self._running.labels(model).set_function(lambda: loop.running)
        waiting: Callable[[], float] = lambda: max(0, loop.rows - loop.running)  # noqa: E731
        self._waiting.labels(model).set_function(waiting)

    def text(self) -> bytes:
        """All of them, as /metrics shows them."""
        return generate_latest(self.registry)
