"""RTSP's messages as bytes."""

import pytest

from edge.errors import RtspError
from edge.rtsp.message import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Frame,
    Message,
    MessageReader,
    read_message,
    request,
    response,
)


def read(data: bytes) -> Message | Frame | None:
    reader = MessageReader()
    reader.feed(data)
    return reader.next()


def test_a_request_is_what_the_standard_says():
    asked = request("SETUP", "rtsp://192.0.2.7/cam", 3, {"Transport": "RTP/AVP/TCP"})
    assert asked.decode().split("\r\n") == [
        "SETUP rtsp://192.0.2.7/cam RTSP/1.0",
        "CSeq: 3",
        "User-Agent: Tanshao",
        "Transport: RTP/AVP/TCP",
        "",
        "",
    ]
    message = read(asked)
    assert (message.status, message.method, message.header("cseq")) == (0, "SETUP", "3")


@pytest.mark.parametrize("url", ["rtsp://x/a\r\nX: y", "rtsp://x/a b", "rtsp://x/\x00"])
def test_an_address_that_would_break_the_line_is_not_sent(url):
    with pytest.raises(RtspError):
        request("SETUP", url, 1, {})


def test_headers_are_found_in_any_case_and_kept_in_order():
    message = read(
        b"RTSP/1.0 401 Unauthorized\r\nwww-Authenticate: a\r\nWWW-AUTHENTICATE:b\r\n\r\n"
    )
    assert message.all("WWW-Authenticate") == ["a", "b"]
    assert (message.status, message.reason, message.header("x")) == (401, "Unauthorized", None)


def test_a_head_of_bare_line_feeds_is_read():
    message = read(b"RTSP/1.0 200 OK\nCSeq: 1\nContent-Length: 2\n\nhi")
    assert (message.status, message.body) == (200, b"hi")


def test_an_answer_to_a_request_of_the_server_is_a_message():
    assert read(response(501, "Not Implemented", "9")).header("cseq") == "9"


def test_an_empty_line_too_many_between_messages_is_passed_over():
    assert read(b"\r\n\r\nRTSP/1.0 200 OK\r\n\r\n").status == 200


def test_a_message_that_is_not_whole_waits():
    assert read(b"") is None
    assert read(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n") is None
    assert read(b"RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nhi") is None
    assert read(b"$\x00\x00") is None
    assert read(b"$\x00\x00\x02a") is None


def test_frames_and_messages_come_in_the_order_they_were_sent():
    reader = MessageReader()
    reader.feed(b"$\x01\x00\x02hiRTSP/1.0 200 OK\r\n\r\n$\x00\x00\x00rest")
    assert reader.next() == Frame(1, b"hi")
    assert isinstance(reader.next(), Message)
    assert reader.next() == Frame(0, b"")
    assert reader.rest == b"rest"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"RTSP/1.0\r\n\r\n",
        b"RTSP/1.0 abc OK\r\n\r\n",
        b"RTSP/1.0 20 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1),
        b"RTSP/1.0 200 OK\r\n" + b"A: b\r\n" * MAX_HEAD_BYTES,
        b"x" * (MAX_HEAD_BYTES + 1),
    ],
    ids=lambda data: repr(data[:24]),
)
def test_nonsense_and_what_has_no_end_is_refused(data):
    with pytest.raises(RtspError):
        read(data)


def test_what_follows_a_message_is_not_used():
    found = read_message(b"RTSP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nabc")
    assert found is not None
    assert (found[0].body, found[1]) == (b"a", 39)
