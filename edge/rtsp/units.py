"""From RTP payloads back to NAL units, and from these to access units. Pure.

Whatever a payload holds, nothing is raised but RtspError, for an access unit that does not end:
a unit that is torn is left out and counted. Sources: RFC 6184 section 5, RFC 7798 section 4.
"""

from dataclasses import dataclass

from edge.errors import RtspError
from edge.media import nal
from edge.media.nal import START_CODE, NalRole
from edge.media.sample import Codec

#: A key frame of 4K in best quality is 2 MB. What is open costs memory for each camera.
MAX_ACCESS_UNIT_BYTES = 8 * 1024 * 1024
#: Every unit costs some memory of its own, however small it is.
_UNIT_COST_BYTES = 256

_H264_LAST_SINGLE, _STAP_A, _FU_A = 23, 24, 28
_H265_LAST_SINGLE, _AP, _FU = 47, 48, 49
_FIRST, _LAST = 0x80, 0x40

#: A start code within a unit comes from cameras that send several at once; slices are long, and
#: where it is one of several it comes soon.
_LOOKED_AT_BYTES = 64
_RECOVERY_POINT = 6  # of SEI's messages (H.264 D.1.8)
_NOTE_END = 0x80


@dataclass(frozen=True, slots=True)
class Gathered:
    """The NAL units of one access unit, without start codes; ``has_slice``: there is a picture."""

    units: tuple[bytes, ...]
    is_key: bool
    has_slice: bool


class UnitGatherer:
    """The access unit that is on its way; ``torn`` counts the units of which parts are missing."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._take = self._take_h264 if codec is Codec.H264 else self._take_h265
        self._units: list[bytes] = []
        self._bytes = 0
        self._parts: list[bytes | bytearray] = []
        self._is_key = False
        self.has_slice = False
        self.sequence_set = b""
        self.torn = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the next access unit has come."""
        return not self._units and not self._parts

    def take(self, data: bytearray, start: int, stop: int) -> None:
        """Take the payload between two positions of a buffer; nothing of the buffer is kept.

        Raises RtspError where the access unit grows beyond every bound.
        """
        self._bytes += stop - start
        if self._bytes > MAX_ACCESS_UNIT_BYTES:
            raise RtspError(f"an access unit of more than {MAX_ACCESS_UNIT_BYTES} bytes")
        self._take(data, start, stop)

    def lose(self) -> None:
        """Packets are missing here: what was begun can't be completed."""
        if self._parts:
            self._parts = []
            self.torn += 1

    def gathered(self) -> Gathered:
        """Return the access unit, and begin the next."""
        self.lose()
        found = Gathered(tuple(self._units), self._is_key, self.has_slice)
        self._units, self._bytes = [], 0
        self._is_key = self.has_slice = False
        return found

    def _take_h264(self, data: bytearray, start: int, stop: int) -> None:
        kind = data[start] & 0x1F if start < stop else 0
        if kind == _FU_A and start + 2 < stop:
            header = data[start + 1]
            head = bytes((data[start] & 0xE0 | header & 0x1F,))
            self._fragment(header, head, data, start + 2, stop)
        elif 0 < kind <= _H264_LAST_SINGLE:
            self._whole(bytes(data[start:stop]))
        elif kind == _STAP_A:
            self._aggregate(data, start + 1, stop)
        else:
            self.torn += 1

    def _take_h265(self, data: bytearray, start: int, stop: int) -> None:
        if start + 2 >= stop:
            self.torn += 1
            return
        kind = data[start] >> 1 & 0x3F
        if kind == _FU and start + 3 < stop:
            header = data[start + 2]
            head = bytes((data[start] & 0x81 | (header & 0x3F) << 1, data[start + 1]))
            self._fragment(header, head, data, start + 3, stop)
        elif kind <= _H265_LAST_SINGLE:
            self._whole(bytes(data[start:stop]))
        elif kind == _AP:
            self._aggregate(data, start + 2, stop)
        else:
            self.torn += 1

    def _fragment(self, header: int, head: bytes, data: bytearray, start: int, stop: int) -> None:
        if header & _FIRST:
            self.lose()
            self._parts.append(head)
        elif not self._parts:
            self.torn += bool(header & _LAST)  # of a unit that was torn, once
            return
        self._parts.append(data[start:stop])
        if header & _LAST:
            unit, self._parts = b"".join(self._parts), []
            self._keep(unit)

    def _aggregate(self, data: bytearray, start: int, stop: int) -> None:
        self.lose()
        while start + 2 < stop:
            end = start + 2 + (data[start] << 8 | data[start + 1])
            if end > stop or end == start + 2:
                self.torn += 1
                return
            self._keep(bytes(data[start + 2 : end]))
            start = end

    def _whole(self, unit: bytes) -> None:
        self.lose()
        self._keep(unit)

    def _keep(self, unit: bytes) -> None:
        if START_CODE in unit[:_LOOKED_AT_BYTES]:
            for each in nal.split(START_CODE + unit):
                self._note(each)
        else:
            # trailing_zero_8bits are no part of it (annex B), and cameras do send them
            self._note(unit if unit[-1] else unit.rstrip(b"\x00"))

    def _note(self, unit: bytes) -> None:
        kind = nal.role(self._codec, unit)
        if kind is NalRole.SLICE:
            self.has_slice = True
        elif kind is NalRole.KEY_SLICE:
            self.has_slice = self._is_key = True
        elif kind is NalRole.PADDING:
            return
        elif kind is NalRole.SPS:
            self.sequence_set = unit
        elif kind is NalRole.NOTE and self._codec is Codec.H264:
            self._is_key = self._is_key or _says_recovery(unit)
        self._bytes += _UNIT_COST_BYTES
        self._units.append(unit)


def _says_recovery(note: bytes) -> bool:
    """Say whether a SEI unit makes its picture one that decoding can begin at (H.264 7.3.2.3)."""
    messages = note[1:_LOOKED_AT_BYTES].replace(b"\x00\x00\x03", b"\x00\x00")
    position = 0
    while position + 1 < len(messages) and messages[position] != _NOTE_END:
        kind, position = _ff_coded(messages, position)
        if kind == _RECOVERY_POINT:
            return True
        size, position = _ff_coded(messages, position)
        position += size
    return False


def _ff_coded(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of which each 0xFF says that more follows, and where it ends."""
    value = 0
    while position < len(data):
        value += data[position]
        position += 1
        if data[position - 1] != 0xFF:  # noqa: PLR2004
            break
    return value, position
