"""Where things are: regions, grids, boxes, cameras."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import BoxState, CameraShown, UpgradeRing
from central.db.base import Base
from protocol.messages import LegalBasis


class Region(Base):
    """An administrative division, by its 12 digits."""

    __tablename__ = "region"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Grid(Base):
    """A grid of a village, by its 15 digits."""

    __tablename__ = "grid"

    code: Mapped[str] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    name: Mapped[str]
    worker_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))


class Box(Base):
    """A village box: who it is, and what it last said of itself.

    ``online`` is false from its last will to its next sign of life. ``state`` is what the feed last
    told the interface; it follows ``online`` and the age of ``last_seen_at``.
    """

    __tablename__ = "box"

    id: Mapped[str] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    name: Mapped[str]
    token_sha256: Mapped[str]
    online: Mapped[bool] = mapped_column(default=False)
    state: Mapped[BoxState] = mapped_column(default=BoxState.LOST)
    last_seen_at: Mapped[datetime | None]
    boot_id: Mapped[UUID | None]
    connection_id: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    software: Mapped[str] = mapped_column(default="")
    last_sequence: Mapped[int] = mapped_column(default=0)
    outbox_rows: Mapped[int] = mapped_column(default=0)
    outbox_oldest_at: Mapped[datetime | None]
    evidence_pending: Mapped[int] = mapped_column(default=0)
    disk_free_bytes: Mapped[int | None]
    recording_bytes: Mapped[int | None]
    detector: Mapped[str] = mapped_column(default="off")
    detector_model: Mapped[str | None]
    # The newest heartbeat's ClockQuality, UplinkFigures and OutboxFill; none of an older box.
    clock: Mapped[dict[str, Any] | None]
    uplink: Mapped[dict[str, Any] | None]
    outbox: Mapped[dict[str, Any] | None]
    upgrade_ring: Mapped[UpgradeRing] = mapped_column(default=UpgradeRing.GENERAL)
    target_version: Mapped[str] = mapped_column(default="")  # what it is to run; empty: as it is
    clock_offset_ms: Mapped[int | None]  # its clock minus ours (protocol I17)


class Camera(Base):
    """A camera as its box last described it. One that left its box's list is not ``present``.

    ``grid_code`` is the box's word: it may name a grid that nobody has entered here yet.
    """

    __tablename__ = "camera"
    __table_args__ = (Index("ix_camera_box_id", "box_id", "camera_id", unique=True),)

    uid: Mapped[str] = mapped_column(primary_key=True)
    box_id: Mapped[str] = mapped_column(ForeignKey("box.id"))
    camera_id: Mapped[str]
    name: Mapped[str]
    grid_code: Mapped[str]
    place: Mapped[str]
    has_sub: Mapped[bool]
    state: Mapped[CameraShown]
    since: Mapped[datetime]
    last_packet_at: Mapped[datetime | None]
    # What its box is configured with; none of an older box.
    retention_days: Mapped[int | None]
    legal_basis: Mapped[LegalBasis | None]
    present: Mapped[bool] = mapped_column(default=True)


class ConsumerGroup(Base):
    """Consumers that share their work: under which name, which of them leads, and until when."""

    __tablename__ = "consumer_group"
    __table_args__ = (CheckConstraint("one = 1", name="one_row"),)

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    share: Mapped[str]
    leader: Mapped[str]
    leads_until: Mapped[datetime]
