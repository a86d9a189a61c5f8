"""What a camera's description says."""

import base64

import pytest

from edge.errors import StreamMissing, StreamRefused, StreamUnsuited
from edge.media.nal import START_CODE
from edge.media.sample import Codec
from edge.rtsp.sdp import VideoTrack, to_90k, video_track
from tests.support.rtp import description

BASE = "rtsp://192.0.2.7/cam/"
SPS, PPS, VPS = b"\x67\x64\x1f", b"\x68\xee", b"\x40\x01\x0c"


def text(unit: bytes) -> str:
    return base64.b64encode(unit).decode()


def track(*lines: str) -> VideoTrack:
    head = ("v=0", "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000")
    return video_track("\r\n".join([*head, *lines]).encode(), BASE)


def test_the_video_is_found_behind_the_sound():
    found = video_track(description(Codec.H264), BASE)
    assert (found.codec, found.payload_type, found.ticks_per_s) == (Codec.H264, 96, 90_000)
    assert found.url == "rtsp://192.0.2.7/cam/trackID=2"
    assert found.aggregate_url == BASE
    assert found.parameter_sets == b""


@pytest.mark.parametrize(
    ("codec", "extra", "sets"),
    [
        (Codec.H264, f"packetization-mode=1; sprop-parameter-sets={text(SPS)},{text(PPS)}", 2),
        (Codec.H265, f"sprop-vps={text(VPS)}; sprop-sps={text(SPS)};sprop-pps={text(PPS)}", 3),
    ],
)
def test_parameter_sets_come_as_a_byte_stream(codec, extra, sets):
    found = video_track(description(codec, extra), BASE)
    assert found.parameter_sets.count(START_CODE) == sets
    assert found.parameter_sets.endswith(START_CODE + PPS)


def test_sets_with_start_codes_in_them_and_garbled_ones_cost_nothing_else():
    inside = text(b"\x00" + START_CODE + SPS + START_CODE + PPS)
    found = track(f"a=fmtp:96 sprop-parameter-sets={inside},A,%%%,")
    assert found.parameter_sets == START_CODE + SPS + START_CODE + PPS


@pytest.mark.parametrize(
    ("control", "url"),
    [
        ("trackID=1", "rtsp://192.0.2.7/cam/trackID=1"),
        ("/trackID=1", "rtsp://192.0.2.7/cam/trackID=1"),
        ("rtsp://192.0.2.7:554/other", "rtsp://192.0.2.7:554/other"),
        ("RTSP://192.0.2.7/Other", "RTSP://192.0.2.7/Other"),
        ("*", BASE),
        ("", BASE),
    ],
)
def test_where_to_ask_for_a_track_is_relative_to_the_description(control, url):
    assert track(f"a=control:{control}").url == url


def test_attributes_of_another_payload_type_are_not_ours():
    found = track("a=rtpmap:97 H265/1000", f"a=fmtp:97 sprop-parameter-sets={text(SPS)}")
    assert (found.codec, found.parameter_sets) == (Codec.H264, b"")


@pytest.mark.parametrize(
    ("lines", "offered"),
    [
        ("m=video 0 RTP/AVP 96\r\na=rtpmap:96 MP4V-ES/90000", "MP4V-ES"),
        ("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/0", "H264"),
    ],
)
def test_what_is_neither_h264_nor_h265_is_refused_and_named(lines, offered):
    with pytest.raises(StreamRefused, match=f"neither H.264 nor H.265 but {offered}"):
        video_track(lines.encode(), BASE)


@pytest.mark.parametrize("lines", ["m=audio 0 RTP/AVP 8", "m=nonsense", "\x00\xff", ""])
def test_a_camera_without_video_may_be_starting_up(lines):
    with pytest.raises(StreamMissing, match="no video"):
        video_track(lines.encode(), BASE)


@pytest.mark.parametrize(
    "lines", ["m=video 0 RTP/AVP 26", "m=video 0 RTP/AVP 96\r\na=rtpmap:96 JPEG/90000"]
)
def test_jpeg_pictures_are_for_another_reader(lines):
    with pytest.raises(StreamUnsuited, match="JPEG"):
        video_track(lines.encode(), BASE)


@pytest.mark.parametrize("parameter", ["packetization-mode=2", "sprop-max-don-diff=1"])
def test_units_in_another_order_are_for_another_reader(parameter):
    with pytest.raises(StreamUnsuited):
        track(f"a=fmtp:96 {parameter}")


def test_another_clock_is_brought_to_ours():
    assert to_90k(1000, 1000) == 90_000
    assert to_90k(7, 90_000) == 7
