"""What a planned event (报备活动) makes of an alert (domain 4.3). Pure.

A gathering that begins on the event's cameras while it is on is *known*: shown and logged, without
ringing and without a deadline. It leaves the event, and calls people as any other,

* EXCEEDED: once more came than 1.2 times the expected and no fewer than the rule's threshold, or
  once the level is extra-urgent at twice its threshold, whatever was expected;
* OVER: once it goes on past the event's end and grace.

Judged by the peak and the level, which never fall, so the order in which a box's events come
changes nothing. No other kind of alert is touched by any event, and no drill.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from central.activities.plan import Occurrence
from central.codes import Leaving
from protocol.messages import AlertKind, AlertLevel, AlertMode


@dataclass(frozen=True, slots=True)
class Crowd:
    """What is known of a gathering; ``seen_until`` is when it ended or was last known to go on."""

    level: AlertLevel
    peak: int
    threshold: int
    seen_until: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An event that may be what an alert is about."""

    activity_id: UUID
    expected: int
    occurrence: Occurrence


def concerns(kind: AlertKind, mode: AlertMode) -> bool:
    """Return whether an event can make such an alert known."""
    return kind is AlertKind.GATHERING and mode is not AlertMode.DRILL


def judge(crowd: Crowd, offer: Offer) -> Leaving | None:
    """Return why the gathering is not the event's, or None: it is, and is known."""
    if crowd.seen_until >= offer.occurrence.excused_until:
        return Leaving.OVER
    # expected x 1.2 in whole numbers: 6 people where 5 were expected are not too many
    too_many = 5 * crowd.peak > 6 * offer.expected and crowd.peak >= crowd.threshold
    red = crowd.level is AlertLevel.EXTRA_URGENT and crowd.peak >= 2 * crowd.threshold
    return Leaving.EXCEEDED if too_many or red else None


def choose(crowd: Crowd, offers: Iterable[Offer]) -> Offer | None:
    """Return the event to judge a gathering by: one that makes it known, else the largest."""
    return max(
        offers,
        key=lambda offer: (
            judge(crowd, offer) is None,
            offer.expected,
            offer.occurrence.excused_until,
            offer.activity_id.int,
        ),
        default=None,
    )


def calls_again(now: Leaving | None, before: Leaving | None) -> bool:
    """Return whether a known alert is to ring: once for each reason, and never after OVER."""
    return now is not None and now is not before and before is not Leaving.OVER
