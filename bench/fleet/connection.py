"""One MQTT connection on asyncio, from CONNECT to its end; never used twice."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.fleet import packets
from bench.fleet.packets import Kind, Packet, PacketError, Publish, Will

_SUBSCRIBE_ID = 1


class ConnectionLostError(Exception):
    """The broker refused, went away or does not answer; the text says which."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where and as whom to connect; ``name`` is user name and client id."""

    host: str
    port: int
    name: str
    password: str
    keepalive_s: int


class Connection(asyncio.Protocol):
    """A connection with its subscriptions and its last will, for one event loop.

    ``heard`` is called with each message that comes, at once, and ``acknowledged`` with each
    PUBACK: of a box's events it says nothing (protocol I2).
    """

    def __init__(
        self, heard: Callable[[Publish], None], acknowledged: Callable[[], None] | None = None
    ) -> None:
        self._heard = heard
        self._acknowledged = acknowledged
        self._reader = packets.Reader()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._answers: dict[int, asyncio.Future[Packet]] = {}
        self._packet_id = _SUBSCRIBE_ID
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._pinging: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        address: Address,
        will: Will | None,
        topics: Sequence[str],
        heard: Callable[[Publish], None],
        within_s: float,
        acknowledged: Callable[[], None] | None = None,
    ) -> "Connection":
        """Connect and subscribe. Raises ConnectionLostError, also after ``within_s``."""
        connection: Connection | None = None
        try:
            async with asyncio.timeout(within_s):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: cls(heard, acknowledged), address.host, address.port
                )
                await connection.greet(address, will, topics)
        except (OSError, TimeoutError) as error:
            if connection is not None:
                connection.abort()
            raise ConnectionLostError(str(error) or "the broker does not answer") from error
        return connection

    async def greet(self, address: Address, will: Will | None, topics: Sequence[str]) -> None:
        """Sign in and subscribe. Raises OSError where the broker refuses or goes away."""
        packet = packets.connect(address.name, address.password, address.keepalive_s, will)
        answer = await self._ask(packet, Kind.CONNACK)
        if answer.body[1:2] != b"\x00":
            raise ConnectionRefusedError(f"refused: {answer.body[1:2].hex()}")
        answer = await self._ask(packets.subscribe(_SUBSCRIBE_ID, topics), Kind.SUBACK)
        if any(code > 2 for code in answer.body[2:]):
            raise ConnectionRefusedError("subscription refused")
        self._pinging = self._loop.create_task(self._ping(address.keepalive_s))

    def publish(self, topic: str, payload: bytes, qos: int, *, retain: bool = False) -> None:
        """Send a message; nothing happens where the connection is gone."""
        packet_id = None
        if qos:
            self._packet_id = self._packet_id % 65_535 + 1
            packet_id = self._packet_id
        self._write(packets.publish(topic, payload, packet_id=packet_id, retain=retain))

    def abort(self) -> None:
        """End the connection without a word: the broker publishes the will."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the connection in order, behind what was published: no will."""
        self._write(packets.DISCONNECT)
        if self._transport is not None:
            self._transport.close()

    # -- called by asyncio ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        try:
            for packet in self._reader.feed(data):
                self._take(packet)
        except PacketError as error:
            self._end(str(error))
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end."""
        self._end(str(error or "the broker closed the connection"))

    # -- inside -----------------------------------------------------------------------------------

    async def _ask(self, packet: bytes, kind: Kind) -> Packet:
        waiting: asyncio.Future[Packet] = self._loop.create_future()
        self._answers[kind] = waiting
        self._write(packet)
        return await waiting

    async def _ping(self, keepalive_s: int) -> None:
        while True:
            await asyncio.sleep(keepalive_s)
            try:
                async with asyncio.timeout(keepalive_s):
                    await self._ask(packets.PINGREQ, Kind.PINGRESP)
            except TimeoutError:
                self.abort()
                return

    def _take(self, packet: Packet) -> None:
        if packet.kind == Kind.PUBLISH:
            message = packets.published(packet)
            if message.packet_id is not None:
                self._write(packets.puback(message.packet_id))
            self._heard(message)
            return
        if packet.kind == Kind.PUBACK:
            if self._acknowledged is not None:
                self._acknowledged()
            return
        waiting = self._answers.pop(packet.kind, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(packet)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _end(self, reason: str) -> None:
        if self._pinging is not None:
            self._pinging.cancel()
        if not self.lost.done():
            self.lost.set_result(reason)
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError(reason))
        self._answers.clear()
