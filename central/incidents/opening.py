"""Making an incident of an alert."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.alerts.states import Deadlines
from central.codes import CATEGORY_OF_KIND, KINDS, Category, IncidentState
from central.db.models import (
    Alert,
    AlertDuty,
    Box,
    Grid,
    Incident,
    IncidentAlert,
    IncidentLedger,
    IncidentSerial,
)
from central.db.upsert import insert_into
from central.duty.resolve import OnDuty, first_receiver
from central.errors import ConflictError, InvalidError, NotFoundError
from central.incidents.serial import day_of, serial_number
from central.ledger.book import append
from central.ledger.chain import Entry
from protocol.ids import uuid7
from protocol.messages import BOX_SUBJECT, AlertKind, AlertLevel


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person said of a new incident; None where the alert says enough."""

    category: Category | None = None
    level: AlertLevel | None = None
    summary: str | None = None
    grid_code: str | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens incidents, inside the caller's transaction."""

    session: Session
    now: datetime
    zone: ZoneInfo
    deadlines: Deadlines

    def open(self, alert: Alert, draft: Draft, actor_id: str) -> Incident:
        """Make a new incident of ``alert``.

        Its first receiver is who signed the alert (首问责任), its owner the officer who was on duty
        when the alert came, else the first receiver. Raises InvalidError for an unknown grid.
        """
        box = self.session.get_one(Box, alert.box_id)
        if draft.grid_code is not None and self.session.get(Grid, draft.grid_code) is None:
            raise InvalidError(f"grid_code: there is no grid {draft.grid_code}")
        about_box = alert.camera_uid == f"{box.id}.{BOX_SUBJECT}"
        level = draft.level or alert.level
        receiver = alert.acked_by or actor_id
        incident = Incident(
            id=uuid7(self.now),
            serial=self._serial(box.region_code),
            region_code=box.region_code,
            grid_code=draft.grid_code or alert.grid_code,
            camera_uid=None if about_box else alert.camera_uid,
            camera_name=None if about_box else alert.camera_name,
            state=IncidentState.ACCEPTED,
            level=level,
            category=draft.category or CATEGORY_OF_KIND[alert.kind],
            summary=(draft.summary or "").strip() or summary_of(alert),
            first_receiver_id=receiver,
            owner_id=self._officer(alert.id) or receiver,
            rework_count=0,
            opened_at=self.now,
            deadline=self.deadlines.handle_by(level, self.now),
        )
        self.session.add(incident)
        self._write(incident, "open", actor_id, f"alert {alert.id}")
        self._bind(incident, alert)
        return incident

    def link(self, alert: Alert, incident_id: UUID, actor_id: str) -> Incident:
        """Put ``alert`` to an open incident. Raises NotFoundError, ConflictError where closed."""
        incident = self.session.get(Incident, incident_id, with_for_update=True)
        if incident is None:
            raise NotFoundError(f"there is no incident {incident_id}")
        if incident.state is IncidentState.CLOSED:
            raise ConflictError("the incident is closed")
        self._write(incident, "link", actor_id, f"alert {alert.id}")
        self._bind(incident, alert)
        return incident

    def _bind(self, incident: Incident, alert: Alert) -> None:
        self.session.add(IncidentAlert(alert_id=alert.id, incident_id=incident.id))

    def _write(self, incident: Incident, action: str, actor_id: str, note: str) -> None:
        before = None if action == "open" else incident.state
        entry = Entry(
            str(incident.id),
            self.now,
            action,
            actor_id,
            from_state=before,
            to_state=incident.state,
            note=note,
        )
        append(self.session, IncidentLedger, [entry])

    def _serial(self, region_code: str) -> str:
        """Return the next number of the day. Two at once wait for each other, and none is lost."""
        day = day_of(self.now, self.zone)
        statement = (
            insert_into(self.session, IncidentSerial)
            .values(region_code=region_code, day=day, last=1)
            .on_conflict_do_update(
                index_elements=[IncidentSerial.region_code, IncidentSerial.day],
                set_={"last": IncidentSerial.last + 1},
            )
            .returning(IncidentSerial.last)
        )
        count = self.session.execute(statement).scalar_one()
        return serial_number(region_code, day, count)

    def _officer(self, alert_id: UUID) -> str | None:
        rows = self.session.execute(
            select(AlertDuty.person_id, AlertDuty.post)
            .where(AlertDuty.alert_id == alert_id)
            .order_by(AlertDuty.person_id)
        )
        return first_receiver([OnDuty(person_id, post) for person_id, post in rows])


def summary_of(alert: Alert) -> str:
    """Return what an alert says of itself, for people; true once it has been verified."""
    words = f"{alert.camera_name}:{KINDS[alert.kind].zh}"
    return f"{words},约{alert.peak}人" if alert.kind is AlertKind.GATHERING else words
