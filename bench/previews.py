"""``python -m bench.previews``: what a small picture of recorded video costs.

Key frames of 1080p and 4K, H.264 and H.265, go through the box's own picture process, one after the
other. Time is what the asker waits, CPU is the process's; bytes are the JPEG's. The footage is
``--video`` or, without one, a made-up scene with as much detail as a street.
"""

import argparse
import contextlib
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from bench import process, report
from edge.media.parameters import ParameterCollector
from edge.media.sample import Codec
from edge.previews.process import PictureProcess
from edge.previews.taker import MAX_BYTES
from edge.previews.wire import Question
from protocol.clock import Clock, SystemClock

SIZES = {"1080p": (1920, 1080), "4K": (3840, 2160)}
_WIDTH_PX = 160
_SHEET = 60
_ENCODERS = {Codec.H264: "libx264", Codec.H265: "libx265"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one kind of key frame came to; times are of one picture."""

    codec: Codec
    size: str
    key_frame_bytes: int
    median_ms: float
    worst_ms: float
    cpu_ms: float
    jpeg_bytes: int


def scene(video: Path | None) -> VideoFrame:
    """Return a picture: a video's first, or a made-up one with edges, slopes and noise."""
    if video is not None:
        with av.open(str(video)) as container:
            return next(container.decode(video=0))
    chance = np.random.default_rng(1)
    rows, columns = np.mgrid[0:1080, 0:1920]
    walls = ((rows // 60 + columns // 90) % 5) * 30
    image = walls[..., None] + rows[..., None] / 12 + chance.normal(0, 6, (1080, 1920, 3))
    return VideoFrame.from_ndarray(image.clip(0, 255).astype(np.uint8), format="rgb24")


def question(codec: Codec, size: tuple[int, int], picture: VideoFrame) -> Question:
    """Return the key frame that a camera of that size would send of the picture."""
    encoder = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, 25)
    own = {"x265-params": "repeat-headers=1:log-level=error:pools=1"}
    encoder.options = {"preset": "veryfast", "crf": "26"} | (own if codec is Codec.H265 else {})
    frame = picture.reformat(*size, "yuv420p")
    frame.pts, frame.time_base = 0, encoder.time_base
    collector = ParameterCollector(codec)
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    unit = collector.absorb(bytes(packets[0]))
    assert collector.parameters is not None
    height_px = round(_WIDTH_PX * size[1] / size[0] / 2) * 2
    extradata = collector.parameters.extradata
    return Question(codec, _WIDTH_PX, height_px, MAX_BYTES[_WIDTH_PX], extradata, unit.data)


def measure(asked: Question, size: str, count: int, clock: Clock) -> Cost:
    """Ask for a picture ``count`` times, after one that starts the process."""
    took_ms = []
    with contextlib.closing(PictureProcess()) as pictures:
        jpeg = pictures.picture(asked)
        pid = pictures.pid
        assert pid is not None
        before_s = process.usage([pid]).cpu_s
        for _ in range(count):
            began_ns = clock.monotonic_ns()
            pictures.picture(asked)
            took_ms.append((clock.monotonic_ns() - began_ns) / 1e6)
        cpu_s = process.usage([pid]).cpu_s - before_s
    return Cost(
        asked.codec,
        size,
        len(asked.data),
        statistics.median(took_ms),
        max(took_ms),
        cpu_s * 1000 / count,
        len(jpeg),
    )


def figures(costs: Sequence[Cost]) -> dict[str, object]:
    """Return the figures of the last line; a sheet is 60 pictures."""
    found: dict[str, object] = {}
    for cost in costs:
        name = f"{cost.codec.value}_{cost.size.lower()}"
        found[f"{name}_median_ms"] = report.rounded(cost.median_ms)
        found[f"{name}_cpu_ms"] = report.rounded(cost.cpu_ms)
    found["sheet_cpu_s_max"] = report.rounded(max(cost.cpu_ms for cost in costs) * _SHEET / 1000, 2)
    found["sheet_bytes_max"] = max(cost.jpeg_bytes for cost in costs) * _SHEET
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.previews", description=__doc__)
    parser.add_argument("--pictures", type=int, default=40, help="of each kind (40)")
    parser.add_argument("--video", type=Path, help="whose first picture is the scene")
    told = parser.parse_args(arguments)
    picture, clock = scene(told.video), SystemClock()
    costs = [
        measure(question(codec, size, picture), name, told.pictures, clock)
        for codec in _ENCODERS
        for name, size in SIZES.items()
    ]
    head = ["codec", "size", "key frame bytes", "median ms", "worst ms", "CPU ms", "JPEG bytes"]
    rows = [
        [
            cost.codec.value,
            cost.size,
            cost.key_frame_bytes,
            round(cost.median_ms, 1),
            round(cost.worst_ms, 1),
            round(cost.cpu_ms, 1),
            cost.jpeg_bytes,
        ]
        for cost in costs
    ]
    print(report.table(head, rows))
    report.emit(sys.stdout, figures(costs))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
