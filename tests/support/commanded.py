"""A box that is given commands, without a broker: what it says is read from its outbox."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

from pydantic import JsonValue

from edge.commands.arming import ArmedDesk
from edge.commands.configuring import Pushed, Refusal, Tuner
from edge.commands.desk import CommandDesk
from edge.commands.timekeeper import Timekeeper
from edge.errors import ConfigError, StorageError
from edge.settings.trial import Ending
from protocol.clock import FakeClock
from protocol.codec import decode
from protocol.commands import Configure
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
    of_camera = {} if kind in {"sync_clock", "configure"} else {"camera_id": "square"}
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
class Settings:
    """A Tuner whose versions outlive the box's process; ``version`` is the one that counts."""

    version: int = 0
    changes: Sequence[str] = ("detect.fps: 2.0 → 4.0",)
    refusal: Refusal | None = None
    is_full: bool = False
    pushes: dict[UUID, Pushed] = field(default_factory=dict)

    def check(self, asked: Configure) -> Refusal | Sequence[str]:
        if self.refusal is not None:
            return self.refusal
        if asked.base_version != self.version:
            return Refusal("version", f"the settings are version {self.version}")
        if any(each.ending is None for each in self.pushes.values()) and not asked.check_only:
            return Refusal("another_on_trial", "wait for its end")
        return self.changes

    def begin(self, command_id: UUID, asked: Configure, *, actor: str, reason: str) -> None:
        if self.is_full:
            raise StorageError("no space left")
        if asked.base_version != self.version:
            raise ConfigError(f"{actor}, {reason}: not version {self.version} any more")
        assert command_id not in self.pushes
        self.version += 1
        self.pushes[command_id] = Pushed(self.version, None, "", self.changes)

    def pushed(self, command_id: UUID) -> Pushed | None:
        return self.pushes.get(command_id)

    def end(self, ending: Ending, why: str = "") -> None:
        """Let what is on trial be kept, or taken back: then a version more says so."""
        for command_id, each in self.pushes.items():
            if each.ending is None:
                self.pushes[command_id] = replace(each, ending=ending, why=why)
                self.version += ending is Ending.TAKEN_BACK


@dataclass(slots=True)
class CommandedBox:
    """A box's alert desk, guard and command desk over one database; nothing runs by itself."""

    box: DeskBox
    armed: ArmedDesk
    desk: CommandDesk
    tuner: Tuner

    @classmethod
    def opened(
        cls,
        path: Path,
        clock: FakeClock | None = None,
        timekeeper: Timekeeper | None = None,
        settings: Tuner | None = None,
    ) -> Self:
        """Return the box as it is after a start; it may not set its clock unless it is told to."""
        box = open_desk(path, clock or FakeClock(AT))
        tuner = settings or Settings()
        desk = CommandDesk(
            box.config,
            box.database,
            box.outbox,
            box.clock,
            boot_id=BOOT,
            timekeeper=timekeeper or Timekeeper(quality),
            tuner=tuner,
        )
        return cls(box, ArmedDesk(box.desk, box.database, box.clock), desk, tuner)

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
