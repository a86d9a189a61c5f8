"""False alarms kept as examples for the next training: on by choice, and saying little.

From the moment its picture is kept nothing leads from an example to its alert, its camera's name or
anybody of the staff (examples I3).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import ExampleAct, FalseReason
from central.db.base import Base
from central.db.types import BigKey
from protocol.messages import AlertKind


class ExampleDue(Base):
    """A false alarm whose picture is still to be kept. The row goes when it is."""

    __tablename__ = "example_due"

    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"), primary_key=True)


class Example(Base):
    """One picture and its label; the file is durable before the row is. Ids are never reused."""

    __tablename__ = "example"
    __table_args__ = (Index("ix_example_day", "day", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    kind: Mapped[AlertKind]
    reason: Mapped[FalseReason]
    model: Mapped[str | None]  # as the box named it
    camera: Mapped[str]  # its number among the examples, drawn by chance
    day: Mapped[str]  # YYYY-MM-DD in the village; never the hour
    path: Mapped[str]  # below the folder of examples
    size_bytes: Mapped[int]


class ExampleCamera(Base):
    """The number that stands for a camera; it leaves the centre, this table does not."""

    __tablename__ = "example_camera"

    camera_uid: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)


class ExampleEntry(Base):
    """What became of examples: who took them away, and what went by itself. Append-only."""

    __tablename__ = "example_entry"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[datetime]
    act: Mapped[ExampleAct]
    pictures: Mapped[int]
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(default="")
