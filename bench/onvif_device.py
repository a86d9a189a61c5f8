"""An ONVIF camera of our own making: real HTTP over asyncio, on a port of its own.

It answers as a sound camera does, but for what is scripted otherwise, and remembers every request
with what it gave away. Peers that others wrote show that we speak ONVIF; this one shows what
happens where a camera does not.
"""

import asyncio
import base64
import contextlib
import hashlib
import re
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from bench import onvif_answers
from edge.rtsp.challenge import Credentials

_OPERATION = re.compile(rb"Body[^>]*>\s*<(?:[\w-]+:)?(\w+)")
_MAX_BODY = 1 << 20

#: Puts bytes on the wire, and waits until the other side, or the kernel, has taken them.
Send = Callable[[bytes], Awaitable[None]]
#: Answers a request with all that goes over the wire, HTTP included.
Script = Callable[["Request", Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody sent; ``operation`` is empty where it is no SOAP."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """The name of the question, without a prefix."""
        found = _OPERATION.search(self.body)
        return found.group(1).decode() if found else ""

    @property
    def is_signed(self) -> bool:
        """Whether anything made of a password is in it."""
        return b"UsernameToken" in self.body or "authorization" in self.headers


def reply(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """Return an answer as it goes over the wire."""
    given = {
        "Content-Type": "application/soap+xml; charset=utf-8",
        "Content-Length": str(len(body)),
        **(headers or {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} Said\r\n{lines}\r\n".encode() + body


@dataclass
class Device:
    """A camera on ``host``; a context manager that runs it in a thread of its own.

    ``scripts`` answer operations (``*``: everything) in its stead; ``login`` is what a request must
    be signed with, by WS-Security, and ``digest`` by HTTP digest as well.
    """

    login: Credentials | None = None
    scripts: dict[str, Script] = field(default_factory=dict)
    digest: bool = False
    host: str = "127.0.0.1"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    events: str = ""
    advertised: dict[str, str] = field(default_factory=dict)  # by prefix; its own where absent
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    sent_bytes: int = 0
    port: int = 0

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    @property
    def base(self) -> str:
        """Its address, without a path."""
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    def asked(self, operation: str) -> list[Request]:
        """Return the requests of one operation."""
        return [request for request in self.requests if request.operation == operation]

    def _serve(self, ready: threading.Event) -> None:
        self._loop.run_until_complete(self._run(ready))

    async def _run(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, self.host, self.port, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        # Cancelled: the device is switched off.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            request = await self._request(reader)
            self.requests.append(request)
            await self._answer(request, self._sender(writer))
        self._tasks.discard(task)
        writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:])
            if name
        }
        length = min(int(headers.get("content-length", 0)), _MAX_BODY)
        return Request(method, path, headers, await reader.readexactly(length))

    def _sender(self, writer: asyncio.StreamWriter) -> Send:
        async def send(data: bytes) -> None:
            writer.write(data)
            self.sent_bytes += len(data)
            await writer.drain()

        return send

    async def _answer(self, request: Request, send: Send) -> None:
        script = self.scripts.get(request.operation) or self.scripts.get("*")
        await (script(request, send) if script else send(self.answer(request)))

    def answer(self, request: Request) -> bytes:
        """Return what a sound camera says."""
        operation = request.operation
        if operation == "GetSystemDateAndTime":
            return reply(200, onvif_answers.envelope(onvif_answers.time_of(self.now())))
        if self.digest and "authorization" not in request.headers:
            asked = 'Digest realm="camera", nonce="0a1b", qop="auth", algorithm=MD5'
            return reply(401, b"", {"WWW-Authenticate": asked})
        if request.method == "GET":
            return reply(200, b"\xff\xd8picture\xff\xd9", {"Content-Type": "image/jpeg"})
        if self.login is not None and not self._is_let_in(request, self.login):
            return reply(400, onvif_answers.fault("NotAuthorized", "Sender not Authorized"))
        inner = self._inner(request)
        if inner is None:
            return reply(400, onvif_answers.fault("ActionNotSupported", "no such action"))
        return reply(200, onvif_answers.envelope(inner.replace("{base}", self.base)))

    def _inner(self, request: Request) -> str | None:
        operation = request.operation
        if operation == "GetServices":
            at = {prefix: f"{{base}}{path}" for prefix, path in onvif_answers.SERVICES.items()}
            return onvif_answers.services(at | self.advertised)
        if operation == "GetCapabilities":
            return onvif_answers.capabilities("{base}")
        if operation == "PullMessages":
            return onvif_answers.messages(self.events)
        if request.path == onvif_answers.SERVICES["tr2"]:
            inner = onvif_answers.ANSWERS2.get(operation)
            return inner and onvif_answers.response("tr2", operation, inner)
        known = onvif_answers.ANSWERS.get(operation)
        return known and onvif_answers.response(known[0], operation, known[1])

    def _is_let_in(self, request: Request, login: Credentials) -> bool:
        if "authorization" in request.headers:
            return _is_digest_right(request, login)
        return _is_token_right(request.body, login)


def _is_token_right(body: bytes, login: Credentials) -> bool:
    def part(name: bytes) -> bytes:
        found = re.search(rb"<(?:\w+:)?" + name + rb"(?: [^>]*)?>([^<]*)<", body)
        return found.group(1) if found else b""

    made = base64.b64decode(part(b"Nonce")) + part(b"Created") + login.password.encode()
    right = base64.b64encode(hashlib.sha1(made, usedforsecurity=False).digest())
    return part(b"Username") == login.username.encode() and part(b"Password") == right


def _is_digest_right(request: Request, login: Credentials) -> bool:
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', request.headers["authorization"]))

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    right = md5(
        md5(login.username, "camera", login.password),
        given.get("nonce", ""),
        given.get("nc", ""),
        given.get("cnonce", ""),
        "auth",
        md5(request.method, request.path),
    )
    return given.get("response") == right
