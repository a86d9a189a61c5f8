"""An HTTP answer that is one JPEG picture, or one after the other (multipart). Pure.

Cameras that have no RTSP serve either. Source: RFC 9110, RFC 2046; what cameras get wrong about the
boundary is put up with.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from edge.errors import StreamError

#: Of one picture: a camera's best of 4K.
MAX_PICTURE_BYTES: Final = 2 * 1024 * 1024
_MAX_HEAD_BYTES: Final = 16 * 1024
#: What may have come with a picture: the next one's beginning.
_SPARE_BYTES: Final = 128 * 1024
_OK: Final = 200
_START: Final = b"\xff\xd8"
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |$)")
_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]+)\"|([^\s;]+))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer begins with: its status, and its headers by their small names."""

    status: int
    headers: dict[str, list[str]] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Return a header's first value, empty where there is none."""
        return next(iter(self.headers.get(name, [])), "")

    @property
    def is_several(self) -> bool:
        """Whether pictures follow one another without an end."""
        return self.header("content-type").lower().startswith("multipart/")


class JpegReader:
    """Takes an answer's bytes as they come; gives its head and its pictures.

    Raises StreamError, and nothing else, for what is no HTTP, no picture or has no end.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._head: Head | None = None
        self._boundary = b""
        self._is_over = False

    @property
    def head(self) -> Head | None:
        """What the answer begins with, as soon as that is whole."""
        return self._head

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._data += data
        if self._head is None and (lines := self._lines()) is not None:
            self._head = _head(lines)
            if self._head.is_several:
                self._boundary = _boundary(self._head)
        if len(self._data) > MAX_PICTURE_BYTES + _SPARE_BYTES:
            raise StreamError(f"a picture of more than {MAX_PICTURE_BYTES} bytes")

    def next(self, *, is_end: bool = False) -> bytes | None:
        """Return the next picture that is whole; ``is_end``: nothing comes any more."""
        if self._head is None or self._head.status != _OK or self._is_over:
            return None
        if self._boundary:
            return self._part(is_end=is_end)
        if not self._data.startswith(_START[: len(self._data)]):
            raise StreamError("what the camera sends is no JPEG picture")
        length = _length(self._head.header("content-length"))
        if length is None:
            if not is_end:
                return None
            length = len(self._data)
        if len(self._data) < length:
            return None
        self._is_over = True
        return _picture(bytes(self._data[:length]))

    def _part(self, *, is_end: bool) -> bytes | None:
        at = self._data.find(self._boundary)
        if at < 0:
            del self._data[: max(0, len(self._data) - len(self._boundary))]
            return None
        begin = self._data.find(b"\n", at)
        if begin < 0:
            return None
        end, behind = _blank_line(self._data, begin + 1)
        if end < 0:
            if len(self._data) - begin > _MAX_HEAD_BYTES:
                raise StreamError("the head of a picture has no end")
            return None
        stop = self._stop(bytes(self._data[begin + 1 : end]), behind, is_end=is_end)
        if stop is None:
            return None
        picture = bytes(self._data[behind:stop])
        del self._data[:stop]
        return _picture(picture)

    def _stop(self, head: bytes, behind: int, *, is_end: bool) -> int | None:
        """Return where a part's picture ends, None where that has not come yet."""
        length = _length(_fields(head).get("content-length", [""])[0])
        if length is not None:
            return behind + length if len(self._data) >= behind + length else None
        found = self._data.find(self._boundary, behind)
        if found >= 0:
            return found
        return len(self._data) if is_end else None

    def _lines(self) -> bytes | None:
        end, behind = _blank_line(self._data, 0)
        if end < 0:
            if len(self._data) > _MAX_HEAD_BYTES or not _may_be_http(self._data):
                raise StreamError("what answers speaks no HTTP")
            return None
        lines = bytes(self._data[:end])
        del self._data[:behind]
        return lines


def _may_be_http(data: bytes | bytearray) -> bool:
    return data[:5] == b"HTTP/"[: len(data)]


def _blank_line(data: bytearray, begin: int) -> tuple[int, int]:
    """Return where the lines before a blank one end, and where that ends; -1 for neither yet."""
    marks = (b"\r\n\r\n", b"\n\n")
    found = [(at, at + len(mark)) for mark in marks if (at := data.find(mark, begin)) >= 0]
    return min(found, default=(-1, -1))


def _head(lines: bytes) -> Head:
    first, _, rest = lines.partition(b"\n")
    status = _STATUS.match(first.strip())
    if status is None:
        raise StreamError("what answers speaks no HTTP")
    head = Head(int(status[1]), _fields(rest))
    if head.header("transfer-encoding") or head.header("content-encoding"):
        raise StreamError("the camera codes its answer in a way that was not asked for")
    return head


def _fields(lines: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines.decode("latin-1").split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), []).append(value.strip())
    return found


def _boundary(head: Head) -> bytes:
    """Return what separates the pictures; some cameras count the two dashes to it, some don't."""
    matched = _BOUNDARY.search(head.header("content-type"))
    bare = "" if matched is None else (matched[1] or matched[2]).strip().lstrip("-")
    if not bare:
        raise StreamError("the camera does not say what separates its pictures")
    return b"--" + bare.encode("latin-1")


def _length(text: str) -> int | None:
    if not text.isascii() or not text.isdigit():
        return None
    length = int(text[:12])
    if length > MAX_PICTURE_BYTES:
        raise StreamError(f"a picture of more than {MAX_PICTURE_BYTES} bytes")
    return length


def _picture(data: bytes) -> bytes:
    picture = data.strip(b"\r\n")
    if not picture.startswith(_START):
        raise StreamError("what the camera sends is no JPEG picture")
    if len(picture) > MAX_PICTURE_BYTES:
        raise StreamError(f"a picture of more than {MAX_PICTURE_BYTES} bytes")
    return picture
