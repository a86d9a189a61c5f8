"""Where rules report: alerts, and what must become of them."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from edge.alarm.fire_rule import FIRE_KINDS, alert_regions
from edge.alarm.picture import PICTURE_KINDS
from edge.alarm.watched import judged, watched
from edge.alerts.event import EventWriter, Happening
from edge.alerts.ledger import (
    ask_evidence,
    insert_alert,
    mark_told,
    standing_alerts,
    untold_alerts,
    update_alert,
)
from edge.alerts.standing import Key, Standing, key_of
from edge.bus.limits import Room, takes
from edge.bus.outbox import Outbox
from edge.config import EdgeConfig
from edge.db.database import Database
from edge.ports import Occurrence, OpenAlert
from edge.recording.holds import add_hold, extend_hold
from protocol.clock import Clock
from protocol.ids import uuid7
from protocol.messages import AlertKind, AlertMode, AlertOp, EvidenceKind

log = logging.getLogger(__name__)

#: Kinds that a model found in a picture.
SHOWN_IN_PICTURES = frozenset({AlertKind.GATHERING, *FIRE_KINDS})
#: Kinds that have evidence. Of a lost camera or a full disk there is nothing to see.
_WITH_EVIDENCE = SHOWN_IN_PICTURES | PICTURE_KINDS
#: Kinds of a camera for which no video is kept: a clock that is off for weeks is seen at any time.
_WITHOUT_HOLD = frozenset({AlertKind.CAMERA_CLOCK})

#: How far a long alert's hold may lag behind it while nothing changes. Retention never deletes
#: footage this young (recording I4), so nothing is lost by it.
HOLD_EVERY_NS = 60_000_000_000

_EVIDENCE_MODES = frozenset({AlertMode.LIVE, AlertMode.TRIAL})


class Desk:
    """The AlertDesk over SQLite: each report is one transaction (alert I2).

    Any thread may report; reports are taken one at a time. The open alerts are kept in memory as
    well, so an update that is not worth sending costs no commit; what a crash then costs is at most
    UPDATE_EVERY_NS of counts, never an alert. ``on_commit`` are called in the reporting thread
    after each commit and must return at once.
    """

    def __init__(
        self,
        config: EdgeConfig,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        writer: EventWriter,
        *,
        model_of: Callable[[AlertKind], str | None] = lambda _: None,
        on_commit: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._config = config
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._writer = writer
        self._model_of = model_of
        self._on_commit = tuple(on_commit)
        self._lock = threading.Lock()
        self._standing: dict[Key, Standing] | None = None
        self._held_ns: dict[Key, int] = {}
        self._recorded = frozenset(camera.id for camera in config.cameras)
        self._pre = timedelta(seconds=config.evidence.clip_pre_s)
        self._post = timedelta(seconds=config.evidence.clip_post_s)

    def report(self, occurrence: Occurrence) -> None:
        """Record an occurrence durably and queue it for the centre; see the port."""
        with self._lock:
            standing = self._open().get(key_of(occurrence))
            if standing is None:
                committed = occurrence.op is AlertOp.START and self._begin(occurrence)
            elif occurrence.op is AlertOp.END:
                committed = self._end(standing.after(occurrence), occurrence.at)
            else:
                committed = self._update(standing.after(occurrence), occurrence.at)
        if committed:
            for callback in self._on_commit:
                callback()

    def open_alerts(self) -> Sequence[OpenAlert]:
        """Return what is open, oldest first."""
        with self._lock:
            return [standing.as_open() for standing in self._open().values()]

    def end_orphans(self) -> int:
        """End the open alerts that nothing can end any more; return how many.

        Call it once at start: their camera or rule has left the configuration or was switched off,
        there is no detector any more, or they began before the outbox was begun anew: what is said
        of an alert is ordered by the numbers of one outbox (protocol I6).
        """
        endable, renewed_at = _endable(self._config), self._outbox.renewed_at()
        with self._lock:
            orphans = [
                each
                for each in self._open().values()
                if not endable(each) or (renewed_at is not None and each.started_at < renewed_at)
            ]
            for orphan in orphans:
                log.info("alert.orphan_ended", extra={"alert_id": str(orphan.alert_id)})
                self._end(orphan, self._clock.now())
        if orphans:
            for callback in self._on_commit:
                callback()
        return len(orphans)

    def tell_untold(self, limit: int = 50) -> int:
        """Say how those alerts are now for which the outbox had no room; return how many.

        What is over is told as what it is, old (protocol I10); what goes on is news. Does nothing
        while there is not room for all. Raises StorageError.
        """
        with self._lock, self._database.transaction() as connection:
            if self._outbox.room(connection) is not Room.ALL:
                return 0
            untold = untold_alerts(connection, limit)
            for recorded, ended_at in untold:
                now = self._clock.now()
                if ended_at is None:
                    standing = self._open().get(recorded.key, recorded)
                    self._queue(connection, AlertOp.UPDATE, standing, now)
                else:
                    self._queue(connection, AlertOp.END, recorded, ended_at, is_old=True)
        if untold:
            for callback in self._on_commit:
                callback()
        return len(untold)

    def _open(self) -> dict[Key, Standing]:
        if self._standing is None:
            with self._database.reading() as connection:
                self._standing = {each.key: each for each in standing_alerts(connection)}
        return self._standing

    def _begin(self, occurrence: Occurrence) -> bool:
        now = self._clock.now()
        standing = Standing.begun(occurrence, uuid7(now))
        with self._database.transaction() as connection:
            insert_alert(connection, standing)
            self._queue(connection, AlertOp.START, standing, occurrence.at)
            self._keep_video(connection, standing)
            if standing.kind in _WITH_EVIDENCE and standing.mode in _EVIDENCE_MODES:
                self._ask_evidence(connection, standing, now)
        self._remember(standing)
        log.info("alert.started", extra=_fields(standing))
        return True

    def _update(self, standing: Standing, at: datetime) -> bool:
        if not standing.is_news(self._clock.monotonic_ns()):
            self._open()[standing.key] = standing
            self._hold_on(standing, at)
            return False
        with self._database.transaction() as connection:
            update_alert(connection, standing, None)
            self._queue(connection, AlertOp.UPDATE, standing, at)
            extend_hold(connection, _hold_reason(standing), at + self._post)
        self._remember(standing)
        return True

    def _remember(self, standing: Standing) -> None:
        """Keep in memory that an open alert was sent and held as it is now."""
        now_mono_ns = self._clock.monotonic_ns()
        self._open()[standing.key] = standing.told(now_mono_ns)
        self._held_ns[standing.key] = now_mono_ns

    def _hold_on(self, standing: Standing, at: datetime) -> None:
        """Keep the record and the hold of a long unchanging alert near the present."""
        now_mono_ns = self._clock.monotonic_ns()
        if now_mono_ns - self._held_ns[standing.key] < HOLD_EVERY_NS:
            return
        with self._database.transaction() as connection:
            update_alert(connection, standing, None)
            extend_hold(connection, _hold_reason(standing), at + self._post)
        self._held_ns[standing.key] = now_mono_ns

    def _end(self, standing: Standing, at: datetime) -> bool:
        # A camera's clock that was set back must not make an alert end before it began.
        ended_at = max(at, standing.started_at)
        with self._database.transaction() as connection:
            update_alert(connection, standing, ended_at)
            self._queue(connection, AlertOp.END, standing, ended_at)
            # Of a covered lens only how it came to it is worth keeping, not a week of black.
            if standing.kind not in PICTURE_KINDS:
                extend_hold(connection, _hold_reason(standing), ended_at + self._post)
        del self._open()[standing.key]
        self._held_ns.pop(standing.key, None)
        log.info("alert.ended", extra=_fields(standing))
        return True

    def _queue(
        self,
        connection: sqlite3.Connection,
        op: AlertOp,
        standing: Standing,
        at: datetime,
        *,
        is_old: bool = False,
    ) -> None:
        """Give what happened a place in the outbox, or fold it into the alert's row (alert I11)."""
        is_essential = op is not AlertOp.UPDATE or standing.has_risen
        has_room = takes(self._outbox.room(connection), is_essential=is_essential)
        mark_told(connection, standing.alert_id, told=has_room)
        if not has_room:
            self._outbox.fold(connection)
            return
        happening = Happening(op, standing, at, self._clock.now(), self._model_of(standing.kind))
        self._outbox.append(
            connection,
            lambda place: self._writer.message(happening, place),
            at if is_old else None,
        )

    def _keep_video(self, connection: sqlite3.Connection, standing: Standing) -> None:
        if standing.camera_id not in self._recorded or standing.kind in _WITHOUT_HOLD:
            return
        start = standing.started_at
        until = start + timedelta(days=self._config.recording.alert_retention_days)
        add_hold(
            connection,
            standing.camera_id,
            start - self._pre,
            start + self._post,
            _hold_reason(standing),
            until,
        )

    def _ask_evidence(
        self, connection: sqlite3.Connection, standing: Standing, now: datetime
    ) -> None:
        start = standing.started_at
        ask_evidence(connection, standing.alert_id, EvidenceKind.SNAPSHOT, (start, start), now)
        tail = start + self._post
        ask_evidence(
            connection, standing.alert_id, EvidenceKind.CLIP, (start - self._pre, tail), tail
        )


