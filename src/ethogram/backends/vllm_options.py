"""How vLLM may use this machine: options that change no output by design. Runs nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ethogram.errors import SpecError
from ethogram.spec.source import parse_json, suggest

#: Options of this machine; they stand in no version, since another machine wants others.
VARIABLE = "ETHOGRAM_VLLM"
_MEND = 'write for example {"tensor_parallel_size": 2}'
#: Arguments of `vllm.LLM` that say how and where it runs, not what it says.
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
    """The options given, or else those of the environment variable ETHOGRAM_VLLM.

    Args:
        options: names of `OPTIONS` to values as `vllm.LLM` takes them.

    Raises:
        SpecError: the variable holds no JSON object, or an option is not one of `OPTIONS`.
    """
    if options is None:
        options = _of_environment()
    for name in options:
        if name not in OPTIONS:
            raise SpecError(
                f"{name!r} is no option of vLLM that can be set here",
                where=VARIABLE,
                hint=suggest(name, list(OPTIONS)),
            )
    return dict(options)


def _of_environment() -> dict[str, Any]:
    found = parse_json(os.environ.get(VARIABLE) or "{}", VARIABLE, hint=_MEND)
    if not isinstance(found, dict):
        raise _malformed(f"must be a JSON object, got {type(found).__name__}")
    return found


def _malformed(what: str) -> SpecError:
    return SpecError(what, where=VARIABLE, hint=_MEND)
