"""Calls: functions called on a cluster, whose results come back in the order of the arguments."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from ethogram.cluster.connect import Cluster
from ethogram.cluster.worker import portable
from ethogram.errors import EthogramError
from ethogram.stages import stage

ArgumentT = TypeVar("ArgumentT")
ResultT = TypeVar("ResultT")
#: Times that Ray calls a function again whose process or machine died.
RETRIES = 5


def in_order(
    cluster: Cluster,
    function: Callable[[ArgumentT], ResultT],
    arguments: Iterable[ArgumentT],
) -> Iterator[tuple[ArgumentT, ResultT]]:
    """Each argument with its result; a few calls for each CPU are on their way at any time.

    Args:
        cluster: connected.
        function: picklable, and without side effects: a call that died is made again.
        arguments: any iterable, read once.

    Raises:
        EthogramError: what a call raised for the user.
        BackendError: a call failed otherwise, or died too often.
    """
    ray, share = cluster.ray, cluster.share()
    remote = ray.remote(_called).options(
        num_cpus=share.threads, max_retries=RETRIES, scheduling_strategy="SPREAD"
    )
    stage(f"Working on {share.workers} Ray workers")
    sent: deque[tuple[ArgumentT, Any]] = deque()
    stream = iter(arguments)
    ended = False
    try:
        while True:
            while not ended and len(sent) < 2 * share.workers:
                try:
                    argument = next(stream)
                except StopIteration:
                    ended = True
                    break
                try:
                    sent.append((argument, remote.remote(function, argument)))
                except ImportError as error:  # Ray's client has the cluster import at once.
                    raise cluster.failure("a call cannot start", error) from None
            if not sent:
                return
            argument, call = sent.popleft()
            yield argument, _result(cluster, call)
    finally:
        for _, call in sent:
            ray.cancel(call, force=True)


def _called(function: Callable[[Any], Any], argument: Any) -> Any:
    """The result; an error as a value, since Ray would wrap it in a traceback."""
    try:
        return function(argument)
    except Exception as error:
        return portable(error)


def _result(cluster: Cluster, call: Any) -> Any:
    try:
        found = cluster.ray.get(call)
    except cluster.ray.exceptions.RayError as error:
        raise cluster.failure(f"a call died {RETRIES + 1} times", error) from None
    if isinstance(found, EthogramError):
        raise found
    return found
