"""A decoded frame's planes as arrays."""

import av
import numpy as np

from edge.detect.picture import Plane

_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})


def planes(frame: av.VideoFrame) -> list[Plane]:
    """Return the three planes of a frame, without a copy where it has three of eight bits."""
    if frame.format.name not in _PLANAR:
        frame = frame.reformat(format="yuv420p")
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
            :, : plane.width
        ]
        for plane in frame.planes
    ]
