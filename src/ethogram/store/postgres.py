"""PostgreSQL: how to connect, and what its errors mean."""

from __future__ import annotations

import hashlib
import os
import socket
from typing import Any

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError

from ethogram.errors import StoreError

#: A connection that the server closed meanwhile is replaced when it is next taken.
OPTIONS: dict[str, Any] = {"pool_pre_ping": True}
CONNECT_SECONDS = 10
#: A dead peer is found after about a minute, so that its lock is freed.
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_SECRETS = ("password", "passfile", "sslpassword", "sslkey")
_BACK = "what was stored is kept; run again when the server is back"
#: Words of a message, and what to do.
_HINTS = {
    "password authentication failed": "set PGPASSWORD, or add the server to ~/.pgpass",
    "no password supplied": "set PGPASSWORD, or add the server to ~/.pgpass",
    "Connection refused": f"check that the server runs there; {_BACK}",
    "could not translate host": "correct the host in the URL",
    "failed to resolve host": "correct the host in the URL",
    "timeout expired": "check the host and port in the URL, and the firewall",
    "connection timeout": "check the host and port in the URL, and the firewall",
    "closed the connection": _BACK,
    "connection is lost": _BACK,
    "connection is closed": _BACK,
    "terminating connection": _BACK,
    "system is": _BACK,
    "No such file or directory": f"check that the server runs; {_BACK}",
    "permission denied": "grant the user the right to create and use tables in the schema",
    "read-only": "connect to the primary server, not to a replica",
    "No space left": "free some space on the server and run again; what was stored is kept",
    "too many": "raise max_connections of the server, or run fewer processes",
    "deadlock": "run again; what was stored is kept",
    "value too long": "upgrade the store by opening it with this release",
}


def connect_args() -> dict[str, Any]:
    """What every connection has: a name by which others see who holds a lock, and time limits."""
    name = f"ethogram process {os.getpid()} on {socket.gethostname()}"
    # The server cuts names at 63 bytes.
    return {
        "application_name": name.encode()[:63].decode(errors="ignore"),
        "connect_timeout": CONNECT_SECONDS,
        **_KEEPALIVE,
    }


def shown(url: URL) -> str:
    """A URL as it may be printed: no password, neither of its own nor among its options."""
    hidden = {key: "HIDDEN" if key in _SECRETS else value for key, value in url.query.items()}
    return url.set(query=hidden).render_as_string(hide_password=True)


def hint(error: DBAPIError) -> str | None:
    """What to do about an error; None where the message says all that is known."""
    words = str(error.orig)
    if "does not exist" in words and ('database "' in words or 'role "' in words):
        return "make it with `createdb` or `createuser`, or correct the URL"
    return next((said for part, said in _HINTS.items() if part in words), None)


def lock_upgrade(connection: Connection) -> None:
    """Wait until no other process upgrades the tables; held to the end of the transaction."""
    key = key_of("upgrade", schema_of(connection))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def refuse_encoding(connection: Connection, where: str) -> None:
    """Refuse a database that cannot hold every text.

    Raises:
        StoreError: its encoding is not UTF-8.
    """
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise StoreError(
            f"its encoding is {encoding}, not UTF8",
            where=where,
            hint="make another with: createdb --encoding UTF8 --template template0 NAME",
        )


def schema_of(connection: Connection) -> str:
    """The schema with the tables: studies in one database have a schema each."""
    return str(connection.execute(text("SELECT current_schema()")).scalar())


def key_of(*parts: str) -> int:
    """A lock's number: 64 bits, signed."""
    raw = hashlib.sha256("\0".join(("ethogram", *parts)).encode()).digest()
    return int.from_bytes(raw[:8], "big", signed=True)
