"""One relay connection to the centre, seen from the box."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from edge.errors import NotFoundError
from edge.live.hub import LiveHub
from edge.live.hubs import LiveHubs
from edge.uplink.fetch import EdgeReader
from edge.uplink.outgoing import FileQueue, Outgoing
from protocol.codec import BadMessageError
from protocol.relay import (
    AskStart,
    Control,
    GetMore,
    GetStart,
    GetStop,
    LiveStart,
    LiveStop,
    decode_control,
)
from protocol.viewer import Ended, ViewerQueue

log = logging.getLogger(__name__)

#: Half a second to three seconds of a thin uplink; a longer queue is only older pictures.
LIVE_QUEUE_BYTES = 400_000

#: The centre opens a stream once: 64 cameras have 128. Above that something is wrong there.
_MAX_STREAMS = 128

#: Files under way, most of them waiting for a reader that paused.
_MAX_FILES = 64


class RelaySocket(Protocol):
    """What is needed of the WebSocket; the websockets library's client has it."""

    async def send(self, message: str | bytes) -> None:
        """Send a frame; waits while the uplink is slow."""

    async def recv(self) -> str | bytes:
        """Return the next frame."""


class RelaySession:
    """Serves what the centre asks for over one connection, until it breaks.

    Video goes before files (Outgoing). A stream's queue is bounded by ``live_queue_bytes`` and
    drops to the next key frame, so a thin uplink shows fewer pictures, not older ones. ``sent`` is
    told of the length of all that went out, and returns at once.
    """

    def __init__(
        self,
        socket: RelaySocket,
        hubs: LiveHubs,
        reader: EdgeReader,
        live_queue_bytes: int = LIVE_QUEUE_BYTES,
        sent: Callable[[int], None] = lambda _bytes: None,
    ) -> None:
        self._socket = socket
        self._sent = sent
        self._hubs = hubs
        self._reader = reader
        self._live_queue_bytes = live_queue_bytes
        self._outgoing = Outgoing()
        self._live: dict[int, tuple[LiveHub, ViewerQueue]] = {}
        self._files: dict[int, tuple[FileQueue, asyncio.Task[None]]] = {}

    @property
    def channels(self) -> tuple[int, int]:
        """How many streams and how many files are open."""
        return len(self._live), len(self._files)

    async def run(self) -> None:
        """Serve until the connection ends; raises what the socket raises, or BadMessageError."""
        tasks = [asyncio.create_task(self._send_all()), asyncio.create_task(self._receive_all())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks += [task for _, task in self._files.values()]
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            for channel in tuple(self._live):
                self._stop_live(channel)
        for outcome in outcomes[:2]:
            if isinstance(outcome, Exception):
                raise outcome

    async def _send_all(self) -> None:
        while True:
            while messages := self._outgoing.next():
                for message in messages:
                    await self._socket.send(message)
                    self._sent(len(message))
            self._outgoing.ready.clear()
            await self._outgoing.ready.wait()

    async def _receive_all(self) -> None:
        while True:
            frame = await self._socket.recv()
            if not isinstance(frame, str):
                raise BadMessageError("relay: the centre sends no binary frames")
            self._take(decode_control(frame))

    def _take(self, control: Control) -> None:
        match control:
            case LiveStart():
                self._start_live(control)
            case LiveStop():
                self._stop_live(control.channel)
            case GetStart() | AskStart():
                self._start_file(control)
            case GetStop():
                self._stop_file(control.channel)
            case GetMore():
                if control.channel in self._files:
                    self._files[control.channel][0].allow(control.size_bytes)
            case _:
                raise BadMessageError(f"relay: {control.op} is not for a box")

    def _start_live(self, start: LiveStart) -> None:
        self._check_new(start.channel)
        queue = self._outgoing.add_live(start.channel, self._live_queue_bytes)
        try:
            hub = self._hubs.hub(start.camera, start.stream)
        except NotFoundError:
            queue.offer(Ended("no_such_camera"))
            return
        self._live[start.channel] = hub, queue
        hub.attach(queue)
        log.info(
            "uplink.live_started", extra={"camera_id": start.camera, "stream": start.stream.value}
        )

    def _stop_live(self, channel: int) -> None:
        self._outgoing.remove(channel)
        if channel in self._live:
            hub, queue = self._live.pop(channel)
            hub.detach(queue)

    def _start_file(self, start: GetStart | AskStart) -> None:
        self._check_new(start.channel)
        queue = self._outgoing.add_file(start.channel)
        if len(self._files) >= _MAX_FILES:
            queue.end("busy")
            return
        answer = (
            self._reader.ask(start, queue)
            if isinstance(start, AskStart)
            else self._reader.fetch(start, queue)
        )
        task = asyncio.create_task(answer)
        self._files[start.channel] = queue, task
        task.add_done_callback(partial(self._file_done, start.channel, queue))

    def _file_done(self, channel: int, queue: FileQueue, task: asyncio.Task[None]) -> None:
        self._files.pop(channel, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("uplink.fetch_broke", exc_info=error)
            queue.end("box_failed")

    def _stop_file(self, channel: int) -> None:
        self._outgoing.remove(channel)
        if channel in self._files:
            self._files.pop(channel)[1].cancel()

    def _check_new(self, channel: int) -> None:
        if channel in self._live or channel in self._files:
            raise BadMessageError(f"relay: channel {channel} is open already")
        if len(self._live) >= _MAX_STREAMS:
            raise BadMessageError(f"relay: more than {_MAX_STREAMS} streams")
