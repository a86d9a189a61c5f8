"""The centre's end of the relay on a real port, and a thin line to it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from starlette.requests import HTTPConnection

from central.errors import (
    BoxTooOldError,
    BoxUnreachableError,
    BoxUnsureError,
    InvalidError,
    NotFoundError,
)
from central.relay.hub import RelayHub
from central.relay.link import RelayLimits
from central.relay.router import create_relay_router
from edge.uplink.client import Uplink, UplinkTarget
from edge.web.server import HttpServer
from protocol.clock import SystemClock
from tests.support.box import Box
from tests.support.eventually import eventually

BOX_ID = "box-1"
TOKEN = "right-token"
PERSON = {"authorization": "person"}
ACTOR = "杨文昌 (yangwc)"


async def authenticate_box(box_id: str, token: str) -> bool:
    return (box_id, token) == (BOX_ID, TOKEN)


def require_person(connection: HTTPConnection) -> None:
    if connection.headers.get("authorization") != "person":
        raise HTTPException(401)


def acting_person(connection: HTTPConnection) -> str:
    require_person(connection)
    return ACTOR


def allow_all() -> None:
    """A browser's WebSocket can't send a header of ours."""


_STATUS: dict[type[Exception], int] = {
    NotFoundError: 404,
    InvalidError: 422,
    BoxTooOldError: 502,
    BoxUnreachableError: 503,
    BoxUnsureError: 504,
}


async def _error(_request: Request, error: Exception) -> JSONResponse:
    status = _STATUS[type(error)]
    return JSONResponse({"error": str(error)}, status_code=status)


@dataclass
class Viewers:
    """Whether viewers may go on watching."""

    allowed: bool = True

    async def may_go_on(self, _connection: HTTPConnection) -> bool:
        return self.allowed


@dataclass
class Centre:
    app: FastAPI
    hub: RelayHub
    server: HttpServer
    viewers: Viewers

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2])

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def ws_url(self) -> str:
        return self.server.url.replace("http", "ws", 1)


@asynccontextmanager
async def running_centre(
    port: int = 0, limits: RelayLimits | None = None, *, open_to_all: bool = False
) -> AsyncIterator[Centre]:
    hub = RelayHub(limits)
    app = FastAPI()
    require = allow_all if open_to_all else require_person
    viewers = Viewers()
    app.include_router(
        create_relay_router(
            hub, authenticate_box, require, viewers.may_go_on, require, acting_person
        )
    )
    for kind in _STATUS:
        app.add_exception_handler(kind, _error)
    server = HttpServer(app, "127.0.0.1", port)
    await server.start()
    try:
        yield Centre(app, hub, server, viewers)
    finally:
        await hub.aclose()
        await server.aclose()


def uplink_of(box: Box, url: str, token: str = TOKEN) -> Uplink:
    """Return a box's uplink, not started; it tries again after 1 s."""
    return Uplink(
        UplinkTarget(url, BOX_ID, SecretStr(token)),
        box.hubs,
        lambda: box.server.url,
        SystemClock(),
        jitter=lambda: 1.0,
    )


@asynccontextmanager
async def dialled_in(box: Box, centre: Centre, url: str | None = None) -> AsyncIterator[Uplink]:
    """Give a box's uplink that the centre knows of."""
    uplink = uplink_of(box, url or centre.url)
    await uplink.start()
    try:
        await eventually(lambda: centre.hub.connected(BOX_ID))
        yield uplink
    finally:
        await uplink.aclose()


@asynccontextmanager
async def thin_line(port: int, bytes_per_s: int) -> AsyncIterator[str]:
    """Give the address of a TCP forwarder whose way up is slow and holds little."""

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rate: int | None
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
                if rate is not None:
                    await asyncio.sleep(len(data) / rate)
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, up_writer, bytes_per_s), pump(up_reader, writer, None))

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    listener.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(forward, sock=listener, limit=8 * 1024)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.close()
        # Connections die with their ends; waiting for them here would wait for both.
