"""What people do with incidents, each act one transaction with its ledger entry and feed row."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.codes import FeedKind, IncidentState
from central.db.engine import Database
from central.db.models import Incident, IncidentHandler, IncidentLedger, Person
from central.errors import InvalidError, NotFoundError
from central.incidents.states import IncidentAction, Standing, after
from central.ledger.book import append
from central.ledger.chain import Entry
from central.wall.feed import publish
from protocol.clock import Clock


class IncidentDesk:
    """Moves incidents on."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def act(
        self,
        incident_id: UUID,
        action: IncidentAction,
        actor_id: str,
        note: str,
        handler_id: str | None,
    ) -> Incident:
        """Do ``action``. Raises NotFoundError, ConflictError, InvalidError."""
        now = self._clock.now()
        with self._database.write() as session:
            incident = session.get(Incident, incident_id, with_for_update=True)
            if incident is None:
                raise NotFoundError(f"there is no incident {incident_id}")
            handler = session.get(Person, handler_id) if handler_id is not None else None
            if handler_id is not None and (handler is None or not handler.active):
                raise InvalidError(f"owner_id: there is no person {handler_id}")
            before = incident.state
            stood = _standing(session, incident)
            standing = after(stood, action, actor_id, note, handler_id)
            incident.state = standing.state
            incident.owner_id, incident.handler_id = standing.owner_id, standing.handler_id
            incident.checker_id, incident.rework_count = standing.checker_id, standing.rework_count
            session.add_all(
                IncidentHandler(incident_id=incident_id, person_id=person_id, since=now)
                for person_id in standing.handled_by - stood.handled_by
            )
            if standing.state is IncidentState.CLOSED:
                incident.closed_at = now
            words = note if handler is None else f"{note} → {handler.name}".strip()
            entry = Entry(
                str(incident_id),
                now,
                action,
                actor_id,
                from_state=before,
                to_state=standing.state,
                note=words,
            )
            append(session, IncidentLedger, [entry])
            publish(session, now, [(FeedKind.INCIDENT, str(incident_id))])
        return incident


def _standing(session: Session, incident: Incident) -> Standing:
    handled_by = session.scalars(
        select(IncidentHandler.person_id).where(IncidentHandler.incident_id == incident.id)
    )
    return Standing(
        incident.state,
        incident.owner_id,
        incident.handler_id,
        incident.checker_id,
        incident.rework_count,
        frozenset(handled_by),
    )
