"""HTTP to one camera and to nowhere else: bounded in time and bytes, no redirects, no proxies.

Not requests, which zeep brings: that one follows redirects with the token in the body, opens
``file://``, reads proxies from the environment, and has no limit for a whole answer.
"""

import http.client
import secrets
import socket
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlsplit

from edge.cameras import tls
from edge.cameras.door import HTTP, PORTS, Door
from edge.cameras.line import Deadline, Line
from edge.errors import CameraBadXml, CameraBlocked, CameraError, CameraUnreachable
from edge.rtsp.challenge import Authoriser, Credentials
from protocol.clock import Clock

_HEADER_BYTES: Final = 64 * 1024
_CHUNK: Final = 64 * 1024
_CLIENT_NONCE_BYTES: Final = 8
#: Of a path and a query: what means something there, or is escaped already.
_AS_IT_IS: Final = "%/?&=:;,+!$'()*@[]~"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question may cost: to connect, between two reads, in all, and in bytes.

    The bytes are those on the wire as well as those that come out of a compressed answer.
    """

    connect_s: float = 3.0
    read_s: float = 8.0
    total_s: float = 15.0
    max_bytes: int = 2 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a camera answered; ``date`` is the header of that name."""

    status: int
    body: bytes
    media_type: str
    date: str | None


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    scheme: str
    port: int
    target: str
    body: bytes
    headers: dict[str, str]


def look_up(door: Door) -> Door:
    """Return the door with its host's IP address, IPv4 where there is one.

    Raises CameraUnreachable where the name has none. Blocks as the system's resolver does.
    """
    if door.address:
        return door
    try:
        found = socket.getaddrinfo(door.host, door.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CameraUnreachable(f"no address is known for {door.host}: {error.strerror}") from error
    found.sort(key=lambda one: one[0] != socket.AF_INET)
    return door.at(str(found[0][4][0]))


class Transport:
    """Asks the camera behind one door; keeps nothing between questions, so threads may share it.

    Connections go to the door's IP address, whatever a URL says; a URL that names another host is
    CameraBlocked before anything is sent (cameras I1).
    """

    def __init__(self, door: Door, login: Credentials | None, clock: Clock, limits: Limits) -> None:
        if not door.address:
            raise ValueError("the door's host must have been looked up")
        self._door = door
        self._login = login
        self._clock = clock
        self._limits = limits

    def post(self, url: str, body: bytes, action: str, *, signed: bool, wait_s: float) -> Answer:
        """Send a SOAP 1.2 envelope; ``wait_s`` is how long the camera may think it over besides.

        ``signed``: an HTTP digest challenge is answered. Raises CameraError, never AUTH: a refusal
        is an Answer, and its reader knows what it means.
        """
        content = f'application/soap+xml; charset=utf-8; action="{action}"'
        request = self._request("POST", url, body, {"Content-Type": content})
        return self._ask(request, signed=signed, wait_s=wait_s)

    def get(self, url: str) -> Answer:
        """Fetch a snapshot, with an HTTP digest where the camera asks for one."""
        return self._ask(self._request("GET", url, b"", {}), signed=True, wait_s=0.0)

    def _request(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> _Request:
        parts = urlsplit(url)
        if parts.scheme not in HTTP or parts.hostname != self._door.host.lower():
            raise CameraBlocked(f"not an address of this camera: {parts.scheme[:20]}")
        target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        target = quote(target, safe=_AS_IT_IS)
        port = parts.port or PORTS[parts.scheme]
        return _Request(method, parts.scheme, port, target, body, headers)

    def _ask(self, request: _Request, *, signed: bool, wait_s: float) -> Answer:
        deadline = Deadline(self._clock, self._limits.total_s + wait_s)
        read_s = self._limits.read_s + wait_s
        answer, challenges = self._exchange(request, None, deadline, read_s)
        if not signed or answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        # Challenged anew each time: cameras forget a nonce, and do not say that it is the reason.
        authoriser = Authoriser(self._login, lambda: secrets.token_hex(_CLIENT_NONCE_BYTES))
        if authoriser.take(challenges):
            proof = authoriser.header(request.method, request.target)
            answer, _ = self._exchange(request, proof, deadline, read_s)
        return answer

    def _exchange(
        self, request: _Request, proof: str | None, deadline: Deadline, read_s: float
    ) -> tuple[Answer, list[str]]:
        line = Line.open(
            (self._door.address, request.port),
            self._securing(request.scheme),
            deadline,
            connect_s=self._limits.connect_s,
            read_s=read_s,
            max_bytes=self._limits.max_bytes + _HEADER_BYTES,
        )
        host = f"[{self._door.host}]" if ":" in self._door.host else self._door.host
        connection = http.client.HTTPConnection(host, request.port)
        connection.default_port = PORTS[request.scheme]
        connection.sock = line  # it is asked for sendall, makefile and close alone
        try:
            headers = {**request.headers, "Connection": "close"}
            if proof is not None:
                headers["Authorization"] = proof.encode().decode("latin-1")  # encoded back so
            connection.request(request.method, request.target, request.body or None, headers)
            with connection.getresponse() as response:
                return self._answer(response)
        except CameraError:
            raise
        except (http.client.RemoteDisconnected, http.client.IncompleteRead) as error:
            raise CameraUnreachable("the camera hung up before its answer was whole") from error
        except (http.client.HTTPException, ValueError) as error:
            raise CameraBadXml("the camera answers with something that is no HTTP") from error
        finally:
            connection.close()
            line.end()

    def _answer(self, response: http.client.HTTPResponse) -> tuple[Answer, list[str]]:
        status = response.status
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise CameraBlocked(f"the camera redirects (HTTP {status})")
        media_type = response.headers.get_content_type()
        if media_type.startswith("multipart/"):
            raise CameraBlocked("the answer is of several parts")
        body = _bounded(response, self._limits.max_bytes)
        challenges = response.headers.get_all("WWW-Authenticate", [])
        answer = Answer(status, body, media_type, response.headers.get("Date"))
        return answer, [each for each in challenges if _is_digest(each)]

    def _securing(self, scheme: str) -> Callable[[socket.socket], socket.socket]:
        if scheme == "http":
            return lambda plain: plain
        door, show_s = self._door, self._limits.connect_s
        return lambda plain: tls.secured(plain, door.host, door.certificate, show_s)


def _is_digest(challenge: str) -> bool:
    """Return whether a challenge may be answered: never with the password as it is."""
    return challenge.isprintable() and challenge.strip().lower().startswith("digest ")


def _bounded(response: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """Return the body, decompressed; CameraBlocked as soon as it is more than ``max_bytes``."""
    coding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if coding in ("identity", ""):
        inflate = None
    elif coding in ("gzip", "x-gzip", "deflate"):
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either header
    else:
        raise CameraBlocked(f"the answer is coded as {coding[:20]!r}")
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        try:
            body += inflate.decompress(chunk, max_bytes + 1 - len(body)) if inflate else chunk
        except zlib.error as error:
            raise CameraBadXml("the answer can't be decompressed") from error
        if len(body) > max_bytes:
            raise CameraBlocked(f"the answer is larger than {max_bytes} bytes")
    return bytes(body)
