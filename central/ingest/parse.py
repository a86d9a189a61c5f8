"""What an MQTT message says, or why it says nothing. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from central.ports import Received
from protocol.codec import MAX_PAYLOAD_BYTES, BadMessageError, decode
from protocol.messages import AlertMessage, HeartbeatMessage, StateMessage, source_of_box
from protocol.topics import BoxTopic, Leaf

BoxMessage = AlertMessage | StateMessage | HeartbeatMessage

_TYPES: dict[Leaf, type[BoxMessage]] = {
    Leaf.EVENT: AlertMessage,
    Leaf.STATE: StateMessage,
    Leaf.HEARTBEAT: HeartbeatMessage,
}


@dataclass(frozen=True, slots=True)
class Understood:
    """A message of a box, on that box's own topic."""

    received: Received
    topic: BoxTopic
    message: BoxMessage

    @property
    def sequence(self) -> int | None:
        """Return the place in the box's outbox, where the message has one."""
        return self.message.sequence if isinstance(self.message, AlertMessage) else None


@dataclass(frozen=True, slots=True)
class Refused:
    """A message for the quarantine. ``sequence`` is there where it could be read all the same."""

    received: Received
    topic: BoxTopic | None
    reason: str
    sequence: int | None


def understand(received: Received) -> Understood | Refused:
    """Return what ``received`` says. Never raises, whatever the bytes are."""
    topic = BoxTopic.parse(received.topic)
    if topic is None or topic.leaf not in _TYPES:
        return Refused(received, None, "topic: not a box's uplink topic", None)
    try:
        message = decode(received.payload)
    except BadMessageError as error:
        return Refused(received, topic, str(error), _readable_sequence(topic, received.payload))
    sequence = message.sequence if isinstance(message, AlertMessage) else None
    if not isinstance(message, _TYPES[topic.leaf]):
        reason = f"type: {message.type} does not belong on /{topic.leaf}"
        return Refused(received, topic, reason, sequence)
    assert isinstance(message, BoxMessage)
    if message.source != source_of_box(topic.box_id):
        return Refused(received, topic, "source: is not the topic's box", sequence)
    if b"\\u0000" in received.payload:
        # PostgreSQL can't keep it, in text or in a document.
        return Refused(received, topic, "payload: holds the character U+0000", sequence)
    return Understood(received, topic, message)


def _readable_sequence(topic: BoxTopic, payload: bytes) -> int | None:
    if topic.leaf is not Leaf.EVENT or len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        document: Any = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    found = document.get("sequence") if isinstance(document, dict) else None
    return found if type(found) is int and 1 <= found < 2**63 else None
