"""The set-up interface on a real port over a book in memory, and a camera of both protocols."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from bench import onvif_answers
from bench.onvif_device import Device, Request, Send, reply
from edge.enrolment.enroller import Enroller
from edge.enrolment.errand import Space
from edge.health import StreamBoard
from edge.rtsp.challenge import Credentials
from edge.web import problem
from edge.web.guard import HostGuard
from edge.web.server import HttpServer
from edge.web.setup import SetupRoutes
from protocol.clock import SystemClock
from tests.support.camera_book import MemoryBook
from tests.support.rtsp import TestCamera

#: An address is in it, and what URLs have to escape.
PASSWORD = "Hunter2+of/the gate"
LOGIN = Credentials("camera", PASSWORD)
SPACE = Space(room_bytes=400_000_000_000, cameras=4, days=30)
_TOKEN = re.compile(rb"ProfileToken>([^<]*)<")


def onvif_camera(rtsp: TestCamera, login: Credentials | None = LOGIN) -> Device:
    """Return a device whose profiles ``main`` and ``sub`` are the mounts of those names."""

    async def stream_uri(request: Request, send: Send) -> None:
        if login is not None and not Device(login)._is_let_in(request, login):
            await send(reply(400, onvif_answers.fault("NotAuthorized", "not authorized")))
            return
        found = _TOKEN.search(request.body)
        url = rtsp.url(f"/{found[1].decode() if found else 'main'}")
        if request.path == onvif_answers.SERVICES["tr2"]:
            inner = onvif_answers.response("tr2", "GetStreamUri", f"<tr2:Uri>{url}</tr2:Uri>")
        else:
            known = onvif_answers.ANSWERS["GetStreamUri"][1]
            inner = onvif_answers.response(
                "trt", "GetStreamUri", known.replace("rtsp://127.0.0.1:8554/main", url)
            )
        await send(reply(200, onvif_answers.envelope(inner)))

    return Device(login=login, scripts={"GetStreamUri": stream_uri})


@dataclass
class Setup:
    """The interface, and what is behind it; ``heard`` is all that it ever answered."""

    http: httpx.AsyncClient
    book: MemoryBook
    enroller: Enroller
    recorded: set[str]
    heard: list[str]

    async def over(self, path: str, within_s: float = 120.0) -> dict[str, Any]:
        """Return the answer of a job that is over."""
        async with asyncio.timeout(within_s):
            while True:
                answer = (await self.http.get(path)).json()
                if answer["state"] != "running":
                    return answer
                await asyncio.sleep(0.05)

    async def probed(self, **asked: object) -> tuple[str, dict[str, Any]]:
        """Examine a camera; return the examination's id and what it found."""
        begun = await self.http.post("/v1/setup/probes", json=asked)
        assert begun.status_code == 201, begun.text
        probe_id = begun.json()["id"]
        return probe_id, await self.over(f"/v1/setup/probes/{probe_id}")


@asynccontextmanager
async def running_setup(folder: Path, *cameras: dict[str, Any]) -> AsyncIterator[Setup]:
    """Run the interface of a box with these cameras, which records nothing."""
    book, recorded, heard = MemoryBook(folder, *cameras), set[str](), list[str]()
    enroller = Enroller(book, lambda: frozenset(recorded), lambda: SPACE, SystemClock())
    app = FastAPI()
    problem.install(app)
    app.include_router(SetupRoutes(enroller, StreamBoard(), lambda: book.changed).router())
    app.add_middleware(HostGuard, host="127.0.0.1")
    server = HttpServer(app, "127.0.0.1", 0)
    await server.start()

    async def hear(response: httpx.Response) -> None:
        heard.append((await response.aread()).decode("latin-1") + str(response.headers))

    hooks = {"response": [hear]}
    try:
        async with httpx.AsyncClient(
            base_url=server.url, trust_env=False, event_hooks=hooks, timeout=30
        ) as http:
            yield Setup(http, book, enroller, recorded, heard)
    finally:
        enroller.close()
        await server.aclose()
