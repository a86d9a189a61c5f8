"""The bytes of a session that plays, to packets."""

import base64
import struct
from datetime import UTC, datetime, timedelta

import pytest

from edge.errors import RtspError
from edge.media import nal
from edge.media.sample import Codec, Packet
from edge.rtsp.flaws import Flaws
from edge.rtsp.reception import MAX_STRAY_BYTES, Reception
from edge.rtsp.sdp import video_track
from edge.rtsp.sender_clock import SenderClock
from tests.support.packets import FRAME_90K, access_units
from tests.support.rtp import SOURCE, description, framed, rtp, stream

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
SLICE, OTHER, NOTE = b"\x41\x9a\x01", b"\x41\x9a\x02", b"\x06\x05\x01\x80"


def reception(codec: Codec = Codec.H264, channel: int = 0) -> Reception:
    return Reception(video_track(description(codec), "rtsp://192.0.2.7/"), channel)


def received(into: Reception, *parts: bytes) -> list[Packet]:
    data = bytearray(b"".join(parts))
    used, packets = into.take(data, len(data), 7, NOON)
    assert used == len(data)
    return packets


def units(codec: Codec, b_frames: int = 0) -> list[tuple[bytes, int]]:
    encoded = access_units(codec, 12, 6, b_frames=b_frames)
    return [(data, pts * FRAME_90K) for data, pts, _, _ in encoded]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_was_encoded_comes_out_unit_by_unit(codec, b_frames):
    given = units(codec, b_frames)
    found = received(reception(codec), *stream(codec, given, most_bytes=100))

    def carried(data: bytes) -> tuple[bytes, ...]:
        kept = (unit for unit in nal.split(data))
        return tuple(u for u in kept if nal.role(codec, u) is not nal.NalRole.PADDING)

    assert [packet.units for packet in found] == [carried(data) for data, _ in given]
    shown = [packet.pts_90k for packet in found]
    assert [time - shown[0] for time in shown] == [pts - given[0][1] for _, pts in given]
    assert [packet.is_key for packet in found] == [
        key for *_, key in access_units(codec, 12, 6, b_frames=b_frames)
    ]
    assert {(packet.received_mono_ns, packet.received_utc) for packet in found} == {(7, NOON)}
    known = [packet.dts_90k for packet in found if packet.dts_90k is not None]
    assert known == sorted(set(known))
    assert len(known) >= len(found) - 2


def test_without_marks_the_time_ends_an_access_unit():
    into = reception()
    assert received(into, rtp(1, 10, SLICE), rtp(2, 10, OTHER)) == []
    (packet,) = received(into, rtp(3, 20, SLICE))
    assert packet.units == (SLICE, OTHER)


def test_marks_that_are_wrong_are_not_believed_any_more():
    into = reception()
    first = received(into, rtp(1, 10, SLICE, marked=True), rtp(2, 10, OTHER, marked=True))
    second = received(into, rtp(3, 20, SLICE, marked=True), rtp(4, 20, OTHER, marked=True))
    third = received(into, rtp(5, 30, SLICE, marked=True))
    assert [packet.units for packet in first + second + third] == [
        *((SLICE,), (OTHER,), (SLICE, OTHER))
    ]


def test_a_marked_note_belongs_to_the_picture_behind_it():
    found = received(reception(), rtp(1, 10, NOTE, marked=True), rtp(2, 10, SLICE, marked=True))
    assert [packet.units for packet in found] == [(NOTE, SLICE)]


def test_a_picture_of_which_all_is_torn_is_none():
    into = reception()
    begun = b"\x5c\x81abc"
    assert received(into, rtp(1, 10, begun), rtp(5, 20, b"\x5c\x41def"), rtp(6, 30, SLICE)) == []
    assert into.flaws == Flaws(lost=3, torn=2)


def test_other_channels_payload_types_and_what_is_no_rtp_are_passed_over():
    into = reception(channel=2)
    odd = bytearray(rtp(1, 10, SLICE, marked=True))
    odd[1] = 2
    other = bytearray(odd)
    other[5] = 0x80 | 8
    short = framed(2, b"\x80\x60")
    broken = framed(2, b"\x40\xe0" + bytes(20))
    found = received(into, rtp(1, 10, OTHER, marked=True), bytes(other), short, broken, bytes(odd))
    assert [packet.units for packet in found] == [(SLICE,)]


