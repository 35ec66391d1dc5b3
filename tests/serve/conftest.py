"""A server in a thread, on the versions of a tiny study."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import openai
import pytest

from ethogram.serve.catalogue import Catalogue, of_study
from ethogram.serve.server import Server, make_service
from ethogram.serve.service import Limits
from ethogram.study import Study


def serving(
    study: Study,
    limits: Limits | None = None,
    *,
    keys: Sequence[str] = (),
    names: Sequence[str] = (),
) -> AbstractContextManager[Server]:
    """A server of a study that runs while the block does."""
    return serving_all(of_study(study, names), limits, keys=keys)


@contextmanager
def serving_all(
    catalogue: Catalogue, limits: Limits | None = None, *, keys: Sequence[str] = ()
) -> Iterator[Server]:
    """A server of a catalogue that runs while the block does."""
    server = Server(make_service(catalogue, limits), keys=keys)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([server.socket])))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.end()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, checkpoint: object) -> Path:
    """A study of a greedy, a sampled, a chat and a wrapped version."""
    folder = tmp_path_factory.mktemp("served")
    model = checkpoint("llama", chat=True)  # type: ignore[operator]
    files = {
        "study.yaml": "name: tiny\nseed: 5\nsamples: 2\nsuite: suites/prompts.jsonl\n",
        "versions/v0.0.1.yaml": (
            f"title: Greedy\nmodel: {model}\ndecoding: {{strategy: greedy, max_new_tokens: 24}}\n"
        ),
        "versions/v0.1.0.yaml": (
            "title: Sampled\nparent: v0.0.1\ndecoding: {strategy: sample, temperature: 1.1}\n"
        ),
        "versions/v1.0.0.yaml": "title: Chat\nparent: v0.1.0\nprompt: {chat: true}\n",
        "versions/v1.1.0.yaml": (
            "title: Wrapped\nparent: v1.0.0\nwrapper: {candidates: 2, whole_sentences: true}\n"
        ),
        "versions/v1.2.0.yaml": (
            "title: Beams\nparent: v0.0.1\ndecoding: {strategy: beam, num_beams: 2}\n"
        ),
        "suites/prompts.jsonl": "".join(
            f'{{"id": "p{i}", "text": "the old lighthouse keeper number {i} said"}}\n'
            for i in range(6)
        ),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def study(folder: Path) -> Iterator[Study]:
    """It, opened."""
    with Study(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def server(study: Study) -> Iterator[Server]:
    """A server of all its versions."""
    with serving(study, Limits(max_rows=8, max_tokens=200, max_body=100_000, timeout=60)) as made:
        yield made


@pytest.fixture
def client(server: Server) -> Iterator[openai.OpenAI]:
    """The official client."""
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as made:
        yield made
