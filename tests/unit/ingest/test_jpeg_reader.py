"""An HTTP answer's pictures."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import StreamError
from edge.ingest.jpeg_reader import MAX_PICTURE_BYTES, JpegReader

ONE, TWO = b"\xff\xd8one\xff\xd9", b"\xff\xd8two--x\r\n\r\n--\xff\xd9"
SEVERAL = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=%b\r\n\r\n"


def part(picture: bytes, boundary: bytes = b"--x", *, length: bool = True) -> bytes:
    counted = b"Content-Length: %d\r\n" % len(picture) if length else b""
    return b"%b\r\nContent-Type: image/jpeg\r\n%b\r\n%b\r\n" % (boundary, counted, picture)


def pictures(data: bytes, cuts: list[int] | None = None) -> list[bytes]:
    """Return the pictures of an answer that comes in pieces."""
    reader, found = JpegReader(), []
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts or [])})
    for begin, end in pairwise(edges):
        reader.feed(data[begin:end])
        while (picture := reader.next()) is not None:
            found.append(picture)
    while (picture := reader.next(is_end=True)) is not None:
        found.append(picture)
    return found


def test_one_picture_ends_by_its_length_or_with_the_connection():
    counted = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%bmore" % (len(ONE), ONE)
    assert pictures(counted) == [ONE]
    assert pictures(b"HTTP/1.0 200 OK\r\n\r\n" + ONE) == [ONE]


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("said", [b"x", b'"x"', b"--x", b"x; charset=utf-8"])
def test_pictures_follow_one_another_however_the_boundary_is_written(said, length):
    plain = b"\xff\xd8two\xff\xd9"
    body = part(ONE, length=length) + b"\r\n" + part(plain, length=length) + b"--x--\r\n"
    assert pictures(SEVERAL % said + body)[:2] == [ONE, plain]


def test_a_picture_that_looks_like_its_boundary_is_whole_where_its_length_is_said():
    assert pictures(SEVERAL % b"x" + part(TWO) + part(ONE)) == [TWO, ONE]


@given(st.lists(st.integers(min_value=0), max_size=12), st.booleans())
def test_however_an_answer_is_cut_its_pictures_are_the_same(cuts, length):
    data = SEVERAL % b"x" + b"preamble\r\n" + part(ONE, length=length) + part(ONE) + b"--x--"
    assert pictures(data, cuts) == pictures(data) == [ONE, ONE]


@given(st.binary(max_size=300), st.sampled_from([b"", SEVERAL % b"x", SEVERAL % b"x" + b"--x\n"]))
def test_whatever_comes_it_is_a_picture_or_our_error(data, before):
    try:
        found = pictures(before + data)
    except StreamError:
        return
    assert all(picture.startswith(b"\xff\xd8") for picture in found)


def test_an_answer_that_is_no_success_has_no_picture():
    reader = JpegReader()
    reader.feed(
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic x\r\nwww-authenticate: Digest y\r\n\r\n"
    )
    assert reader.head is not None
    assert reader.head.status == 401
    assert reader.head.headers["www-authenticate"] == ["Basic x", "Digest y"]
    assert reader.next(is_end=True) is None


@pytest.mark.parametrize(
    "data",
    [
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 5000,
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.0 200 OK\r\n\r\n" + bytes(MAX_PICTURE_BYTES + 200_000),
        b"HTTP/1.0 200 OK\r\n\r\n\xff\xd8" + bytes(MAX_PICTURE_BYTES),
        b"HTTP/1.0 200 OK\r\nContent-Type: multipart/mixed\r\n\r\n",
        SEVERAL % b"x" + b"--x\r\n" + b"X: y\r\n" * 5000,
        SEVERAL % b"x" + b"--x\r\nContent-Length: 99999999\r\n\r\n",
        SEVERAL % b"x" + b"--x\r\n\r\n\xff\xd8" + bytes(MAX_PICTURE_BYTES + 200_000),
    ],
    ids=lambda data: repr(data[:60]),
)
def test_what_is_no_answer_or_has_no_end_is_our_error(data):
    with pytest.raises(StreamError):
        pictures(data)
