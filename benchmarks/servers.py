"""Servers that `benchmarks.serve` compares: how each is started with the same weights."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from benchmarks import registry, weights
from benchmarks.environments import preloaded, python_of, root

MODEL = "smollm2-135m-instruct"
DTYPE: Literal["bfloat16"] = "bfloat16"
#: The name that all servers know the model by.
VERSION = "v1.0.0"
#: Tokens of a prompt with its reply, more than any of this benchmark has.
CONTEXT = 512
#: Seconds until a server answers: vLLM compiles first.
_PATIENCE = 1200


@dataclass
class Started:
    """A running server.

    Attributes:
        name: in the table.
        url: of its interface.
        process: its process.
        settings: as it was started, for the record.
        extra: fields of a request that make its replies as long as the others'.
    """

    name: str
    url: str
    process: subprocess.Popen[str]
    settings: str
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def resident_bytes(self) -> int:
        """Memory of the server and the processes that it started."""
        first = psutil.Process(self.process.pid)
        total = 0
        for each in (first, *first.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
        return total

    def stop(self) -> None:
        """End it and what it started."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
        for each in started:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.kill()
        self.process.wait(60)


def ours(rows: int) -> Started:
    """Our server of a version of the model, in a study of its own."""
    folder = Path(tempfile.mkdtemp(prefix="ethogram-bench-serve-"))
    (folder / "versions").mkdir()
    (folder / "study.yaml").write_text("name: serve\n", encoding="utf-8")
    (folder / f"versions/{VERSION}.yaml").write_text(
        f"model: {MODEL}\ndtype: {DTYPE}\nprompt: {{chat: true}}\n", encoding="utf-8"
    )
    command = [sys.executable, "-c", "from ethogram.cli import main; main()", "serve"]
    arguments = ["--max-rows", str(rows)]
    port = _free_port()
    command += ["--study", str(folder), "--port", str(port), *arguments]
    return _started("ethogram", command, port, arguments)


def llamacpp(binary: str, rows: int) -> Started:
    """llama.cpp's own server, with a slot for each client."""
    forms = _forms()
    template = Path(tempfile.mkdtemp(prefix="ethogram-bench-serve-")) / "template.jinja"
    template.write_text(_template(Path(forms["float32"])), encoding="utf-8")
    port = _free_port()
    arguments = ["--parallel", str(rows), "--ctx-size", str(rows * CONTEXT)]
    arguments += ["--threads", str(os.cpu_count() or 1), "--no-webui", "--jinja"]
    command = [binary, "--model", forms["gguf"], "--alias", VERSION, "--port", str(port)]
    command += ["--chat-template-file", str(template), *arguments]
    return _started("llama.cpp", command, port, arguments, extra={"ignore_eos": True})


def vllm(rows: int) -> Started:
    """vLLM's server on the CPU, in the environment of the engine benchmark."""
    peer = next(each for each in registry.PEERS if each.name == "vllm")
    python = python_of(peer)
    port = _free_port()
    arguments = ["--dtype", DTYPE, "--max-model-len", str(4 * CONTEXT), "--max-num-seqs", str(rows)]
    command = [str(python), "-m", "vllm.entrypoints.openai.api_server"]
    command += ["--model", _forms()["bfloat16"], "--served-model-name", VERSION]
    command += ["--host", "127.0.0.1", "--port", str(port), *arguments]
    # Its server has processes of its own and no way to do without.
    variables = {name: value for name, value in peer.variables.items() if "MULTIPROC" not in name}
    variables |= {"VLLM_CPU_KVCACHE_SPACE": "2", "HF_HUB_OFFLINE": "1", **preloaded(peer, python)}
    return _started("vllm", command, port, arguments, variables, {"ignore_eos": True})


@contextmanager
def running(
    names: Sequence[str], rows: int, llamacpp_binary: str | None
) -> Iterator[list[Started]]:
    """The servers of these names, ended afterwards.

    Raises:
        SystemExit: one of them did not start; the message says which.
    """
    started: list[Started] = []
    try:
        for name in names:
            if name == "llama.cpp":
                if llamacpp_binary is None:
                    raise SystemExit("llama.cpp: name its llama-server with --llama-server")
                started.append(llamacpp(llamacpp_binary, rows))
            else:
                started.append({"ethogram": ours, "vllm": vllm}[name](rows))
        yield started
    finally:
        for each in started:
            each.stop()


def _started(
    name: str,
    command: Sequence[str],
    port: int,
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
    extra: dict[str, Any] | None = None,
) -> Started:
    log = tempfile.TemporaryFile("w+")  # noqa: SIM115
    process = subprocess.Popen(
        command, stdout=log, stderr=log, text=True, env={**os.environ, **(variables or {})}
    )
    made = Started(name, f"http://127.0.0.1:{port}/v1", process, " ".join(arguments), extra or {})
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if _answers(port):
            return made
        time.sleep(0.2)
    made.stop()
    log.seek(0)
    lines = [line for line in log.read().splitlines() if line.strip()] or ["it said nothing"]
    raise SystemExit(f"{name} did not start: {lines[-1].strip()[:300]}")


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _forms() -> dict[str, str]:
    from ethogram.models.builtin import BUILT_INS, ensure

    folder = ensure(BUILT_INS[MODEL])
    return weights.prepare(folder, root() / "models" / folder.name)


def _template(folder: Path) -> str:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    return str(config["chat_template"])
