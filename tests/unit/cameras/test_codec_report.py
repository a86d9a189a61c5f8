from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.cameras.codec_report import Advice, Playable, StreamMeter, advise_main, advise_sub
from edge.media.nal import split
from edge.media.sample import Codec, Packet
from tests.support.rtsp import make_clip

AT = datetime(2026, 11, 26, tzinfo=UTC)
TICKS = 90_000


@pytest.fixture(scope="module")
def key_frame(tmp_path_factory) -> bytes:
    """A key frame with its parameter sets, of 320 × 240."""
    return make_clip(tmp_path_factory.mktemp("clip") / "cam.h264", frames=1).read_bytes()


def packet(at_s: float | None, data: bytes, *, is_key: bool = False, wall_s: float | None = None):
    ticks = None if at_s is None else round(at_s * TICKS)
    wall_ns = round((wall_s if wall_s is not None else at_s or 0) * 1e9)
    return Packet(ticks, ticks, is_key, tuple(split(data)) or (data,), wall_ns, AT)


def metered(key_frame, *, fps=25, gop=50, frames=150, size=1000, pace=1.0, claimed=None):
    meter = StreamMeter(Codec.H264, b"", claimed)
    for number in range(frames):
        at = number / fps
        is_key = number % gop == 0
        data = key_frame if is_key else bytes(size)
        meter.feed(packet(at, data, is_key=is_key, wall_s=at / pace))
    return meter.report()


def test_a_stream_is_measured_by_its_own_times(key_frame):
    report = metered(key_frame)
    assert (report.width, report.height) == (320, 240)
    assert report.fps == pytest.approx(25)
    assert report.gop_s == pytest.approx(2.0)
    assert report.bit_rate_bps == pytest.approx(1000 * 25 * 8, rel=0.2)
    assert report.pace == pytest.approx(1.0)
    assert not report.has_b_frames
    assert report.daily_bytes == pytest.approx(report.bit_rate_bps * 10_800, rel=0.01)


@given(fps=st.integers(1, 60), gop=st.integers(1, 40))
def test_frames_and_key_frames_come_out_as_they_were_sent(key_frame, fps, gop):
    report = metered(key_frame, fps=fps, gop=gop, frames=100)
    assert report.fps == pytest.approx(fps, rel=0.01)
    assert report.gop_s == pytest.approx(gop / fps, rel=0.01)


def test_the_first_packet_of_a_connection_has_no_time_and_takes_that_of_the_next(key_frame):
    meter = StreamMeter(Codec.H264, b"")
    meter.feed(packet(None, key_frame, is_key=True))
    for number in range(1, 100):
        is_key = number % 25 == 0
        meter.feed(packet(number / 25, key_frame if is_key else bytes(99), is_key=is_key))
    assert meter.keys == 4
    assert meter.report().gop_s == pytest.approx(1, abs=0.05)


def test_of_too_little_nothing_is_said(key_frame):
    meter = StreamMeter(Codec.H264, b"")
    assert meter.report() is None
    meter.feed(packet(0.0, key_frame, is_key=True))
    assert meter.report() is None  # of one frame no rate is known
    deaf = StreamMeter(Codec.H264, b"")
    deaf.feed(packet(0.0, bytes(9)))
    deaf.feed(packet(0.1, bytes(9)))
    assert deaf.report() is None  # no parameter sets, no key frame


def test_a_damaged_parameter_set_is_passed_over(key_frame):
    meter = StreamMeter(Codec.H264, b"")
    meter.feed(packet(0.0, key_frame, is_key=True))
    meter.feed(packet(0.04, b"\x00\x00\x01\x67\x64\xff", is_key=True))
    assert meter.report().width == 320


def test_frames_out_of_order_are_b_frames(key_frame):
    meter = StreamMeter(Codec.H264, b"")
    for at, data in ((0.0, key_frame), (0.12, b"p"), (0.04, b"b"), (0.08, b"b")):
        meter.feed(packet(at, data, is_key=data is key_frame))
    report = meter.report()
    assert report.has_b_frames
    assert report.fps == pytest.approx(25)


GOOD = {"fps": 25, "gop": 50, "claimed": 25.0}


def test_a_good_stream_needs_no_advice(key_frame):
    report = metered(key_frame, **GOOD)
    assert list(advise_main(report, has_sub=True)) == []
    assert list(advise_sub(report)) == []


def test_what_the_measure_shows_is_advised(key_frame):
    good = metered(key_frame, **GOOD)
    assert list(advise_main(good, has_sub=False)) == [Advice.SUB_ABSENT]
    slow = metered(key_frame, fps=10, gop=150, claimed=10.0)  # one key frame in fifteen seconds
    assert list(advise_main(slow, has_sub=True)) == [Advice.GOP_LONG]
    missing = metered(key_frame, fps=12, gop=24, claimed=25.0)
    assert list(advise_main(missing, has_sub=True)) == [Advice.FRAMES_MISSING]
    late = metered(key_frame, **GOOD, pace=0.8)
    assert list(advise_main(late, has_sub=True)) == [Advice.LATE]
    rich = metered(key_frame, **GOOD, size=20_000)  # 4 Mbit/s for 320 × 240
    assert list(advise_main(rich, has_sub=True)) == [Advice.RATE_HIGH]
    assert list(advise_sub(rich)) == [Advice.SUB_TOO_LARGE]


def test_what_browsers_play_hangs_on_codec_and_profile(key_frame):
    good = metered(key_frame, **GOOD)
    assert good.playable is Playable.EVERYWHERE
    odd = replace(good, mime_codec="avc1.7a001f")  # 4:2:2
    assert odd.playable is Playable.NOWHERE
    assert list(advise_sub(odd)) == [Advice.PROFILE_ODD]
    hevc = replace(good, codec=Codec.H265, mime_codec="hvc1.1.6.L93.B0", has_b_frames=True)
    assert hevc.playable is Playable.SOME
    assert list(advise_main(hevc, has_sub=True)) == [Advice.MAIN_H265, Advice.B_FRAMES]
    assert list(advise_sub(hevc)) == [Advice.SUB_NOT_H264, Advice.B_FRAMES]


def test_its_figures_are_for_people(key_frame):
    facts = metered(key_frame, **GOOD).facts()
    assert (facts["codec"], facts["width"], facts["fps"], facts["gop_s"]) == ("H.264", 320, 25, 2)
    assert facts["pace_percent"] == 100
