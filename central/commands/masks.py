"""What rules look past by a person's word, by what their boxes have done (protocol I25)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.codes import CommandState
from central.db.models import BoxCommand
from central.people.views import PersonView, View, person_views
from protocol.commands import CommandKind, Mask, parse
from protocol.shapes import Exclusions


class MaskView(View):
    """What one rule looks past in place of the configuration's, since when and by whose word."""

    camera_id: str
    rule_id: str
    exclude: Exclusions
    person: PersonView | None
    reason: str
    since: datetime


class MaskList(View):
    """The rules of one box that have a mask, by camera and rule."""

    items: list[MaskView]


def mask_list(session: Session, box_id: str) -> MaskList:
    """Return the masks of a box; ``since`` is when its answer came here."""
    rows = session.scalars(
        select(BoxCommand)
        .where(
            BoxCommand.box_id == box_id,
            BoxCommand.kind == CommandKind.MASK.value,
            BoxCommand.state == CommandState.DONE,
        )
        .order_by(BoxCommand.ended_at, BoxCommand.id)
    ).all()
    last: dict[tuple[str, str], tuple[BoxCommand, Mask]] = {}
    for row in rows:
        mask = parse(row.kind, row.arguments)
        assert isinstance(mask, Mask)
        last[mask.camera_id, mask.rule_id] = row, mask
    people = person_views(session, (row.asked_by for row, _ in last.values()))
    return MaskList(
        items=[
            MaskView(
                camera_id=mask.camera_id,
                rule_id=mask.rule_id,
                exclude=mask.exclude,
                person=people.get(row.asked_by),
                reason=row.reason,
                since=row.ended_at or row.asked_at,
            )
            for row, mask in (last[rule] for rule in sorted(last))
            if mask.exclude is not None
        ]
    )
