"""Commands as the interface sees them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.codes import CommandState
from central.db.models import BoxCommand, Evidence
from central.people.views import PersonView, View, person_views
from protocol.messages import EvidenceKind


class FetchedView(View):
    """What a command brought here: ``GET /evidence/{id}`` has it."""

    id: UUID
    kind: EvidenceKind
    start: datetime
    end: datetime
    size_bytes: int


class CommandView(View):
    """A command and where it stands.

    ``why`` is the box's code for a refusal or failure, ``detail`` its words.
    """

    id: UUID
    box_id: str
    kind: str
    arguments: dict[str, Any]
    reason: str
    person: PersonView | None
    asked_at: datetime
    deadline: datetime
    state: CommandState
    given: int
    ended_at: datetime | None
    why: str
    detail: str
    fetched: list[FetchedView]


class CommandPage(View):
    """Commands of one box, newest first; ``next`` goes into ``before`` of the next page."""

    items: list[CommandView]
    next: UUID | None


def command_page(session: Session, box_id: str, before: UUID | None, limit: int) -> CommandPage:
    """Return a page of a box's commands."""
    query = select(BoxCommand).where(BoxCommand.box_id == box_id)
    if before is not None:
        query = query.where(BoxCommand.id < before)
    rows = session.scalars(query.order_by(BoxCommand.id.desc()).limit(limit + 1)).all()
    views = command_views(session, rows[:limit])
    return CommandPage(items=views, next=views[-1].id if len(rows) > limit else None)


def command_views(session: Session, rows: Sequence[BoxCommand]) -> list[CommandView]:
    """Return commands in the given order, with what they brought."""
    people = person_views(session, (row.asked_by for row in rows))
    fetched: defaultdict[UUID | None, list[FetchedView]] = defaultdict(list)
    ids = [row.id for row in rows]
    for piece in session.scalars(select(Evidence).where(Evidence.command_id.in_(ids))):
        fetched[piece.command_id].append(
            FetchedView(
                id=piece.id,
                kind=piece.kind,
                start=piece.start,
                end=piece.end,
                size_bytes=piece.size_bytes,
            )
        )
    return [
        CommandView(
            id=row.id,
            box_id=row.box_id,
            kind=row.kind,
            arguments=row.arguments,
            reason=row.reason,
            person=people.get(row.asked_by),
            asked_at=row.asked_at,
            deadline=row.deadline,
            state=row.state,
            given=row.given,
            ended_at=row.ended_at,
            why=row.why,
            detail=row.detail,
            fetched=fetched[row.id],
        )
        for row in rows
    ]
