"""Packets as a camera sends them, really encoded, with every time chosen by the test."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache

import av
import numpy as np

from edge.errors import StreamError
from edge.ingest.source import Taker
from edge.media.nal import split
from edge.media.sample import TICKS_PER_S, Codec, Packet

BEGAN = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
FPS = 25
FRAME_90K = TICKS_PER_S // FPS
#: How many bars the number of a barred picture has.
BARS = 8
_NS_PER_S = 1_000_000_000


@cache
def access_units(
    codec: Codec = Codec.H264,
    frames: int = 50,
    gop: int = 25,
    *,
    b_frames: int = 0,
    width: int = 160,
    height: int = 120,
    barred: bool = False,
) -> tuple[tuple[bytes, int, int, bool], ...]:
    """Return data (Annex B, parameter sets in-band), pts and dts in frames, and keyness.

    Frame i is grey of :func:`grey` of i, or ``barred``: bar n is white where bit n of i is set.
    """
    encoder = av.CodecContext.create("libx264" if codec is Codec.H264 else "libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    keys = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:b-adapt=0"
    if codec is Codec.H264:
        params = {"x264-params": f"{keys}:repeat-headers=1:aud=1"}
    else:
        params = {"x265-params": f"{keys}:repeat-headers=1:open-gop=0:log-level=none:pools=1"}
    encoder.options = {"preset": "ultrafast", "threads": "1", **params}
    units = []
    for index in range(frames):
        picture = np.full((height, width), grey(index), dtype=np.uint8)
        if barred:
            for bar in range(BARS):
                left, right = width * bar // BARS, width * (bar + 1) // BARS
                picture[:, left:right] = 235 if index >> bar & 1 else 16
        frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
        frame.pts = index
        units += encoder.encode(frame)
    units += encoder.encode(None)
    assert len(units) == frames
    return tuple((bytes(unit), unit.pts, unit.dts, unit.is_keyframe) for unit in units)


def grey(index: int) -> int:
    """Return the luma that frame ``index`` is filled with."""
    return 40 + index * 3 % 180


def packets(
    codec: Codec = Codec.H264,
    frames: int = 50,
    gop: int = 25,
    *,
    b_frames: int = 0,
    width: int = 160,
    height: int = 120,
    first_90k: int = 1_000_000,
    late_s: float = 0.0,
) -> list[Packet]:
    """Return packets that arrive at true speed, ``late_s`` after :data:`BEGAN`."""
    units = access_units(codec, frames, gop, b_frames=b_frames, width=width, height=height)
    return _arriving(units, first_90k, late_s)


def barred_packets(frames: int, *, b_frames: int = 0) -> list[Packet]:
    """Return packets, a key frame a second, whose pictures tell their number by their bars."""
    return _arriving(access_units(frames=frames, b_frames=b_frames, barred=True), 1_000_000, 0.0)


def _arriving(
    units: tuple[tuple[bytes, int, int, bool], ...], first_90k: int, late_s: float
) -> list[Packet]:
    return [
        Packet(
            first_90k + pts * FRAME_90K,
            first_90k + dts * FRAME_90K,
            is_key,
            tuple(split(data)),
            round((late_s + index / FPS) * _NS_PER_S),
            BEGAN + timedelta(seconds=late_s + index / FPS),
        )
        for index, (data, pts, dts, is_key) in enumerate(units)
    ]


def moved(packet: Packet, *, media_s: float = 0.0, wall_s: float = 0.0) -> Packet:
    """Return a packet with its media and arrival times moved."""
    shift_90k = round(media_s * TICKS_PER_S)
    return replace(
        packet,
        pts_90k=None if packet.pts_90k is None else packet.pts_90k + shift_90k,
        dts_90k=None if packet.dts_90k is None else packet.dts_90k + shift_90k,
        received_mono_ns=packet.received_mono_ns + round(wall_s * _NS_PER_S),
        received_utc=packet.received_utc + timedelta(seconds=wall_s),
    )


class ScriptedSource:
    """A PacketSource that plays packets, then ends as told: None is "the other side closed"."""

    def __init__(
        self,
        script: list[Packet],
        ending: StreamError | None = None,
        codec: Codec = Codec.H264,
        extradata: bytes = b"",
    ) -> None:
        self.codec = codec
        self.extradata = extradata
        self.closed = False
        self._script = script
        self._ending = ending

    def deliver(self, take: Taker) -> None:
        for packet in self.packets():
            if not take(packet):
                return

    def packets(self) -> Iterator[Packet]:
        yield from self._script
        if self._ending is not None:
            raise self._ending

    def close(self) -> None:
        self.closed = True
