"""Taking alerts in: each event once, each alert one row, whatever order they come in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from central.activities.effect import Effect
from central.alerts.fold import BoxFacts, facts_of, fold
from central.alerts.states import UNDECIDED, Deadlines
from central.codes import RANK, AlertState, FeedKind
from central.db.models import Alert, AlertDuty, AlertLedger, Box, BoxEvent, Person
from central.db.upsert import insert_into
from central.duty.resolve import OnDuty
from central.duty.roster import duty_at
from central.ingest.parse import Refused, Understood
from central.ledger.book import append
from central.ledger.chain import Entry
from protocol.messages import (
    AlertCurve,
    AlertLevel,
    AlertMessage,
    AlertMode,
    OutboxMessage,
    ResultMessage,
)
from protocol.topics import Leaf

#: An alert that comes by so much later than it was received: the database was away meanwhile.
LATE_S = 60.0

#: Rows a statement: far below SQLite's limit on variables.
_ROWS = 500


@dataclass(slots=True)
class AlertIntake:
    """Takes a batch's alert messages inside the caller's transaction.

    ``changes`` are the feed's; trial alerts are only logged, so they are not among them.
    ``fresh`` are the events not seen before, ``repeated`` those that were. Events that are results
    of commands are stored as the others are, and left in ``results`` for who knows commands.
    """

    session: Session
    boxes: Mapping[str, Box]
    now: datetime
    deadlines: Deadlines
    changes: list[tuple[FeedKind, str]] = field(default_factory=list)
    fresh: list[Understood] = field(default_factory=list)
    repeated: list[Understood] = field(default_factory=list)
    results: list[Understood] = field(default_factory=list)
    _entries: list[Entry] = field(default_factory=list)
    _frozen: list[AlertDuty] = field(default_factory=list)
    _duty: dict[str, Sequence[AlertDuty]] = field(default_factory=dict)

    def take(self, items: Sequence[Understood]) -> list[Refused]:
        """Store the events and fold the new ones into their alerts; return the refused ones."""
        refused: list[Refused] = []
        by_alert: defaultdict[UUID, list[Understood]] = defaultdict(list)
        for item in self._unseen(items, refused):
            if isinstance(item.message, ResultMessage):
                self.results.append(item)
                continue
            by_alert[_alert(item).data.alert_id].append(item)
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
        for alert_id, events in by_alert.items():
            row = known.get(alert_id)
            owner = row.box_id if row else events[0].topic.box_id
            strangers = [event for event in events if event.topic.box_id != owner]
            refused += [_refuse(event, "alert_id: is another box's") for event in strangers]
            own = [event for event in events if event.topic.box_id == owner]
            if own:
                self._fold(row, own)
        if self._entries:
            self.session.flush()  # an alert goes before who was on duty for it
            self.session.add_all(self._frozen)
            append(self.session, AlertLedger, self._entries)
        return refused

    def _unseen(self, items: Sequence[Understood], refused: list[Refused]) -> list[Understood]:
        """Store the events; return those that were not there, in order."""
        fresh: list[Understood] = []
        for first in range(0, len(items), _ROWS):
            part = items[first : first + _ROWS]
            stored = self._insert(part)
            for item in part:
                message = _event(item)
                key = (item.topic.box_id, message.outboxid, message.sequence)
                if stored.get(key) == message.id:
                    fresh.append(item)
                    del stored[key]  # the same message again in this batch is a duplicate
                elif self._is_reused(key, item):
                    reason = "sequence: used by another event before: is there a second such box?"
                    refused.append(_refuse(item, reason, is_doubled=True))
                else:
                    self.repeated.append(item)
        self.fresh += fresh
        return fresh

    def _insert(self, part: Sequence[Understood]) -> dict[tuple[str, UUID, int], UUID]:
        if not part:
            return {}
        rows = [
            {
                "box_id": item.topic.box_id,
                "outbox_id": _event(item).outboxid,
                "sequence": _event(item).sequence,
                "event_id": item.message.id,
                "payload": item.message.model_dump(mode="json", exclude_none=True),
                "digest": sha256(item.received.payload).hexdigest(),
                "prevhash": _event(item).prevhash,
                "received_at": item.received.received_at,
            }
            for item in part
        ]
        statement = (
            insert_into(self.session, BoxEvent)
            .values(rows)
            .on_conflict_do_nothing(
                index_elements=[BoxEvent.box_id, BoxEvent.outbox_id, BoxEvent.sequence]
            )
            .returning(BoxEvent.box_id, BoxEvent.outbox_id, BoxEvent.sequence, BoxEvent.event_id)
        )
        return {
            (box_id, outbox_id, sequence): event_id
            for box_id, outbox_id, sequence, event_id in self.session.execute(statement)
        }

    def _is_reused(self, key: tuple[str, UUID, int], item: Understood) -> bool:
        """Return whether other bytes have that place: a box sends what it stored (protocol I9)."""
        box_id, outbox_id, sequence = key
        stored = self.session.scalars(
            select(BoxEvent.digest).where(
                BoxEvent.box_id == box_id,
                BoxEvent.outbox_id == outbox_id,
                BoxEvent.sequence == sequence,
            )
        ).one()
        return stored != sha256(item.received.payload).hexdigest()

    def _fold(self, row: Alert | None, events: Sequence[Understood]) -> None:
        before = _facts(row) if row else None
        facts = before
        for event in events:
            message = _alert(event)
            facts = fold(facts, facts_of(message.data, message.sequence))
        assert facts is not None
        if facts == before:
            return  # older than what is known
        is_late = all(self._is_late(event) for event in events)
        if row is None:
            first = events[0]
            row = self._begin(_alert(first).data.alert_id, first.topic.box_id, facts, late=is_late)
        else:
            if row.late and not is_late and facts.ended_at is None:
                self._call_after_all(row, facts.level)
            self._go_on(row, facts)
        if facts.ended_at and not (before and before.ended_at):
            self._write(row, "ended")
        if facts.mode is not AlertMode.TRIAL:
            self.changes.append((FeedKind.ALERT, str(row.id)))

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
            state=AlertState.NEW,
            sign_by=self.deadlines.sign_by(facts.level, self.now),
            verify_by=self.deadlines.verify_by(facts.level, self.now),
            note="",
        )
        self._put(row, facts)
        self.session.add(row)
        for duty in self._on_duty(self.boxes[box_id].region_code):
            self._frozen.append(
                AlertDuty(
                    alert_id=alert_id,
                    person_id=duty.person_id,
                    post=duty.post,
                    name=duty.name,
                    phone=duty.phone,
                )
            )
        self._write(row, "raised", to_state=AlertState.NEW)
        self._entries += self._effect().at_first(row)
        return row

    def _go_on(self, row: Alert, facts: BoxFacts) -> None:
        if facts.level is not row.level:
            self._write(row, "level", note=f"{row.level} > {facts.level}")
            if RANK[facts.level] > RANK[row.level] and row.state in UNDECIDED:
                row.sign_by = min(row.sign_by, self.deadlines.sign_by(facts.level, self.now))
                row.verify_by = min(row.verify_by, self.deadlines.verify_by(facts.level, self.now))
        self._put(row, facts)
        self._entries += self._effect().again(row)

    def _effect(self) -> Effect:
        """Return what planned events do to an alert (incident I9, incident I10)."""
        return Effect(self.session, self.now, self.deadlines)

    def _put(self, row: Alert, facts: BoxFacts) -> None:
        row.box_at, row.sequence = facts.at, facts.sequence
        row.kind, row.level, row.mode = facts.kind, facts.level, facts.mode
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

    def _on_duty(self, region_code: str) -> Sequence[AlertDuty]:
        """Return who is on duty now, as templates to copy; once a batch and region."""
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
                AlertDuty(
                    person_id=one.person_id,
                    post=one.post,
                    name=names[one.person_id].name,
                    phone=names[one.person_id].phone,
                )
                for one in people
            ]
        return self._duty[region_code]


def _event(item: Understood) -> OutboxMessage:
    assert isinstance(item.message, OutboxMessage)
    return item.message


def _alert(item: Understood) -> AlertMessage:
    assert isinstance(item.message, AlertMessage)
    return item.message


def _refuse(item: Understood, reason: str, *, is_doubled: bool = False) -> Refused:
    return Refused(item.received, item.topic, reason, item.place, is_doubled)


def _facts(row: Alert) -> BoxFacts:
    return BoxFacts(
        at=row.box_at,
        sequence=row.sequence,
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
