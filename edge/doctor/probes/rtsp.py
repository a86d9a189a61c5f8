"""Asking a camera for a stream's description, with one login at most."""

import base64
import re
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from edge.doctor.rtsp_answer import (
    MAX_HEAD_BYTES,
    RtspAnswer,
    Status,
    authorization,
    claimed_fps,
    parse_head,
)
from edge.errors import MediaError
from protocol.clock import Clock

DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
_METHOD = "DESCRIBE"
_NS_PER_S = 1_000_000_000
_BLOCK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Description:
    """The last answer of a camera, and the frames a second that it promises."""

    answer: RtspAnswer
    claimed_fps: float | None


class RtspAsker:
    """Asks for one stream's description over a connection of its own.

    A camera that asks for a login is given it once: a second try could lock the account.
    ``timeout_s`` is of everything together, however slowly the other side speaks.
    """

    def __init__(self, url: str, clock: Clock, timeout_s: float) -> None:
        self._url = url
        self._clock = clock
        self._deadline_ns = clock.monotonic_ns() + round(timeout_s * _NS_PER_S)
        self._buffer = b""

    def ask(
        self, connection: socket.socket, username: str | None, password: SecretStr | None
    ) -> Description:
        """Return what the camera says. Raises OSError, and MediaError where it is no RTSP."""
        if urlsplit(self._url).scheme == "rtsps":
            connection = _unverified().wrap_socket(connection)
        with connection:
            description = self._request(connection, 1, None)
            is_asked = description.answer.status == Status.UNAUTHORIZED
            if not is_asked or username is None or password is None:
                return description
            login = _login(description.answer, username, password, self._url)
            return description if login is None else self._request(connection, 2, login)

    def _request(self, connection: socket.socket, number: int, login: str | None) -> Description:
        lines = [
            f"{_METHOD} {self._url} RTSP/1.0",
            f"CSeq: {number}",
            "Accept: application/sdp",
            "User-Agent: tanshao-doctor",
        ]
        if login is not None:
            lines.append(f"Authorization: {login}")
        self._bound(connection)
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = parse_head(self._head(connection))
        while len(self._buffer) < answer.length:
            self._receive(connection)
        body, self._buffer = self._buffer[: answer.length], self._buffer[answer.length :]
        return Description(answer, claimed_fps(re.sub("\r", "", body.decode("latin-1"))))

    def _head(self, connection: socket.socket) -> bytes:
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise MediaError("an RTSP answer without an end")
            self._receive(connection)
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head

    def _receive(self, connection: socket.socket) -> None:
        self._bound(connection)
        block = connection.recv(_BLOCK_BYTES)
        if not block:
            raise MediaError("it hung up without an answer")
        self._buffer += block

    def _bound(self, connection: socket.socket) -> None:
        left_s = (self._deadline_ns - self._clock.monotonic_ns()) / _NS_PER_S
        if left_s <= 0:
            raise TimeoutError("no answer in time")
        connection.settimeout(left_s)


def _login(answer: RtspAnswer, username: str, password: SecretStr, url: str) -> str | None:
    plain = password.get_secret_value()
    value = authorization(answer, username, plain, _METHOD, url)
    if value == "basic":
        return "Basic " + base64.b64encode(f"{username}:{plain}".encode()).decode()
    return value


def _unverified() -> ssl.SSLContext:
    """Return TLS that believes any certificate, as the box's reader does: cameras sign theirs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
