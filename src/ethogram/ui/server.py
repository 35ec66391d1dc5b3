"""Server: the page on a loopback socket, until a signal ends it."""

from __future__ import annotations

import asyncio
import gc
import secrets
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from ethogram.errors import EthogramError
from ethogram.ui.app import make_app
from ethogram.ui.context import Context

#: The page is for the person at this machine: it listens nowhere else.
ADDRESS = "127.0.0.1"
#: Seconds that open answers have to end.
_GRACE = 5


class UiServer(uvicorn.Server):
    """A server of one study's page.

    Args:
        context: what it shows; closed when the server ends.
        port: 0 takes a free one.
        token: of this start; default: random.
        on_start: called once it answers.

    Raises:
        EthogramError: the port is taken.
    """

    def __init__(
        self,
        context: Context,
        *,
        port: int = 0,
        token: str | None = None,
        on_start: Callable[[], None] | None = None,
    ) -> None:
        self.context, self.token = context, token or secrets.token_urlsafe(24)
        self._on_start = on_start
        self.socket = _listen(port)
        self.port = self.socket.getsockname()[1]
        hosts = [f"{name}:{self.port}" for name in (ADDRESS, "localhost")]
        config = uvicorn.Config(
            make_app(context, token=self.token, hosts=hosts),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        super().__init__(config)

    @property
    def url(self) -> str:
        """Its address, without the token."""
        return f"http://{ADDRESS}:{self.port}"

    @property
    def address(self) -> str:
        """Its address with the token, which stays in the browser: a fragment is never sent."""
        return f"{self.url}/#token={self.token}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer."""
        gc.collect()
        gc.freeze()  # Modules are most of the objects, and are never collected.
        await super().startup(sockets)
        if self.started and self._on_start is not None:
            self._on_start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End: streams close at once, jobs at their next step; a second signal does not wait."""
        if self.should_exit:
            self.force_exit = True
            return
        self.end()

    def end(self) -> None:
        """Stop serving."""
        self.context.events.close()
        self.should_exit = True

    def run_here(self) -> None:
        """Serve until a signal ends it."""
        self.context.owns_process = True
        asyncio.run(self.serve(sockets=[self.socket]))


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise EthogramError(
            f"cannot listen: {error.strerror}",
            where=f"{ADDRESS}:{port}",
            hint="choose another --port, or leave it out for a free one",
        ) from None
    return listener
