"""Giving boxes the commands that wait for them, and giving up what has no answer."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from central.codes import CommandState
from central.commands.states import GRACE, OPEN, TO_GIVE, again_after, given_up
from central.db.engine import Database
from central.db.models import Box, BoxCommand, CommandLedger
from central.ledger.book import append
from central.ledger.chain import Entry
from central.ports import Given
from central.sites.liveness import LOST_AFTER_S
from protocol.clock import Clock
from protocol.messages import CommandData, CommandMessage

log = logging.getLogger(__name__)

_SOURCE = "/centre"
#: Commands at a time, over all boxes; what is left is due the next time.
MOST_AT_ONCE = 50
_SPEAKS_WITHIN = timedelta(seconds=LOST_AFTER_S)


class CommandDispatch:
    """Implements central.ports.Dispatcher on the centre's database.

    That a command was given is written down before it is published: so what is called never given
    was never done. One that got no word is given again, under the same id.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def due(self) -> Sequence[Given]:
        """Return what to give to boxes now; see the port."""
        now = self._clock.now()
        with self._database.read() as session:
            due = [command.id for command, box in _open(session, now) if _is_due(command, box, now)]
        if not due:
            return ()
        with self._database.write() as session:
            return self._work(session, due[:MOST_AT_ONCE], now)

    def _work(self, session: Session, due: Sequence[UUID], now: datetime) -> Sequence[Given]:
        given, entries = [], []
        for command, box in _locked(session, due):
            before = command.state
            if _is_over(command, now):
                command.state, command.ended_at = given_up(before), now
            elif _is_due(command, box, now):
                command.state, command.given_at = CommandState.SENT, now
                command.given += 1
                given.append(Given(box.region_code, box.id, _message(command, now)))
            if command.state is not before:
                entries.append(
                    Entry(
                        str(command.id),
                        now,
                        "given" if command.state is CommandState.SENT else "given_up",
                        from_state=before,
                        to_state=command.state,
                    )
                )
        append(session, CommandLedger, entries)
        if given:
            log.info("commands.given", extra={"commands": len(given)})
        return given


def _open(session: Session, now: datetime) -> Iterator[tuple[BoxCommand, Box]]:
    """Yield the commands that may be due, or are over, with their boxes, the oldest first."""
    rows = session.execute(
        select(BoxCommand, Box)
        .join(Box, Box.id == BoxCommand.box_id)
        .where(
            BoxCommand.state.in_(OPEN),
            or_(
                BoxCommand.deadline <= now,
                BoxCommand.state.in_(TO_GIVE) & (Box.last_seen_at >= now - _SPEAKS_WITHIN),
            ),
        )
        .order_by(BoxCommand.id)
    )
    yield from ((command, box) for command, box in rows)


def _locked(session: Session, ids: Sequence[UUID]) -> Iterator[tuple[BoxCommand, Box]]:
    """Yield those of these commands that no other replica is just working on."""
    rows = session.execute(
        select(BoxCommand, Box)
        .join(Box, Box.id == BoxCommand.box_id)
        .where(BoxCommand.id.in_(ids))
        .order_by(BoxCommand.id)
        .with_for_update(of=BoxCommand, skip_locked=True)
    )
    yield from ((command, box) for command, box in rows)


def _is_over(command: BoxCommand, now: datetime) -> bool:
    """Say whether no result is to be waited for any more."""
    was_given = command.state is not CommandState.QUEUED
    return now >= command.deadline + (GRACE if was_given else timedelta(0))


def _is_due(command: BoxCommand, box: Box, now: datetime) -> bool:
    """Say whether there is anything to do for a command."""
    if _is_over(command, now):
        return True
    if command.state not in TO_GIVE or not box.online or now >= command.deadline:
        return False
    return command.given_at is None or now >= command.given_at + again_after(command.given)


def _message(command: BoxCommand, now: datetime) -> CommandMessage:
    left_s = int((command.deadline - now).total_seconds())
    return CommandMessage(
        id=command.id,
        source=_SOURCE,
        time=command.asked_at,
        data=CommandData(
            kind=command.kind,
            arguments=command.arguments,
            deadline=command.deadline,
            ttl_s=max(left_s, 1),
            actor=command.actor,
            reason=command.reason,
        ),
    )
