"""Binary frames and control messages of the relay."""

import json

import pytest

from protocol.codec import BadMessageError
from protocol.relay import (
    MAX_ASK_BYTES,
    AskMethod,
    AskStart,
    End,
    FrameKind,
    GetHead,
    GetStart,
    LiveOpen,
    LiveStart,
    StreamName,
    decode_control,
    encode_control,
    pack,
    unpack,
)


def test_a_frame_is_channel_kind_and_payload():
    assert pack(0x01020304, FrameKind.DELTA, b"moof") == b"\x01\x02\x03\x04\x02moof"


@pytest.mark.parametrize("kind", FrameKind)
def test_a_frame_is_unpacked_without_a_copy(kind):
    frame = pack(2**32 - 1, kind, b"payload")
    channel, unpacked, payload = unpack(frame)
    assert (channel, unpacked, bytes(payload)) == (2**32 - 1, kind, b"payload")
    assert payload.obj is frame


@pytest.mark.parametrize("frame", [b"", b"\0\0\0\1", b"\0\0\0\1\x63x"])
def test_a_frame_too_short_or_of_an_unknown_kind_is_refused(frame):
    with pytest.raises(BadMessageError):
        unpack(frame)


@pytest.mark.parametrize(
    "control",
    [
        LiveStart(channel=1, camera="square", stream=StreamName.SUB),
        LiveOpen(channel=1, mime="video/mp4", generation=2, width=768, height=576),
        GetStart(channel=2, path="/v1/segments/7.mp4", range="bytes=0-99"),
        AskStart(
            channel=3, method=AskMethod.DELETE, path="/v1/x", body='{"a": "村"}', actor="杨文昌"
        ),
        GetHead(channel=2, status=206, headers={"content-length": "100"}),
        End(channel=2),
    ],
)
def test_a_control_message_comes_back_as_it_was(control):
    assert decode_control(encode_control(control)) == control


@pytest.mark.parametrize("text", ["", "{}", '{"op":"live.rewind","channel":1}', '{"op":"end"}'])
def test_what_is_not_a_control_message_is_refused(text):
    with pytest.raises(BadMessageError):
        decode_control(text)


def ask(body: str = "{}", actor: str = "杨文昌") -> str:
    return json.dumps(
        {
            "op": "ask.start",
            "channel": 1,
            "method": "POST",
            "path": "/v1/holds",
            "body": body,
            "actor": actor,
        }
    )


def test_a_body_is_counted_in_bytes_of_utf_8():
    body = "村" * (MAX_ASK_BYTES // 3)
    assert decode_control(ask(body=body)).body == body
    with pytest.raises(BadMessageError):
        decode_control(ask(body=body + "村村"))


@pytest.mark.parametrize("actor", ["", "  ", "a\nb", "a\x7f", "\u202eab", "a" * 121])
def test_an_actor_is_words_that_can_be_shown(actor):
    with pytest.raises(BadMessageError):
        decode_control(ask(actor=actor))
