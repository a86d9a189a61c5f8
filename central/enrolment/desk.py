"""The ledger of what people did with the cameras of boxes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from central.db.engine import Database
from central.db.models import Box, EnrolmentLedger
from central.enrolment.deeds import Deed
from central.errors import NotFoundError
from central.ledger.book import append
from central.ledger.chain import Entry
from central.people.views import PersonView, View, person_views
from protocol.clock import Clock

#: Entries that are shown.
_NEWEST = 50


class Outcome(StrEnum):
    """What came of a deed."""

    ASKED = "asked"  # nothing yet: it is entered before the box is told
    DONE = "done"
    REFUSED = "refused"  # by the box, with a reason
    NOT_GIVEN = "not_given"  # the box was away: nothing was done
    UNSURE = "unsure"  # no answer came: it may have been done


@dataclass(frozen=True, slots=True)
class Asked:
    """A deed, whose box it is about, and who wants it."""

    box_id: str
    deed: Deed
    actor_id: str


class EnrolmentDesk:
    """Writes an entry before the box is told, and one when the box has answered."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def asked(self, asked: Asked) -> None:
        """Enter a deed: no entry, no deed. Raises NotFoundError, StoreUnavailableError."""
        with self._database.write() as session:
            if session.get(Box, asked.box_id) is None:
                raise NotFoundError(f"there is no box {asked.box_id}")
            self._enter(session, asked, None, Outcome.ASKED, asked.deed.camera_id)

    def ended(self, asked: Asked, outcome: Outcome, camera_id: str = "") -> None:
        """Enter what came of it, of the camera that it turned out to be about."""
        with self._database.write() as session:
            camera_id = camera_id or asked.deed.camera_id
            self._enter(session, asked, Outcome.ASKED, outcome, camera_id)

    def _enter(
        self,
        session: Session,
        asked: Asked,
        before: Outcome | None,
        outcome: Outcome,
        camera_id: str,
    ) -> None:
        entry = Entry(
            subject_id=f"{asked.box_id}.{camera_id}" if camera_id else asked.box_id,
            at=self._clock.now(),
            action=asked.deed.act,
            actor_id=asked.actor_id,
            from_state=before,
            to_state=outcome,
            note=asked.deed.words,
        )
        append(session, EnrolmentLedger, [entry])


class EnrolmentEntryView(View):
    """One entry of the ledger; ``camera_id`` is null where it was about no one camera."""

    at: datetime
    act: str
    person: PersonView | None
    camera_id: str | None
    outcome: str
    words: str


def newest_entries(session: Session, box_id: str) -> list[EnrolmentEntryView]:
    """Return a box's newest entries, newest first."""
    rows = session.scalars(
        select(EnrolmentLedger)
        .where(
            or_(
                EnrolmentLedger.subject == box_id,
                EnrolmentLedger.subject.startswith(f"{box_id}.", autoescape=True),
            )
        )
        .order_by(EnrolmentLedger.position.desc())
        .limit(_NEWEST)
    ).all()
    people = person_views(session, [row.actor_id for row in rows])
    return [
        EnrolmentEntryView(
            at=row.at,
            act=row.action,
            person=people.get(row.actor_id or ""),
            camera_id=row.subject.partition(".")[2] or None,
            outcome=row.to_state or "",
            words=row.note,
        )
        for row in rows
    ]
