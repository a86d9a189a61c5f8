from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.doctor.rtsp_hint import claimed_fps, offers_sound, server_time


@pytest.mark.parametrize(
    "date",
    [
        "Thu, 26 Nov 2026 08:00:00 GMT",  # HTTP's form, as gst-rtsp-server writes it
        "Thu, 26 Nov 2026 08:00:00",
        "Thu, Nov 26 2026 08:00:00 GMT",  # live555, and with it half of all cameras
    ],
)
def test_a_cameras_time_is_read_in_either_form(date):
    assert server_time(date) == datetime(2026, 11, 26, 8, tzinfo=UTC)


@pytest.mark.parametrize("date", [None, "", "yesterday", "Thu, Foo 26 2026 08:00:00", "GMT"])
def test_a_time_that_is_none_is_no_time(date):
    assert server_time(date) is None


@given(st.text(max_size=60), st.binary(max_size=200))
def test_whatever_comes_nothing_breaks(date, description):
    at = server_time(date)
    assert at is None or at.tzinfo is not None
    fps = claimed_fps(description)
    assert fps is None or 0 < fps < 1000


def test_frames_a_second_are_the_videos_and_not_the_sounds():
    assert claimed_fps(b"v=0\r\nm=video 0 RTP/AVP 96\r\na=framerate:12.5\r\n") == 12.5
    assert claimed_fps(b"v=0\nm=video 0 RTP/AVP 96\na=x-framerate: 25\n") == 25
    assert claimed_fps(b"v=0\nm=audio 0 RTP/AVP 0\na=framerate:8\n") is None
    assert claimed_fps(b"v=0\nm=video 0 RTP/AVP 96\na=framerate:0\n") is None
    assert claimed_fps(b"") is None


def test_sound_beside_the_video_is_seen():
    assert offers_sound(b"v=0\r\nm=video 0 RTP/AVP 96\r\nm=audio 0 RTP/AVP 8\r\n")
    assert not offers_sound(b"v=0\r\ni=m=audio\r\nm=video 0 RTP/AVP 96\r\n")
