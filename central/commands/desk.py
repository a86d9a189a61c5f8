"""Where people give commands to boxes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central.auth.sessions import Signed
from central.codes import CommandState
from central.commands.states import ALLOWED, OPEN
from central.db.engine import Database
from central.db.models import Box, BoxCommand, Camera, CommandLedger, Viewing
from central.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from central.ledger.book import append
from central.ledger.chain import Entry
from central.people.views import PersonView
from protocol.actor import actor_words
from protocol.clock import Clock
from protocol.commands import (
    Arguments,
    BadArgumentsError,
    Clip,
    OfCamera,
    Snapshot,
    parse,
)
from protocol.ids import uuid7

#: Commands of one box that may be open at once, as at the box.
MOST_OPEN = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants of a box: within ``within``, for a reason that others can read."""

    box_id: str
    kind: str
    arguments: Mapping[str, JsonValue]
    reason: str
    within: timedelta


class CommandDesk:
    """Takes commands, each one transaction with its entries in the ledger and the register."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def ask(self, asked: Asked, signed: Signed, actor: PersonView) -> UUID:
        """Write a command down; it is given to the box as soon as that is there.

        Recorded video and pictures are entered in the register of viewings as well. Raises
        InvalidError, ForbiddenError, NotFoundError, ConflictError where too many are open, and
        StoreUnavailableError.
        """
        try:
            arguments = parse(asked.kind, asked.arguments)
        except BadArgumentsError as error:
            raise InvalidError(str(error)) from None
        if signed.role not in ALLOWED[arguments.kind]:
            raise ForbiddenError(f"'{asked.kind}' is not for the role '{signed.role}'")
        now = self._clock.now()
        command_id = uuid7(now)
        with self._database.write() as session:
            self._check(session, asked.box_id, arguments)
            session.add(
                BoxCommand(
                    id=command_id,
                    box_id=asked.box_id,
                    kind=arguments.kind.value,
                    arguments=arguments.model_dump(
                        mode="json", exclude={"kind"}, exclude_none=True
                    ),
                    reason=asked.reason,
                    asked_by=actor.id,
                    actor=actor_words(actor.name, signed.username),
                    asked_at=now,
                    deadline=now + asked.within,
                    state=CommandState.QUEUED,
                    given=0,
                )
            )
            if isinstance(arguments, Clip | Snapshot):
                session.add(_viewing(signed, actor, now, asked, arguments))
            words = f"{asked.box_id} {asked.kind}: {asked.reason}"
            entry = Entry(
                str(command_id),
                now,
                "asked",
                actor.id,
                to_state=CommandState.QUEUED,
                note=words,
            )
            append(session, CommandLedger, [entry])
        return command_id

    def _check(self, session: Session, box_id: str, arguments: Arguments) -> None:
        """Raise for what can be known to be impossible without the box."""
        # The lock keeps two requests from both being the last that there is room for.
        if session.get(Box, box_id, with_for_update=True) is None:
            raise NotFoundError(f"there is no box {box_id}")
        camera_id = arguments.camera_id if isinstance(arguments, OfCamera) else None
        if camera_id is not None and session.get(Camera, f"{box_id}.{camera_id}") is None:
            raise NotFoundError(f"box {box_id} has no camera {camera_id}")
        waiting = session.scalar(
            select(func.count()).where(BoxCommand.box_id == box_id, BoxCommand.state.in_(OPEN))
        )
        if (waiting or 0) >= MOST_OPEN:
            raise ConflictError(f"{waiting} commands of this box are open: wait for some to end")


def _viewing(
    signed: Signed, actor: PersonView, now: datetime, asked: Asked, arguments: Clip | Snapshot
) -> Viewing:
    """Return the register's entry: no recorded video leaves a box without one (domain 6)."""
    start, end = (arguments.start, arguments.end) if isinstance(arguments, Clip) else (now, now)
    return Viewing(
        at=now,
        username=signed.username,
        person_id=actor.id,
        box_id=asked.box_id,
        camera_id=arguments.camera_id,
        what=f"command:{arguments.kind}",
        start=start,
        end=end,
        reason=asked.reason,
    )
