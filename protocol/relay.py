"""The relay: one WebSocket that the box dials out to the centre, for video on demand.

The box is behind NAT, so the centre can't call it; it asks over this connection instead. Control
messages are JSON text frames; video and file bytes are binary frames with a 5-byte head: channel
(unsigned 32 bit, big-endian) and kind. The centre chooses channel numbers, unique per connection.

::

    centre -> box   live.start channel camera stream     live.stop channel
                    get.start  channel path range?       get.stop  channel
                    get.more   channel size_bytes
                    ask.start  channel method path body actor   (then as after get.start)
    box -> centre   live.open  channel mime generation width height       (then INIT, KEY, DELTA…)
                    live.state channel state                               (the camera's)
                    get.head   channel status headers                      (then BODY…)
                    end        channel reason?                             (last of a channel)

``live.open`` may come again on a channel: the stream's parameters changed and the player starts a
new source buffer. Each side ignores what names a channel it has closed.

A file flows only as fast as its reader takes it: the box may send GET_WINDOW_BYTES of BODY on a
channel, then as much again as ``get.more`` has allowed. Video has no window: its sender drops.

``ask.start`` changes something on the box, so nobody ever sends one again of himself: who gets no
answer looks how things are. A box that knows the word says so when it dials (SPEAKS_HEADER); one
that does not is never sent it.
"""

import re
import struct
from enum import IntEnum, StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from protocol.actor import Actor
from protocol.codec import BadMessageError
from protocol.messages import LocalId, Message, StreamState

_HEAD = struct.Struct(">IB")
Channel = Annotated[int, Field(ge=0, lt=2**32)]

#: How many BODY bytes may be under way unread; at 100 ms round trip this carries 80 Mbit/s.
GET_WINDOW_BYTES = 1024 * 1024

#: A Range header longer than this is left out: the answer is then the whole file.
MAX_RANGE_CHARS = 200

#: The longest body of an ``ask.start``; as a JSON string it is at most twice as long.
MAX_ASK_BYTES = 16 * 1024

#: A header of the box's handshake: which words it knows beyond the first ones, comma-separated.
SPEAKS_HEADER = "x-relay-speaks"
SPEAKS_ASK = "ask"

#: What of an answer's headers goes over the relay, beside ``content-type``.
ANSWER_HEADERS = (
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-length",
    "content-range",
    "etag",
    "last-modified",
    "retry-after",
    "x-clip-end",
    "x-clip-start",
    "x-content-sha256",
    "x-picture-time",
)

_ESCAPED = re.compile(r"%(?:2[ef]|5c|[01][0-9a-f]|7f)", re.IGNORECASE)


def _plain(path: str) -> str:
    """Refuse what a URL parser might read as another path than the one that was checked."""
    route = path.partition("?")[0]
    segments = route.split("/")[1:]
    if any(segment in {"", ".", ".."} for segment in segments):
        raise ValueError("must not have empty or dot segments")
    if any(not "!" <= character <= "~" or character in '\\#"<>' for character in path):
        raise ValueError("must be escaped ASCII without backslashes and without a fragment")
    if _ESCAPED.search(route):
        raise ValueError("must not have escaped dots, slashes or control characters")
    return path


def _short(body: str) -> str:
    if len(body.encode()) > MAX_ASK_BYTES:
        raise ValueError(f"must have at most {MAX_ASK_BYTES} bytes")
    return body


#: A path of the box's own interface, escaped, with its query; nothing outside ``/v1/``.
EdgePath = Annotated[str, Field(pattern=r"^/v1/", max_length=2000), AfterValidator(_plain)]


class StreamName(StrEnum):
    """Which of a camera's streams."""

    MAIN = "main"
    SUB = "sub"


class FrameKind(IntEnum):
    """What a binary frame carries."""

    INIT = 0  # ftyp + moov
    KEY = 1  # moof + mdat that begins with a key frame
    DELTA = 2  # moof + mdat of any other frame
    BODY = 3  # bytes of an HTTP answer


class LiveStart(Message):
    """Begin to send a stream, its current group of pictures first."""

    op: Literal["live.start"] = "live.start"
    channel: Channel
    camera: LocalId
    stream: StreamName


class LiveStop(Message):
    """The last viewer has left."""

    op: Literal["live.stop"] = "live.stop"
    channel: Channel


class GetStart(Message):
    """Fetch ``path`` (with its query) from the box's own HTTP interface; GET only."""

    op: Literal["get.start"] = "get.start"
    channel: Channel
    path: EdgePath
    range: str | None = Field(default=None, max_length=MAX_RANGE_CHARS)


class GetMore(Message):
    """The reader has taken so many bytes: as many more may come."""

    op: Literal["get.more"] = "get.more"
    channel: Channel
    size_bytes: int = Field(ge=1, le=GET_WINDOW_BYTES)


class GetStop(Message):
    """The reader went away."""

    op: Literal["get.stop"] = "get.stop"
    channel: Channel


class AskMethod(StrEnum):
    """The HTTP method of an ``ask.start``."""

    POST = "POST"
    PATCH = "PATCH"
    DELETE = "DELETE"


class AskStart(Message):
    """Have something done by the box's own HTTP interface, at most once, in somebody's name.

    ``body`` is JSON text, or empty.
    """

    op: Literal["ask.start"] = "ask.start"
    channel: Channel
    method: AskMethod
    path: EdgePath
    body: Annotated[str, AfterValidator(_short)] = ""
    actor: Actor


class LiveOpen(Message):
    """The stream's parameters; the INIT frame follows."""

    op: Literal["live.open"] = "live.open"
    channel: Channel
    mime: str
    generation: int
    width: int
    height: int


class LiveState(Message):
    """The camera behind a live channel came or went."""

    op: Literal["live.state"] = "live.state"
    channel: Channel
    state: StreamState


class GetHead(Message):
    """Status and headers of the answer."""

    op: Literal["get.head"] = "get.head"
    channel: Channel
    status: int
    headers: dict[str, str]


class End(Message):
    """Nothing more comes on this channel; ``reason`` where it ended badly."""

    op: Literal["end"] = "end"
    channel: Channel
    reason: str | None = None


Control = (
    LiveStart
    | LiveStop
    | GetStart
    | GetMore
    | GetStop
    | AskStart
    | LiveOpen
    | LiveState
    | GetHead
    | End
)
_ADAPTER: TypeAdapter[Control] = TypeAdapter(Annotated[Control, Field(discriminator="op")])


def decode_control(text: str | bytes) -> Control:
    """Return the control message in a text frame. Raises BadMessageError."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        raise BadMessageError(f"relay control: {error.error_count()} errors") from error


def encode_control(control: Control) -> str:
    """Return a control message as a text frame."""
    return control.model_dump_json(exclude_none=True)


def pack(channel: int, kind: FrameKind, payload: bytes) -> bytes:
    """Return a binary frame."""
    return _HEAD.pack(channel, kind) + payload


def unpack(frame: bytes) -> tuple[int, FrameKind, memoryview]:
    """Return channel, kind and payload (a view, not a copy). Raises BadMessageError."""
    try:
        channel, kind = _HEAD.unpack_from(frame)
        return channel, FrameKind(kind), memoryview(frame)[_HEAD.size :]
    except (struct.error, ValueError) as error:
        raise BadMessageError(f"relay frame of {len(frame)} bytes") from error
