"""The HTTP server inside the box's event loop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from edge.errors import ConfigError

log = logging.getLogger(__name__)

#: Unsent bytes the kernel may hold for one connection: more would be stale video.
_NOT_SENT_BYTES = 64 * 1024
_GRACEFUL_S = 2


class _Server(uvicorn.Server):
    """Uvicorn that leaves the process's signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: the process's owner does that."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.listening.set()


def local_url(host: str, port: int) -> str:
    """Return the address by which this machine reaches what listens on ``host`` and ``port``."""
    any_address = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
    host = any_address.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class HttpServer:
    """Serves an ASGI application on ``host`` and ``port``; port 0 lets the system choose.

    ``door`` is bound to them already: it stays so, and what comes to it later waits there.
    """

    def __init__(
        self, app: ASGIApp, host: str, port: int, door: socket.socket | None = None
    ) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._door = door
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._bound_port = 0

    @property
    def url(self) -> str:
        """The address as this machine reaches it, without a slash at the end; once started."""
        return local_url(self._host, self._bound_port)

    async def start(self) -> None:
        """Listen, and return when requests are answered. Raises ConfigError where it can't."""
        listener = bound(self._host, self._port) if self._door is None else self._door.dup()
        self._bound_port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_per_message_deflate=False,  # video does not get smaller
            timeout_graceful_shutdown=_GRACEFUL_S,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([listener]), name="http")
        await self._server.listening.wait()
        log.info("web.listening", extra={"url": self.url})

    async def aclose(self) -> None:
        """Stop listening, end what is open within seconds, and wait for it; idempotent."""
        if self._server is None or self._task is None:
            return
        self._server.should_exit = True
        await self._task


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that has the address, to listen on. Raises ConfigError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by every connection.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOT_SENT_BYTES)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"'http.host', 'http.port': can't listen on {host}:{port}: {error.strerror}"
        ) from error
    return listener
