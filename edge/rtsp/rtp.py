"""RTP's and RTCP's bytes: headers, order, times that wrap, and reports. Pure.

Source: RFC 3550 (5.1 header, 5.3.1 extension, 6.4 reports, 6.5 names).
"""

import struct
from dataclasses import dataclass

VERSION = 2
HEADER_BYTES = 12
_HALF_32 = 1 << 31
_HALF_16 = 1 << 15

_SENDER_REPORT, _RECEIVER_REPORT, _NAMES = 200, 201, 202
_REPORT = struct.Struct(">BBHIQI")
_NTP_PER_S = 1 << 16


def payload_bounds(data: bytearray, start: int, stop: int) -> tuple[int, int] | None:
    """Return where the payload of the packet at ``start`` begins and ends; None for no RTP.

    It may be empty.
    """
    if stop - start < HEADER_BYTES or data[start] >> 6 != VERSION:
        return None
    first = data[start]
    begin = start + HEADER_BYTES + 4 * (first & 0x0F)
    if first & 0x10:
        if begin + 4 > stop:
            return None
        begin += 4 + 4 * (data[begin + 2] << 8 | data[begin + 3])
    if first & 0x20:
        stop -= data[stop - 1]
    return (begin, stop) if begin <= stop else None


class Sequence:
    """The numbers of one source's packets; ``lost`` counts what never came.

    By TCP nothing is lost on its way: what is missing the camera itself threw away.
    """

    def __init__(self) -> None:
        self.highest: int | None = None
        self.lost = 0

    def begin_anew(self) -> None:
        """Expect any number next: there is another source."""
        self.highest = None

    def follows(self, number: int) -> bool:
        """Take the next packet's 16-bit number; say whether it follows the last one."""
        if self.highest is None:
            self.highest = number
            return True
        step = (number - self.highest) & 0xFFFF
        if step == 1:
            self.highest += 1
            return True
        if 0 < step < _HALF_16:
            self.lost += step - 1
            self.highest += step
        else:  # it began to count anew
            self.highest = number
        return False


class MediaClock:
    """A source's 32-bit times as one count that goes on where they wrap."""

    def __init__(self) -> None:
        self._last: int | None = None

    def read(self, time: int) -> int:
        """Return a packet's time; less than a half of the range from the one before."""
        if self._last is None:
            self._last = time
        else:
            step = (time - self._last) & 0xFFFF_FFFF
            self._last += step if step < _HALF_32 else step - 2 * _HALF_32
        return self._last


@dataclass(frozen=True, slots=True)
class SenderReport:
    """A camera's clock (``ntp``: seconds of 1900 in 1/2^32) beside its media time."""

    ssrc: int
    ntp: int
    rtp_time: int


def sender_report(data: bytes) -> SenderReport | None:
    """Return the sender report that a RTCP packet begins with, if it does."""
    if len(data) < _REPORT.size:
        return None
    first, kind, _, ssrc, ntp, rtp_time = _REPORT.unpack_from(data)
    if first >> 6 != VERSION or kind != _SENDER_REPORT:
        return None
    return SenderReport(ssrc, ntp, rtp_time)


def receiver_report(
    own_ssrc: int,
    source: int,
    sequence: Sequence,
    last: SenderReport | None,
    since_last_s: float,
) -> bytes:
    """Return the report on one source, ``since_last_s`` after its own last one, and our name."""
    lost = min(sequence.lost, 0x7F_FFFF)
    last_ntp = 0 if last is None else last.ntp >> 16 & 0xFFFF_FFFF
    delay = 0 if last is None else min(round(since_last_s * _NTP_PER_S), 0xFFFF_FFFF)
    block = struct.pack(
        ">IIIIII", source, lost, (sequence.highest or 0) & 0xFFFF_FFFF, 0, last_ntp, delay
    )
    report = struct.pack(">BBHI", VERSION << 6 | 1, _RECEIVER_REPORT, 7, own_ssrc) + block
    name = b"\x01\x07tanshao\x00\x00\x00"  # CNAME, padded to whole words with its end
    names = struct.pack(">BBHI", VERSION << 6 | 1, _NAMES, 1 + len(name) // 4, own_ssrc) + name
    return report + names
