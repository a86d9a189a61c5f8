from datetime import UTC, datetime
from hashlib import md5

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.doctor.rtsp_answer import MAX_BODY_BYTES, authorization, claimed_fps, parse_head
from edge.errors import MediaError

URL = "rtsp://192.0.2.10/main"


def head(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize(
    "date",
    [
        "Thu, 26 Nov 2026 08:00:00 GMT",  # RFC 7231, as gst-rtsp-server writes it
        "Thu, Nov 26 2026 08:00:00 GMT",  # live555, and with it half of all cameras
    ],
)
def test_a_cameras_time_is_read_in_either_form(date):
    answer = parse_head(head("RTSP/1.0 200 OK", f"Date: {date}"))
    assert answer.at == datetime(2026, 11, 26, 8, tzinfo=UTC)


def test_a_time_that_is_none_is_no_time():
    assert parse_head(head("RTSP/1.0 200 OK", "Date: yesterday")).at is None
    assert parse_head(head("RTSP/1.0 200 OK", "Date: Thu, Foo 26 2026 08:00:00")).at is None
    assert parse_head(head("RTSP/1.0 200 OK")).at is None


@given(st.binary(max_size=200))
@example(b"RTSP/1.0 200 OK\r\nContent-Length: \xb2")
def test_whatever_comes_the_only_error_is_ours(data):
    try:
        answer = parse_head(data)
    except MediaError:
        return
    assert 0 <= answer.length <= MAX_BODY_BYTES


def test_the_digest_is_that_of_the_standards_own_example():
    answer = parse_head(
        head(
            "RTSP/1.0 401 Unauthorized",
            'WWW-Authenticate: Digest realm="testrealm@host.com", qop="auth,auth-int", '
            'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
        )
    )
    value = authorization(answer, "Mufasa", "Circle Of Life", "GET", "/dir/index.html")
    assert value is not None
    fields = dict(part.strip().split("=", 1) for part in value.removeprefix("Digest ").split(","))
    secret = md5(b"Mufasa:testrealm@host.com:Circle Of Life").hexdigest()
    request = md5(b"GET:/dir/index.html").hexdigest()
    cnonce = fields["cnonce"].strip('"')
    text = f"{secret}:dcd98b7102dd2f0e8b11d0f600bfb0c093:00000001:{cnonce}:auth:{request}"
    assert fields["response"].strip('"') == md5(text.encode()).hexdigest()
    assert fields["opaque"] == '"5ccc069c403ebaf9f0171e9517f40e41"'


def test_digest_is_preferred_and_a_kind_that_nobody_knows_is_not_answered():
    both = parse_head(
        head(
            "RTSP/1.0 401 Unauthorized",
            'WWW-Authenticate: Basic realm="r"',
            'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256',
        )
    )
    value = authorization(both, "u", "p", "DESCRIBE", URL)
    assert value is not None
    assert value.startswith("Digest ")
    assert "algorithm=SHA-256" in value
    basic = parse_head(head("RTSP/1.0 401 No", 'WWW-Authenticate: Basic realm="r"'))
    assert authorization(basic, "u", "p", "DESCRIBE", URL) == "basic"
    odd = parse_head(head("RTSP/1.0 401 No", 'WWW-Authenticate: Digest algorithm="X", nonce="n"'))
    assert authorization(odd, "u", "p", "DESCRIBE", URL) is None


def test_frames_a_second_are_the_videos_and_not_the_sounds():
    sdp = "v=0\nm=video 0 RTP/AVP 96\na=framerate:12.5\n"
    assert claimed_fps(sdp) == 12.5
    assert claimed_fps("v=0\nm=video 0 RTP/AVP 96\na=x-framerate: 25\n") == 25
    assert claimed_fps("v=0\nm=audio 0 RTP/AVP 0\na=framerate:8\n") is None
    assert claimed_fps("v=0\nm=video 0 RTP/AVP 96\na=framerate:0\n") is None
    assert claimed_fps("") is None
