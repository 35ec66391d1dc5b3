"""Fixtures: a real PostgreSQL server, started here; skipped where none is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.postgres import Server, binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server for all tests of this process."""
    pytest.importorskip("psycopg")
    if binaries() is None:
        pytest.skip("no PostgreSQL server: apt-get install postgresql")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def postgres_url(postgres: Server) -> str:
    """The URL of an empty database."""
    return postgres.new_database()
