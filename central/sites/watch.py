"""What changes by time alone: boxes fall silent, shifts begin, events end, rows grow old."""

import logging
from datetime import timedelta

from sqlalchemy import select

from central.activities.effect import EffectWatch
from central.auth.sessions import SessionDesk
from central.codes import BoxState, FeedKind
from central.db.engine import Database
from central.db.models import Box, Camera
from central.duty.roster import duty_at
from central.ingest import quarantine
from central.periodic import PeriodicWorker
from central.points.filing_desk import FilingDesk
from central.sites.liveness import box_state
from central.wall import feed
from central.wall.feed import publish
from protocol.clock import Clock

log = logging.getLogger(__name__)

_EVERY_S = 5.0
_PRUNE_EVERY_S = 3600.0


class Watch:
    """Looks every 5 s in a thread of its own and puts on the feed what changed.

    Several replicas may watch: each box's change is written once, a shift's once a replica.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sessions: SessionDesk,
        known: EffectWatch,
        filing: FilingDesk,
        region_code: str,
        keep_feed: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._known = known
        self._filing = filing
        self._region_code = region_code
        self._keep_feed = keep_feed
        self._worker = PeriodicWorker("watch", _EVERY_S, self.look)
        self._shift: tuple[int, bool] | None = None
        self._knows_shift = False
        self._pruned_ns: int | None = None

    def start(self) -> None:
        """Begin to look."""
        self._worker.start()

    def close(self) -> None:
        """Stop and wait; may be called again."""
        self._worker.close()

    def look(self) -> None:
        """Look once. Raises StoreUnavailableError."""
        self._boxes()
        self._duty()
        self._known.look()
        now_ns = self._clock.monotonic_ns()
        if self._pruned_ns is None or now_ns - self._pruned_ns >= _PRUNE_EVERY_S * 1e9:
            self._pruned_ns = now_ns
            self._prune()
            self._filing.look()

    def _boxes(self) -> None:
        now = self._clock.now()
        with self._database.read() as session:
            changed = [
                box.id
                for box in session.scalars(select(Box))
                if box_state(box.last_seen_at, now, online=box.online) is not box.state
            ]
        if not changed:
            return
        with self._database.write() as session:
            boxes = session.scalars(
                select(Box).where(Box.id.in_(changed)).order_by(Box.id).with_for_update()
            ).all()
            changes: list[tuple[FeedKind, str]] = []
            for box in boxes:
                before = box.state
                box.state = box_state(box.last_seen_at, now, online=box.online)
                if box.state is before:
                    continue  # it spoke meanwhile
                log.info("box.state", extra={"box": box.id, "state": box.state})
                changes.append((FeedKind.BOX, box.id))
                if BoxState.LOST in (before, box.state):
                    uids = session.scalars(
                        select(Camera.uid).where(Camera.box_id == box.id, Camera.present)
                    )
                    changes += [(FeedKind.CAMERA, uid) for uid in uids]
            publish(session, now, changes)

    def _duty(self) -> None:
        now = self._clock.now()
        with self._database.read() as session:
            has_it = duty_at(session, self._region_code, now)
        shift = (has_it.shift.id, has_it.held_over) if has_it else None
        if self._knows_shift and shift != self._shift:
            with self._database.write() as session:
                publish(session, now, [(FeedKind.DUTY, self._region_code)])
        self._shift, self._knows_shift = shift, True

    def _prune(self) -> None:
        self._sessions.prune()
        with self._database.write() as session:
            gone = feed.prune(session, self._clock.now() - self._keep_feed)
        log.info("feed.pruned", extra={"rows": gone})
        with self._database.write() as session:
            gone = quarantine.prune(session, self._clock.now())
        log.info("quarantine.pruned", extra={"rows": gone})
