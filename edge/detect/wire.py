"""What the box and its detector process say to each other over one stream socket.

Frames of a 5-byte head (length of the payload, kind) and a payload. Pure and light.

::

    box -> detector   SETUP (JSON), STREAM, PACE, SAMPLE, GONE
    detector -> box   READY, RESULT, FIRE, PICTURE, BEAT (JSON), FAILED (text)

SETUP comes first. STREAM opens a run of a camera and says how often to look for people and for fire
in it, or that only its key frames come and only the camera's own health is judged; PACE changes the
rates, SAMPLE is one access unit of the run and begins with a key frame, GONE ends it. RESULT is
where people were seen in a frame, FIRE where flame and smoke were. PICTURE says how a camera's
picture is: when that changes, and every PICTURE_S. BEAT comes every second from the loop that does
the work.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from enum import IntEnum
from typing import Any

from edge.detect.fault import PictureFault

_HEAD = struct.Struct(">IB")
_STREAM = struct.Struct(">H16s8sff?H")
_PACE = struct.Struct(">Hff")
_SAMPLE = struct.Struct(">Hqq?")
_GONE = struct.Struct(">H")
_RESULT = struct.Struct(">H16sqfH")
_BOX = struct.Struct(">5f")
_FIRE = struct.Struct(">H16sqH")
_SIGHTING = struct.Struct(">B6f")
_PICTURE = struct.Struct(">H16sq?B")

#: A key frame of a 4K stream is under 4 MB; more is a broken peer.
MAX_FRAME_BYTES = 16 * 1024 * 1024

BEAT_S = 1.0
#: How long a picture is taken to be as it was last said to be.
PICTURE_S = 10.0
MAX_FPS = 100

#: left, top, right, bottom (0-1) and score.
BoxRow = tuple[float, float, float, float, float]
#: Whether it is smoke (else flame); left, top, right, bottom (0-1), score, and how much it moves.
FireRow = tuple[bool, float, float, float, float, float, float]


class Kind(IntEnum):
    """What a frame carries."""

    SETUP = 1
    STREAM = 2
    SAMPLE = 3
    GONE = 4
    PACE = 5
    READY = 16
    RESULT = 17
    BEAT = 18
    FAILED = 19
    PICTURE = 20
    FIRE = 21


class WireError(Exception):
    """The other side sent what is not of this protocol."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a detector process is to do. ``min_score``: weaker people are not reported.

    ``fire_factor`` is the same for flame and smoke, as a share of the fire model's own scores. A
    model without a name there is none of, and nothing is looked for with it. Manifests are the
    users' files that describe the models; empty: the program's own does.
    """

    model: str
    path: str
    manifest: str
    min_score: float
    fire_model: str
    fire_path: str
    fire_manifest: str
    fire_factor: float
    runtime: str


@dataclass(frozen=True, slots=True)
class Beat:
    """Counters since the process started, and its resident memory.

    ``inferred`` are frames that went through a network, ``repeated`` those that showed what the
    last one had shown; both are looks.
    """

    decoded: int
    inferred: int
    repeated: int
    superseded: int
    decode_errors: int
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Rate:
    """How many times a second people, and flame and smoke, are looked for; 0: not at all."""

    people_fps: float
    fire_fps: float

    def __bool__(self) -> bool:
        return bool(self.people_fps or self.fire_fps)


@dataclass(frozen=True, slots=True)
class Stream:
    """A run of the camera with this number.

    Without a ``rate`` only its key frames come. ``health``: whether the camera's picture is judged.
    ``extradata`` is avcC or hvcC.
    """

    camera: int
    run: bytes
    codec: str
    rate: Rate
    health: bool
    extradata: bytes


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the camera's run is to be looked at from now on."""

    camera: int
    rate: Rate


@dataclass(frozen=True, slots=True)
class Unit:
    """One access unit of the camera's run, length-prefixed."""

    camera: int
    dts_90k: int
    pts_90k: int
    is_key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """Who was seen in the frame at ``pts_90k`` of a run."""

    camera: int
    run: bytes
    pts_90k: int
    aspect: float
    boxes: tuple[BoxRow, ...]


@dataclass(frozen=True, slots=True)
class FireResult:
    """What looked like flame or smoke in the frame at ``pts_90k`` of a run."""

    camera: int
    run: bytes
    pts_90k: int
    sightings: tuple[FireRow, ...]


@dataclass(frozen=True, slots=True)
class PictureState:
    """How a camera's picture is at ``pts_90k`` of a run; not ``is_sure``: it can't be told now."""

    camera: int
    run: bytes
    pts_90k: int
    is_sure: bool
    faults: frozenset[PictureFault]


def frame(kind: Kind, payload: bytes = b"") -> bytes:
    """Return a frame."""
    return _HEAD.pack(len(payload), kind) + payload


def pack_setup(setup: Setup) -> bytes:
    """Return a SETUP frame."""
    return frame(Kind.SETUP, json.dumps(asdict(setup)).encode())


def parse_setup(payload: bytes) -> Setup:
    """Return the setup. Raises WireError."""
    return Setup(**_fields(payload, Setup))


def pack_stream(stream: Stream) -> bytes:
    """Return a STREAM frame."""
    codec, size = stream.codec.encode(), len(stream.extradata)
    rate = stream.rate
    head = _STREAM.pack(
        stream.camera, stream.run, codec, rate.people_fps, rate.fire_fps, stream.health, size
    )
    return frame(Kind.STREAM, head + stream.extradata)


