"""The vLLM backend: the same requests and prompt ids as the engine, run by vLLM.

vLLM runs the model and samples the tokens. The engine's `jobs` and `stopping` tokenise prompts, end
outputs and make their text. Settings that vLLM handles differently are refused by name.
"""

from __future__ import annotations

import gc
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ethogram.backends.vllm_options import machine_options
from ethogram.backends.vllm_request import RunningOutput, sampling_settings, seed_of
from ethogram.engine.jobs import Job, make_jobs
from ethogram.engine.memory import SLOTS_SHARE, available_bytes
from ethogram.engine.search.best_of import candidate_key, select_candidate
from ethogram.engine.work import Work
from ethogram.errors import ModelError, RequestError
from ethogram.extras import require
from ethogram.models import LoadedModel, ModelReference, describe, locate
from ethogram.models.weights import SAFE
from ethogram.spec.generation import Generation, Request
from ethogram.spec.vllm import refusal

#: Outputs in progress by default, as in vLLM.
MAX_ROWS = 256
#: Tokens in a block of vLLM's KV cache on CPUs (`vllm/platforms/cpu.py`).
_CPU_BLOCK = 128


class VllmBackend:
    """Generates with one model by vLLM, which starts at the first request.

    Args:
        reference: the model.
        max_rows: most outputs in progress.
        options: arguments of `vllm.LLM` for the use of the machine; default those of the
            environment variable ETHOGRAM_VLLM.
        clock: seconds, for `Generation.seconds`.

    Attributes:
        work: what the last call of `generate` computed so far; vLLM shares no rows, and takes
            prefixes of prompts from its cache.

    Raises:
        ModelError: the model is not downloaded, damaged, or has an encoder.
        MissingExtraError: the extra [vllm] is not installed.
        SpecError: an option cannot be set.
    """

    def __init__(
        self,
        reference: ModelReference,
        *,
        max_rows: int | None = None,
        options: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.options = machine_options(options)
        _prepare()
        if reference.adapter is not None:
            raise ModelError(
                "adapters are not supported with vLLM",
                where=f"adapter {reference.adapter}",
                hint="save the merged model to a folder, or use the engine",
            )
        self.described: LoadedModel = describe(reference)
        if self.described.is_encoder_decoder:
            raise ModelError(
                "it has an encoder; with vLLM only decoder-only models are supported",
                where=f"model {reference.model}",
                hint="set `backend: engine`",
            )
        self.work = Work()
        self._folder = locate(reference)
        self._max_rows, self._clock = max_rows or MAX_ROWS, clock
        self._llm: Any = None
        self._context = self._rows = 0

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_tokens: Callable[[int], None] | None = None,
        trace: bool = False,
    ) -> Iterator[Generation]:
        """Generate; all requests are checked before vLLM is started.

        Args:
            requests: in any order; requests of equal identity are generated once.
            on_tokens: called after each step with how many new tokens were chosen.
            trace: refused, since vLLM does not report how a token was chosen.

        Returns:
            Generations as they finish.

        Raises:
            RequestError: a prompt does not fit the model's context, or vLLM does not support a
                decoding.
            ModelError: vLLM cannot load or run the model.
        """
        if trace:
            raise RequestError(
                "vLLM does not report how a token was chosen",
                where="backend vllm",
                hint="run with --no-trace, or with backend: engine",
            )
        distinct = list({request.identity: request for request in requests}.values())
        for request in distinct:
            _refuse(request)
        jobs = make_jobs(distinct, self.described, _PromptReader(self.described.context_length))
        prepared = [
            (job, [self._params(job, key) for key in _candidate_keys(job.request)]) for job in jobs
        ]
        self.work = Work()
        return self._run(prepared, on_tokens)

    def close(self) -> None:
        """Stop vLLM and free its memory; the next request starts it again."""
        if self._llm is None:
            return
        self._llm.llm_engine.engine_core.shutdown()
        self._llm = None
        gc.collect()
        from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

        cleanup_dist_env_and_memory()

    def _params(self, job: Job, key: int | None) -> Any:
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        try:
            settings = sampling_settings(job, self.described.tokenizer)
        except RequestError as error:
            error.request = job.request.identity
            raise
        settings["output_kind"] = RequestOutputKind.DELTA
        return SamplingParams(**settings, seed=seed_of(key))

    def _run(
        self, prepared: Sequence[tuple[Job, list[Any]]], on_tokens: Callable[[int], None] | None
    ) -> Iterator[Generation]:
        if not prepared:
            return
        engine = self._engine([job for job, _ in prepared])
        running: dict[str, RunningOutput] = {}
        try:
            for job, candidates in prepared:
                finished: list[Generation | None] = [None] * len(candidates)
                for index, params in enumerate(candidates):
                    name = f"{job.request.identity}-{index}"
                    engine.add_request(name, {"prompt_token_ids": list(job.prompt_ids)}, params)
                    running[name] = RunningOutput(job, self.described.tokenizer, index, finished)
            while running:
                yield from self._step(engine, running, on_tokens)
        except (ValueError, RuntimeError) as error:  # vLLM raises these; ours are neither.
            running.clear()
            self.close()  # After an error it cannot be used again.
            raise ModelError(
                f"vLLM cannot run it ({_one_line(error)})",
                where=f"model {self.described.reference.model}",
                hint="set `backend: engine`, or see vLLM's log: VLLM_LOGGING_LEVEL=INFO",
            ) from error
        finally:
            if running:
                engine.abort_request(list(running))

    def _step(
        self,
        engine: Any,
        running: dict[str, RunningOutput],
        on_tokens: Callable[[int], None] | None,
    ) -> list[Generation]:
        """One step of vLLM; returns the generations that it finished."""
        before, started = self.work.output_tokens, self._clock()
        finished: list[Generation] = []
        ended_by_us: list[str] = []
        for result in engine.step():
            output = running.get(result.request_id)
            if output is None:
                continue  # Ended by a stop string; vLLM had one more token in flight.
            if not output.token_ids:
                output.started = started
                self._count_prompt(output.job, result.num_cached_tokens or 0)
            completion = result.outputs[0]
            is_ended = output.take(completion)
            self.work.output_tokens += output.new_tokens
            self.work.computed_tokens += output.new_tokens
            if not is_ended:
                continue
            del running[result.request_id]
            if completion.finish_reason is None:
                ended_by_us.append(result.request_id)
            output.finish(self._clock())
            if all(output.candidates):
                finished.append(_selected(output))
        if ended_by_us:
            engine.abort_request(ended_by_us)
        if on_tokens is not None:
            on_tokens(self.work.output_tokens - before)
        return finished

    def _count_prompt(self, job: Job, cached: int) -> None:
        self.work.prefills += 1
        self.work.computed_tokens -= 1  # An output's first token comes with its prompt.
        self.work.prompt_tokens += len(job.prompt_ids)
        self.work.prompt_tokens_computed += len(job.prompt_ids) - cached

    def _engine(self, jobs: Sequence[Job]) -> Any:
        """An engine whose context fits the longest job, restarted if it has less."""
        context = max(len(job.prompt_ids) + job.rules.limit for job in jobs)
        rows = min(self._max_rows, sum(job.request.decoding.candidates for job in jobs))
        if self._llm is None or context > self._context or rows > self._rows:
            self.close()
            self._context, self._rows = context, rows
            self._llm = self._start()
        return self._llm.llm_engine

    def _start(self) -> Any:
        reference = self.described.reference
        settings = {
            "max_num_seqs": self._rows,
            **self._cpu_memory(),
            **self.options,
            "dtype": reference.dtype,
            "max_model_len": self._context,
            "load_format": "safetensors",
            "trust_remote_code": False,
            "use_tqdm_on_load": False,
            "generation_config": "vllm",  # Its defaults: the decoding sets everything.
            "logprobs_mode": "raw_logprobs",
        }
        from vllm import LLM

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # About its own code.
                return LLM(str(self._folder), **settings)
        except Exception as error:  # It has no exception hierarchy.
            raise ModelError(
                f"vLLM cannot start ({_one_line(error)})",
                where=f"model {reference.model}",
                hint="check that vLLM supports the architecture and that it fits in memory; "
                "ETHOGRAM_VLLM sets its share of the memory",
            ) from error

    def _cpu_memory(self) -> dict[str, int]:
        """On CPUs, only as much cache as the rows need: vLLM would take most of the memory."""
        from vllm.platforms import current_platform

        if not current_platform.is_cpu() or "VLLM_CPU_KVCACHE_SPACE" in os.environ:
            return {}
        import torch
        import transformers

        config = transformers.AutoConfig.from_pretrained(self._folder, **SAFE).get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        width = getattr(config, "head_dim", None) or (
            config.hidden_size // config.num_attention_heads
        )
        size = getattr(torch, self.described.reference.dtype).itemsize
        blocks = -(-self._context // _CPU_BLOCK) + 1
        row = 2 * config.num_hidden_layers * heads * width * size * blocks * _CPU_BLOCK
        free = int(SLOTS_SHARE * available_bytes(torch.device("cpu")))
        return {"kv_cache_memory_bytes": max(min(row * (self._rows + 1), free), 2 * row)}


class _PromptReader:
    """A decoder-only model: its prompts may fill its context."""

    def __init__(self, context_length: int) -> None:
        self.context_length = context_length

    def decoder_prompt(self, prompt_ids: Sequence[int]) -> tuple[int, ...]:
        """The prompt."""
        return tuple(prompt_ids)


def _prepare() -> None:
    """Import vLLM, quiet and without usage statistics unless the environment sets them."""
    for name, value in (
        ("VLLM_NO_USAGE_STATS", "1"),
        ("VLLM_LOGGING_LEVEL", "ERROR"),
        (
            "VLLM_LOGGING_STREAM",
            "ext://sys.stderr",
        ),  # Output is for results, also under --json.
    ):
        os.environ.setdefault(name, value)
    require("vllm", extra="vllm", needed_for="backend: vllm")
    from vllm.platforms import current_platform

    if current_platform.is_cpu():
        # On few cores its front end and its worker compete; one process is faster.
        os.environ.setdefault("VLLM_ENABLE_V1_MULTIPROCESSING", "0")


def _refuse(request: Request) -> None:
    found = refusal(request.decoding)
    if found:
        error = RequestError(found.what, where=f"decoding.{found.setting}", hint=found.hint)
        error.request = request.identity
        raise error


def _candidate_keys(request: Request) -> list[int | None]:
    if request.noise_key is None:
        return [None]
    return [candidate_key(request.noise_key, i) for i in range(request.decoding.candidates)]


def _selected(output: RunningOutput) -> Generation:
    decoding, made = output.job.request.decoding, [one for one in output.candidates if one]
    return made[0] if decoding.candidates == 1 else select_candidate(decoding, made)


def _one_line(error: BaseException) -> str:
    """The start of a vLLM error, in one line; its first line alone may not explain it."""
    return " ".join(" ".join(str(error).splitlines()[:3]).split())[:200] or type(error).__name__
