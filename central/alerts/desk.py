"""What people do with alerts, each act one transaction with its ledger entry and feed rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from central.activities.effect import Effect
from central.alerts.states import (
    AlertAction,
    Deadlines,
    after,
    check_confirm,
    check_false,
    check_known,
)
from central.codes import Device, FalseReason, FeedKind
from central.db.engine import Database
from central.db.models import Alert, AlertLedger, ExampleDue, Incident
from central.errors import NotFoundError
from central.examples.rule import teaches
from central.incidents.opening import Draft, Opening
from central.ledger.book import append
from central.ledger.chain import Entry
from central.wall.feed import publish
from protocol.clock import Clock


@dataclass(slots=True)
class _Act:
    """One act on one alert while its transaction is open."""

    session: Session
    alert: Alert
    now: datetime
    changes: list[tuple[FeedKind, str]]
    note: str


class AlertDesk:
    """Signs and verifies alerts.

    The alert's row is locked from reading its state to committing the next one: of two people who
    act at once one wins, and the other gets ConflictError. With ``keeps_examples`` a false alarm is
    set down to be kept as an example, in the same transaction.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        zone: ZoneInfo,
        deadlines: Deadlines,
        *,
        keeps_examples: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self._deadlines = deadlines
        self._keeps_examples = keeps_examples

    def ack(self, alert_id: UUID, actor_id: str, device: Device) -> Alert:
        """Sign: this person now looks into it. Raises NotFoundError, ConflictError."""
        with self._act(alert_id, AlertAction.ACK, actor_id, device=device) as act:
            act.alert.acked_by, act.alert.acked_at = actor_id, act.now
        return act.alert

    def confirm(
        self, alert_id: UUID, actor_id: str, incident: Draft | UUID
    ) -> tuple[Alert, Incident]:
        """Say that it is true, and make it a new incident or put it to an open one.

        Raises NotFoundError, ConflictError, InvalidError.
        """
        with self._act(alert_id, AlertAction.CONFIRM, actor_id) as act:
            check_confirm(act.alert.mode)
            act.alert.verified_by, act.alert.verified_at = actor_id, act.now
            opening = Opening(act.session, act.now, self._zone, self._deadlines)
            made = (
                opening.open(act.alert, incident, actor_id)
                if isinstance(incident, Draft)
                else opening.link(act.alert, incident, actor_id)
            )
            act.changes.append((FeedKind.INCIDENT, str(made.id)))
        return act.alert, made

    def reject(self, alert_id: UUID, actor_id: str, reason: FalseReason, note: str) -> Alert:
        """Say that it was none. Raises NotFoundError, ConflictError, InvalidError."""
        check_false(reason, note)
        with self._act(alert_id, AlertAction.FALSE, actor_id, f"{reason}: {note}") as act:
            act.alert.verified_by, act.alert.verified_at = actor_id, act.now
            act.alert.reason, act.alert.note = reason, note
            if self._keeps_examples and teaches(act.alert.kind, act.alert.mode):
                act.session.add(ExampleDue(alert_id=alert_id))
        return act.alert

    def know(
        self, alert_id: UUID, actor_id: str, note: str, activity_id: UUID | None = None
    ) -> Alert:
        """Say which known activity it is, in words or by the planned event that was filed.

        Raises NotFoundError, ConflictError, InvalidError.
        """
        check_known(note, is_filed=activity_id is not None)
        with self._act(alert_id, AlertAction.KNOWN, actor_id, note) as act:
            act.alert.verified_by, act.alert.verified_at = actor_id, act.now
            act.alert.note = note
            if activity_id is not None:
                tag = Effect(act.session, act.now, self._deadlines).link(act.alert, activity_id)
                act.note = f"{tag} {note}".strip()
        return act.alert

    @contextmanager
    def _act(
        self,
        alert_id: UUID,
        action: AlertAction,
        actor_id: str,
        note: str = "",
        device: Device | None = None,
    ) -> Iterator[_Act]:
        now = self._clock.now()
        with self._database.write() as session:
            alert = session.get(Alert, alert_id, with_for_update=True)
            if alert is None:
                raise NotFoundError(f"there is no alert {alert_id}")
            before, alert.state = alert.state, after(alert.state, action)
            act = _Act(session, alert, now, [(FeedKind.ALERT, str(alert_id))], note)
            with session.no_autoflush:  # the state and who made it are one change
                yield act
            alert.updated_at = now
            entry = Entry(
                str(alert_id), now, action, actor_id, device, before, alert.state, act.note
            )
            append(session, AlertLedger, [entry])
            publish(session, now, act.changes)
