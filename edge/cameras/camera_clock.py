"""What time a camera believes it is, and how far that is off. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from edge.cameras.soap import SCHEMA, Element
from edge.errors import CameraBadXml

#: A camera may lag by decades: its battery is dead. One that is ahead of us by more than this would
#: be given tokens that are valid later, for whoever asks it then.
MAX_AHEAD = timedelta(days=1)


class ClockSource(StrEnum):
    """Where a camera's time was read."""

    ONVIF = "onvif"
    HTTP = "http_date"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CameraClock:
    """A camera's time. ``offset`` is the camera's minus ours; zero where its time is unknown."""

    offset: timedelta
    source: ClockSource
    by_ntp: bool | None  # whether the camera keeps its clock by NTP; None where it does not say


UNKNOWN = CameraClock(timedelta(0), ClockSource.UNKNOWN, None)


def from_answer(answer: Element, now: datetime) -> CameraClock:
    """Return what a GetSystemDateAndTime answer says; CameraBadXml for an impossible time.

    A leap second is the second before it. Only UTC is read: what cameras say of time zones and
    summer time is wrong too often.
    """
    utc = answer.find(f".//{{{SCHEMA}}}UTCDateTime")
    if utc is None:
        raise CameraBadXml("the camera gives no UTC time")

    def number(part: str, name: str) -> int:
        text = utc.findtext(f"{{{SCHEMA}}}{part}/{{{SCHEMA}}}{name}") or ""
        return int(text.strip())

    try:
        told = datetime(
            number("Date", "Year"),
            number("Date", "Month"),
            number("Date", "Day"),
            number("Time", "Hour"),
            number("Time", "Minute"),
            min(number("Time", "Second"), 59),
            tzinfo=UTC,
        )
    except (ValueError, OverflowError):
        raise CameraBadXml("the camera gives an impossible time") from None
    kind = (answer.findtext(f".//{{{SCHEMA}}}DateTimeType") or "").strip().lower()
    by_ntp = {"ntp": True, "manual": False}.get(kind)
    return CameraClock(told - now, ClockSource.ONVIF, by_ntp)


def from_date_header(date: str | None, now: datetime) -> CameraClock:
    """Return what an HTTP Date header says; unknown where there is none that can be read."""
    try:
        told = parsedate_to_datetime(date or "")
        aware = told if told.tzinfo else told.replace(tzinfo=UTC)
        return CameraClock(aware - now, ClockSource.HTTP, None)
    except (ValueError, OverflowError, TypeError, IndexError):
        return UNKNOWN
