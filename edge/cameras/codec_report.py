"""What a camera sends, measured over some seconds, and what had better be set otherwise. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.errors import MediaError
from edge.media.parameters import ParameterCollector
from edge.media.sample import TICKS_PER_S, Codec, CodecParameters, Packet

_NS_PER_S = 1_000_000_000
_DAY_S = 86_400
#: FFmpeg hands on at once what it kept to know the stream: only what comes later tells the pace.
_BURST_NS = 1_000_000_000
_LEAST_PACED_S = 1.0

#: A picture is begun anew at key frames only: live view and seeking wait for one.
LONG_GOP_S = 4.5
#: Fewer of the frames that the camera says it sends is a fault and not rounding.
_LEAST_OF_CLAIMED = 0.8
#: Less media time than this a second of the wall: the network can't carry it.
_LEAST_PACE = 0.9
#: More than that at 1080p25 is 6 Mbit/s: it fills the disk, and nobody sees it.
_RICH_BITS_PER_PIXEL = 0.12
_RICH_BPS = 2_000_000
#: Sixteen of them are shown and looked at side by side.
_SUB_PIXELS = 960 * 540
_SUB_BPS = 1_200_000
#: Profiles of H.264 that browsers decode: baseline, main, high.
_BROWSER_PROFILES = frozenset({"42", "4d", "64"})


class Playable(StrEnum):
    """Which browsers can play a stream as it is."""

    EVERYWHERE = "everywhere"
    SOME = "some"  # H.265: where the machine decodes it in hardware, and the browser asks it to
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class CodecReport:
    """One stream as it was measured.

    ``fps`` and ``bit_rate_bps`` are by the camera's own times, ``claimed_fps`` is what it announced
    (None: nothing). ``gop_s`` is the longest distance of two key frames; where there was only one,
    how long none followed. ``pace`` is media seconds a second of the wall; None where it was not
    read for long enough.
    """

    codec: Codec
    mime_codec: str
    width: int
    height: int
    fps: float
    claimed_fps: float | None
    bit_rate_bps: int
    gop_s: float
    has_b_frames: bool
    pace: float | None

    @property
    def playable(self) -> Playable:
        """Which browsers can play it."""
        if self.codec is Codec.H265:
            return Playable.SOME
        profile = self.mime_codec.removeprefix("avc1.")[:2]
        return Playable.EVERYWHERE if profile in _BROWSER_PROFILES else Playable.NOWHERE

    @property
    def daily_bytes(self) -> int:
        """What a day of it takes on the disk."""
        return self.bit_rate_bps * _DAY_S // 8

    def facts(self) -> Mapping[str, str | int | float]:
        """Return it in figures for people: Mbit/s, seconds, gigabytes a day."""
        return {
            "codec": {Codec.H264: "H.264", Codec.H265: "H.265"}[self.codec],
            "width": self.width,
            "height": self.height,
            "fps": round(self.fps, 1),
            "claimed_fps": self.claimed_fps or 0,
            "mbps": round(self.bit_rate_bps / 1e6, 2),
            "gop_s": round(self.gop_s, 1),
            "gb_a_day": round(self.daily_bytes / 1e9, 1),
            "pace_percent": round(100 * (self.pace or 1)),
        }


class StreamMeter:
    """Measures one stream packet by packet.

    A packet without a time, as FFmpeg gives the first one of a connection, takes that of the next.
    """

    def __init__(self, codec: Codec, extradata: bytes, claimed_fps: float | None = None) -> None:
        self._codec = codec
        self._sets = ParameterCollector(codec, extradata)
        self._claimed_fps = claimed_fps
        self._frames = self._bytes = 0
        self._span = _Span()
        self._paced = _Span()
        self._began_ns: int | None = None
        self._last_key: int | None = None
        self._is_key_open = False  # one came whose time is not known yet
        self._longest_gop = 0
        self._keys = 0
        self._has_b_frames = False

    @property
    def keys(self) -> int:
        """How many key frames came."""
        return self._keys

    def feed(self, packet: Packet) -> None:
        """Take the next packet."""
        if packet.is_key:
            self._take_key(packet)
        at = packet.pts_90k if packet.pts_90k is not None else packet.dts_90k
        if at is None:
            return
        if self._is_key_open:
            self._place_key(at)
        self._has_b_frames |= self._frames > 0 and at < self._span.last
        self._span.reach(at, packet.received_mono_ns)
        self._frames += 1
        self._bytes += sum(map(len, packet.units))
        if self._began_ns is None:
            self._began_ns = packet.received_mono_ns
        if packet.received_mono_ns - self._began_ns >= _BURST_NS:
            self._paced.reach(at, packet.received_mono_ns)

    def _place_key(self, at: int) -> None:
        if self._last_key is not None:
            self._longest_gop = max(self._longest_gop, at - self._last_key)
        self._last_key = at
        self._is_key_open = False

    def _take_key(self, packet: Packet) -> None:
        self._is_key_open = True
        self._keys += 1
        try:
            self._sets.absorb_units(packet.units)
        except MediaError:
            return  # a damaged set: the one before it stands

    def report(self) -> CodecReport | None:
        """Return what came so far; None where it was too little to say anything."""
        parameters, media_s = self._sets.parameters, self._span.media_s
        if parameters is None or media_s <= 0 or self._last_key is None:
            return None
        gop = max(self._longest_gop, self._span.last - self._last_key)
        return self._reported(parameters, media_s, gop / TICKS_PER_S)

    def _reported(self, parameters: CodecParameters, media_s: float, gop_s: float) -> CodecReport:
        frame_s = media_s / (self._frames - 1)
        is_paced = self._paced.wall_s >= _LEAST_PACED_S
        return CodecReport(
            codec=self._codec,
            mime_codec=parameters.mime_codec,
            width=parameters.width,
            height=parameters.height,
            fps=1 / frame_s,
            claimed_fps=self._claimed_fps,
            bit_rate_bps=round(self._bytes * 8 / (media_s + frame_s)),
            gop_s=gop_s,
            has_b_frames=self._has_b_frames,
            pace=self._paced.media_s / self._paced.wall_s if is_paced else None,
        )


class _Span:
    """From the first to the furthest moment seen, in media time and on the wall."""

    def __init__(self) -> None:
        self._first: tuple[int, int] | None = None
        self.last = 0
        self._last_ns = 0

    def reach(self, at: int, mono_ns: int) -> None:
        if self._first is None:
            self._first = (at, mono_ns)
            self.last = at
        self.last = max(self.last, at)
        self._last_ns = mono_ns

    @property
    def media_s(self) -> float:
        return 0.0 if self._first is None else (self.last - self._first[0]) / TICKS_PER_S

    @property
    def wall_s(self) -> float:
        return 0.0 if self._first is None else (self._last_ns - self._first[1]) / _NS_PER_S


class Advice(StrEnum):
    """What had better be set otherwise in the camera."""

    SUB_ABSENT = "sub_absent"
    SUB_NOT_H264 = "sub_not_h264"
    SUB_TOO_LARGE = "sub_too_large"
    MAIN_H265 = "main_h265"
    PROFILE_ODD = "profile_odd"
    B_FRAMES = "b_frames"
    GOP_LONG = "gop_long"
    FRAMES_MISSING = "frames_missing"
    LATE = "late"
    RATE_HIGH = "rate_high"


def advise_main(report: CodecReport, *, has_sub: bool) -> Iterator[Advice]:
    """Yield what had better be set otherwise of the stream that is recorded."""
    if not has_sub:
        yield Advice.SUB_ABSENT
    if report.codec is Codec.H265:
        yield Advice.MAIN_H265
    yield from _advise_any(report)
    bits_per_pixel = report.bit_rate_bps / (report.width * report.height * report.fps)
    if report.bit_rate_bps > _RICH_BPS and bits_per_pixel > _RICH_BITS_PER_PIXEL:
        yield Advice.RATE_HIGH


def advise_sub(report: CodecReport) -> Iterator[Advice]:
    """Yield what had better be set otherwise of the stream that is shown and looked at."""
    if report.codec is not Codec.H264:
        yield Advice.SUB_NOT_H264
    if report.width * report.height > _SUB_PIXELS or report.bit_rate_bps > _SUB_BPS:
        yield Advice.SUB_TOO_LARGE
    yield from _advise_any(report)


def _advise_any(report: CodecReport) -> Iterator[Advice]:
    if report.playable is Playable.NOWHERE:
        yield Advice.PROFILE_ODD
    if report.has_b_frames:
        yield Advice.B_FRAMES
    if report.gop_s > LONG_GOP_S:
        yield Advice.GOP_LONG
    if report.claimed_fps and report.fps < report.claimed_fps * _LEAST_OF_CLAIMED:
        yield Advice.FRAMES_MISSING
    if report.pace is not None and report.pace < _LEAST_PACE:
        yield Advice.LATE
