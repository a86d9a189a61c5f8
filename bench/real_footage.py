"""Real people on a full-HD camera: the village's footage (PETS 2009), enlarged and encoded anew."""

from fractions import Fraction
from pathlib import Path

import av

from village import footage
from village.testcam.programme import Mount

WIDTH, HEIGHT, FPS = 1920, 1080, 25
_BITS_PER_S = 4_000_000
_GOP = 2 * FPS


class NoFootageError(Exception):
    """There is no real footage on this machine, and none to be had."""


def write(path: Path, seconds: float = 24.0) -> footage.Source:
    """Encode the first ``seconds`` into ``path`` (Annex B, delimiters) and say where it is from.

    1080p, 25 pictures a second, 4 Mbit/s, a key frame every 2 s, no B-frames: what a village's
    camera sends. The pictures were filmed at 7 a second: people hurry. Raises NoFootageError.
    """
    source, video = footage.find(path.parent)
    if video is None:
        raise NoFootageError(
            "real footage is missing: opencv-doc's vtest.avi is neither installed nor can it be"
            " downloaded, and there is no assets folder (TANSHAO_ASSETS)"
        )
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS), options=_options())
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = _BITS_PER_S
        last = min(footage.VIDEO_FRAMES, round(seconds * FPS))
        for number, picture in enumerate(footage.pictures(video, 0, last)):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame = frame.reformat(WIDTH, HEIGHT, interpolation="BILINEAR")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return source


def mount(path: str, file: Path) -> Mount:
    """Return the camera's address for a file that was written here."""
    return Mount(path, file, Fraction(FPS))


def _options() -> dict[str, str]:
    kbit = _BITS_PER_S // 1000
    keys = f"aud=1:bframes=0:scenecut=0:keyint={_GOP}:min-keyint={_GOP}"
    rate = f"vbv-maxrate={kbit}:vbv-bufsize={kbit}:bitrate={kbit}"
    return {"preset": "superfast", "x264-params": f"{keys}:{rate}"}
