"""What planned events do to alerts, in the database; the rule itself is in ``rule``."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.activities.book import Programme, is_there, offer_during, offers_at
from central.activities.plan import GRACE
from central.activities.rule import Crowd, Offer, calls_again, choose, concerns, judge
from central.activities.words import tag_of
from central.alerts.states import Deadlines
from central.codes import AlertState, FeedKind, Leaving
from central.db.engine import Database
from central.db.models import Activity, Alert, AlertLedger
from central.errors import ConflictError, InvalidError, NotFoundError
from central.ledger.book import append
from central.ledger.chain import Entry
from central.wall.feed import publish
from protocol.clock import Clock
from protocol.messages import AlertMode


@dataclass(frozen=True, slots=True)
class _Step:
    """What becomes of a known alert: it rings because of ``left``, or is another event's."""

    left: Leaving | None
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Effect:
    """Judges alerts inside the caller's transaction, which has them locked.

    What it returns goes into the ledger; the feed is the caller's too.
    """

    session: Session
    now: datetime
    deadlines: Deadlines

    def at_first(self, alert: Alert, programme: Programme) -> list[Entry]:
        """Make a new alert known where an event of the programme is on, by when the alert began.

        One that exceeds its event stays NEW, and bears the event and why.
        """
        if not programme.activities:
            return []
        if alert.state is not AlertState.NEW or not concerns(alert.kind, alert.mode):
            return []
        crowd = self._crowd(alert)
        there = (alert.camera_uid, alert.grid_code)
        offer = choose(crowd, programme.offers_at(*there, [alert.started_at]))
        if offer is None:
            return []
        alert.activity_id, alert.activity_left = offer.activity_id, judge(crowd, offer)
        if alert.activity_left is not None:
            alert.activity_left_at = self.now
            return [self._entry(alert, alert.activity_left, AlertState.NEW, offer)]
        alert.state = AlertState.KNOWN
        return [self._entry(alert, "activity", AlertState.NEW, offer)]

    def again(self, alert: Alert) -> list[Entry]:
        """Judge an alert that an event made known; it rings where it has left the event.

        Where another event has taken the place of its own, it becomes that one's.
        """
        step = self._step(alert)
        if step is None:
            return []
        alert.updated_at = self.now
        if step.left is None:
            assert step.offer is not None
            alert.activity_id, alert.activity_left = step.offer.activity_id, None
            alert.activity_left_at = None
            return [self._entry(alert, "activity", AlertState.KNOWN, step.offer)]
        alert.activity_left, alert.activity_left_at = step.left, self.now
        alert.state = AlertState.NEW
        alert.acked_by = alert.acked_at = alert.verified_by = alert.verified_at = None
        # Nobody could act on it before now.
        alert.sign_by = self.deadlines.sign_by(alert.level, self.now)
        alert.verify_by = self.deadlines.verify_by(alert.level, self.now)
        return [self._entry(alert, step.left, AlertState.KNOWN, step.offer)]

    def is_due(self, alert: Alert) -> bool:
        """Return whether ``again`` would change the alert; changes nothing."""
        return self._step(alert) is not None

    def link(self, alert: Alert, activity_id: UUID) -> str:
        """Put an alert to an event because a person says so; return the event's tag.

        What the person saw of it (too many, over already) does not ring again. Raises
        NotFoundError, ConflictError where the event has no effect, and InvalidError where it is
        of another place, time or kind.
        """
        activity = self.session.get(Activity, activity_id)
        if activity is None:
            raise NotFoundError(f"there is no activity {activity_id}")
        if not concerns(alert.kind, alert.mode):
            raise InvalidError("activity_id: only a gathering can be an activity")
        if not is_there(self.session, activity_id, alert.camera_uid, alert.grid_code):
            raise InvalidError("activity_id: the activity is not at this camera")
        if activity.approved_at is None:
            raise ConflictError("nobody has approved the activity yet")
        crowd = self._crowd(alert)
        offer = offer_during(activity, alert.started_at, crowd.seen_until)
        if offer is None:
            raise InvalidError("activity_id: the activity is at another time")
        alert.activity_id, alert.activity_left = activity_id, judge(crowd, offer)
        alert.activity_left_at = None if alert.activity_left is None else self.now
        return tag_of(activity, offer.occurrence)

    def _step(self, alert: Alert) -> _Step | None:
        """Return what is to become of a known alert; None where it stays as it is."""
        if alert.state is not AlertState.KNOWN or alert.activity_id is None:
            return None
        crowd = self._crowd(alert)
        own = self._own(alert, crowd)
        left = Leaving.OVER if own is None else judge(crowd, own)
        if not calls_again(left, alert.activity_left):
            return None
        other = choose(crowd, self._offers(alert, alert.started_at, crowd.seen_until))
        if other is not None and judge(crowd, other) is None:
            return _Step(None, other)
        return _Step(left, own)

    def _crowd(self, alert: Alert) -> Crowd:
        """Return what is known of the crowd.

        Until its end comes, a late alert goes on as far as its box has said: its END may be on
        the way. After half an hour it goes on now, as any other.
        """
        waits = alert.late and self.now < alert.received_at + GRACE
        seen_until = alert.ended_at or (alert.box_at if waits else self.now)
        return Crowd(alert.level, alert.peak, alert.threshold, seen_until)

    def _offers(self, alert: Alert, *moments: datetime) -> list[Offer]:
        return offers_at(self.session, alert.camera_uid, alert.grid_code, moments)

    def _own(self, alert: Alert, crowd: Crowd) -> Offer | None:
        """Return the alert's event as it is now; None where it has no effect there any more."""
        activity = self.session.get_one(Activity, alert.activity_id)
        if not is_there(self.session, activity.id, alert.camera_uid, alert.grid_code):
            return None
        return offer_during(activity, alert.started_at, crowd.seen_until)

    def _entry(self, alert: Alert, action: str, before: AlertState, offer: Offer | None) -> Entry:
        activity = self.session.get_one(Activity, alert.activity_id)
        words = activity.title if offer is None else tag_of(activity, offer.occurrence)
        if action == Leaving.EXCEEDED:
            words = f"{words},现场约{alert.peak}人"
        return Entry(
            str(alert.id),
            self.now,
            action,
            from_state=before,
            to_state=alert.state,
            note=words,
        )


