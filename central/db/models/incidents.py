"""What people work on."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import Category, IncidentState
from central.db.base import Base
from central.db.models.ledger import LedgerColumns
from protocol.messages import AlertLevel


class IncidentSerial(Base):
    """The last serial number given in a region on a day."""

    __tablename__ = "incident_serial"

    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"), primary_key=True)
    day: Mapped[str] = mapped_column(primary_key=True)  # YYYYMMDD in the village's zone
    last: Mapped[int]


class Incident(Base):
    """One incident. It has an owner at every moment, and its checker never handled it."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("ix_incident_state", "state"),
        Index("ix_incident_opened_at", "opened_at", "id"),
        CheckConstraint("state = 'ACCEPTED' or handler_id is not null", name="handled_by_someone"),
        CheckConstraint("state <> 'CLOSED' or checker_id is not null", name="checked_by_someone"),
        CheckConstraint("checker_id <> handler_id", name="checker_is_another"),
        CheckConstraint("(state = 'CLOSED') = (closed_at is not null)", name="closed_at_closed"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    grid_code: Mapped[str]
    camera_uid: Mapped[str | None]
    camera_name: Mapped[str | None]
    state: Mapped[IncidentState]
    level: Mapped[AlertLevel]
    category: Mapped[Category]
    summary: Mapped[str]
    first_receiver_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    owner_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    handler_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    checker_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    rework_count: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime]
    deadline: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class IncidentAlert(Base):
    """Which alerts an incident came from: an alert belongs to one incident at most."""

    __tablename__ = "incident_alert"

    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"), primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), index=True)


class IncidentHandler(Base):
    """Everyone who ever handled an incident: none of them checks it. Append-only."""

    __tablename__ = "incident_handler"

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    since: Mapped[datetime]


class IncidentLedger(LedgerColumns, Base):
    """What happened to incidents, in order."""

    __tablename__ = "incident_ledger"

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), index=True)
