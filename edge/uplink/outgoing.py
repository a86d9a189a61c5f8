"""What the box has still to send over the relay, and in which order."""

import asyncio
from collections import deque
from collections.abc import Callable

from protocol.relay import (
    GET_WINDOW_BYTES,
    Control,
    End,
    FrameKind,
    GetHead,
    LiveOpen,
    LiveState,
    encode_control,
    pack,
)
from protocol.viewer import Ended, Fragment, Opened, StateChanged, ViewerItem, ViewerQueue

#: 130 ms of a 1 Mbit/s uplink: what a live frame may have to wait for, once a BODY frame has begun.
BODY_BYTES = 16 * 1024

#: So many video messages in a row, then one BODY frame, if one waits: video that fills the uplink
#: would otherwise stop every file for good. At most BODY_BYTES in some 320 KB.
_VIDEO_PER_BODY = 16

#: A file's reader fills at most so much ahead of the socket.
_BODY_QUEUE_BYTES = 4 * BODY_BYTES

Message = str | bytes


class FileQueue:
    """One answer's messages. Bounded by four BODY frames and by what its reader has allowed.

    Overflow: none, ``put`` waits: a file may be late, never short.
    """

    def __init__(self, channel: int, on_ready: Callable[[], None]) -> None:
        self._channel = channel
        self._on_ready = on_ready
        self._messages: deque[Message] = deque()
        self._waiting_bytes = 0
        self._allowed_bytes = GET_WINDOW_BYTES
        self._room = asyncio.Event()
        self.ended = False

    def __len__(self) -> int:
        return len(self._messages)

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Put the answer's status and headers."""
        self._append(encode_control(GetHead(channel=self._channel, status=status, headers=headers)))

    async def put(self, data: bytes) -> None:
        """Put the answer's next bytes; waits for room and for the reader."""
        for start in range(0, len(data), BODY_BYTES):
            part = data[start : start + BODY_BYTES]
            while (
                self._waiting_bytes + len(part) > _BODY_QUEUE_BYTES
                or len(part) > self._allowed_bytes
            ):
                self._room.clear()
                await self._room.wait()
            self._waiting_bytes += len(part)
            self._allowed_bytes -= len(part)
            self._append(pack(self._channel, FrameKind.BODY, part))

    def end(self, reason: str | None) -> None:
        """Put the end."""
        self.ended = True
        self._append(encode_control(End(channel=self._channel, reason=reason)))

    def allow(self, size_bytes: int) -> None:
        """Let so much more be put: the reader has taken it."""
        self._allowed_bytes = min(self._allowed_bytes + size_bytes, GET_WINDOW_BYTES)
        self._room.set()

    def pop(self) -> Message | None:
        """Return the next message, or None."""
        if not self._messages:
            return None
        message = self._messages.popleft()
        if isinstance(message, bytes):
            self._waiting_bytes -= len(message) - len(pack(0, FrameKind.BODY, b""))
            self._room.set()
        return message

    def _append(self, message: Message) -> None:
        self._messages.append(message)
        self._on_ready()


class Outgoing:
    """All that one relay connection has still to send; ``ready`` is set when there is something.

    Video goes before files, channel by channel in turn; of a stream, in order. It is bounded by its
    queues: a ViewerQueue a live channel, a FileQueue a file.
    """

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self._live: dict[int, ViewerQueue] = {}
        self._files: dict[int, FileQueue] = {}
        self._video_in_row = 0

    def add_live(self, channel: int, limit_bytes: int) -> ViewerQueue:
        """Return the queue of a new live channel."""
        queue = self._live[channel] = ViewerQueue(limit_bytes, self.ready.set)
        return queue

    def add_file(self, channel: int) -> FileQueue:
        """Return the queue of a new file channel."""
        queue = self._files[channel] = FileQueue(channel, self.ready.set)
        return queue

    def remove(self, channel: int) -> None:
        """Forget a channel and what it had to send; idempotent."""
        self._live.pop(channel, None)
        self._files.pop(channel, None)

    def next(self) -> tuple[Message, ...]:
        """Return what to send next, in order; empty where there is nothing."""
        if self._video_in_row < _VIDEO_PER_BODY and (video := self._next_video()):
            self._video_in_row += 1
            return video
        self._video_in_row = 0
        return self._next_file() or self._next_video()

    def _next_video(self) -> tuple[Message, ...]:
        for channel, queue in tuple(self._live.items()):
            item = queue.pop()
            if item is not None:
                self._live.pop(channel)
                if not isinstance(item, Ended):
                    self._live[channel] = queue  # at the end: its turn comes again after all others
                return relayed(channel, item)
        return ()

    def _next_file(self) -> tuple[Message, ...]:
        for channel, queue in tuple(self._files.items()):
            message = queue.pop()
            if message is not None:
                self._files.pop(channel)
                if not queue.ended or len(queue):
                    self._files[channel] = queue
                return (message,)
        return ()


def relayed(channel: int, item: ViewerItem) -> tuple[Message, ...]:
    """Return what tells the centre of ``item`` on a live channel."""
    match item:
        case Fragment():
            kind = FrameKind.KEY if item.is_key else FrameKind.DELTA
            return (pack(channel, kind, item.data),)
        case Opened():
            opening = LiveOpen(
                channel=channel,
                mime=item.mime,
                generation=item.generation,
                width=item.width,
                height=item.height,
            )
            return (encode_control(opening), pack(channel, FrameKind.INIT, item.init))
        case StateChanged(state=state):
            message: Control = LiveState(channel=channel, state=state)
        case Ended(reason=reason):
            message = End(channel=channel, reason=reason)
    return (encode_control(message),)
