"""Taking alerts in: each event once, each alert one row, whatever order they come in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from central.activities.book import Programme
from central.activities.effect import Effect
from central.alerts.fold import BoxFacts, facts_of, fold
from central.alerts.states import UNDECIDED, Deadlines
from central.codes import RANK, AlertState, FeedKind
from central.db.bulk import insert_rows, update_rows
from central.db.models import Alert, AlertDuty, AlertLedger, Box, BoxEvent, Person
from central.delivery.ledger import DeliveryLedger
from central.duty.resolve import OnDuty
from central.duty.roster import duty_at
from central.fleet.clock import is_doubtful
from central.ingest.events import EventIntake
from central.ingest.parse import Refused, Understood, alert_of
from central.ledger.book import append
from central.ledger.chain import Entry
from central.points.book import TRIED_WORDS, tried_among
from central.points.states import mode_of
from protocol.messages import AlertCurve, AlertLevel, AlertMode, ResultMessage
from protocol.topics import Leaf

#: An alert that comes by so much later than it was received: the database was away meanwhile.
LATE_S = 60.0


@dataclass(slots=True)
class AlertIntake:
    """Takes a batch's alert messages inside the caller's transaction.

    The caller holds the boxes' lock, and ``ledger`` has looked at the batch. ``changes`` are the
    feed's; trial alerts are only logged, so they are not among them. ``fresh`` are the events not
    seen before, ``repeated`` those that were. Events that are results of commands are stored as the
    others are, and left in ``results`` for who knows commands.
    """

    session: Session
    boxes: Mapping[str, Box]
    now: datetime
    deadlines: Deadlines
    ledger: DeliveryLedger
    changes: list[tuple[FeedKind, str]] = field(default_factory=list)
    fresh: Sequence[Understood] = ()
    repeated: Sequence[Understood] = ()
    results: list[Understood] = field(default_factory=list)
    _begun: list[Alert] = field(default_factory=list)
    _changed: list[Alert] = field(default_factory=list)
    _entries: list[Entry] = field(default_factory=list)
    _frozen: list[dict[str, Any]] = field(default_factory=list)
    _duty: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _programme: Programme = field(default_factory=Programme)
    _tried: frozenset[str] = frozenset()

    def take(self, items: Sequence[Understood]) -> list[Refused]:
        """Store the events and fold the new ones into their alerts; return the refused ones."""
        events = EventIntake(self.session, self.ledger)
        events.take(items)
        self.fresh, self.repeated, refused = events.fresh, events.repeated, events.refused
        by_alert: defaultdict[UUID, list[Understood]] = defaultdict(list)
        for item in self.fresh:
            if isinstance(item.message, ResultMessage):
                self.results.append(item)
            elif not self._came_before(item):
                by_alert[alert_of(item).data.alert_id].append(item)
        known = {
            alert.id: alert
            for alert in self.session.scalars(
                select(Alert)
                .where(Alert.id.in_(by_alert))
                .order_by(Alert.id)
                .options(undefer(Alert.curve))
                .with_for_update()
            )
        }
        unknown = by_alert.keys() - known.keys()
        begun = [event for alert_id in unknown for event in by_alert[alert_id]]
        self._programme = self._programme_of(begun)
        self._tried = tried_among(self.session, {_camera_uid(event) for event in begun})
        for alert_id, told in by_alert.items():
            row = known.get(alert_id)
            owner = row.box_id if row else told[0].topic.box_id
            strangers = [event for event in told if event.topic.box_id != owner]
            refused += [_refuse(event, "alert_id: is another box's") for event in strangers]
            own = [event for event in told if event.topic.box_id == owner]
            if own:
                self._fold(row, own)
        update_rows(self.session, Alert, self._changed)
        if self._entries:
            self.session.flush()
            insert_rows(self.session, Alert, self._begun)
            insert_rows(self.session, AlertDuty, self._frozen)
            append(self.session, AlertLedger, self._entries)
        return refused

    def _came_before(self, item: Understood) -> bool:
        """Return whether an event came from an outbox that ended before its receipt was heard."""
        message = alert_of(item)
        if message.formeroutbox is None:
            return False
        found = self.session.scalars(
            select(BoxEvent.event_id).where(
                BoxEvent.box_id == item.topic.box_id,
                BoxEvent.outbox_id == message.formeroutbox,
                BoxEvent.sequence == message.formersequence,
            )
        ).one_or_none()
        return found == message.id

    def _fold(self, row: Alert | None, events: Sequence[Understood]) -> None:
        before = _facts(row) if row else None
        facts = before
        for event in events:
            message = alert_of(event)
            facts = fold(facts, facts_of(message, clock_doubtful=self._is_doubtful(event)))
        assert facts is not None
        if facts == before:
            return  # older than what is known
        is_late = all(self._is_late(event) for event in events)
        if row is None:
            first = events[0]
            row = self._begin(
                alert_of(first).data.alert_id, first.topic.box_id, facts, late=is_late
            )
        else:
            if row.late and not is_late and facts.ended_at is None:
                self._call_after_all(row, facts.level)
            self._go_on(row, facts)
            self._changed.append(row)
        if facts.ended_at and not (before and before.ended_at):
            self._write(row, "ended")
        if row.mode is not AlertMode.TRIAL:
            self.changes.append((FeedKind.ALERT, str(row.id)))

    def _is_doubtful(self, event: Understood) -> bool:
        """Return whether the box's clock was not to be relied on (protocol I17)."""
        data = alert_of(event).data
        measured_ms = self.boxes[event.topic.box_id].clock_offset_ms
        is_late = self._is_late(event)
        return is_doubtful(data.clock, measured_ms, data.started_at, is_late=is_late)

    def _is_late(self, event: Understood) -> bool:
        """Return whether an event is no news: its box says so, or it has waited here."""
        waited_s = (self.now - event.received.received_at).total_seconds()
        return event.topic.leaf is Leaf.HISTORICAL or waited_s > LATE_S

    def _call_after_all(self, row: Alert, level: AlertLevel) -> None:
        """Let an alert that began while the line was down call people: it goes on now."""
        row.late = False
        if row.state in UNDECIDED:
            row.sign_by = self.deadlines.sign_by(level, self.now)
            row.verify_by = self.deadlines.verify_by(level, self.now)

    def _begin(self, alert_id: UUID, box_id: str, facts: BoxFacts, *, late: bool) -> Alert:
        row = Alert(
            id=alert_id,
            box_id=box_id,
            received_at=self.now,
            late=late,
            in_trial=f"{box_id}.{facts.camera_id}" in self._tried,
            state=AlertState.NEW,
            sign_by=self.deadlines.sign_by(facts.level, self.now),
            verify_by=self.deadlines.verify_by(facts.level, self.now),
            note="",
        )
        self._put(row, facts)
        self._begun.append(row)
        self._frozen += [
            {"alert_id": alert_id, **person}
            for person in self._on_duty(self.boxes[box_id].region_code)
        ]
        tried = TRIED_WORDS if row.mode is not facts.mode else ""
        self._write(row, "raised", to_state=AlertState.NEW, note=tried)
        self._entries += self._effect().at_first(row, self._programme)
        return row

    def _go_on(self, row: Alert, facts: BoxFacts) -> None:
        if facts.level is not row.level:
            self._write(row, "level", note=f"{row.level} > {facts.level}")
            if RANK[facts.level] > RANK[row.level] and row.state in UNDECIDED:
                row.sign_by = min(row.sign_by, self.deadlines.sign_by(facts.level, self.now))
                row.verify_by = min(row.verify_by, self.deadlines.verify_by(facts.level, self.now))
        self._put(row, facts)
        self._entries += self._effect().again(row)

    def _programme_of(self, events: Sequence[Understood]) -> Programme:
        """Return the planned events that the alerts of these may belong to; once a batch."""
        if not events:
            return Programme()
        told = [alert_of(event).data for event in events]
        places = {data.grid_code for data in told}
        places |= {_camera_uid(event) for event in events}
        times = [data.started_at for data in told]
        return Programme.read(self.session, places, min(times), max(times))

    def _effect(self) -> Effect:
        """Return what planned events do to an alert (incident I9, incident I10)."""
        return Effect(self.session, self.now, self.deadlines)

    def _put(self, row: Alert, facts: BoxFacts) -> None:
        row.box_at, row.outbox_id, row.sequence = facts.at, facts.outbox_id, facts.sequence
        row.clock_doubtful = facts.clock_doubtful
        row.kind, row.level = facts.kind, facts.level
        row.mode = mode_of(facts.mode, in_trial=row.in_trial)
        row.camera_uid = f"{row.box_id}.{facts.camera_id}"
        row.camera_name, row.grid_code = facts.camera_name, facts.grid_code
        row.rule_id, row.region_id = facts.rule_id, facts.region_id
        row.started_at, row.ended_at = facts.started_at, facts.ended_at
        row.count, row.threshold, row.peak = facts.count, facts.threshold, facts.peak
        row.confidence = facts.confidence
        row.curve = None if facts.curve is None else facts.curve.model_dump(mode="json")
        row.updated_at = self.now

    def _write(
        self, row: Alert, action: str, to_state: AlertState | None = None, note: str = ""
    ) -> None:
        self._entries.append(Entry(str(row.id), self.now, action, to_state=to_state, note=note))

    def _on_duty(self, region_code: str) -> list[dict[str, Any]]:
        """Return who is on duty now, as values of rows; once a batch and region."""
        if region_code not in self._duty:
            has_it = duty_at(self.session, region_code, self.now)
            people: Sequence[OnDuty] = has_it.shift.people if has_it else ()
            names = {
                person.id: person
                for person in self.session.scalars(
                    select(Person).where(Person.id.in_([one.person_id for one in people]))
                )
            }
            self._duty[region_code] = [
                {
                    "person_id": one.person_id,
                    "post": one.post,
                    "name": names[one.person_id].name,
                    "phone": names[one.person_id].phone,
                }
                for one in people
            ]
        return self._duty[region_code]


def _camera_uid(event: Understood) -> str:
    return f"{event.topic.box_id}.{alert_of(event).data.camera_id}"


def _refuse(item: Understood, reason: str) -> Refused:
    return Refused(item.received, item.topic, reason, item.place)


def _facts(row: Alert) -> BoxFacts:
    return BoxFacts(
        at=row.box_at,
        outbox_id=row.outbox_id,
        sequence=row.sequence,
        clock_doubtful=row.clock_doubtful,
        kind=row.kind,
        level=row.level,
        mode=row.mode,
        camera_id=row.camera_uid.partition(".")[2],
        camera_name=row.camera_name,
        grid_code=row.grid_code,
        rule_id=row.rule_id,
        region_id=row.region_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        count=row.count,
        threshold=row.threshold,
        peak=row.peak,
        confidence=row.confidence,
        curve=None if row.curve is None else AlertCurve.model_validate(row.curve),
    )
