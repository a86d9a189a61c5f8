"""Planned events (报备活动): what is filed, where, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import ActivityKind
from central.db.base import Base
from central.db.models.ledger import LedgerColumns


class Activity(Base):
    """One planned event: its terms as they are now, who answers for them, and who approved them.

    ``start`` and ``end`` are the first time; with ``weekdays`` (ISO digits, "" for once) it comes
    again until ``last_day`` (YYYY-MM-DD) at the clock times they have in ``time_zone``. ``over_at``
    is the end of its last time, or when it was cancelled. Nobody's guests are named in it.
    """

    __tablename__ = "activity"
    __table_args__ = (
        Index("ix_activity_over_at", "over_at", "id"),
        CheckConstraint('"end" > start', name="ends_after_start"),
        CheckConstraint("expected > 0", name="expects_someone"),
        # Nobody silences a camera alone (incident I11).
        CheckConstraint("approved_by <> terms_by", name="approved_by_another"),
        CheckConstraint("(approved_by is null) = (approved_at is null)", name="approved_at_once"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    title: Mapped[str]
    kind: Mapped[ActivityKind]
    start: Mapped[datetime]
    end: Mapped[datetime]
    weekdays: Mapped[str] = mapped_column(default="")
    last_day: Mapped[str | None]
    time_zone: Mapped[str]
    over_at: Mapped[datetime]
    expected: Mapped[int]
    contact: Mapped[str]  # a unit and its telephone
    safety: Mapped[str] = mapped_column(default="")
    filed_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    filed_at: Mapped[datetime]
    terms_by: Mapped[str] = mapped_column(ForeignKey("person.id"))  # who last changed the terms
    approved_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class ActivityPlace(Base):
    """A camera (``place`` is its uid) or a whole grid (its code) that an event takes place at."""

    __tablename__ = "activity_place"
    __table_args__ = (Index("ix_activity_place_place", "place"),)

    activity_id: Mapped[UUID] = mapped_column(ForeignKey("activity.id"), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    is_grid: Mapped[bool]


class ActivityLedger(LedgerColumns, Base):
    """What happened to planned events, in order."""

    __tablename__ = "activity_ledger"

    activity_id: Mapped[UUID] = mapped_column(ForeignKey("activity.id"), index=True)
