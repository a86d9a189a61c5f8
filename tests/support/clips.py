"""Small video files, made picture by picture."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_clip(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    fps: int = 4,
    at_ms: Sequence[int] | None = None,
) -> None:
    """Write BGR pictures as a video without loss, ``fps`` a second or at these milliseconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", Fraction(fps), options={"qp": "0", "bf": "0"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "rgb24"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture[:, :, ::-1].copy(), "rgb24")
            frame.pts = index * 1000 // fps if at_ms is None else at_ms[index]
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
