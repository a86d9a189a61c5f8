"""What the box and its picture process say to each other: one question, one answer, by turns."""

import socket
import struct
from dataclasses import dataclass

from edge.errors import MediaError
from edge.media.sample import Codec

_QUESTION = struct.Struct(">BHHIII")
_ANSWER = struct.Struct(">BI")
_CODECS = (Codec.H264, Codec.H265)
_MAX_PART_BYTES = 16 * 1024 * 1024
_PICTURE, _REFUSED = 1, 2


@dataclass(frozen=True, slots=True)
class Question:
    """A key frame that is to become a JPEG of ``width_px`` by ``height_px`` and ``max_bytes``.

    ``data`` are length-prefixed NAL units, ``extradata`` the avcC or hvcC they belong to.
    """

    codec: Codec
    width_px: int
    height_px: int
    max_bytes: int
    extradata: bytes
    data: bytes


def ask(link: socket.socket, question: Question) -> bytes:
    """Send a question and return the JPEG.

    Raises MediaError where the other side refuses, OSError (EOFError where it closed) where the
    link breaks or times out.
    """
    head = _QUESTION.pack(
        _CODECS.index(question.codec),
        question.width_px,
        question.height_px,
        question.max_bytes,
        len(question.extradata),
        len(question.data),
    )
    link.sendall(head + question.extradata + question.data)
    kind, length = _ANSWER.unpack(_exactly(link, _ANSWER.size))
    payload = _exactly(link, length)
    if kind != _PICTURE:
        raise MediaError(payload.decode("utf-8", "replace"))
    return payload


def receive(link: socket.socket) -> Question:
    """Return the next question. Raises EOFError where there will be none, TimeoutError, OSError."""
    codec, width_px, height_px, max_bytes, extradata, data = _QUESTION.unpack(
        _exactly(link, _QUESTION.size)
    )
    return Question(
        _CODECS[codec],
        width_px,
        height_px,
        max_bytes,
        _exactly(link, extradata),
        _exactly(link, data),
    )


def answer(link: socket.socket, jpeg: bytes) -> None:
    """Send the picture. Raises OSError."""
    link.sendall(_ANSWER.pack(_PICTURE, len(jpeg)) + jpeg)


def refuse(link: socket.socket, why: str) -> None:
    """Say why there is no picture. Raises OSError."""
    words = why.encode()
    link.sendall(_ANSWER.pack(_REFUSED, len(words)) + words)


def _exactly(link: socket.socket, length: int) -> bytes:
    if length > _MAX_PART_BYTES:
        raise EOFError(f"a part of {length} bytes")
    data = bytearray()
    while len(data) < length:
        got = link.recv(length - len(data))
        if not got:
            raise EOFError("closed")
        data += got
    return bytes(data)
