"""Options for how vLLM uses this machine, which by design change no output."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ethogram.errors import SpecError
from ethogram.spec.source import parse_json, suggest

#: Options of this machine; not part of a version, since another machine needs others.
VARIABLE = "ETHOGRAM_VLLM"
_HINT = 'write for example {"tensor_parallel_size": 2}'
#: Arguments of `vllm.LLM` for how and where it runs, not for what it generates.
OPTIONS = (
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "distributed_executor_backend",
    "disable_custom_all_reduce",
    "gpu_memory_utilization",
    "kv_cache_memory_bytes",
    "cpu_offload_gb",
    "max_num_seqs",
    "max_num_batched_tokens",
    "enable_prefix_caching",
    "enforce_eager",
)


def machine_options(options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The given options, or those of the environment variable ETHOGRAM_VLLM.

    Args:
        options: names of `OPTIONS` to values as `vllm.LLM` takes them.

    Raises:
        SpecError: the variable is not a JSON object, or an option is not one of `OPTIONS`.
    """
    if options is None:
        options = _from_environment()
    for name in options:
        if name not in OPTIONS:
            raise SpecError(
                f"{name!r} is not a supported vLLM option",
                where=VARIABLE,
                hint=suggest(name, list(OPTIONS)),
            )
    return dict(options)


def _from_environment() -> dict[str, Any]:
    found = parse_json(os.environ.get(VARIABLE) or "{}", VARIABLE, hint=_HINT)
    if not isinstance(found, dict):
        raise _malformed(f"must be a JSON object, got {type(found).__name__}")
    return found


def _malformed(what: str) -> SpecError:
    return SpecError(what, where=VARIABLE, hint=_HINT)
