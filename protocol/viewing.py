"""One viewer at one WebSocket: the asynchronous end of the viewer protocol, on both sides."""

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from typing import Any, Protocol

from protocol.viewer import Ended, ViewerItem, ViewerQueue, wire


class ViewerSocket(Protocol):
    """What is needed of an accepted WebSocket; Starlette's has it."""

    async def send_text(self, data: str) -> None:
        """Send a text frame; waits while the peer is slow."""

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame; waits while the peer is slow."""

    async def receive(self) -> MutableMapping[str, Any]:
        """Return the next ASGI message from the peer."""

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the WebSocket."""


class Viewer:
    """A viewer's queue as an asynchronous iterator that stops after ``Ended``.

    ``leave`` is called once, with the queue, when the viewer goes. Use it in one event loop only.
    """

    def __init__(self, limit_bytes: int, leave: Callable[[ViewerQueue], None]) -> None:
        self._ready = asyncio.Event()
        self._leave: Callable[[ViewerQueue], None] | None = leave
        self._finished = False
        self.queue = ViewerQueue(limit_bytes, self._ready.set)

    def __aiter__(self) -> AsyncIterator[ViewerItem]:
        return self

    async def __anext__(self) -> ViewerItem:
        if self._finished:
            raise StopAsyncIteration
        while (item := self.queue.pop()) is None:
            self._ready.clear()
            await self._ready.wait()
        self._finished = isinstance(item, Ended)
        return item

    def close(self) -> None:
        """Leave; idempotent. Does not wake a pending iteration: cancel that."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave(self.queue)


async def serve_viewer(socket: ViewerSocket, viewer: Viewer) -> None:
    """Send all that ``viewer`` is given until it ends or the peer goes, then let go of both.

    ``socket`` is accepted already. Whatever sending raises is raised again, after the viewer has
    left, except where the peer was seen to leave.
    """
    sender = asyncio.create_task(_send_all(socket, viewer))
    # A peer that leaves is noticed only by a pending receive.
    watcher = asyncio.create_task(_until_gone(socket))
    try:
        await asyncio.wait({sender, watcher}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        viewer.close()
        left = watcher.done()
        for task in (sender, watcher):
            task.cancel()
        outcome, _ = await asyncio.gather(sender, watcher, return_exceptions=True)
    if left:
        return
    if isinstance(outcome, Exception):
        raise outcome
    await socket.close()


async def _send_all(socket: ViewerSocket, viewer: Viewer) -> None:
    async for item in viewer:
        for frame in wire(item):
            if isinstance(frame, str):
                await socket.send_text(frame)
            else:
                await socket.send_bytes(frame)


async def _until_gone(socket: ViewerSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        """A viewer has nothing to say; what it sends is read over."""
