"""Asking a camera for a stream's description, with one login at most."""

import secrets
import socket
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from edge import trust
from edge.doctor.rtsp_hint import Status, claimed_fps, offers_sound, server_time
from edge.errors import RtspError
from edge.ingest.own import bare
from edge.rtsp.challenge import Authoriser, Credentials
from edge.rtsp.message import Message, MessageReader, request
from protocol.clock import Clock

_METHOD = "DESCRIBE"
_NS_PER_S = 1_000_000_000
_BLOCK_BYTES = 4096
#: Of one answer with all that comes before it; what a message may have is bounded by its reader.
_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Description:
    """A camera's last answer: its status, its time, the frames a second that it promises.

    ``has_sound``: it offers sound too.
    """

    status: int
    at: datetime | None
    claimed_fps: float | None
    has_sound: bool


class RtspAsker:
    """Asks for one stream's description over a connection that it is given.

    A camera that asks for a login is given it once: a second try could lock the account. The box's
    own reader may try again, which is why it is not asked. ``timeout_s`` is of everything together,
    however slowly the other side speaks; ``certificate`` is the SHA-256 of the pinned one.
    """

    def __init__(self, url: str, clock: Clock, timeout_s: float, certificate: str = "") -> None:
        self._address = urlsplit(url)
        self._certificate = certificate
        self._clock = clock
        self._deadline_ns = clock.monotonic_ns() + round(timeout_s * _NS_PER_S)
        self._messages = MessageReader()
        self._received = 0

    def ask(self, connection: socket.socket, credentials: Credentials | None) -> Description:
        """Return what the camera says.

        Raises OSError, RtspError where it is no RTSP, and UntrustedError before anything is sent.
        """
        if self._address.scheme == "rtsps":
            self._bound(connection)
            host, left_s = self._address.hostname or "", self._left_s()
            connection = trust.secured(connection, host, self._certificate, left_s)
        with connection:
            authoriser = Authoriser(credentials, lambda: secrets.token_hex(8))
            answer = self._answer(connection, authoriser, 1)
            is_asked = answer.status == Status.UNAUTHORIZED
            if is_asked and authoriser.take(answer.all("www-authenticate")):
                answer = self._answer(connection, authoriser, 2)
        at = server_time(answer.header("date"))
        return Description(answer.status, at, claimed_fps(answer.body), offers_sound(answer.body))

    def _answer(self, connection: socket.socket, authoriser: Authoriser, number: int) -> Message:
        url = bare(self._address)
        headers = {"Accept": "application/sdp"}
        if (login := authoriser.header(_METHOD, url)) is not None:
            headers["Authorization"] = login
        self._bound(connection)
        connection.sendall(request(_METHOD, url, number, headers))
        while True:
            item = self._messages.next()
            if isinstance(item, Message) and item.status:
                return item
            if item is None:
                self._receive(connection)

    def _receive(self, connection: socket.socket) -> None:
        self._bound(connection)
        block = connection.recv(_BLOCK_BYTES)
        self._received += len(block)
        if not block:
            raise RtspError("it hung up without an answer")
        if self._received > _MOST_BYTES:
            raise RtspError("it sends, but does not answer")
        self._messages.feed(block)

    def _bound(self, connection: socket.socket) -> None:
        connection.settimeout(self._left_s())

    def _left_s(self) -> float:
        left_s = (self._deadline_ns - self._clock.monotonic_ns()) / _NS_PER_S
        if left_s <= 0:
            raise TimeoutError("no answer in time")
        return left_s
