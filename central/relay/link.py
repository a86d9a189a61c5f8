"""One box's connection at the centre: its channels, both ways."""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from central.errors import BoxTooOldError, BoxUnreachableError
from central.relay.channel import LiveChannel, StreamKey
from central.relay.transfer import Transfer
from protocol.codec import BadMessageError
from protocol.relay import (
    AskMethod,
    AskStart,
    Control,
    End,
    FrameKind,
    GetHead,
    GetMore,
    GetStart,
    GetStop,
    LiveOpen,
    LiveStart,
    LiveState,
    LiveStop,
    decode_control,
    encode_control,
    unpack,
)
from protocol.viewer import Fragment, GroupCache, ViewerQueue
from protocol.viewing import Viewer

log = logging.getLogger(__name__)

#: Requests that a box has not yet taken off its socket; a box that lets so many lie is gone.
_MAX_OUTGOING = 1000


class BoxSocket(Protocol):
    """What is needed of a box's accepted WebSocket; Starlette's has it."""

    async def send_text(self, data: str) -> None:
        """Send a text frame; waits while the peer is slow."""

    async def receive(self) -> MutableMapping[str, Any]:
        """Return the next ASGI message from the peer."""

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the WebSocket."""


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """How much the centre keeps, and how long it waits. Viewers' queues: ViewerQueue."""

    viewer_bytes: int = 4 * 1024 * 1024
    group_bytes: int = 4 * 1024 * 1024
    head_s: float = 90.0  # a ten-minute clip is cut before its first byte comes
    ask_s: float = 30.0  # a person waits for it, and nothing is cut
    stall_s: float = 60.0


