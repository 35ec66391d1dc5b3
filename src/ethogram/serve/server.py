"""Server: a service on a socket, until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import uvicorn

from ethogram.errors import EthogramError, ModelError, SpecError
from ethogram.serve.app import make_app
from ethogram.serve.catalogue import Catalogue
from ethogram.serve.service import Limits, Service
from ethogram.spec.scoring import ENCODER

#: Where a server listens that only this machine can reach.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def make_service(
    catalogue: Catalogue,
    limits: Limits | None = None,
    on_load: Callable[[str], None] | None = None,
    *,
    encoder: str | None = None,
) -> Service:
    """Load the models of a catalogue, each once.

    Raises:
        ModelError: a model cannot be loaded.
    """
    from ethogram.engine import Engine
    from ethogram.models import LoadedModel, ModelReference, load

    limits = limits or Limits()
    loaded: dict[ModelReference, LoadedModel] = {}

    def once(reference: ModelReference) -> LoadedModel:
        if reference not in loaded:
            if on_load:
                on_load(reference.model)
            loaded[reference] = load(reference)
            if loaded[reference].is_encoder_decoder:
                raise ModelError(
                    "an encoder-decoder model cannot be served",
                    where=f"model {reference.model}",
                    hint="name versions with a decoder-only model",
                )
        return loaded[reference]

    engines = {
        reference: Engine(
            once(reference),
            max_rows=limits.max_rows,
            amateurs={name: once(each) for name, each in amateurs.items()},
        )
        for reference, amateurs in catalogue.references().items()
    }
    return Service(catalogue, engines, limits, encoder=encoder or ENCODER)


def read_keys(variable: str, file: Path | None) -> list[str]:
    """API keys of the environment, separated by commas, and of a file, one a line.

    Raises:
        SpecError: the file cannot be read, or holds no key.
    """
    keys = [key.strip() for key in variable.split(",") if key.strip()]
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise SpecError(f"cannot be read: {reason}", where=str(file)) from None
        found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        if not found:
            raise SpecError("no key in it", where=str(file), hint="write one key a line")
        keys += found
    return keys


class Server(uvicorn.Server):
    """A server that lets running requests finish when a signal comes.

    Args:
        service: what it serves.
        host: address to listen on.
        port: 0 takes a free one.
        keys: API keys.
        on_start: called once it answers, and signals end it as they should.
    """

    def __init__(
        self,
        service: Service,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keys: Sequence[str] = (),
        on_start: Callable[[], None] | None = None,
    ) -> None:
        self.service, self._on_start = service, on_start
        names = LOOPBACK if host in LOOPBACK else ()
        config = uvicorn.Config(
            make_app(service, keys=keys, hosts=names),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(service.limits.grace) + 5,
        )
        super().__init__(config)
        self.socket = _listen(host, port)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.socket.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{port}"

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer."""
        await super().startup(sockets)
        if self.started and self._on_start is not None:
            self._on_start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Refuse new requests and let the others finish; a second signal ends them too."""
        if self.should_exit:
            # uvicorn reports the tasks that it then cancels as errors, with tracebacks.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            self.force_exit = True
            return
        self.end()

    def end(self) -> None:
        """Stop: no new requests, and those that run have `limits.grace` seconds."""
        self.service.refuse_new()
        self.should_exit = True
        stopper = threading.Timer(self.service.limits.grace, self.service.stop)
        stopper.daemon = True
        stopper.start()

    def run_here(self) -> None:
        """Serve until a signal ends it."""
        asyncio.run(self.serve(sockets=[self.socket]))


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        EthogramError: the address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise EthogramError(
            f"cannot listen: {reason}", where=f"{host}:{port}", hint="choose another --port"
        ) from None
    return listener
