"""The bytes of a session that plays, to packets. Pure.

This is the box's busiest code: some 6000 RTP packets a second with 16 cameras of 4 Mbit/s, each of
which costs one turn of one loop.
"""

from datetime import UTC, datetime
from struct import Struct

from edge.errors import RtspError
from edge.media.nal import NalRole, role, split
from edge.media.sample import Codec, Packet
from edge.rtsp.decoding_time import DecodingTimes
from edge.rtsp.flaws import Flaws
from edge.rtsp.message import FRAME_HEAD_BYTES, FRAME_MARK, Message, read_message
from edge.rtsp.rtp import MediaClock, SenderReport, Sequence, payload_bounds, sender_report
from edge.rtsp.sdp import VideoTrack, to_90k
from edge.rtsp.sender_clock import SenderClock
from edge.rtsp.units import UnitGatherer

#: A frame's head and the RTP header that follows it.
_HEADS = Struct(">xBxxBBHII")
_HEADS_BYTES = _HEADS.size
#: No padding, no extension, no contributing sources: nearly every packet.
_PLAIN = 0x80
#: What an answer, and all that a server may ask (RFC 2326, 10), begin with.
_MESSAGE_STARTS = (
    *(b"RTSP/", b"OPTIONS ", b"ANNOUNCE ", b"REDIRECT ", b"TEARDOWN "),
    *(b"SET_PARAMETER ", b"GET_PARAMETER "),
)
_LONGEST_START_BYTES = max(map(len, _MESSAGE_STARTS))
#: What may be passed over in search of a frame's beginning: odd servers send remains of others.
MAX_STRAY_BYTES = 64 * 1024


class Reception:
    """What comes on one connection once the camera plays; ``channel`` is the video's, + 1 RTCP's.

    An access unit ends with the packet that is marked as its last, or where the time changes: some
    cameras mark wrongly, and are not believed any more once they did. What the camera says of its
    time goes to ``sender_clock``.
    """

    def __init__(
        self, track: VideoTrack, channel: int, sender_clock: SenderClock | None = None
    ) -> None:
        self._track = track
        self._channel = channel
        self._gatherer = UnitGatherer(track.codec)
        self._times = DecodingTimes()
        self._clock = MediaClock()
        self._sequence_set = b""
        self._time: int | None = None
        self._emitted_time: int | None = None
        self._trusts_marks = True
        self._packets: list[Packet] = []
        self._mono_ns = 0
        self._utc = datetime.min.replace(tzinfo=UTC)
        self.sequence = Sequence()
        self.source: int | None = None
        self.report: SenderReport | None = None
        self._sender_clock = sender_clock or SenderClock()
        self.messages: list[Message] = []
        self._stray = 0
        for unit in split(track.parameter_sets):
            if _is_sequence_set(track.codec, unit):
                self._announce(unit)

    @property
    def flaws(self) -> Flaws:
        """What was wrong so far; from any thread."""
        return Flaws(self.sequence.lost, self._gatherer.torn, self._stray)

    def take(
        self, data: bytearray, stop: int, mono_ns: int, utc: datetime
    ) -> tuple[int, list[Packet]]:
        """Return how many of the first ``stop`` bytes are used, and the packets that they complete.

        What is not used belongs before the next bytes. The two times are when they came. Raises
        RtspError where the server sends nonsense without end.
        """
        self._mono_ns, self._utc, self._packets = mono_ns, utc, []
        position = 0
        while position + FRAME_HEAD_BYTES <= stop:
            if data[position] != FRAME_MARK:
                next_position = self._between(data, position, stop)
                if next_position == position:
                    break
                position = next_position
                continue
            end = position + FRAME_HEAD_BYTES + (data[position + 2] << 8 | data[position + 3])
            if end > stop:
                break
            if end >= position + _HEADS_BYTES:  # else too short for anything of use
                self._frame(data, position, end)
            position = end
        return position, self._packets

    def _frame(self, data: bytearray, position: int, end: int) -> None:
        """Take one frame of binary data."""
        channel, first, second, number, time, source = _HEADS.unpack_from(data, position)
        if channel != self._channel:
            if channel == self._channel + 1:
                self._control(data, position + FRAME_HEAD_BYTES, end)
            return
        start = position + _HEADS_BYTES
        if second & 0x7F != self._track.payload_type:
            return
        if first != _PLAIN:
            bounds = payload_bounds(data, position + FRAME_HEAD_BYTES, end)
            if bounds is None:
                return
            start, end = bounds
        self._receive(number, time, source)
        if start < end:
            self._gatherer.take(data, start, end)
        if second & 0x80 and self._trusts_marks and self._gatherer.has_slice:
            self._emit()

    def _receive(self, number: int, time: int, source: int) -> None:
        if source != self.source:
            self.source = source
            self.sequence.begin_anew()
        if not self.sequence.follows(number):
            self._gatherer.lose()
        if time == self._emitted_time:
            self._trusts_marks = False
        if time != self._time:
            if not self._gatherer.is_empty:
                self._emit()
            self._time = time

    def _emit(self) -> None:
        """End the access unit."""
        assert self._time is not None
        self._emitted_time = self._time
        if self._gatherer.sequence_set != self._sequence_set:
            self._announce(self._gatherer.sequence_set)
        gathered = self._gatherer.gathered()
        if not gathered.units:
            return
        pts_90k = to_90k(self._clock.read(self._time), self._track.ticks_per_s)
        dts_90k = self._times.read(pts_90k) if gathered.has_slice else None
        self._packets.append(
            Packet(pts_90k, dts_90k, gathered.is_key, gathered.units, self._mono_ns, self._utc)
        )

    def _announce(self, sequence_set: bytes) -> None:
        self._sequence_set = self._gatherer.sequence_set = sequence_set
        self._times.announce(self._track.codec, sequence_set)

    def _control(self, data: bytearray, start: int, end: int) -> None:
        report = sender_report(bytes(data[start:end]))
        if report is not None:
            self.report = report
            self._sender_clock.take(report.ntp, self._mono_ns)

    def _between(self, data: bytearray, position: int, stop: int) -> int:
        """Return where to go on; ``position``, where no frame begins, where more bytes are needed.

        Nothing is copied of what follows, so that nonsense costs no more than its own length.
        """
        begun = bytes(data[position : min(stop, position + _LONGEST_START_BYTES)])
        if any(begun.startswith(each) or each.startswith(begun) for each in _MESSAGE_STARTS):
            next_position = self._message(data, position, stop)
            if next_position is not None:
                return next_position
        next_position = self._next_frame(data, position, stop)
        self._stray += next_position - position
        if self._stray > MAX_STRAY_BYTES:
            raise RtspError(f"{MAX_STRAY_BYTES} bytes that belong to nothing")
        return next_position

    def _message(self, data: bytearray, position: int, stop: int) -> int | None:
        """Take a message; return its end, or ``position`` until it is whole; None if it is none."""
        try:
            found = read_message(data, position, stop)
        except RtspError:
            return None
        if found is None:
            return position
        self.messages.append(found[0])
        return found[1]

    def _next_frame(self, data: bytearray, position: int, stop: int) -> int:
        """Return where a frame of ours, or what may become one, begins behind ``position``."""
        ours = (self._channel, self._channel + 1)
        marks = [bytes((FRAME_MARK, channel)) for channel in ours]
        found = [data.find(mark, position + 1, stop) for mark in marks]
        return min((at for at in found if at >= 0), default=stop - (data[stop - 1] == FRAME_MARK))


def _is_sequence_set(codec: Codec, unit: bytes) -> bool:
    return role(codec, unit) is NalRole.SPS
