"""What an MQTT message says, or why it says nothing. Pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from pydantic import TypeAdapter

from central.ports import Received
from protocol.codec import MAX_PAYLOAD_BYTES, BadMessageError, decode
from protocol.messages import (
    AlertMessage,
    AnyMessage,
    EventMessage,
    HeartbeatMessage,
    OutboxMessage,
    ResultMessage,
    Sequence,
    StateMessage,
    source_of_box,
)
from protocol.topics import EVENT_LEAVES, BoxTopic, Leaf

BoxMessage = EventMessage | StateMessage | HeartbeatMessage

_TYPES: dict[Leaf, tuple[type[BoxMessage], ...]] = {
    Leaf.EVENT: (AlertMessage, ResultMessage),
    Leaf.HISTORICAL: (AlertMessage, ResultMessage),
    Leaf.STATE: (StateMessage,),
    Leaf.HEARTBEAT: (HeartbeatMessage,),
}


_SEQUENCE: TypeAdapter[int] = TypeAdapter(Sequence)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in a box's outbox."""

    outbox_id: UUID
    sequence: int


@dataclass(frozen=True, slots=True)
class Understood:
    """A message of a box, on that box's own topic.

    ``place`` is its place in the box's outbox, where it has one; ``digest`` the SHA-256 of the
    bytes as they came.
    """

    received: Received
    topic: BoxTopic
    message: BoxMessage
    place: Place | None
    digest: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A message for the quarantine. ``place`` is there where it could be read all the same.

    ``is_doubled``: another event has that place. Then it is kept, but never receipted: what its box
    has under that number is not stored as an alert, and nobody else may say that it was.
    """

    received: Received
    topic: BoxTopic | None
    reason: str
    place: Place | None
    is_doubled: bool = False


def understand(received: Received) -> Understood | Refused:
    """Return what ``received`` says. Never raises, whatever the bytes are."""
    topic = BoxTopic.parse(received.topic)
    if topic is None or topic.leaf not in _TYPES:
        return Refused(received, None, "topic: not a box's uplink topic", None)
    try:
        message = decode(received.payload)
    except BadMessageError as error:
        return Refused(received, topic, str(error), _readable_place(topic, received.payload))
    # On another topic it is no event: there the same again is only counted, not kept.
    place = _place(message) if topic.leaf in EVENT_LEAVES else None
    if not isinstance(message, _TYPES[topic.leaf]):
        reason = f"type: {message.type} does not belong on /{topic.leaf}"
        return Refused(received, topic, reason, place)
    assert isinstance(message, BoxMessage)
    if message.source != source_of_box(topic.box_id):
        return Refused(received, topic, "source: is not the topic's box", place)
    if b"\\u0000" in received.payload:
        # PostgreSQL can't keep it, in text or in a document.
        return Refused(received, topic, "payload: holds the character U+0000", place)
    digest = hashlib.sha256(received.payload).hexdigest()
    return Understood(received, topic, message, _place(message), digest)


def event_of(item: Understood) -> OutboxMessage:
    """Return the message of an item that is known to have a place in an outbox."""
    assert item.place is not None  # to ask for the class takes pydantic longer
    return cast("OutboxMessage", item.message)


def alert_of(item: Understood) -> AlertMessage:
    """Return the message of an item that is known to be an alert's."""
    assert isinstance(item.message, AlertMessage)
    return item.message


def _place(message: AnyMessage) -> Place | None:
    if not isinstance(message, OutboxMessage):
        return None
    return Place(message.outboxid, message.sequence)


def _readable_place(topic: BoxTopic, payload: bytes) -> Place | None:
    if topic.leaf not in EVENT_LEAVES or len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        document: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    try:
        return Place(UUID(document["outboxid"]), _SEQUENCE.validate_python(document["sequence"]))
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