def parse_stream(payload: bytes) -> Stream:
    """Return the stream. Raises WireError."""
    camera, run, codec, people_fps, fire_fps, health, size = _take(_STREAM, payload)
    extradata = payload[_STREAM.size :]
    if len(extradata) != size:
        raise WireError(f"stream: must have {size} bytes of extradata, not {len(extradata)}")
    name = codec.rstrip(b"\0").decode("ascii", "replace")
    return Stream(camera, run, name, _rate(people_fps, fire_fps), health, extradata)


def pack_pace(pace: Pace) -> bytes:
    """Return a PACE frame."""
    return frame(Kind.PACE, _PACE.pack(pace.camera, pace.rate.people_fps, pace.rate.fire_fps))


def parse_pace(payload: bytes) -> Pace:
    """Return the pace. Raises WireError."""
    camera, *fps = _take(_PACE, payload)
    return Pace(camera, _rate(*fps))


def pack_unit(unit: Unit) -> bytes:
    """Return a SAMPLE frame."""
    head = _SAMPLE.pack(unit.camera, unit.dts_90k, unit.pts_90k, unit.is_key)
    return frame(Kind.SAMPLE, head + unit.data)


def parse_unit(payload: bytes) -> Unit:
    """Return the access unit. Raises WireError."""
    camera, dts_90k, pts_90k, is_key = _take(_SAMPLE, payload)
    return Unit(camera, dts_90k, pts_90k, is_key, payload[_SAMPLE.size :])


def pack_gone(camera: int) -> bytes:
    """Return a GONE frame."""
    return frame(Kind.GONE, _GONE.pack(camera))


def parse_gone(payload: bytes) -> int:
    """Return the camera. Raises WireError."""
    camera: int = _take(_GONE, payload)[0]
    return camera


def pack_result(result: Result) -> bytes:
    """Return a RESULT frame."""
    head = _RESULT.pack(result.camera, result.run, result.pts_90k, result.aspect, len(result.boxes))
    return frame(Kind.RESULT, head + b"".join(_BOX.pack(*box) for box in result.boxes))


def parse_result(payload: bytes) -> Result:
    """Return the result. Raises WireError."""
    camera, run, pts_90k, aspect, count = _take(_RESULT, payload)
    rows = payload[_RESULT.size :]
    if len(rows) != count * _BOX.size:
        raise WireError(f"result: must have {count} boxes, has {len(rows)} bytes of them")
    return Result(camera, run, pts_90k, aspect, tuple(_BOX.iter_unpack(rows)))


def pack_fire(result: FireResult) -> bytes:
    """Return a FIRE frame."""
    head = _FIRE.pack(result.camera, result.run, result.pts_90k, len(result.sightings))
    return frame(Kind.FIRE, head + b"".join(_SIGHTING.pack(*row) for row in result.sightings))


def parse_fire(payload: bytes) -> FireResult:
    """Return the result. Raises WireError."""
    camera, run, pts_90k, count = _take(_FIRE, payload)
    rows = payload[_FIRE.size :]
    if len(rows) != count * _SIGHTING.size:
        raise WireError(f"fire: must have {count} sightings, has {len(rows)} bytes of them")
    seen = tuple((bool(smoke), *rest) for smoke, *rest in _SIGHTING.iter_unpack(rows))
    return FireResult(camera, run, pts_90k, seen)


def pack_picture(state: PictureState) -> bytes:
    """Return a PICTURE frame."""
    bits = sum(1 << bit for bit, fault in enumerate(PictureFault) if fault in state.faults)
    body = _PICTURE.pack(state.camera, state.run, state.pts_90k, state.is_sure, bits)
    return frame(Kind.PICTURE, body)


def parse_picture(payload: bytes) -> PictureState:
    """Return how a picture is. Raises WireError."""
    camera, run, pts_90k, is_sure, bits = _take(_PICTURE, payload)
    faults = frozenset(fault for bit, fault in enumerate(PictureFault) if bits >> bit & 1)
    if bits >> len(PictureFault):
        raise WireError(f"picture: faults {bits:b}")
    return PictureState(camera, run, pts_90k, is_sure, faults)


def pack_beat(beat: Beat) -> bytes:
    """Return a BEAT frame."""
    return frame(Kind.BEAT, json.dumps(asdict(beat)).encode())


def parse_beat(payload: bytes) -> Beat:
    """Return the beat. Raises WireError."""
    return Beat(**_fields(payload, Beat))


class Deframer:
    """Cuts what comes out of a stream socket into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Take bytes and yield the frames that are whole. Raises WireError."""
        self._buffer += data
        while len(self._buffer) >= _HEAD.size:
            length, number = _HEAD.unpack_from(self._buffer)
            if length > MAX_FRAME_BYTES or number not in _KINDS:
                raise WireError(f"frame: kind {number} of {length} bytes")
            end = _HEAD.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[_HEAD.size : end])
            del self._buffer[:end]
            yield Kind(number), payload


_KINDS = frozenset(kind.value for kind in Kind)


def _take(layout: struct.Struct, payload: bytes) -> tuple[Any, ...]:
    try:
        return layout.unpack_from(payload)
    except struct.error as error:
        raise WireError(str(error)) from error


def _rate(people_fps: float, fire_fps: float) -> Rate:
    for fps in (people_fps, fire_fps):
        if not 0 <= fps <= MAX_FPS:
            raise WireError(f"fps: must be from 0 to {MAX_FPS}, not {fps}")
    return Rate(people_fps, fire_fps)


def _fields(payload: bytes, of: type[Setup | Beat]) -> dict[str, Any]:
    try:
        values = json.loads(payload)
    except ValueError as error:
        raise WireError(f"{of.__name__}: {error}") from error
    names = [field.name for field in fields(of)]
    if not isinstance(values, dict) or set(values) != set(names):
        raise WireError(f"{of.__name__}: must have the fields {', '.join(names)}")
    return values
