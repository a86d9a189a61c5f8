"""Taking in what boxes say of commands, in whatever order and how often it comes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.codes import FeedKind
from central.commands.states import OPEN, after
from central.db.models import BoxCommand, CommandLedger
from central.ingest.parse import Understood
from central.ledger.book import append
from central.ledger.chain import Entry
from protocol.commands import CommandKind
from protocol.messages import ResultMessage


@dataclass(slots=True)
class ResultIntake:
    """Takes a batch's results inside the caller's transaction.

    One of a command that is not known here (the database was set back), or is another box's,
    changes nothing; its event is kept all the same. ``changes`` are the feed's: cameras that are
    disarmed or armed now.
    """

    session: Session
    now: datetime
    changes: list[tuple[FeedKind, str]] = field(default_factory=list)

    def take(self, items: Sequence[Understood]) -> None:
        """Bring the commands up to date."""
        results = [(item, _result(item)) for item in items]
        if not results:
            return
        known = {
            command.id: command
            for command in self.session.scalars(
                select(BoxCommand)
                .where(BoxCommand.id.in_({result.data.command_id for _, result in results}))
                .order_by(BoxCommand.id)
                .with_for_update()
            )
        }
        entries = []
        for item, result in results:
            command = known.get(result.data.command_id)
            if command is None or command.box_id != item.topic.box_id:
                continue
            before = command.state
            command.state = after(before, result.data.outcome)
            if command.state is before:
                continue
            is_open = command.state in OPEN
            command.ended_at = None if is_open else self.now
            if command.kind in (CommandKind.DISARM, CommandKind.ARM):
                uid = f"{command.box_id}.{command.arguments['camera_id']}"
                self.changes.append((FeedKind.CAMERA, uid))
            command.why, command.detail = result.data.reason, result.data.detail
            note = f"{command.why} {command.detail}".strip()
            entries.append(
                Entry(
                    str(command.id),
                    self.now,
                    "accepted" if is_open else "ended",
                    from_state=before,
                    to_state=command.state,
                    note=note,
                )
            )
        if entries:
            append(self.session, CommandLedger, entries)


def _result(item: Understood) -> ResultMessage:
    assert isinstance(item.message, ResultMessage)
    return item.message
