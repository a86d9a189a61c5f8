"""Pictures as boxes send them, and with more in them than a picture."""

import cv2
import numpy as np


def jpeg(seed: int = 0, width: int = 160, height: int = 90) -> bytes:
    """Return a JPEG of noise: another one for each seed."""
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    made, coded = cv2.imencode(".jpg", noise)
    assert made
    return coded.tobytes()


def with_segment(plain: bytes, marker: int, payload: bytes) -> bytes:
    """Return the JPEG with a segment more, right behind its beginning."""
    length = (len(payload) + 2).to_bytes(2)
    return plain[:2] + bytes((0xFF, marker)) + length + payload + plain[2:]
