"""What a person may have kept, and for how long (recording I17). Pure.

The law wants footage deleted when its purpose is achieved (domain 6, Regulation 799 art. 17), so
whoever holds some back says why, until when, and when somebody looks again whether it is needed.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from edge.errors import RefusedError

#: Three years, leap days included.
MAX_KEPT = timedelta(days=3 * 365 + 1)
#: Half a year without anybody looking is too long.
MAX_REVIEW = timedelta(days=180)
#: A stretch of recording that one hold keeps; longer ones are several decisions.
MAX_STRETCH = timedelta(days=7)
MAX_REASON_CHARS = 500
#: No clock of a box shows a time before or after these, however wrong it is.
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
#: What an alert's own holds are called by.
ALERT_PREFIX = "alert:"


class Refusal(StrEnum):
    """Why a person can't have a hold as they want it."""

    REASON = "reason"
    STRETCH = "stretch"
    UNTIL = "until"
    REVIEW = "review"
    SHORTER = "shorter"
    NO_CHANGE = "no_change"
    NOTHING_RECORDED = "nothing_recorded"
    TOO_MANY = "too_many"
    ALERT_HOLD = "alert_hold"


class Act(StrEnum):
    """What was done to a hold."""

    PLACED = "placed"
    CHANGED = "changed"
    RELEASED = "released"
    ENDED = "ended"  # its time was over


@dataclass(frozen=True, slots=True)
class Terms:
    """How long footage is held, and on which day (of the box's zone) that is to be reviewed."""

    until: datetime
    review_on: date


@dataclass(frozen=True, slots=True)
class Placing:
    """A hold as a person wants it."""

    camera_id: str
    start: datetime
    end: datetime
    reason: str
    terms: Terms


def check_placing(placing: Placing, now: datetime, zone: tzinfo) -> None:
    """Raise RefusedError where a hold may not be placed like that."""
    check_reason(placing.reason)
    is_one = timedelta() < placing.end - placing.start <= MAX_STRETCH
    if not (is_one and placing.start >= _EARLIEST and placing.end <= _LATEST):
        raise RefusedError(Refusal.STRETCH)
    _check_until(placing.terms, now)
    _check_review(placing.terms, now, zone)


def check_change(
    before: Terms, after: Terms, reason: str | None, now: datetime, zone: tzinfo
) -> None:
    """Raise RefusedError where a hold's terms may not be changed like that.

    Nobody shortens a hold without saying why.
    """
    if after == before:
        raise RefusedError(Refusal.NO_CHANGE)
    if reason is not None:
        check_reason(reason)
    if after.until != before.until:
        _check_until(after, now)
    if after.until < before.until and reason is None:
        raise RefusedError(Refusal.SHORTER)
    if after.review_on != before.review_on:
        _check_review(after, now, zone)
    elif _begin(after.review_on, zone) >= after.until:
        raise RefusedError(Refusal.REVIEW)


def check_reason(reason: str) -> None:
    """Raise RefusedError where these are no words that can be shown, or too many."""
    unprintable = any(
        unicodedata.category(character)[0] == "C" and character != "\n" for character in reason
    )
    if (
        unprintable
        or not reason.strip()
        or len(reason) > MAX_REASON_CHARS
        or reason.lstrip().startswith(ALERT_PREFIX)  # or an alert would move it
    ):
        raise RefusedError(Refusal.REASON)


def is_review_due(review_on: date | None, now: datetime, zone: tzinfo) -> bool:
    """Return whether the day has come on which somebody is to look whether it is still needed."""
    return review_on is not None and now.astimezone(zone).date() >= review_on


def _check_until(terms: Terms, now: datetime) -> None:
    if not now < terms.until <= now + MAX_KEPT:
        raise RefusedError(Refusal.UNTIL)


def _check_review(terms: Terms, now: datetime, zone: tzinfo) -> None:
    today = now.astimezone(zone).date()
    if not today < terms.review_on <= today + MAX_REVIEW:
        raise RefusedError(Refusal.REVIEW)
    if _begin(terms.review_on, zone) >= terms.until:
        raise RefusedError(Refusal.REVIEW)


def _begin(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