class BoxLink:
    """The centre's end of one relay connection. Lives in one event loop; made and run by RelayHub.

    Nothing here ever waits for a viewer or a reader, so one of them can't hold up another. Requests
    to the box wait in a queue of at most 1000. Overflow: the connection is closed. ``asks`` says
    that the box knows ``ask.start``.
    """

    def __init__(
        self, box_id: str, socket: BoxSocket, limits: RelayLimits, *, asks: bool = False
    ) -> None:
        self.box_id = box_id
        self._asks = asks
        self._socket = socket
        self._limits = limits
        self._numbers = itertools.count(1)
        self._live: dict[StreamKey, LiveChannel] = {}
        self._channels: dict[int, LiveChannel | Transfer] = {}
        self._outgoing: deque[Control] = deque()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._close_reason = "closed"

    @property
    def viewers(self) -> int:
        """How many viewers there are now, over all streams."""
        return sum(len(channel.viewers) for channel in self._live.values())

    def watch(self, key: StreamKey) -> Viewer:
        """Return a new viewer of a stream; the first one starts it at the box."""
        self._require_open()
        channel = self._live.get(key)
        if channel is None:
            channel = LiveChannel(
                next(self._numbers), key, GroupCache[Fragment](self._limits.group_bytes)
            )
            self._live[key] = self._channels[channel.number] = channel
            self._send(LiveStart(channel=channel.number, camera=key.camera_id, stream=key.stream))
        viewer = Viewer(self._limits.viewer_bytes, partial(self._leave, channel))
        channel.join(viewer.queue)
        return viewer

    def fetch(self, path: str, byte_range: str | None) -> Transfer:
        """Return a new transfer of ``path``, which is an EdgePath."""
        self._require_open()
        number = next(self._numbers)
        return self._begin(GetStart(channel=number, path=path, range=byte_range))

    def ask(self, method: AskMethod, path: str, body: str, actor: str) -> Transfer:
        """Return the answer to come of what is sent once, and never again (AskStart).

        ``path``, ``body`` and ``actor`` are as AskStart wants them. Raises BoxTooOldError.
        """
        self._require_open()
        if not self._asks:
            raise BoxTooOldError(f"box {self.box_id} can't be asked to change anything")
        number = next(self._numbers)
        return self._begin(
            AskStart(channel=number, method=method, path=path, body=body, actor=actor)
        )

    async def run(self) -> None:
        """Carry messages both ways until the box goes or the link is closed; then end all."""
        tasks = {
            asyncio.create_task(self._receive_all()),
            asyncio.create_task(self._send_all()),
            asyncio.create_task(self._closing.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            self._end_all()
        errors = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if errors:
            log.info("relay.broken", extra={"box_id": self.box_id, "error": repr(errors[0])})

    def close(self, reason: str) -> None:
        """End the connection and all its channels with ``reason``, a word; :meth:`run` returns."""
        if not self._closing.is_set():
            self._close_reason = reason
            self._closing.set()

    def _require_open(self) -> None:
        if self._closing.is_set():
            raise BoxUnreachableError(f"box {self.box_id}: {self._close_reason}")

    def _begin(self, start: GetStart | AskStart) -> Transfer:
        number = start.channel
        transfer = Transfer(
            stall_s=self._limits.stall_s,
            more=lambda size_bytes: self._send(GetMore(channel=number, size_bytes=size_bytes)),
            stop=lambda: self._stop_get(number),
        )
        self._channels[number] = transfer
        self._send(start)
        return transfer

    def _leave(self, channel: LiveChannel, viewer: ViewerQueue) -> None:
        channel.viewers.discard(viewer)
        if not channel.viewers and self._channels.pop(channel.number, None) is not None:
            self._live.pop(channel.key, None)
            self._send(LiveStop(channel=channel.number))

    def _stop_get(self, number: int) -> None:
        if self._channels.pop(number, None) is not None:
            self._send(GetStop(channel=number))

    def _send(self, control: Control) -> None:
        if len(self._outgoing) >= _MAX_OUTGOING:
            log.warning("relay.box_stuck", extra={"box_id": self.box_id})
            self.close("box_stuck")
            return
        self._outgoing.append(control)
        self._wake.set()

    async def _send_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing:
                await self._socket.send_text(encode_control(self._outgoing.popleft()))

    async def _receive_all(self) -> None:
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            text, data = message.get("text"), message.get("bytes")
            if text is not None:
                self._control_came(decode_control(text))
            elif data is not None:
                self._frame_came(*unpack(data))

    def _control_came(self, control: Control) -> None:
        channel = self._channels.get(control.channel)
        match control, channel:
            case LiveOpen(), LiveChannel():
                channel.open_came(control)
            case LiveState(), LiveChannel():
                channel.state_came(control.state)
            case GetHead(), Transfer():
                channel.head_came(control)
            case End(), LiveChannel():
                del self._channels[control.channel]
                self._live.pop(channel.key, None)
                channel.end(control.reason or "ended", lost=False)
            case End(), Transfer():
                del self._channels[control.channel]
                channel.ended(control.reason)
            case _, None:
                return  # it names a channel that we have closed
            case _:
                raise BadMessageError(f"relay: {control.op} does not fit its channel")

    def _frame_came(self, number: int, kind: FrameKind, payload: memoryview) -> None:
        channel = self._channels.get(number)
        match kind, channel:
            case FrameKind.BODY, Transfer():
                channel.body_came(bytes(payload))
            case FrameKind.INIT, LiveChannel():
                channel.init_came(bytes(payload))
            case FrameKind.KEY | FrameKind.DELTA, LiveChannel():
                channel.fragment_came(Fragment(kind is FrameKind.KEY, bytes(payload)))
            case _, None:
                return
            case _:
                raise BadMessageError(f"relay: {kind.name} does not fit its channel")

    def _end_all(self) -> None:
        """Tell every viewer and reader; nothing can be opened on this link from here on."""
        if not self._closing.is_set():
            self.close("box_lost")
        channels = tuple(self._channels.values())
        self._channels.clear()
        self._live.clear()
        for channel in channels:
            if isinstance(channel, LiveChannel):
                channel.end(self._close_reason, lost=True)
            else:
                channel.ended(self._close_reason)
