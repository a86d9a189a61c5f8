"""Rules that were disarmed for a time raise no new alert (protocol I23)."""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edge.alerts.standing import Key, key_of
from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.ports import AlertDesk, Occurrence, OpenAlert
from protocol.clock import Clock
from protocol.messages import AlertKind, AlertOp

#: What rules find in pictures. A camera that is lost, covered or moved is told of all the same:
#: disarming a rule must not hide that.
DISARMABLE = frozenset({AlertKind.GATHERING, AlertKind.FLAME, AlertKind.SMOKE})

#: What is to begin by so much later than now began before the box's clock was set back.
_AHEAD = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Disarmed:
    """A camera's rule, or all of its rules where ``rule_id`` is empty, from then until then."""

    camera_id: str
    rule_id: str
    since: datetime
    until: datetime

    def covers(self, camera_id: str, rule_id: str, now: datetime) -> bool:
        """Say whether that rule is disarmed by this; a clock that was set back arms it again."""
        is_on = self.since <= now + _AHEAD and now < self.until
        return is_on and camera_id == self.camera_id and self.rule_id in ("", rule_id)


def disarm(connection: sqlite3.Connection, order: Disarmed) -> None:
    """Write down that a rule is disarmed, in the caller's transaction; an older word is replaced.

    What is over is forgotten.
    """
    connection.execute("delete from disarmed where until_us <= ?", (to_us(order.since),))
    connection.execute(
        """
        insert or replace into disarmed (camera_id, rule_id, since_us, until_us)
        values (:camera_id, :rule_id, :since_us, :until_us)
        """,
        {
            "camera_id": order.camera_id,
            "rule_id": order.rule_id,
            "since_us": to_us(order.since),
            "until_us": to_us(order.until),
        },
    )


def arm(connection: sqlite3.Connection, camera_id: str, rule_id: str) -> int:
    """Arm a rule again, in the caller's transaction; return whether it was disarmed.

    An empty ``rule_id`` arms all of the camera's.
    """
    return connection.execute(
        "delete from disarmed where camera_id = :camera_id and :rule_id in ('', rule_id)",
        {"camera_id": camera_id, "rule_id": rule_id},
    ).rowcount


class ArmedDesk:
    """An AlertDesk that passes on what armed rules report.

    Of a disarmed rule no alert begins; one that was open goes on and ends as ever. What began
    meanwhile and still goes on begins for ``desk`` when the rule is armed again
    (:meth:`release`). Any thread may call any method.
    """

    def __init__(self, desk: AlertDesk, database: Database, clock: Clock) -> None:
        self._desk = desk
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._disarmed: tuple[Disarmed, ...] | None = None
        self._muted: dict[Key, Occurrence] = {}

    def report(self, occurrence: Occurrence) -> None:
        """Pass an occurrence on, unless its rule is disarmed; see the port."""
        if not self._is_muted(occurrence):
            self._desk.report(occurrence)

    def open_alerts(self) -> Sequence[OpenAlert]:
        """Return what is open; see the port."""
        return self._desk.open_alerts()

    def changed(self) -> None:
        """Read again what is disarmed, before the next report."""
        with self._lock:
            self._disarmed = None

    def release(self) -> int:
        """Begin the alerts of rules that are armed again; return how many. Raises StorageError."""
        now = self._clock.now()
        # Within the lock: an END that came between the two would leave the alert open for ever.
        with self._lock:
            armed = [each for each in self._muted.values() if not self._is_off(each, now)]
            for each in armed:
                self._desk.report(replace(each, op=AlertOp.START, at=now))
                del self._muted[key_of(each)]
        return len(armed)

    def _is_muted(self, occurrence: Occurrence) -> bool:
        """Keep an occurrence back where its alert may not begin, and return whether it is."""
        if occurrence.kind not in DISARMABLE:
            return False
        key = key_of(occurrence)
        with self._lock:
            if key not in self._muted and not self._may_not_begin(occurrence):
                return False
            if occurrence.op is AlertOp.END:
                del self._muted[key]
            else:
                self._muted[key] = occurrence
            return True

    def _may_not_begin(self, occurrence: Occurrence) -> bool:
        """Say whether this is the beginning of an alert whose rule is disarmed.

        Of one that is open a START is an update.
        """
        if occurrence.op is not AlertOp.START or not self._is_off(occurrence, self._clock.now()):
            return False
        return key_of(occurrence) not in {
            (each.camera_id, each.rule_id, each.region_id) for each in self._desk.open_alerts()
        }

    def _is_off(self, occurrence: Occurrence, now: datetime) -> bool:
        if self._disarmed is None:
            self._disarmed = _read(self._database)
        rule = occurrence.camera_id, occurrence.rule_id
        return any(each.covers(*rule, now) for each in self._disarmed)


def _read(database: Database) -> tuple[Disarmed, ...]:
    with database.reading() as connection:
        rows = connection.execute("select * from disarmed order by camera_id, rule_id").fetchall()
    return tuple(
        Disarmed(
            row["camera_id"], row["rule_id"], from_us(row["since_us"]), from_us(row["until_us"])
        )
        for row in rows
    )
