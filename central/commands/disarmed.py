"""Which cameras are disarmed, by what their boxes have done (protocol I23)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.codes import CommandState
from central.db.models import BoxCommand
from protocol.commands import Arguments, Arm, CommandKind, Disarm, parse
from protocol.messages import LONGEST_COMMAND_S

_LONGEST = timedelta(seconds=LONGEST_COMMAND_S)
_KINDS = (CommandKind.DISARM.value, CommandKind.ARM.value)


def disarmed_until(session: Session, now: datetime) -> dict[str, datetime]:
    """Return until when something of a camera is disarmed, by its uid; armed ones are left out.

    Counted from when the result came here: a box that was cut off since is armed again a little
    earlier than is said, never later.
    """
    rows = session.scalars(
        select(BoxCommand)
        .where(
            BoxCommand.kind.in_(_KINDS),
            BoxCommand.state == CommandState.DONE,
            BoxCommand.ended_at > now - _LONGEST,
        )
        .order_by(BoxCommand.ended_at, BoxCommand.id)
    )
    done = [
        (row.box_id, row.ended_at, parse(row.kind, row.arguments)) for row in rows if row.ended_at
    ]
    return {uid: until for uid, until in fold(done).items() if until > now}


def fold(done: Iterable[tuple[str, datetime, Arguments]]) -> dict[str, datetime]:
    """Return what is left of commands that were done, in order: the latest end of each camera."""
    until: dict[tuple[str, str], datetime] = {}
    for box_id, at, arguments in done:
        match arguments:
            case Disarm(camera_id=camera_id, rule_id=rule_id, for_s=for_s):
                until[f"{box_id}.{camera_id}", rule_id or ""] = at + timedelta(seconds=for_s)
            case Arm(camera_id=camera_id, rule_id=None):
                uid = f"{box_id}.{camera_id}"
                until = {key: end for key, end in until.items() if key[0] != uid}
            case Arm(camera_id=camera_id, rule_id=str(rule_id)):
                until.pop((f"{box_id}.{camera_id}", rule_id), None)
    latest: dict[str, datetime] = {}
    for (uid, _), end in until.items():
        latest[uid] = max(end, latest.get(uid, end))
    return latest
