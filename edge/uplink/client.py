"""The box's side of the relay: it dials the centre and keeps dialling."""

import asyncio
import logging
import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from edge.health import Component, Condition
from edge.live.hubs import LiveHubs
from edge.uplink.fetch import EdgeReader
from edge.uplink.session import LIVE_QUEUE_BYTES, RelaySession
from protocol.clock import Clock
from protocol.codec import BadMessageError
from protocol.relay import SPEAKS_ASK, SPEAKS_HEADER

log = logging.getLogger(__name__)

#: What the kernel may hold: with a queue of our own and these, a 1 Mbit/s uplink showed video
#: 1.0-1.4 s old; without them 7.5 s and growing (measured).
_SEND_BUFFER_BYTES = 64 * 1024
_NOT_SENT_BYTES = 32 * 1024

_FIRST_DELAY_S = 1.0
_LAST_DELAY_S = 30.0
#: A connection that held so long was a good one: the next try comes soon.
_GOOD_AFTER_NS = 30 * 1_000_000_000
_PING_S = 10.0


@dataclass(frozen=True, slots=True)
class UplinkTarget:
    """Where to dial and who is calling."""

    http_url: str
    box_id: str
    token: SecretStr

    @property
    def url(self) -> str:
        """The relay's address: ``ws`` for ``http``, ``wss`` for ``https``."""
        parts = urlsplit(self.http_url)
        scheme = {"http": "ws", "https": "wss"}[parts.scheme]
        path = parts.path.rstrip("/") + "/api/v1/relay"
        return urlunsplit((scheme, parts.netloc, path, "", ""))


def retry_delay_s(failures: int, jitter: float) -> float:
    """Return how long to wait after so many failures in a row (at least 1): 1 s to 30 s.

    ``jitter`` from 0 to 1 takes up to half of it off, so that boxes whose centre was restarted do
    not all come back at once.
    """
    full_s = min(_LAST_DELAY_S, _FIRST_DELAY_S * 2.0 ** min(failures - 1, 10))
    return max(_FIRST_DELAY_S, full_s * (1 - jitter / 2))


class Uplink:
    """Dials the centre's relay, serves it, and dials again whenever it breaks.

    ``edge_url`` gives the address of the box's own interface. The token is sent in a header, never
    in the address; a certificate that does not fit ends the try like any other failure.
    """

    def __init__(
        self,
        target: UplinkTarget,
        hubs: LiveHubs,
        edge_url: Callable[[], str],
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
        live_queue_bytes: int = LIVE_QUEUE_BYTES,
        jitter: Callable[[], float] = random.random,
        sent: Callable[[int], None] = lambda _bytes: None,
    ) -> None:
        self._sent = sent
        self._target = target
        self._hubs = hubs
        self._edge_url = edge_url
        self._clock = clock
        self._tls = tls
        self._live_queue_bytes = live_queue_bytes
        self._jitter = jitter
        self._task: asyncio.Task[None] | None = None
        self._session: RelaySession | None = None
        self._since: datetime = clock.now()
        self._connections = 0
        self._failures = 0
        self._error: str | None = None

    async def start(self) -> None:
        """Begin to dial; returns at once."""
        self._task = asyncio.create_task(self._run(), name="uplink")

    async def aclose(self) -> None:
        """Hang up and wait for it; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def component(self) -> Component:
        """Return how the uplink is, for the health board."""
        streams, files = self._session.channels if self._session else (0, 0)
        return Component(
            Condition.OK if self._session else Condition.DEGRADED,
            self._error,
            {
                "since": self._since.isoformat(),
                "connections": self._connections,
                "failures_in_row": self._failures,
                "streams": streams,
                "files": files,
            },
        )

    async def _run(self) -> None:
        reader = EdgeReader(self._edge_url)
        try:
            while True:
                began_ns = self._clock.monotonic_ns()
                try:
                    self._error = await self._serve_once(reader)
                except Exception as error:  # whatever it was: log it, and dial again
                    log.exception("uplink.failed")
                    self._error = type(error).__name__
                if self._clock.monotonic_ns() - began_ns >= _GOOD_AFTER_NS:
                    self._failures = 0
                self._failures += 1
                delay_s = retry_delay_s(self._failures, self._jitter())
                log.info("uplink.down", extra={"error": self._error, "retry_s": round(delay_s, 1)})
                await asyncio.sleep(delay_s)
        finally:
            await reader.aclose()

    async def _serve_once(self, reader: EdgeReader) -> str:
        """Serve one connection and return why it ended."""
        try:
            async with self._dial() as connection:
                _tune(connection)
                session = RelaySession(
                    connection, self._hubs, reader, self._live_queue_bytes, self._sent
                )
                self._session, self._since, self._error = session, self._clock.now(), None
                self._connections += 1
                log.info("uplink.up", extra={"url": self._target.url})
                await session.run()
        except InvalidStatus as error:
            return f"the centre answered {error.response.status_code}"
        except (OSError, WebSocketException, BadMessageError) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            if self._session is not None:
                self._session, self._since = None, self._clock.now()
        return "closed"

    def _dial(self) -> connect:
        return connect(
            self._target.url,
            additional_headers={
                "Authorization": f"Bearer {self._target.token.get_secret_value()}",
                "X-Box-Id": self._target.box_id,
                SPEAKS_HEADER: SPEAKS_ASK,
            },
            ssl=self._tls,
            logger=_quiet(),
            proxy=None,
            compression=None,  # video does not get smaller
            max_size=64 * 1024,  # the centre sends requests only
            write_limit=_NOT_SENT_BYTES,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            open_timeout=_PING_S,
            close_timeout=2.0,
        )


def _quiet() -> logging.Logger:
    """Return a logger that never writes a handshake out: the token is in it."""
    quiet = logging.getLogger(f"{__name__}.websocket")
    quiet.setLevel(logging.WARNING)
    return quiet


def _tune(connection: ClientConnection) -> None:
    """Let the kernel hold little, so that what is dropped is dropped here and not sent late."""
    raw = connection.transport.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _NOT_SENT_BYTES)
