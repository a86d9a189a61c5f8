"""A box that is given commands, without a broker: what it says is read from its outbox."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

from pydantic import JsonValue

from edge.commands.arming import ArmedDesk
from edge.commands.desk import CommandDesk
from edge.commands.timekeeper import Timekeeper
from protocol.clock import FakeClock
from protocol.codec import decode
from protocol.ids import uuid7
from protocol.messages import (
    ClockQuality,
    ClockState,
    CommandData,
    CommandMessage,
    Outcome,
    ResultData,
    ResultMessage,
)
from tests.support.desk_box import AT, BOOT, DeskBox, open_desk

ACTOR = "李秀英 (admin)"


def command(
    kind: str, command_id: UUID | None = None, *, ttl_s: int = 600, **arguments: JsonValue
) -> CommandMessage:
    """Return a command for the camera ``square``, unless another is named."""
    of_camera = {} if kind == "sync_clock" else {"camera_id": "square"}
    return CommandMessage(
        id=command_id or uuid7(AT),
        source="/centre",
        time=AT,
        data=CommandData(
            kind=kind,
            arguments={**of_camera, **arguments},
            deadline=AT + timedelta(seconds=ttl_s),
            ttl_s=ttl_s,
            actor=ACTOR,
            reason="核实情况",
        ),
    )


def quality(state: ClockState = ClockState.UNSYNCED) -> ClockQuality:
    """Return a clock that has been like that for ten minutes."""
    return ClockQuality(state=state, since=AT - timedelta(minutes=10))


@dataclass(slots=True)
class CommandedBox:
    """A box's alert desk, guard and command desk over one database; nothing runs by itself."""

    box: DeskBox
    armed: ArmedDesk
    desk: CommandDesk

    @classmethod
    def opened(
        cls, path: Path, clock: FakeClock | None = None, timekeeper: Timekeeper | None = None
    ) -> Self:
        """Return the box as it is after a start; it may not set its clock unless it is told to."""
        box = open_desk(path, clock or FakeClock(AT))
        desk = CommandDesk(
            box.config,
            box.database,
            box.outbox,
            box.clock,
            boot_id=BOOT,
            timekeeper=timekeeper or Timekeeper(quality),
        )
        return cls(box, ArmedDesk(box.desk, box.database, box.clock), desk)

    def hear(self, message: CommandMessage) -> None:
        self.desk.hear(message)
        self.armed.changed()

    def results(self, command_id: UUID | None = None) -> list[ResultData]:
        """Return what the box said of commands, or of one, in order."""
        with self.box.database.reading() as connection:
            rows = connection.execute("select payload from outbox order by seq").fetchall()
        said = [decode(row["payload"]) for row in rows]
        data = [message.data for message in said if isinstance(message, ResultMessage)]
        return [each for each in data if command_id in (None, each.command_id)]

    def outcomes(self, command_id: UUID | None = None) -> list[Outcome]:
        return [each.outcome for each in self.results(command_id)]

    def fetch(self, command_id: UUID, failed: str | None = None) -> None:
        """Do as the courier does once a piece is stored, or given up."""
        with self.box.database.transaction() as connection:
            connection.execute(
                "update evidence set stored_us = ?, failed = ? where alert_id = ?"
                " and stored_us is null and failed is null",
                (1 if failed is None else None, failed, str(command_id)),
            )

    def close(self) -> None:
        self.box.database.close()
