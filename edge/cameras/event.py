"""What a camera reports of itself: somebody moves before it, somebody tampers with it. Pure.

Extra evidence of a camera's health, never an alert's only ground: cameras stop reporting without a
word, and say anything about when it was (cameras I8).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from edge.cameras import reading
from edge.cameras.soap import EVENTS, NOTIFICATION, Element
from edge.errors import CameraBadXml

#: What is taken of one answer; a camera was asked for fewer.
MAX_EVENTS = 64

_MOTION = (
    "RuleEngine/CellMotionDetector/Motion",
    "RuleEngine/MotionRegionDetector/Motion",
    "VideoSource/MotionAlarm",
    "VideoAnalytics/Motion",
)
_TAMPER = (
    "RuleEngine/TamperDetector",
    "VideoSource/GlobalSceneChange",
    "VideoSource/ImageTooBlurry",
    "VideoSource/ImageTooDark",
    "VideoSource/ImageTooBright",
)
_STATES = {"true": True, "1": True, "false": False, "0": False}


class EventKind(StrEnum):
    """What an event is about, as far as we care."""

    MOTION = "motion"
    TAMPER = "tamper"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """One report. ``topic`` is without prefixes; ``active`` None where it has no yes or no.

    ``received`` is ours, and the time to go by; ``told`` the camera's, None where it is impossible.
    ``initial``: it says how things have been, not that they changed.
    """

    kind: EventKind
    topic: str
    active: bool | None
    initial: bool
    source: Mapping[str, str]
    data: Mapping[str, str]
    received: datetime
    told: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of an answer; ``dropped`` were more than are taken, or could not be read."""

    events: tuple[Event, ...]
    dropped: int


def read(answer: Element | None, received: datetime) -> Batch:
    """Return the events of a PullMessages answer. Raises CameraBadXml where it is none."""
    if answer is None or answer.tag != f"{{{EVENTS}}}PullMessagesResponse":
        raise CameraBadXml("no answer to PullMessages")
    messages = answer.findall(f"{{{NOTIFICATION}}}NotificationMessage")
    found = [_event(message, received) for message in messages[:MAX_EVENTS]]
    events = tuple(event for event in found if event is not None)
    return Batch(events, len(messages) - len(events))


def _event(message: Element, received: datetime) -> Event | None:
    named = message.find(f"{{{NOTIFICATION}}}Topic")
    content = reading.at(reading.tree(message), "Message", "Message")
    if named is None or content is None:
        return None
    topic = _topic("".join(named.itertext()))
    data = _values(content, "Data")
    operation = reading.text(content, "PropertyOperation")
    return Event(
        kind=_kind(topic),
        topic=topic,
        active=_state(data),
        initial=operation == "Initialized",
        source=_values(content, "Source"),
        data=data,
        received=received,
        told=_time(reading.text(content, "UtcTime")),
    )


def _topic(text: str) -> str:
    """Return a topic as the names it is made of: cameras add blanks, prefixes, and ``//.``."""
    parts = (part.strip().rpartition(":")[2] for part in text.strip().rstrip("/.").split("/"))
    return reading.text({"topic": "/".join(part for part in parts if part)}, "topic")


def _kind(topic: str) -> EventKind:
    if topic.startswith(_MOTION):
        return EventKind.MOTION
    return EventKind.TAMPER if topic.startswith(_TAMPER) else EventKind.OTHER


def _values(content: object, part: str) -> Mapping[str, str]:
    simple = reading.items(content, part, "SimpleItem")
    return {
        name: reading.text(item, "Value") for item in simple if (name := reading.text(item, "Name"))
    }


def _state(data: Mapping[str, str]) -> bool | None:
    for name in ("IsMotion", "State", "IsTamper", "Value"):
        if name in data:
            return _STATES.get(data[name].lower())
    return next((_STATES.get(value.lower()) for value in data.values()), None)


def _time(text: str) -> datetime | None:
    try:
        told = datetime.fromisoformat(text)
        return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
