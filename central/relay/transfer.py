"""One file on its way from a box: the reader's end of a relay channel."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from central.errors import BoxUnreachableError
from protocol.relay import GET_WINDOW_BYTES, GetHead

#: The reader's thanks are gathered: a message a quarter of the window keeps the box sending.
_MORE_BYTES = GET_WINDOW_BYTES // 4


class Transfer:
    """The bytes of one answer, as an asynchronous iterator that waits for the box.

    Bounded by GET_WINDOW_BYTES: the box may send no more than was read. Overflow: a box that sends
    more anyway loses the transfer. Iteration raises BoxUnreachableError where the box ended the
    answer badly, was lost, or sent nothing for ``stall_s``: a short body never looks whole.

    ``more`` is told how many bytes were read; ``stop`` is called once, when the reader leaves.
    """

    def __init__(
        self, *, stall_s: float, more: Callable[[int], None], stop: Callable[[], None]
    ) -> None:
        self._stall_s = stall_s
        self._more = more
        self._stop: Callable[[], None] | None = stop
        self._head: GetHead | None = None
        self._chunks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._read_bytes = 0
        self._end: str | None = None
        self._complete = False
        self._changed = asyncio.Event()

    def head_came(self, head: GetHead) -> None:
        """Take the answer's status and headers."""
        self._head = head
        self._changed.set()

    def body_came(self, data: bytes) -> None:
        """Take the answer's next bytes."""
        self._chunks.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > GET_WINDOW_BYTES:
            self._chunks.clear()
            self.ended("the box sent more than it may")
        self._changed.set()

    def ended(self, reason: str | None) -> None:
        """Take the end: complete where ``reason`` is None. The first end holds."""
        if self._end is None and not self._complete:
            self._complete = reason is None
            self._end = reason
        self._changed.set()

    async def head(self, timeout_s: float) -> GetHead:
        """Return status and headers. Raises BoxUnreachableError without them in ``timeout_s``."""
        await self._wait(lambda: self._head is not None, timeout_s)
        if self._head is None:
            raise BoxUnreachableError(self._end or "the box gave no answer")
        return self._head

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await self._wait(lambda: bool(self._chunks), self._stall_s)
        if not self._chunks:
            if self._complete:
                raise StopAsyncIteration
            raise BoxUnreachableError(self._end or "the answer was cut short")
        data = self._chunks.popleft()
        self._waiting_bytes -= len(data)
        self._read_bytes += len(data)
        if self._read_bytes >= _MORE_BYTES and not self._complete:
            self._more(min(self._read_bytes, GET_WINDOW_BYTES))
            self._read_bytes = 0
        return data

    def close(self) -> None:
        """Leave; idempotent. The box is told unless it has ended already."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()

    async def _wait(self, there: Callable[[], bool], timeout_s: float) -> None:
        """Wait until ``there`` or the end; after ``timeout_s`` that is the end."""
        try:
            async with asyncio.timeout(timeout_s):
                while not there() and self._end is None and not self._complete:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            self.ended(f"no answer for {timeout_s:g} s")


@dataclass(frozen=True, slots=True)
class Answer:
    """A box's answer; read ``body`` to its end or ``close`` it."""

    status: int
    headers: dict[str, str]
    body: Transfer
