"""What the box sends its errand process for, and what that says on its way. Pure.

The order is one JSON object on the process's standard input: the password is in it, and nowhere
else outside of the two processes' memory. What comes back is one JSON object a line.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from protocol.relay import StreamName

Step = Literal["looking", "asking", "main", "sub"]
Level = Literal["must", "should", "note"]
Transport = Literal["tcp", "udp"]
InBrowser = Literal["yes", "some", "no"]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Space(_Said):
    """What recordings may take on the disk, how many cameras share it, and for how many days.

    ``room_bytes`` is None where it is not known.
    """

    room_bytes: int | None
    cameras: int
    days: int


class Searching(_Said):
    """Ask on all of this machine's networks who is there, and listen for ``seconds``."""

    order: Literal["search"] = "search"
    seconds: float
    interfaces: tuple[str, ...] = ()  # own addresses; all of them where empty


class Examining(_Said):
    """Examine one camera: by ONVIF at ``address``, or by the addresses of its streams alone."""

    order: Literal["probe"] = "probe"
    address: str | None = None
    rtsp_url: str | None = None
    rtsp_sub_url: str | None = None
    username: str | None = None
    password: str = Field(default="", repr=False)
    certificate: str | None = None
    may_be_ahead: bool = False
    space: Space


Order = Annotated[Searching | Examining, Field(discriminator="order")]
_ORDERS: TypeAdapter[Searching | Examining] = TypeAdapter(Order)


class FoundCamera(_Said):
    """A device that answered; ``address`` is where it is asked, ``host`` the sender's."""

    address: str
    host: str
    name: str
    hardware: str


class SearchSaid(_Said):
    """Who answered, and how many answers could not be read."""

    said: Literal["search"] = "search"
    found: tuple[FoundCamera, ...]
    unreadable: int


class StepSaid(_Said):
    """What is being done."""

    said: Literal["step"] = "step"
    step: Step


class Device(_Said):
    """What a camera says it is; any of it may be empty."""

    maker: str
    model: str
    firmware: str


class Stream(_Said):
    """A stream as it was measured."""

    stream: StreamName
    codec: str
    width: int
    height: int
    fps: float
    gop_s: float
    kbit_s: int
    b_frames: bool
    transport: Transport
    in_browser: InBrowser
    has_sound: bool = Field(alias="audio")


class Advice(_Said):
    """One thing to do about a camera's settings, or that all is well."""

    code: str
    level: Level
    zh: str
    en: str


class Problem(_Said):
    """Why an examination came to nothing, and what can be done."""

    kind: str
    zh: str
    en: str


class Pulled(_Said):
    """Where the box will pull a camera's streams: for its configuration, and for nobody's eyes."""

    main_url: str
    sub_url: str | None
    transport: Transport
    certificate: str | None = None


class ProbeSaid(_Said):
    """What an examination found; ``pulled`` is None where ``problem`` says why."""

    said: Literal["probe"] = "probe"
    device: Device | None = None
    clock_offset_s: float | None = None
    streams: tuple[Stream, ...] = ()
    gb_per_day: float | None = None
    advice: tuple[Advice, ...] = ()
    problem: Problem | None = None
    pulled: Pulled | None = None


class PictureSaid(_Said):
    """A picture that the camera sent, as a JPEG in base64."""

    said: Literal["picture"] = "picture"
    jpeg: str


Saying = StepSaid | SearchSaid | ProbeSaid | PictureSaid
_SAYINGS: TypeAdapter[Saying] = TypeAdapter(Annotated[Saying, Field(discriminator="said")])


def written(order: Searching | Examining) -> bytes:
    """Return an order as it goes to the process."""
    return order.model_dump_json().encode()


def order_of(data: bytes) -> Searching | Examining:
    """Return the order that came. Raises pydantic's ValidationError."""
    return _ORDERS.validate_json(data)


def line(saying: Saying) -> str:
    """Return what is said as one line."""
    return saying.model_dump_json(by_alias=True)


def saying_of(data: bytes) -> Saying:
    """Return what a line says. Raises pydantic's ValidationError."""
    return _SAYINGS.validate_json(data)
