"""Who may use the page, and what it tells browsers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.ui.conftest import HOST, TOKEN

from ethogram.ui.app import make_api
from ethogram.ui.context import Context


def test_without_the_token_the_files_of_the_page_are_served_and_nothing_else(
    anyone: TestClient,
) -> None:
    assert anyone.get("/").status_code == 200
    assert anyone.get("/static/app.js").status_code == 200
    for path in ("/api/log", "/api/jobs", "/api/events", "/api/openapi.json", "/api/nothing"):
        answer = anyone.get(path)
        assert answer.status_code == 401
        assert "token" in answer.json()["error"]


def test_a_wrong_token_is_refused_and_the_right_one_sets_a_cookie_that_no_script_reads(
    anyone: TestClient,
) -> None:
    assert anyone.post("/api/session", json={"token": "wrong"}).status_code == 401
    answer = anyone.post("/api/session", json={"token": TOKEN})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert anyone.get("/api/jobs").json() == []


def test_a_script_may_send_the_token_as_a_bearer(anyone: TestClient) -> None:
    right = anyone.get("/api/jobs", headers={"authorization": f"Bearer {TOKEN}"})
    wrong = anyone.get("/api/jobs", headers=[(b"authorization", "Bearer é".encode())])
    assert (right.status_code, wrong.status_code) == (200, 401)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({"host": f"{HOST}.evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": f"https://{HOST}"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_other_hosts_and_origins_are_refused(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert client.get("/api/jobs", headers=headers).status_code == status
    assert client.get("/", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", '{"versions": []}', 415),
        ("application/x-www-form-urlencoded", "versions=", 415),
        ("application/json", '{"versions": [', 400),
        ("application/json", '{"unknown": 1}', 400),
        ("application/json", '{"versions": ["v9.9.9"]}', 400),
        ("application/json", "[" * 9_000_000, 413),
    ],
)
def test_bodies_that_forms_can_send_or_that_are_wrong_are_refused(
    client: TestClient, kind: str, body: str, status: int
) -> None:
    answer = client.post("/api/runs", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["error"]


def test_every_answer_has_the_policy(client: TestClient) -> None:
    for path in ("/", "/static/app.js", "/static/missing.js", "/api/jobs", "/api/missing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "trusted-types 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


def test_files_outside_the_page_are_not_served(client: TestClient) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd"):
        assert client.get(path).status_code in (404, 405)


@pytest.mark.parametrize("place", ["..%2f..%2fsecret", "%2e%2e%2fsecret", "....//secret", "%00"])
def test_names_in_a_request_are_no_paths(
    client: TestClient, context: Context, tmp_path: Path, place: str
) -> None:
    for name in ("secret", "secret.yaml", "secret.jsonl"):
        (tmp_path / name).write_text('{"id": "p", "text": "hidden words", "title": "hidden words"}')
        (context.folder.parent / name).write_text("title: hidden words\nmodel: m\n")
    asked = 0
    for path, methods in routes(context):
        if "{" not in path or "GET" not in methods:
            continue
        asked += 1
        answer = client.get(re.sub(r"\{[^}]*\}", place, path))
        assert answer.status_code < 500
        assert "hidden words" not in answer.text
    assert asked >= 3


def routes(context: Context) -> list[tuple[str, set[str]]]:
    """Every path of the API with its methods."""
    paths = make_api(context).openapi()["paths"]
    return [(path, {method.upper() for method in found}) for path, found in paths.items()]


def test_a_get_changes_no_file_of_the_study(client: TestClient, context: Context) -> None:
    def files() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in context.folder.rglob("*")
            if path.is_file() and ".ethogram" not in path.parts
        }

    before = files()
    plain = [path for path, methods in routes(context) if "GET" in methods and "{" not in path]
    assert "/api/log" in plain
    for path in plain:
        if path != "/api/events":
            client.get(path)
            assert client.post("/", json={}).status_code == 405
    assert files() == before


def test_paths_that_change_something_do_not_answer_get(
    client: TestClient, context: Context
) -> None:
    changing = {path for path, methods in routes(context) if methods - {"GET", "HEAD"}}
    assert "/api/runs" in changing
    for path in changing - {path for path, methods in routes(context) if "GET" in methods}:
        # 400 where another path takes this one's last part for a number.
        assert client.get(path.replace("{", "").replace("}", "")).status_code in (400, 405), path
