"""MQTT 3.1.1 packets as a client needs them: to bytes and from bytes. Pure.

paho takes a thread a client, too much for a thousand in a process. Only what a box of ours sends
and gets is here: QoS 0 and 1, clean sessions.
Source: OASIS MQTT 3.1.1 (mqtt-v3.1.1-os), chapters 2 and 3.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

#: The longest that four bytes of length can say.
_MAX_REMAINING = 268_435_455

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"


class PacketError(ValueError):
    """The broker sent what is no MQTT 3.1.1."""


class Kind(IntEnum):
    """What a packet is: the upper half of its first byte."""

    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBACK = 9
    PINGRESP = 13


@dataclass(frozen=True, slots=True)
class Publish:
    """A message that came; ``packet_id`` is None at QoS 0."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    packet_id: int | None


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet as it came: its kind, the flags of its first byte, and what follows the length."""

    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, at QoS 1 and retained, when the connection ends without a word."""

    topic: str
    payload: bytes


def connect(client_id: str, password: str, keepalive_s: int, will: Will | None) -> bytes:
    """Return a CONNECT of a clean session; the user is called as the client is."""
    flags = 0x80 | 0x40 | 0x02  # user, password, clean session
    last_words = b""
    if will is not None:
        flags |= 0x20 | 0x08 | 0x04  # retained, QoS 1
        last_words = _text(will.topic) + _bytes(will.payload)
    body = (
        _text("MQTT")
        + bytes((4, flags))
        + struct.pack("!H", keepalive_s)
        + _text(client_id)
        + last_words
        + _text(client_id)
        + _text(password)
    )
    return _packet(0x10, body)


def subscribe(packet_id: int, topics: Sequence[str]) -> bytes:
    """Return a SUBSCRIBE at QoS 1."""
    body = struct.pack("!H", packet_id) + b"".join(_text(topic) + b"\x01" for topic in topics)
    return _packet(0x82, body)


def publish(
    topic: str, payload: bytes, *, packet_id: int | None = None, retain: bool = False
) -> bytes:
    """Return a PUBLISH: at QoS 1 where it has a packet id, else at QoS 0."""
    number = b"" if packet_id is None else struct.pack("!H", packet_id)
    first = 0x30 | (0 if packet_id is None else 0x02) | retain
    return _packet(first, _text(topic) + number + payload)


def puback(packet_id: int) -> bytes:
    """Return a PUBACK."""
    return struct.pack("!BBH", 0x40, 2, packet_id)


def published(packet: Packet) -> Publish:
    """Return the message in a PUBLISH. Raises PacketError."""
    qos = packet.flags >> 1 & 3
    try:
        (length,) = struct.unpack_from("!H", packet.body)
        topic = packet.body[2 : 2 + length].decode()
        at = 2 + length
        packet_id = None
        if qos:
            (packet_id,) = struct.unpack_from("!H", packet.body, at)
            at += 2
    except (struct.error, UnicodeDecodeError) as error:
        raise PacketError(f"PUBLISH: {error}") from error
    if at > len(packet.body):
        raise PacketError("PUBLISH: shorter than its topic")
    return Publish(topic, packet.body[at:], qos, bool(packet.flags & 1), packet_id)


class Reader:
    """Cuts what comes into packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield every packet that is whole now; the rest waits. Raises PacketError."""
        self._buffer += data
        at = 0
        while (whole := _whole(self._buffer, at)) is not None:
            start, end = whole
            first = self._buffer[at]
            yield Packet(first >> 4, first & 0x0F, bytes(self._buffer[start:end]))
            at = end
        del self._buffer[:at]


def _whole(buffer: bytearray, at: int) -> tuple[int, int] | None:
    """Return where the body of the packet at ``at`` begins and ends, None while it is not whole."""
    length, shift, start = 0, 0, at + 1
    while start < len(buffer):
        byte = buffer[start]
        length |= (byte & 0x7F) << shift
        start += 1
        if not byte & 0x80:
            return (start, start + length) if start + length <= len(buffer) else None
        shift += 7
        if shift > 21:
            raise PacketError("a length of more than four bytes")
    return None


def _packet(first: int, body: bytes) -> bytes:
    length = len(body)
    if length > _MAX_REMAINING:
        raise ValueError(f"{length} bytes are too many for a packet")
    coded = bytearray()
    while True:
        length, byte = divmod(length, 128)
        coded.append(byte | (0x80 if length else 0))
        if not length:
            return bytes((first,)) + bytes(coded) + body


def _text(words: str) -> bytes:
    return _bytes(words.encode())


def _bytes(words: bytes) -> bytes:
    return struct.pack("!H", len(words)) + words
