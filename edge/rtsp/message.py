"""RTSP's messages as bytes: what a client sends, and what comes back in one stream. Pure.

Source: RFC 2326 (sections 4 to 7, and 10.12 for binary data between the messages).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge.errors import RtspError

#: Real heads are under 2 KB and real descriptions under 4: what is longer is none.
MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024

#: What a frame of binary data begins with: this, its channel, and a 16-bit length.
FRAME_MARK = 0x24
FRAME_HEAD_BYTES = 4

_LINE_ENDS = b"\r\n"
_USER_AGENT = "Tanshao"


@dataclass(frozen=True, slots=True)
class Message:
    """A response, or a request of the server's, which has ``status`` 0 and its ``method``."""

    status: int
    reason: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return a header's first value; names don't differ by case."""
        return next(iter(self.all(name)), None)

    def all(self, name: str) -> list[str]:
        """Return all values of a header, in order."""
        return [value for key, value in self.headers if key == name.lower()]


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of binary data on one of the session's channels."""

    channel: int
    payload: bytes


def request(method: str, url: str, cseq: int, headers: Mapping[str, str]) -> bytes:
    """Return a request without a body. Raises RtspError where a value would break a line."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {cseq}", f"User-Agent: {_USER_AGENT}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if any(not line.isprintable() for line in lines) or " " in url:
        raise RtspError("the server named an address or a session that fits no line")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def response(status: int, reason: str, cseq: str) -> bytes:
    """Return an answer, without a body, to a request of the server's."""
    return f"RTSP/1.0 {status} {reason}\r\nCSeq: {cseq}\r\n\r\n".encode()


def read_message(
    data: bytes | bytearray, start: int = 0, stop: int | None = None
) -> tuple[Message, int] | None:
    """Return the message at ``start`` and where it ends; None where ``stop`` comes before that.

    What it costs does not depend on what comes behind the message. Raises RtspError for what is no
    message, or a longer one than any server's.
    """
    stop = len(data) if stop is None else stop
    end, gap = _head_end(data, start, min(stop, start + MAX_HEAD_BYTES))
    if end < 0 and stop - start >= MAX_HEAD_BYTES:
        raise RtspError(f"a message head of more than {MAX_HEAD_BYTES} bytes")
    if end < 0:
        return None
    head = data[start:end].decode("utf-8", "replace").replace("\r\n", "\n")
    first, *lines = head.split("\n")
    status, reason, method = _first_line(first)
    headers = tuple(_header(line) for line in lines if ":" in line)
    body = end + gap
    used = body + _length(dict(reversed(headers)).get("content-length", "0"))
    if stop < used:
        return None
    return Message(status, reason, method, headers, bytes(data[body:used])), used


class MessageReader:
    """Messages and frames of one byte stream, however it was cut on its way."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def rest(self) -> bytes:
        """What came after the last item."""
        return bytes(self._rest)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._rest += data

    def next(self) -> Message | Frame | None:
        """Return the next item, or None where more bytes are needed. Raises RtspError."""
        rest = self._rest
        while rest and rest[0] in _LINE_ENDS:  # some servers end a message once more
            del rest[:1]
        if not rest:
            return None
        if rest[0] == FRAME_MARK:
            return self._frame()
        found = read_message(rest)
        if found is None:
            return None
        message, used = found
        del rest[:used]
        return message

    def _frame(self) -> Frame | None:
        rest = self._rest
        if len(rest) < FRAME_HEAD_BYTES:
            return None
        end = FRAME_HEAD_BYTES + int.from_bytes(rest[2:4])
        if len(rest) < end:
            return None
        frame = Frame(rest[1], bytes(rest[FRAME_HEAD_BYTES:end]))
        del rest[:end]
        return frame


def _head_end(data: bytes | bytearray, start: int, stop: int) -> tuple[int, int]:
    """Return where a head ends and how long the empty line after it is; -1 where it does not."""
    marks = (b"\r\n\r\n", b"\n\n")
    ends = [(data.find(mark, start, stop), len(mark)) for mark in marks]
    return min((each for each in ends if each[0] >= 0), default=(-1, 0))


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _length(given: str) -> int:
    if not (given.isascii() and given.isdecimal() and len(given) <= 9):  # noqa: PLR2004
        raise RtspError("a message whose length is no number")
    length = int(given)
    if length > MAX_BODY_BYTES:
        raise RtspError(f"a message body of {length} bytes")
    return length


def _first_line(line: str) -> tuple[int, str, str]:
    """Return status, reason and method; status 0 is a request's."""
    words = line.split(None, 2)
    if len(words) >= 2 and words[0].startswith("RTSP/"):  # noqa: PLR2004 - protocol and status
        status = words[1]
        if not (status.isascii() and status.isdecimal() and len(status) == 3):  # noqa: PLR2004
            raise RtspError("an answer without a status")
        return int(status), words[2] if len(words) > 2 else "", ""  # noqa: PLR2004
    if len(words) == 3 and words[2].startswith("RTSP/") and words[0].isupper():  # noqa: PLR2004
        return 0, "", words[0]
    raise RtspError("what the server sends is not RTSP")
