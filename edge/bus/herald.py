"""What a box says of itself: state, last will, heartbeat."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from edge.bus.home import HomeAssistant
from edge.bus.link import Outgoing
from edge.bus.outbox import Load
from edge.config import BoxSection
from edge.ports import Vitals
from protocol.clock import Clock
from protocol.codec import encode
from protocol.ids import uuid7
from protocol.messages import (
    ClockQuality,
    HeartbeatData,
    HeartbeatMessage,
    OutboxFill,
    StateData,
    StateMessage,
    UplinkFigures,
    source_of_box,
)
from protocol.topics import EPOCH, BoxTopic, Leaf


@dataclass(frozen=True, slots=True)
class Line:
    """How a box stands with its centre: what waits, and what the line carries."""

    load: Load
    evidence_pending: int
    figures: UplinkFigures | None = None


class Herald:
    """Builds the messages of one box and knows its topics.

    ``quality`` says how good the box's clock is; a heartbeat says it. ``home`` is there where Home
    Assistant reads along.
    """

    def __init__(
        self,
        box: BoxSection,
        clock: Clock,
        *,
        boot_id: UUID,
        software: str,
        started_at: datetime,
        quality: Callable[[], ClockQuality | None] = lambda: None,
        home: HomeAssistant | None = None,
    ) -> None:
        self._box = box
        self._clock = clock
        self._boot_id = boot_id
        self._software = software
        self._started_at = started_at
        self._quality = quality
        self.home = home
        self._source = source_of_box(box.id)
        self.event_topic = self._topic(Leaf.EVENT)
        self.historical_topic = self._topic(Leaf.HISTORICAL)
        self.receipt_topic = self._topic(Leaf.RECEIPT)
        self.command_topic = self._topic(Leaf.COMMAND)

    @property
    def box_id(self) -> str:
        """Whose messages these are: the user name at the broker."""
        return self._box.id

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """What a box reads: its receipts, what it is asked for, and the centre's epoch."""
        return self.receipt_topic, self.command_topic, EPOCH

    def _topic(self, leaf: Leaf) -> str:
        return str(BoxTopic(self._box.region_code, self._box.id, leaf))

    def gone(self, connection_id: UUID) -> Outgoing:
        """Return the retained state that says a connection has ended: last will and farewell."""
        return self._state(
            StateData(online=False, connection_id=connection_id, box_name=self._box.name)
        )

    def here(self, connection_id: UUID, vitals: Vitals) -> Outgoing:
        """Return the retained state of a box that is connected, with its cameras."""
        return self._state(
            StateData(
                online=True,
                connection_id=connection_id,
                box_name=self._box.name,
                software=self._software,
                boot_id=self._boot_id,
                started_at=self._started_at,
                cameras=vitals.cameras,
            )
        )

    def _state(self, data: StateData) -> Outgoing:
        now = self._clock.now()
        message = StateMessage(id=uuid7(now), source=self._source, time=now, data=data)
        return Outgoing(self._topic(Leaf.STATE), encode(message), qos=1, retain=True)

    def heartbeat(self, vitals: Vitals, line: Line) -> Outgoing:
        """Return a sign of life; a lost one is not sent again."""
        now, load = self._clock.now(), line.load
        message = HeartbeatMessage(
            id=uuid7(now),
            source=self._source,
            time=now,
            data=HeartbeatData(
                boot_id=self._boot_id,
                outbox_id=load.outbox_id,
                last_sequence=load.last_sequence,
                head=load.head,
                first_sequence=load.first_sequence,
                outbox_rows=load.rows,
                outbox_oldest_at=load.oldest_at,
                evidence_pending=line.evidence_pending,
                disk_free_bytes=vitals.disk_free_bytes,
                recording_bytes=vitals.recording_bytes,
                detector=vitals.detector,
                detector_model=vitals.detector_model,
                cameras=vitals.cameras,
                former_outboxes=load.former or None,
                outbox=OutboxFill(
                    bytes=load.size_bytes,
                    full_percent=round(load.full * 100),
                    folded=load.folded,
                    untold=load.untold,
                ),
                clock=self._quality(),
                uplink=line.figures,
            ),
        )
        return Outgoing(self._topic(Leaf.HEARTBEAT), encode(message), qos=0)
