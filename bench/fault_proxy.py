"""A TCP forwarder that treats what goes through it as a bad link does, on request.

There is a link's standing character (delay, jitter, rate) and what happens to it at a moment: it
stalls, its connections are reset, cut inside a packet or left half open, or it refuses new ones.
What is random comes from a seeded source.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

#: Read at a time: small, so that a cut falls inside a packet and a slow rate is smooth.
_CHUNK_BYTES = 2048
#: What a modem holds back for a slow link; more, and the sender is made to wait.
_BUFFER_S = 2.0
_CHUNKS_HELD = 256
#: SO_LINGER for no time: closing resets.
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Character:
    """What a link does to every byte, each way. ``bytes_per_s`` None: no limit of its own."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None


#: A dying 4G link at the end of a valley: 120 ms there and back, 20 kB/s.
BAD_LINK = Character(delay_s=0.06, jitter_s=0.02, bytes_per_s=20_000)


@dataclass(slots=True, eq=False)
class _Connection:
    """Both ends of one connection. ``dead``: nothing goes through, and no end hears of it."""

    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    cut: bool = False
    dead: asyncio.Event = field(default_factory=asyncio.Event)


class FaultProxy:
    """Forwards ``host``:``port`` (0: any) to a target; a context. Control it from any thread.

    Whatever is asked of it holds when the call returns.
    """

    def __init__(
        self, target_port: int, chance: random.Random, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.host = host
        self.port = port
        self._target_port = target_port
        self._chance = chance
        self._character = Character()
        self._refuses = False
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy")

    def __enter__(self) -> Self:
        """Begin to listen. Raises OSError where the port is taken."""
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        except OSError:
            self._end_loop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End every connection and stop listening."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._end_loop()

    @property
    def connections(self) -> int:
        """How many connections there are now, half-open ones too."""
        return len(self._open)

    # -- what can be done to the link -------------------------------------------------------------

    def become(self, character: Character) -> None:
        """Give the link another character, for what comes from now on."""
        self._do(lambda: setattr(self, "_character", character))

    def stall(self) -> None:
        """Take what comes and forward nothing, until :meth:`flow`."""
        self._do(self._flows.clear)

    def flow(self) -> None:
        """Forward again, beginning with what was held back; half-open connections stay so."""
        self._do(self._flows.set)

    def refuse(self, *, on: bool) -> None:
        """Reset new connections as they come, or no longer; those there are stay."""
        self._do(lambda: setattr(self, "_refuses", on))

    def reset(self) -> None:
        """Reset every connection, at both ends: what was under way is lost."""
        self._do(self._reset_all)

    def cut(self) -> None:
        """Let the next that goes through each connection stop in its middle, then reset it."""
        self._do(self._cut_all)

    def leave_half_open(self) -> None:
        """Lose every connection without a word: each end believes that the other one is there."""
        self._do(self._leave_all)

    def _do(self, change: Callable[[], object]) -> None:
        async def act() -> None:
            change()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result()

    # -- in the loop ------------------------------------------------------------------------------

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        self._reset_all()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError):  # by _close, which waits for it
            await self._serve(reader, writer)
        self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refuses:
            _reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self._target_port)
        except OSError:
            _reset(writer)
            return
        connection = _Connection((writer, far_writer))
        self._open.add(connection)
        try:
            await asyncio.gather(
                self._pipe(connection, reader, far_writer),
                self._pipe(connection, far_reader, writer),
            )
        finally:
            self._open.discard(connection)
            for each in connection.writers:
                each.close()

    async def _pipe(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry one way. What is delayed is queued, so that delay costs no throughput."""
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_HELD)
        taking = asyncio.create_task(self._take(reader, held))
        try:
            while True:
                due, data = await held.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                await self._flows.wait()
                if connection.dead.is_set():
                    # What comes is still taken, or an end would notice that nobody reads.
                    while data:
                        _, data = await held.get()
                    return
                if not data:
                    break
                if connection.cut:
                    writer.write(data[: self._chance.randrange(len(data))])
                    await writer.drain()
                    self._reset_one(connection)
                    return
                writer.write(data)
                await writer.drain()
            writer.close()
        except (ConnectionError, OSError):
            self._reset_one(connection)
        finally:
            taking.cancel()

    async def _take(
        self, reader: asyncio.StreamReader, held: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        free_at = due = 0.0
        data = b"?"
        while data:
            try:
                data = await reader.read(_CHUNK_BYTES)
            except (ConnectionError, OSError):
                data = b""
            now, character = self._loop.time(), self._character
            if character.bytes_per_s is not None:
                free_at = max(free_at, now) + len(data) / character.bytes_per_s
            late = character.delay_s + self._chance.uniform(-1, 1) * character.jitter_s
            due = max(due, max(now, free_at) + late)  # TCP keeps the order
            await held.put((due, data))
            await asyncio.sleep(max(0.0, free_at - now - _BUFFER_S))

    def _cut_all(self) -> None:
        for connection in self._open:
            connection.cut = True

    def _leave_all(self) -> None:
        for connection in self._open:
            connection.dead.set()

    def _reset_all(self) -> None:
        for connection in tuple(self._open):
            self._reset_one(connection)

    def _reset_one(self, connection: _Connection) -> None:
        for writer in connection.writers:
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if end is not None:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    writer.transport.abort()
