"""A simulated box: the real window, herald and back-off, on a lean connection and a memory outbox.

What it does on the wire is what edge/bus/sender.py does, so that the centre can't tell it from a
box; what it leaves out is the disk.
"""

import asyncio
import random
from dataclasses import dataclass
from uuid import UUID

from bench.fleet.connection import Address, Connection, ConnectionLostError
from bench.fleet.outbox import FleetOutbox
from bench.fleet.packets import Publish, Will
from edge.bus.herald import Herald, Line
from edge.bus.link import Outgoing
from edge.bus.sender import Timing
from edge.bus.window import Window
from edge.config import EdgeConfig
from edge.ports import Vitals
from protocol.clock import Clock
from protocol.codec import BadMessageError, decode
from protocol.ids import uuid7
from protocol.messages import (
    CameraState,
    EpochMessage,
    ReceiptMessage,
    ResendMessage,
    StreamState,
)
from protocol.topics import EPOCH

_NS = 1_000_000_000


@dataclass(slots=True)
class Tally:
    """What the boxes of a process did, all together; counts only grow."""

    connected: int = 0
    connections: int = 0
    failures: int = 0
    sent: int = 0
    sent_again: int = 0
    receipted: int = 0
    reopened: int = 0
    bad_messages: int = 0


class FleetBox:
    """One box on the event loop; ``run`` it as a task."""

    def __init__(
        self,
        config: EdgeConfig,
        address: Address,
        timing: Timing,
        clock: Clock,
        chance: random.Random,
        tally: Tally,
    ) -> None:
        now = clock.now()
        self.outbox = FleetOutbox(config, chance, now)
        self._address = address
        self._timing = timing
        self._clock = clock
        self._chance = chance
        self._tally = tally
        self._herald = Herald(
            config.box, clock, boot_id=self.outbox.boot_id, software="fleet", started_at=now
        )
        self._vitals = Vitals(
            disk_free_bytes=10**12,
            recording_bytes=0,
            detector="live",
            detector_model="fleet",
            cameras=tuple(
                CameraState(
                    camera_id=camera.id,
                    name=camera.name,
                    grid_code=camera.grid_code,
                    state=StreamState.LIVE,
                    since=now,
                )
                for camera in config.cameras
            ),
        )
        self._window = Window(timing.patience)
        self._changed = asyncio.Event()
        self._epoch: UUID | None = None
        self._connection: Connection | None = None
        self._announces = False
        self._heartbeat_at_ns = 0
        self._heard_at_ns = 0
        self._away_until_ns = 0

    async def run(self) -> None:
        """Connect and send, for ever; cancelled, it ends in order and says that it goes."""
        failures = 0
        try:
            while True:
                if await self._connect_and_serve():
                    failures = 0
                failures += 1
                self._tally.failures += 1
                wait_s = self._timing.reconnect.after(failures, self._chance.random())
                away_s = (self._away_until_ns - self._clock.monotonic_ns()) / _NS
                await asyncio.sleep(max(wait_s, away_s))
        finally:
            if self._connection is not None:
                self._connection.close()

    def report(self) -> None:
        """Let an alert begin or end."""
        self.outbox.report(self._clock.now())
        self._changed.set()

    def cut_off(self, seconds: float) -> None:
        """Let its line fail now, and stay so for a time."""
        self._away_until_ns = self._clock.monotonic_ns() + round(seconds * _NS)
        if self._connection is not None:
            self._connection.abort()

    async def _connect_and_serve(self) -> bool:
        """Return, once the connection is over, whether there was one."""
        connection_id = uuid7(self._clock.now())
        gone = self._herald.gone(connection_id)
        try:
            connection = await Connection.open(
                self._address,
                Will(gone.topic, gone.payload),
                self._herald.subscriptions,
                self._hear,
                self._timing.ready_within_s,
            )
        except ConnectionLostError:
            return False
        self._connection = connection
        connection.lost.add_done_callback(lambda _: self._changed.set())
        self._tally.connected += 1
        self._tally.connections += 1
        self._window.reset()
        self._announces = True
        self._heard_at_ns = self._clock.monotonic_ns()
        try:
            while not connection.lost.done():
                idle_s = self._turn(connection, connection_id)
                try:
                    async with asyncio.timeout(idle_s):
                        await self._changed.wait()
                except TimeoutError:
                    continue
                self._changed.clear()
        finally:
            self._tally.connected -= 1
            if connection.lost.done():
                self._connection = None
        return True

    def _turn(self, connection: Connection, connection_id: UUID) -> float:
        """Send what is due; return for how many seconds there is nothing to do."""
        now_ns = self._clock.monotonic_ns()
        if self._announces:
            self._announces = False
            self._heartbeat_at_ns = now_ns
            self._publish(connection, self._herald.here(connection_id, self._vitals))
        self._send(connection, now_ns)
        if now_ns >= self._heartbeat_at_ns:
            self._heartbeat_at_ns = now_ns + round(self._timing.heartbeat_s * _NS)
            line = Line(self.outbox.load(), evidence_pending=0)
            self._publish(connection, self._herald.heartbeat(self._vitals, line))
        due_ns = self._heartbeat_at_ns
        if self._window.under_way:
            silent_at_ns = self._heard_at_ns + round(self._timing.silence_s * _NS)
            if now_ns >= silent_at_ns:
                connection.abort()
            due_ns = min(due_ns, silent_at_ns, self._window.next_due_mono_ns or due_ns)
        return max(due_ns - now_ns, 0) / _NS

    def _send(self, connection: Connection, now_ns: int) -> None:
        now = self._clock.now()
        before = self._window.under_way
        chosen = self._window.take(self.outbox.waiting(self._window.reach, now), now_ns)
        for parcel in self.outbox.parcels(chosen, now):
            herald = self._herald
            topic = herald.event_topic if parcel.is_live else herald.historical_topic
            connection.publish(topic, parcel.payload, qos=1)
            self._tally.sent += 1
            self._tally.sent_again += parcel.sequence in before
        if chosen and not before:
            self._heard_at_ns = now_ns

    def _hear(self, incoming: Publish) -> None:
        try:
            message = decode(incoming.payload)
        except BadMessageError:
            self._tally.bad_messages += 1
            return
        if isinstance(message, ReceiptMessage) and incoming.topic == self._herald.receipt_topic:
            self._heard_at_ns = self._clock.monotonic_ns()
            if message.data.outbox_id == self.outbox.outbox_id:
                ours = self._window.receipted(message.data.sequences)
                self._tally.receipted += self.outbox.receipted(message.data.outbox_id, ours)
        elif isinstance(message, ResendMessage) and incoming.topic == self._herald.command_topic:
            data = message.data
            if not incoming.retain:
                self._tally.reopened += self.outbox.reopen(data.outbox_id, data.first, data.last)
        elif isinstance(message, EpochMessage) and incoming.topic == EPOCH:
            self._take_epoch(message.data.epoch, retained=incoming.retain)
        else:
            self._tally.bad_messages += 1
        self._changed.set()

    def _take_epoch(self, epoch: UUID, *, retained: bool) -> None:
        known, self._epoch = self._epoch, epoch
        if epoch != known and not (known is None and retained):
            self._window.hurry()
            self._announces = True

    @staticmethod
    def _publish(connection: Connection, message: Outgoing) -> None:
        connection.publish(message.topic, message.payload, message.qos, retain=message.retain)
