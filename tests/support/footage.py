"""Samples as the ingest hands them out: made up, or really encoded."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache

import av
import numpy as np
from numpy.typing import NDArray

from edge.media.parameters import ParameterCollector
from edge.media.sample import TICKS_PER_S, Codec, CodecParameters, Run, Sample
from protocol.relay import StreamName

STARTED = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
FPS = 25
FRAME_90K = TICKS_PER_S // FPS

#: What an MP4 head needs; nobody decodes by these.
MADE_UP = CodecParameters(Codec.H264, 640, 360, b"\x01\x64\x00\x1f\xff\xe1\x00", "avc1.64001f")


def run(
    run_id: str = "0" * 32,
    parameters: CodecParameters = MADE_UP,
    *,
    camera_id: str = "gate",
    stream: StreamName = StreamName.SUB,
    started_utc: datetime = STARTED,
) -> Run:
    return Run(run_id, camera_id, stream, started_utc, 0, parameters)


def sample(of: Run, index: int, *, is_key: bool = False, data: bytes = b"\0" * 100) -> Sample:
    at_90k = index * FRAME_90K
    return Sample(of, at_90k, at_90k, FRAME_90K, is_key, data, at_90k * 100_000 // 9)


def samples(of: Run, kinds: str, *, size_bytes: int = 100, first: int = 0) -> list[Sample]:
    """Return one sample a letter: ``K`` is a key frame, anything else is not."""
    return [
        sample(of, first + index, is_key=kind == "K", data=bytes([index % 251]) * size_bytes)
        for index, kind in enumerate(kinds)
    ]


@cache
def encoded(
    frames: int = 50, gop: int = 25, width: int = 320, height: int = 180, codec: Codec = Codec.H264
) -> tuple[Sample, ...]:
    """Return really encoded samples; the brightness of frame i is :func:`brightness` of i."""
    data = _access_units(frames, gop, width, height, codec)
    collector = ParameterCollector(codec)
    units = [collector.absorb(unit) for unit in data]
    assert collector.parameters is not None
    of = run(parameters=collector.parameters)
    return tuple(
        sample(of, index, is_key=unit.is_key, data=unit.data) for index, unit in enumerate(units)
    )


def brightness(index: int) -> int:
    """Return the luma that frame ``index`` is filled with."""
    return 40 + index * 3 % 180


def filmed(pictures: Sequence[NDArray[np.uint8]], gop: int) -> tuple[Sample, ...]:
    """Return pictures (blue, green, red) as a camera of few bits sends them, a second apart."""
    height, width = pictures[0].shape[:2]
    frames = [av.VideoFrame.from_ndarray(picture, format="bgr24") for picture in pictures]
    data = _encode(
        (frame.reformat(format="yuv420p") for frame in frames), gop, width, height, Codec.H264
    )
    collector = ParameterCollector(Codec.H264)
    units = [collector.absorb(unit) for unit in data]
    assert collector.parameters is not None
    of = run(parameters=collector.parameters)
    return tuple(
        Sample(of, at * TICKS_PER_S, at * TICKS_PER_S, TICKS_PER_S, unit.is_key, unit.data, at)
        for at, unit in enumerate(units)
    )


def _access_units(frames: int, gop: int, width: int, height: int, codec: Codec) -> list[bytes]:
    grey = (np.full((height, width), brightness(index), dtype=np.uint8) for index in range(frames))
    made = (
        av.VideoFrame.from_ndarray(luma, format="gray").reformat(format="yuv420p") for luma in grey
    )
    units = _encode(made, gop, width, height, codec)
    assert len(units) == frames
    return units


def _encode(
    frames: Iterable[av.VideoFrame], gop: int, width: int, height: int, codec: Codec
) -> list[bytes]:
    encoder = av.CodecContext.create("libx264" if codec is Codec.H264 else "libx265", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    keys = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:repeat-headers=1"
    name = "x264-params" if codec is Codec.H264 else "x265-params"
    quiet = "" if codec is Codec.H264 else ":log-level=error:pools=1"
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", name: keys + quiet}
    units = []
    for index, frame in enumerate(frames):
        frame.pts = index
        units += [bytes(packet) for packet in encoder.encode(frame)]
    return units + [bytes(packet) for packet in encoder.encode(None)]
