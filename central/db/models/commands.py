"""What people had boxes do."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import CommandState
from central.db.base import Base
from central.db.models.ledger import LedgerColumns


class BoxCommand(Base):
    """A command to one box, and where it stands (protocol I20).

    ``given_at`` is when it last went to the broker, ``given`` how often. ``why`` and ``detail`` are
    the box's code and words for what came of it, at ``ended_at`` by the centre's clock.
    """

    __tablename__ = "box_command"
    __table_args__ = (
        Index("ix_box_command_box_id", "box_id", "id"),
        Index("ix_box_command_state", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    box_id: Mapped[str] = mapped_column(ForeignKey("box.id"))
    kind: Mapped[str]
    arguments: Mapped[dict[str, Any]]
    reason: Mapped[str]
    asked_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    actor: Mapped[str]  # the same person in words, as the box is told
    asked_at: Mapped[datetime]
    deadline: Mapped[datetime]
    state: Mapped[CommandState]
    given_at: Mapped[datetime | None]
    given: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(default="")


class CommandLedger(LedgerColumns, Base):
    """Who had a box do what and why, and what came of it, in order."""

    __tablename__ = "command_ledger"

    command_id: Mapped[UUID] = mapped_column(ForeignKey("box_command.id"), index=True)
