"""Finding alerts: filters, and pages that stay right while new ones come."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from central.codes import AlertState
from central.db.models import Alert
from central.errors import InvalidError
from protocol.messages import AlertKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE = re.compile(r"^(\d{1,17})\.([0-9a-f]{32})$", re.ASCII)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; empty where all."""

    states: Sequence[AlertState] = ()
    kinds: Sequence[AlertKind] = ()
    camera_uid: str | None = None
    start: datetime | None = None
    end: datetime | None = None


def place_of(moment: datetime, key: UUID) -> str:
    """Return a place in a list that is ordered by (moment, key), newest first."""
    return f"{(moment - _EPOCH) // timedelta(microseconds=1)}.{key.hex}"


def read_place(words: str) -> tuple[datetime, UUID]:
    """Return the place in ``words``. Raises InvalidError."""
    found = _PLACE.match(words)
    if found is None:
        raise InvalidError("before: not a place that this list gave")
    return _EPOCH + timedelta(microseconds=int(found[1])), UUID(found[2])


def find_alerts(
    session: Session, wanted: AlertFilter, before: str | None, limit: int
) -> tuple[list[Alert], str | None]:
    """Return at most ``limit`` alerts, newest first, and the place where the next page begins."""
    query = select(Alert).order_by(Alert.started_at.desc(), Alert.id.desc())
    if wanted.states:
        query = query.where(Alert.state.in_(wanted.states))
    if wanted.kinds:
        query = query.where(Alert.kind.in_(wanted.kinds))
    if wanted.camera_uid is not None:
        query = query.where(Alert.camera_uid == wanted.camera_uid)
    if wanted.start is not None:
        query = query.where(Alert.started_at >= wanted.start)
    if wanted.end is not None:
        query = query.where(Alert.started_at < wanted.end)
    if before is not None:
        moment, key = read_place(before)
        query = query.where(tuple_(Alert.started_at, Alert.id) < tuple_(moment, key))
    found = list(session.scalars(query.limit(limit + 1)))
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], place_of(last.started_at, last.id)
