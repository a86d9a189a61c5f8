"""What boxes reported, and what people made of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import AlertState, EvidencePlace, FalseReason, Leaving, Post
from central.db.base import Base
from central.db.models.ledger import LedgerColumns
from central.db.types import BigKey
from protocol.messages import AlertKind, AlertLevel, AlertMode, EvidenceKind, EvidenceLack


class BoxEvent(Base):
    """The ledger of one box: each of its events once, whatever the network did (protocol I3)."""

    __tablename__ = "box_event"
    __table_args__ = (UniqueConstraint("box_id", "outbox_id", "sequence"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    box_id: Mapped[str] = mapped_column(ForeignKey("box.id"))
    outbox_id: Mapped[UUID]
    sequence: Mapped[int]
    event_id: Mapped[UUID]
    payload: Mapped[dict[str, Any]]
    digest: Mapped[str]  # SHA-256 of the bytes as they came
    prevhash: Mapped[str | None]  # what the box says the digest of the event before it is
    received_at: Mapped[datetime]


class BoxOutbox(Base):
    """What is known of the completeness of one outbox of a box (protocol I9).

    All of 1 to ``complete_to`` are here and each is the one that the next says it follows;
    ``broken_at`` is the first that follows another one. ``told_last`` is the highest number that
    the box says it has given, ``missing_since`` since when something up to it is not here: nothing
    is of one that has ended.
    """

    __tablename__ = "box_outbox"

    box_id: Mapped[str] = mapped_column(ForeignKey("box.id"), primary_key=True)
    outbox_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    received: Mapped[int] = mapped_column(default=0)
    repeated: Mapped[int] = mapped_column(default=0)
    highest: Mapped[int] = mapped_column(default=0)
    complete_to: Mapped[int] = mapped_column(default=0)
    broken_at: Mapped[int | None]
    told_last: Mapped[int] = mapped_column(default=0)
    told_head: Mapped[str | None]
    told_first: Mapped[int | None]  # the lowest that the box says it still keeps
    told_at: Mapped[datetime | None]  # when a heartbeat last spoke of this outbox
    missing_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # when its box first said that another one took its place


class BoxGap(Base):
    """Numbers of an outbox that are not here, ``first`` to ``last``, and what was asked (I12).

    A row is what the consumer last saw of the gap; it goes when the gap is closed.
    """

    __tablename__ = "box_gap"
    __table_args__ = (
        ForeignKeyConstraint(
            ["box_id", "outbox_id"], ["box_outbox.box_id", "box_outbox.outbox_id"]
        ),
    )

    box_id: Mapped[str] = mapped_column(primary_key=True)
    outbox_id: Mapped[UUID] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    last: Mapped[int]
    since: Mapped[datetime]
    asked_at: Mapped[datetime | None]  # the last time
    first_asked_at: Mapped[datetime | None]
    times: Mapped[int] = mapped_column(default=0)


class Quarantine(Base):
    """What could not be understood. The same again is counted, not kept again.

    ``box_id`` is whose topic it came under; ``outbox_id`` and ``sequence`` are its place, where
    that could be read; ``is_doubled``: another event has that place. ``let_go_at``: its bytes are
    gone, for somebody discarded it or it was old; its hash still stands in its place of the chain.
    """

    __tablename__ = "quarantine"
    __table_args__ = (Index("ix_quarantine_place", "box_id", "outbox_id", "sequence"),)

    digest: Mapped[str] = mapped_column(primary_key=True)  # of what central.ingest.quarantine says
    topic: Mapped[str] = mapped_column(index=True)
    payload: Mapped[bytes]
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    reason: Mapped[str]
    box_id: Mapped[str | None]
    outbox_id: Mapped[UUID | None]
    sequence: Mapped[int | None]
    is_doubled: Mapped[bool] = mapped_column(default=False)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    times: Mapped[int]
    let_go_at: Mapped[datetime | None]


class QuarantineLedger(LedgerColumns, Base):
    """What people did with what is in quarantine, in order. The row itself may be gone."""

    __tablename__ = "quarantine_ledger"

    digest: Mapped[str] = mapped_column(index=True)


class Alert(Base):
    """One alert: the box's facts as of ``box_at``, and where it stands with people."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("ix_alert_started_at", "started_at", "id"),
        Index("ix_alert_camera_uid", "camera_uid", "started_at"),
        Index("ix_alert_state", "state"),
        Index("ix_alert_activity_id", "activity_id"),
        # A planned event makes an alert known without anybody's hand.
        CheckConstraint(
            "state = 'NEW' or acked_by is not null "
            "or (state = 'KNOWN' and activity_id is not null)",
            name="signed_by_someone",
        ),
        CheckConstraint(
            "state in ('NEW', 'ACKED') or verified_by is not null "
            "or (state = 'KNOWN' and activity_id is not null)",
            name="verified_by_someone",
        ),
        CheckConstraint("state <> 'FALSE' or reason is not null", name="false_has_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    box_id: Mapped[str] = mapped_column(ForeignKey("box.id"))
    outbox_id: Mapped[UUID]  # of the newest event folded in
    sequence: Mapped[int]  # its place there
    box_at: Mapped[datetime]  # its moment, on the box's clock
    kind: Mapped[AlertKind]
    level: Mapped[AlertLevel]
    mode: Mapped[AlertMode]
    camera_uid: Mapped[str]
    camera_name: Mapped[str]
    grid_code: Mapped[str]
    rule_id: Mapped[str]
    region_id: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    count: Mapped[int]
    threshold: Mapped[int]
    peak: Mapped[int]
    confidence: Mapped[float | None]
    # An AlertCurve; read for one alert at a time: lists go without it.
    curve: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    received_at: Mapped[datetime]  # of the first event
    updated_at: Mapped[datetime]
    late: Mapped[bool]
    in_trial: Mapped[bool] = mapped_column(default=False)  # its point was when it came (points I4)
    clock_doubtful: Mapped[bool]  # its times are not to be relied on (protocol I17)
    state: Mapped[AlertState]
    sign_by: Mapped[datetime]
    verify_by: Mapped[datetime]
    acked_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    acked_at: Mapped[datetime | None]
    verified_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    verified_at: Mapped[datetime | None]
    reason: Mapped[FalseReason | None]
    note: Mapped[str] = mapped_column(default="")
    activity_id: Mapped[UUID | None] = mapped_column(ForeignKey("activity.id"))
    # Why and since when it calls people though the event was filed (incident I10).
    activity_left: Mapped[Leaving | None]
    activity_left_at: Mapped[datetime | None]


class AlertDuty(Base):
    """Who was on duty when the alert came: copied, so that it stays true (incident I2)."""

    __tablename__ = "alert_duty"

    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    post: Mapped[Post] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str]


class AlertLedger(LedgerColumns, Base):
    """What happened to alerts, in order."""

    __tablename__ = "alert_ledger"

    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"), index=True)


class Evidence(Base):
    """A picture or clip; the file is durable before the row is.

    It is of an alert, or of what a person had a box fetch (protocol I22).
    """

    __tablename__ = "evidence"
    __table_args__ = (
        UniqueConstraint("alert_id", "kind"),
        UniqueConstraint("command_id", "kind"),
        CheckConstraint("(alert_id is null) <> (command_id is null)", name="of_one_thing"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert.id"))
    command_id: Mapped[UUID | None] = mapped_column(ForeignKey("box_command.id"))
    kind: Mapped[EvidenceKind]
    start: Mapped[datetime]
    end: Mapped[datetime]
    place: Mapped[EvidencePlace]
    path: Mapped[str]  # its key there
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    stored_at: Mapped[datetime]


class EvidenceLacking(Base):
    """A piece of an alert that its box says will never come; what came all the same counts more."""

    __tablename__ = "evidence_lacking"

    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"), primary_key=True)
    kind: Mapped[EvidenceKind] = mapped_column(primary_key=True)
    reason: Mapped[EvidenceLack]
    said_at: Mapped[datetime]