def test_a_header_with_an_extension_is_read():
    head = (
        b"\x90\xe0\x00\x01" + (10).to_bytes(4) + SOURCE.to_bytes(4) + b"\xbe\xde\x00\x01" + bytes(4)
    )
    found = received(reception(), framed(0, head + SLICE))
    assert [packet.units for packet in found] == [(SLICE,)]


def test_a_source_that_changes_begins_its_numbers_anew():
    into = reception()
    other = bytearray(rtp(9, 20, OTHER, marked=True))
    other[12:16] = bytes(4)
    found = received(into, rtp(1, 10, SLICE, marked=True), bytes(other))
    assert len(found) == 2
    assert (into.flaws.lost, into.source) == (0, 0)


def test_what_a_camera_says_of_its_time_is_held_against_when_it_came():
    clock = SenderClock()
    into = Reception(video_track(description(Codec.H264), "rtsp://192.0.2.7/"), 0, clock)
    off = timedelta(seconds=-90)
    since_1900 = NOON + off - datetime(1900, 1, 1, tzinfo=UTC)
    ntp = int(since_1900.total_seconds()) << 32
    received(into, framed(1, struct.pack(">BBHIQI", 0x80, 200, 4, SOURCE, ntp, 6)))
    assert clock.offset(NOON, 7, 1) == off


def test_a_sender_report_is_kept_and_other_reports_leave_it():
    into = reception()
    report = struct.pack(">BBHIQI", 0x80, 200, 4, SOURCE, 5, 6)
    received(into, framed(1, report), framed(1, b"\x80\xc9\x00\x01" + bytes(12)))
    assert into.report is not None
    assert into.report.ntp == 5


def test_answers_between_the_frames_are_handed_over():
    into = reception()
    said = b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n"
    asked = b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    found = received(into, said, rtp(1, 10, SLICE, marked=True), asked)
    assert len(found) == 1
    assert [(each.status, each.method) for each in into.messages] == [(200, ""), (0, "OPTIONS")]


def test_remains_of_something_else_are_passed_over_and_counted():
    into = reception()
    found = received(
        into,
        b"\x00\x01rubbish",
        rtp(1, 10, SLICE, marked=True),
        b"Rub$\x07",
        rtp(2, 20, OTHER, marked=True),
    )
    assert [packet.units for packet in found] == [(SLICE,), (OTHER,)]
    assert into.flaws.stray == 14


def test_nonsense_without_end_is_refused():
    with pytest.raises(RtspError, match="belong to nothing"):
        received(reception(), bytes(MAX_STRAY_BYTES + 1))


def test_a_mark_at_the_very_end_may_begin_a_frame():
    into = reception()
    data = bytearray(b"rubbish$")
    assert into.take(data, len(data), 7, NOON) == (7, [])


def test_parameter_sets_of_the_description_say_the_order_from_the_first_picture_on():
    data = access_units(Codec.H264, 12, 12, b_frames=2)[0][0]
    sps = next(unit for unit in nal.split(data) if unit[0] & 0x1F == 7)
    extra = f"sprop-parameter-sets={base64.b64encode(sps).decode()}"
    track = video_track(description(Codec.H264, extra), "rtsp://192.0.2.7/")
    (packet,) = received(Reception(track, 0), rtp(1, 10, SLICE, marked=True))
    assert packet.dts_90k is None


def test_nonsense_costs_no_more_the_more_comes_behind_it():
    junk = b"x$\x00\x00\x00"  # a stray byte before each frame
    into, looks = reception(), []

    class Counted(bytearray):
        def __getitem__(self, key):
            found = super().__getitem__(key)
            looks.append(len(found) if isinstance(key, slice) else 1)
            return found

    data = Counted(junk * 1000)
    assert into.take(data, len(data), 7, NOON) == (len(data), [])
    assert into.flaws.stray == 1000
    assert sum(looks) < 10 * len(data)
