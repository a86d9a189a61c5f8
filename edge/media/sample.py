"""What flows from a camera to everyone who wants it: runs, and the samples of a run."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from protocol.relay import StreamName

#: Ticks of media time in a second, RTP's own for video (RFC 6184, RFC 7798).
TICKS_PER_S = 90_000


class Codec(StrEnum):
    """A video coding we carry."""

    H264 = "h264"
    H265 = "h265"


@dataclass(frozen=True, slots=True)
class Packet:
    """One access unit as the camera sent it: parameter sets included, times unrepaired.

    ``units`` are its NAL units without start codes. ``dts_90k`` and ``pts_90k`` are the reader's,
    in 90 kHz ticks; either may be None.
    """

    pts_90k: int | None
    dts_90k: int | None
    is_key: bool
    units: tuple[bytes, ...]
    received_mono_ns: int
    received_utc: datetime


@dataclass(frozen=True, slots=True)
class CodecParameters:
    """What a decoder and an MP4 sample entry need; equal where nothing changed.

    ``extradata`` is the avcC or hvcC record (without its box head); ``mime_codec`` as in RFC 6381,
    such as ``avc1.64001f``.
    """

    codec: Codec
    width: int
    height: int
    extradata: bytes
    mime_codec: str


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of continuous media time of one stream with one set of parameters (time I3).

    ``run_id`` is a UUIDv7 in hex. A sample's wall time is ``started_utc`` plus its media time.
    """

    run_id: str
    camera_id: str
    stream: StreamName
    started_utc: datetime
    started_mono_ns: int
    parameters: CodecParameters

    def utc_at(self, dts_90k: int) -> datetime:
        """Return the wall time of a media time of this run."""
        return self.started_utc + timedelta(microseconds=dts_90k * 1_000_000 // TICKS_PER_S)


@dataclass(frozen=True, slots=True)
class Sample:
    """One access unit on its run's timeline, length-prefixed (AVCC), parameter sets taken out.

    ``dts_90k`` counts from the run's start and strictly grows; ``pts_90k`` may be ahead of it where
    the camera sends B-frames. ``duration_90k`` is the distance to the sample before: the true one
    is known only when the next sample comes.
    """

    run: Run
    dts_90k: int
    pts_90k: int
    duration_90k: int
    is_key: bool
    data: bytes
    received_mono_ns: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """No sample of ``run`` follows. ``reason`` is the word the recording's gap is given."""

    run: Run
    reason: "GapReason"
    at_utc: datetime


class GapReason(StrEnum):
    """Why a stretch of time has no recording; every missing second has one (recording I6)."""

    CAMERA = "camera"  # the camera is off, refuses us, or sends nothing
    NETWORK = "network"  # the connection broke
    TIMESTAMPS = "timestamps"  # the camera's clock jumped; no picture need be missing
    PARAMETERS = "parameters"  # size or codec changed; no picture need be missing
    BOX_OFF = "box_off"  # the box, or its edge process, was not running
    DISK = "disk"  # the disk refused the write
    OPERATOR = "operator"  # a person switched the camera, or all recording, off
    CONFIG = "config"  # the stream was removed from the configuration, or changed in it


#: What a stream's subscribers are offered, in order.
StreamItem = Sample | RunEnded
