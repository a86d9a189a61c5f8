"""Test pictures as a camera would send them: a moving shape under sensor noise, H.264."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

#: How far noise moves a value: enough that the encoder needs the whole bit rate.
NOISE = 24

#: How far the noise is shifted from picture to picture, so that it is made only once.
_STEP_PIXELS = 37


def encode(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    *,
    size_px: tuple[int, int],
    fps: int,
    bits_per_s: int,
    options: dict[str, str],
) -> None:
    """Encode pictures (planes of YUV 4:2:0, of any size) into ``path``: H.264, Annex B."""
    width, height = size_px
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = bits_per_s
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            if (frame.width, frame.height) != size_px:
                frame = frame.reformat(width, height, interpolation="BILINEAR")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@dataclass(frozen=True, slots=True)
class Pictures:
    """What to encode: constant bit rate, a key frame every ``gop`` pictures, no B-frames."""

    width: int
    height: int
    fps: int
    bits_per_s: int
    seconds: int
    gop: int

    def write(self, path: Path) -> None:
        """Encode into ``path``: an Annex B stream with access unit delimiters."""
        encode(
            path,
            self.each(),
            size_px=(self.width, self.height),
            fps=self.fps,
            bits_per_s=self.bits_per_s,
            options=self._x264_options(),
        )

    def each(self) -> Iterator[NDArray[np.uint8]]:
        """Yield the pictures as planes of YUV 4:2:0, one under the other."""
        random = np.random.default_rng(seed=1)
        slope = np.linspace(60, 180, self.width, dtype=np.int16)
        noise = random.integers(-NOISE, NOISE, (self.height, self.width), dtype=np.int16)
        grain = slope[np.newaxis, :] + noise
        side = self.height // 6
        for number in range(self.fps * self.seconds):
            luma = np.roll(grain, number * _STEP_PIXELS, axis=(0, 1))
            left = number * 8 % (self.width - side)
            top = self.height // 2 - side // 2
            luma[top : top + side, left : left + side] += 50
            picture = np.full((self.height * 3 // 2, self.width), 128, dtype=np.uint8)
            picture[: self.height] = luma.clip(16, 235).astype(np.uint8)
            yield picture

    def _x264_options(self) -> dict[str, str]:
        kbit = self.bits_per_s // 1000
        return {
            "preset": "superfast",
            "profile": "high",
            "x264-params": f"aud=1:bframes=0:scenecut=0:keyint={self.gop}:min-keyint={self.gop}"
            f":nal-hrd=cbr:vbv-maxrate={kbit}:vbv-bufsize={kbit}:bitrate={kbit}",
        }
