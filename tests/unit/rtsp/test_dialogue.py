"""What a client and a camera say to each other."""

import pytest

from edge.errors import (
    RtspError,
    StreamByUdp,
    StreamError,
    StreamMissing,
    StreamRefused,
    StreamUnsuited,
)
from edge.media.sample import Codec
from edge.rtsp.challenge import Authoriser, Credentials
from edge.rtsp.dialogue import Dialogue
from edge.rtsp.message import Message, MessageReader
from tests.support.rtp import description

URL = "rtsp://192.0.2.7/cam"
TRANSPORT = {"transport": "RTP/AVP/TCP;unicast;interleaved=2-3", "session": "42;timeout=30"}


def dialogue(password: str | None = None) -> Dialogue:
    credentials = None if password is None else Credentials("admin", password)
    return Dialogue(URL, Authoriser(credentials, lambda: "nonce"))


def read(data: bytes) -> Message:
    reader = MessageReader()
    reader.feed(data)
    message = reader.next()
    assert isinstance(message, Message)
    return message


def answer(status: int = 200, body: bytes = b"", **headers: str) -> Message:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Message(status, "words", "", pairs, body)


def until_set_up(talk: Dialogue, **options: str) -> Message:
    talk.begin()
    talk.answer(answer(**options))
    return read(talk.answer(answer(body=description(Codec.H264))))


def test_a_camera_is_asked_four_things_and_plays():
    talk = dialogue()
    assert read(talk.begin()).method == "OPTIONS"
    assert read(talk.answer(answer())).method == "DESCRIBE"
    asked = read(talk.answer(answer(body=description(Codec.H265))))
    assert (asked.method, asked.header("transport")) == (
        "SETUP",
        "RTP/AVP/TCP;unicast;interleaved=0-1",
    )
    play = read(talk.answer(answer(**TRANSPORT)))
    assert (play.method, play.header("session")) == ("PLAY", "42")
    assert talk.answer(answer()) == b""
    assert talk.plays
    assert (talk.track.codec, talk.channel, talk.session_s) == (Codec.H265, 2, 30)
    assert read(talk.tear_down()).header("session") == "42"


def test_the_base_that_a_camera_names_is_what_tracks_are_asked_by():
    talk = dialogue()
    talk.begin()
    talk.answer(answer())
    body = description(Codec.H264)
    asked = talk.answer(answer(body=body, content_base="rtsp://192.0.2.7/base/"))
    assert asked.startswith(b"SETUP rtsp://192.0.2.7/base/trackID=2 ")


def test_a_base_that_is_no_address_is_not_believed():
    talk = dialogue()
    talk.begin()
    talk.answer(answer())
    asked = talk.answer(answer(body=description(Codec.H264), content_base="/cam"))
    assert asked.startswith(b"SETUP rtsp://192.0.2.7/cam/trackID=2 ")


def test_a_refusal_is_answered_once_with_the_password():
    talk = dialogue("secret")
    talk.begin()
    refusal = answer(401, www_authenticate='Digest realm="r", nonce="n"')
    again = read(talk.answer(refusal))
    assert again.method == "OPTIONS"
    assert "Digest" in (again.header("authorization") or "")
    with pytest.raises(StreamRefused, match="401"):
        talk.answer(refusal)


def test_what_was_asked_is_asked_again_whole_after_a_refusal():
    talk = dialogue("secret")
    until_set_up(talk)
    again = read(talk.answer(answer(401, www_authenticate="Basic realm=x")))
    assert again.method == "SETUP"
    assert again.header("transport") == "RTP/AVP/TCP;unicast;interleaved=0-1"


def test_without_a_password_a_refusal_is_the_end():
    talk = dialogue()
    talk.begin()
    with pytest.raises(StreamRefused, match="401"):
        talk.answer(answer(401, www_authenticate="Basic realm=x"))


def test_a_camera_that_minds_its_options_is_asked_for_the_rest():
    talk = dialogue()
    talk.begin()
    assert read(talk.answer(answer(405))).method == "DESCRIBE"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (403, StreamRefused),
        (404, StreamMissing),
        (454, StreamMissing),
        (461, StreamByUdp),
        (302, StreamUnsuited),
        (503, StreamError),
        (100, RtspError),
    ],
)
def test_an_answer_that_is_no_success_says_what_it_means(status, error):
    talk = dialogue()
    talk.begin()
    talk.answer(answer())
    with pytest.raises(StreamError, match=str(status)) as raised:
        talk.answer(answer(status))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "transport", ["", "RTP/AVP;unicast;client_port=1-2", "RTP/AVP/TCP;interleaved=255-256"]
)
def test_video_by_another_way_is_for_another_reader(transport):
    talk = dialogue()
    until_set_up(talk)
    with pytest.raises(StreamByUdp):
        talk.answer(answer(transport=transport))


@pytest.mark.parametrize(("said", "believed"), [("1", 10), ("999999", 120), ("x", 60)])
def test_a_sessions_length_is_believed_within_bounds(said, believed):
    talk = dialogue()
    until_set_up(talk)
    talk.answer(answer(transport="interleaved=0-1", session=f"1;timeout={said}"))
    assert talk.session_s == believed


@pytest.mark.parametrize(
    ("public", "method"), [("PLAY, GET_PARAMETER", "GET_PARAMETER"), ("PLAY", "OPTIONS")]
)
def test_a_session_is_kept_by_what_the_camera_knows(public, method):
    talk = dialogue("secret")
    until_set_up(talk, public=public)
    talk.answer(answer(**TRANSPORT))
    talk.answer(answer())
    assert read(talk.keep_alive()).method == method
    talk.renew(answer(400))  # some cameras mind, and play on
    talk.renew(answer(401, www_authenticate="Basic realm=x"))
    assert read(talk.keep_alive()).header("authorization") is not None


def test_a_session_name_that_would_break_a_line_is_refused():
    talk = dialogue()
    until_set_up(talk)
    with pytest.raises(RtspError):
        talk.answer(answer(transport="interleaved=0-1", session="4\x002"))
