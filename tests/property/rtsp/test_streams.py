"""Whatever a camera sends, however it is cut: the same packets, or the one error."""

import contextlib
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.errors import RtspError, StreamError
from edge.media.sample import Codec, Packet
from edge.rtsp.message import FRAME_MARK, Frame, MessageReader, read_message
from edge.rtsp.reception import Reception
from edge.rtsp.rtp import MediaClock
from edge.rtsp.sdp import video_track
from edge.rtsp.units import UnitGatherer
from tests.support.packets import FRAME_90K, access_units
from tests.support.rtp import aggregate, description, framed, payloads, stream

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
codecs = st.sampled_from(Codec)
cuts = st.lists(st.integers(1, 4000), min_size=1, max_size=30)


def sent(codec: Codec) -> bytes:
    units = [(data, pts * FRAME_90K) for data, pts, *_ in access_units(codec, 10, 5)]
    answer = b"RTSP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n$\x00\x00\x01"
    return answer.join(stream(codec, units, most_bytes=300))


def received(codec: Codec, data: bytes, lengths: list[int]) -> list[Packet]:
    """Return what comes out where the data arrive in pieces of these lengths, over and over."""
    into = Reception(video_track(description(codec), "rtsp://192.0.2.7/"), 0)
    buffer, packets, position, turn = bytearray(), [], 0, 0
    while position < len(data):
        piece = data[position : position + lengths[turn % len(lengths)]]
        position, turn = position + len(piece), turn + 1
        buffer += piece
        used, found = into.take(buffer, len(buffer), 0, NOON)
        del buffer[:used]
        packets += found
    return packets


@given(codecs, cuts)
def test_packets_don_t_depend_on_how_the_stream_was_cut(codec, lengths):
    data = sent(codec)
    whole = received(codec, data, [len(data)])
    assert len(whole) == 10
    assert received(codec, data, lengths) == whole


@given(codecs, cuts, st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=40))
def test_damaged_streams_give_packets_or_the_one_error(codec, lengths, damage):
    data = bytearray(sent(codec))
    for place, value in damage:
        data[place % len(data)] = value
    with contextlib.suppress(RtspError):
        received(codec, bytes(data), lengths)


@given(codecs, st.binary(max_size=400), cuts)
def test_anything_gives_packets_or_the_one_error(codec, data, lengths):
    with contextlib.suppress(RtspError):
        received(codec, framed(0, b"\x80\xe0" + data) + data, lengths)


units_264 = st.builds(lambda body: b"\x41" + body + b"\x80", st.binary(max_size=500))
units_265 = st.builds(lambda body: b"\x02\x01" + body + b"\x80", st.binary(max_size=500))


@given(st.data(), codecs, st.integers(10, 200))
def test_units_are_the_same_behind_any_packetising(data, codec, most_bytes):
    strategy = units_264 if codec is Codec.H264 else units_265
    clean = strategy.filter(lambda unit: b"\x00\x00\x01" not in unit)
    units = data.draw(st.lists(clean, min_size=1, max_size=5))
    gatherer = UnitGatherer(codec)
    parts = [part for unit in units for part in payloads(codec, unit, most_bytes)]
    for part in [*parts, aggregate(codec, units)]:
        gatherer.take(bytearray(part), 0, len(part))
    assert gatherer.gathered().units == (*units, *units)
    assert gatherer.torn == 0


@given(codecs, st.lists(st.binary(max_size=60), max_size=30))
def test_no_payloads_raise_anything(codec, parts):
    gatherer = UnitGatherer(codec)
    for part in parts:
        gatherer.take(bytearray(part), 0, len(part))
    assert all(gatherer.gathered().units)


items = st.one_of(
    st.tuples(st.integers(0, 255), st.binary(max_size=80)).map(
        lambda pair: framed(pair[0], pair[1])
    ),
    st.binary(max_size=80).map(
        lambda body: b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    ),
)


@given(st.lists(items, max_size=8), cuts)
def test_messages_and_frames_don_t_depend_on_how_they_were_cut(parts, lengths):
    reader, found, data, turn = MessageReader(), [], b"".join(parts), 0
    while data:
        length = lengths[turn % len(lengths)]
        reader.feed(data[:length])
        data, turn = data[length:], turn + 1
        while (item := reader.next()) is not None:
            found.append(item)
    assert [isinstance(item, Frame) for item in found] == [part[0] == FRAME_MARK for part in parts]
    assert [item.payload if isinstance(item, Frame) else item.body for item in found] == [
        part[4:] if part[0] == FRAME_MARK else part.partition(b"\r\n\r\n")[2] for part in parts
    ]


@given(st.binary(max_size=300))
def test_any_message_is_read_or_refused(data):
    with contextlib.suppress(RtspError):
        read_message(b"RTSP/1.0 " + data)


@given(st.text(max_size=300))
def test_any_description_is_read_or_refused(text):
    with contextlib.suppress(StreamError):
        video_track(f"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n{text}".encode(), "rtsp://x/")


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(-(2**31) + 1, 2**31 - 1), max_size=50))
def test_times_that_wrap_give_one_count_with_the_same_steps(first, steps):
    clock, time = MediaClock(), first
    assert clock.read(first) == first
    for step in steps:
        time += step
        assert clock.read(time & 0xFFFF_FFFF) == time
