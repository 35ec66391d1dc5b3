"""A page of a tiny study whose outputs are stored, and clients of it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ethogram.study import Study
from ethogram.ui.app import make_app
from ethogram.ui.context import Context
from ethogram.ui.server import UiServer

TOKEN = "the-token-of-the-tests"
HOST = "127.0.0.1:8000"

#: Texts that must not do anything: markup, links, direction, terminal escapes, NUL.
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[a](javascript:alert(1)) \u202eright to left\u202c \u200bzero\u200d width",
    "\x1b[31mred\x1b[0m \x07 and \x00 NUL",
    "tag \U000e0041\U000e0042 characters, the word word word word word word word word",
    "plain",
    "",
)


@pytest.fixture(scope="session")
def shown_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three versions with imported outputs, so that nothing is generated."""
    import json

    folder = tmp_path_factory.mktemp("shown")
    (folder / "versions").mkdir()
    (folder / "suites").mkdir()
    (folder / "study.yaml").write_text("name: shown\ntitle: What is shown\n", encoding="utf-8")
    prompts = [
        {"id": f"p{i}", "text": f"Say something, number {i}", "tags": ["odd" if i % 2 else "even"]}
        for i in range(6)
    ]
    (folder / "suites/prompts.jsonl").write_text(
        "".join(json.dumps(each) + "\n" for each in prompts), encoding="utf-8"
    )
    for number, name in enumerate(("v0.0.1", "v0.1.0", "v0.2.0")):
        rows = [
            {
                "prompt_id": f"p{i}",
                "prompt": f"Say something, number {i}",
                "output": HOSTILE[(i + number) % 6] + ("" if number else " again and" * 12),
                "sample_index": sample,
            }
            for i in range(6)
            for sample in range(2)
        ]
        (folder / f"{name}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
        parent = "" if number == 0 else f"parent: {('v0.0.1', 'v0.1.0')[number - 1]}\n"
        (folder / f"versions/{name}.yaml").write_text(
            f"# A comment that stays.\ntitle: Version {number}\n{parent}model: elsewhere\n"
            f"outputs: {name}.jsonl\nlearned:\n  - It says things.  # Really.\n",
            encoding="utf-8",
        )
    with Study(folder) as study:
        for name in study.versions:
            study.generations(name)  # Stores them, as `ethogram run` does.
    return folder


@pytest.fixture(scope="session")
def swept_folder(tmp_path_factory: pytest.TempPathFactory, checkpoint: Callable[..., Path]) -> Path:
    """A study of a tiny model with sweeps; see `tests.ui.swept`."""
    from tests.ui.swept import make_swept

    return make_swept(tmp_path_factory.mktemp("swept") / "study", checkpoint)


@pytest.fixture(scope="session")
def whole_folder(tmp_path_factory: pytest.TempPathFactory, swept_folder: Path) -> Path:
    """It with a child version and trainings; see `tests.ui.whole`."""
    from tests.ui.whole import make_whole

    return make_whole(swept_folder, tmp_path_factory.mktemp("whole") / "study")


@pytest.fixture
def folder(shown_folder: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    import shutil

    return Path(shutil.copytree(shown_folder, tmp_path / "shown"))


@pytest.fixture
def context(folder: Path) -> Iterator[Context]:
    """What a server shows."""
    made = Context(folder)
    yield made
    made.close()


@pytest.fixture
def anyone(context: Context) -> TestClient:
    """A client without the token."""
    app = make_app(context, token=TOKEN, hosts=[HOST])
    return TestClient(app, base_url=f"http://{HOST}", raise_server_exceptions=False)


@pytest.fixture
def client(anyone: TestClient) -> TestClient:
    """A client that has exchanged the token for the cookie, as the page does."""
    assert anyone.post("/api/session", json={"token": TOKEN}).status_code == 204
    return anyone


@contextmanager
def serving(folder: Path) -> Iterator[UiServer]:
    """A server of a study on a free port while the block runs."""
    server = UiServer(Context(folder))
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


@pytest.fixture
def opened(folder: Path) -> Callable[[], object]:
    """Opens the study of the test once more."""
    return lambda: Study(folder)
