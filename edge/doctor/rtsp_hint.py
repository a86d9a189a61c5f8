"""What a camera's answer gives away: what a no means, its time, what it promises. Pure."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum

_FRAME_RATE = re.compile(r"^a=(?:x-)?framerate:\s*([0-9]{1,3}(?:\.[0-9]{1,3})?)", re.MULTILINE)
_SOUND = re.compile(rb"^m=audio\b", re.MULTILINE)
_VIDEO = re.compile(r"^m=video\b", re.MULTILINE)


class Status(IntEnum):
    """What cameras answer with that means something to us."""

    OK = 200
    BAD_REQUEST = 400  # what some say to a path that they don't have
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    GONE = 410
    LOCKED = 423
    TOO_MANY_REQUESTS = 429


def claimed_fps(description: bytes) -> float | None:
    """Return how many frames a second a session description promises of its video."""
    sdp = description.decode("utf-8", "replace")
    video = _VIDEO.search(sdp)
    matched = _FRAME_RATE.search(sdp, video.start()) if video else None
    return float(matched[1]) or None if matched else None


def offers_sound(description: bytes) -> bool:
    """Return whether a session description offers sound beside its video."""
    return _SOUND.search(description) is not None


def server_time(date: str | None) -> datetime | None:
    """Return what a ``Date`` header says, in HTTP's form or in that of many cameras; else None."""
    if date is None:
        return None
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError):
        return _camera_time(date)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _camera_time(text: str) -> datetime | None:
    """Return ``Thu, Nov 26 2026 21:30:00 GMT``, live555's form and half of all cameras'."""
    try:
        words = text.replace("GMT", "").split()
        return datetime.strptime(" ".join(words[1:]), "%b %d %Y %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