class EffectWatch:
    """Looks after known alerts by time: of an event that is over, cancelled or changed.

    Several replicas may look: each alert is judged again under its lock.
    """

    def __init__(self, database: Database, clock: Clock, deadlines: Deadlines) -> None:
        self._database = database
        self._clock = clock
        self._deadlines = deadlines

    def look(self) -> int:
        """Judge every open known alert; return how many changed. Raises StoreUnavailableError."""
        now = self._clock.now()
        with self._database.read() as session:
            effect = Effect(session, now, self._deadlines)
            due = [alert.id for alert in session.scalars(_OPEN).all() if effect.is_due(alert)]
        if not due:
            return 0
        with self._database.write() as session:
            effect = Effect(session, now, self._deadlines)
            alerts = session.scalars(
                _OPEN.where(Alert.id.in_(due)).order_by(Alert.id).with_for_update()
            ).all()
            entries: list[Entry] = []
            changes: list[tuple[FeedKind, str]] = []
            with session.no_autoflush:  # the state and why are one change
                for alert in alerts:
                    if made := effect.again(alert):
                        entries += made
                        if alert.mode is not AlertMode.TRIAL:
                            changes.append((FeedKind.ALERT, str(alert.id)))
            append(session, AlertLedger, entries)
            publish(session, now, changes)
        return len(entries)


_OPEN = select(Alert).where(
    Alert.state == AlertState.KNOWN, Alert.activity_id.is_not(None), Alert.ended_at.is_(None)
)