def _endable(config: EdgeConfig) -> Callable[[Standing], bool]:
    """Return a function that says whether anything is at work that can end an alert."""
    keys = {
        (camera.id, rule.id, region_id)
        for camera in watched(config)
        for rule in camera.rules
        for region_id in alert_regions(rule)
    }
    health = {camera.id for camera in judged(config)}
    pulled = {camera.id for camera in config.cameras if camera.enabled}

    def is_endable(standing: Standing) -> bool:
        if standing.kind in SHOWN_IN_PICTURES:
            return standing.key in keys
        if standing.kind in PICTURE_KINDS:
            return standing.camera_id in health
        if standing.kind in (AlertKind.CAMERA_LOST, AlertKind.CAMERA_CLOCK):
            return standing.camera_id in pulled
        if standing.kind is AlertKind.OUTBOX:
            return config.centre is not None
        return standing.kind is not AlertKind.DETECTOR_DOWN or bool(keys or health)

    return is_endable


def _hold_reason(standing: Standing) -> str:
    return f"alert:{standing.alert_id}"


def _fields(standing: Standing) -> dict[str, str | int]:
    return {
        "alert_id": str(standing.alert_id),
        "camera_id": standing.camera_id,
        "rule_id": standing.rule_id,
        "kind": standing.kind.value,
        "level": standing.level.value,
        "peak": standing.peak,
    }
