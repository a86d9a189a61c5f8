"""One client's RTP in the pure-Python server: packets of a clip, interleaved in its connection."""

import asyncio
import struct
from collections.abc import Iterator

from village.testcam.clip import Coding, Unit
from village.testcam.programme import Programme

PAYLOAD_TYPE = 96
#: Room for a packet's payload; cameras stay below an Ethernet frame on TCP too.
MAX_PAYLOAD_BYTES = 1400
#: A client that lets more pile up loses frames up to the next key frame.
MAX_BUFFERED_BYTES = 4_000_000
_REPORT_EVERY_S = 5.0
_NTP_EPOCH_S = 2_208_988_800  # from 1900 (NTP) to 1970 (Unix), RFC 5905
_FU_A = 28  # RFC 6184 5.8
_FU_H265 = 49  # RFC 7798 4.4.3


def payloads(unit: Unit, coding: Coding) -> Iterator[bytes]:
    """Yield an access unit's RTP payloads: whole NAL units, or fragments of the long ones."""
    for nal in unit.nals:
        if len(nal) <= MAX_PAYLOAD_BYTES:
            yield nal
        elif coding is Coding.H264:
            indicator = bytes([nal[0] & 0xE0 | _FU_A])
            yield from _fragments(nal[1:], indicator, nal[0] & 0x1F)
        else:
            head = bytes([nal[0] & 0x81 | _FU_H265 << 1, nal[1]])
            yield from _fragments(nal[2:], head, coding.nal_type(nal))


def _fragments(body: bytes, head: bytes, kind: int) -> Iterator[bytes]:
    room = MAX_PAYLOAD_BYTES - len(head) - 1
    for begin in range(0, len(body), room):
        start = 0x80 if begin == 0 else 0
        end = 0x40 if begin + room >= len(body) else 0
        yield head + bytes([start | end | kind]) + body[begin : begin + room]


class Viewing:
    """A playing client of one mount. Used in the event loop only; never waits for the client.

    Frames that don't fit the client's buffer are dropped up to the next key frame and counted in
    ``dropped``.
    """

    def __init__(
        self, writer: asyncio.StreamWriter, channels: tuple[int, int], programme: Programme
    ) -> None:
        self._writer = writer
        self._channels = channels
        self._programme = programme
        seed = int.from_bytes(struct.pack("!q", programme.started_mono_ns)[4:])
        self._ssrc = (seed ^ id(self)) & 0xFFFFFFFF
        self._offset = seed & 0x7FFFFFFF
        self._sequence = seed & 0x7FFF
        self._next: int | None = None
        self._sent = [0, 0]  # packets and payload bytes, for the sender report
        self._reported_s = float("-inf")
        self.dropped = 0

    def push(self, frame: int, unix_s: float) -> None:
        """Send a frame, or drop it; the first sent is a key frame."""
        unit = self._programme.clip.units[frame % len(self._programme.clip.units)]
        full = self._writer.transport.get_write_buffer_size() > MAX_BUFFERED_BYTES
        if full or (frame != self._next and not unit.is_key):
            self.dropped += 1
            return
        self._next = frame + 1
        stamp = (self._offset + self._ticks(frame)) & 0xFFFFFFFF
        if unix_s - self._reported_s >= _REPORT_EVERY_S:
            self._reported_s = unix_s
            self._interleave(self._channels[1], self._sender_report(stamp, unix_s))
        parts = list(payloads(unit, self._programme.clip.coding))
        for index, payload in enumerate(parts):
            last = index == len(parts) - 1
            self._interleave(self._channels[0], self._packet(payload, stamp, last=last))

    def _ticks(self, frame: int) -> int:
        return int(frame * 90_000 / self._programme.mount.fps)

    def _packet(self, payload: bytes, stamp: int, *, last: bool) -> bytes:
        mark = 0x80 if last else 0
        head = struct.pack("!BBHII", 0x80, mark | PAYLOAD_TYPE, self._sequence, stamp, self._ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._sent[0] += 1
        self._sent[1] += len(payload)
        return head + payload

    def _sender_report(self, stamp: int, unix_s: float) -> bytes:
        """Return SR and SDES (RFC 3550 6.4.1, 6.5): the wall time of ``stamp``."""
        seconds, fraction = divmod(unix_s + _NTP_EPOCH_S, 1)
        report = struct.pack(
            "!BBHIIIIII",
            0x80,
            200,
            6,
            self._ssrc,
            int(seconds) & 0xFFFFFFFF,
            int(fraction * 2**32),
            stamp,
            self._sent[0] & 0xFFFFFFFF,
            self._sent[1] & 0xFFFFFFFF,
        )
        name = b"\x01\x07tanshao\x00\x00\x00"  # CNAME of 7 bytes, end, padding to 32 bits
        return report + struct.pack("!BBHI", 0x81, 202, 1 + len(name) // 4, self._ssrc) + name

    def _interleave(self, channel: int, packet: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(struct.pack("!cBH", b"$", channel, len(packet)) + packet)
