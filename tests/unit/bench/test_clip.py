import io
from fractions import Fraction

import av
import numpy as np
import pytest

from bench.clip import Decoded, decode


@pytest.fixture(scope="module")
def clip():
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(7), options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        random = np.random.default_rng(seed=1)
        for number in range(21):
            picture = random.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def test_a_whole_clip_decodes_to_its_last_frame(clip):
    assert decode(clip) == Decoded(frames=21, seconds=pytest.approx(3.0, abs=0.01), error=None)


def test_a_clip_whose_head_is_missing_is_an_error(clip):
    assert decode(clip[: len(clip) // 2]).error is not None


def test_a_clip_with_spoilt_pictures_is_an_error(clip):
    begin = clip.index(b"mdat") + 4
    spoilt = bytearray(clip)
    for position in range(begin + 200, begin + 20_000, 3):
        spoilt[position] ^= 0xFF
    assert decode(bytes(spoilt)).error is not None


@pytest.mark.parametrize("data", [b"", b"not a clip", b"\x00" * 4096])
def test_what_is_no_clip_is_an_error(data):
    assert decode(data) == Decoded(0, 0.0, decode(data).error)
    assert decode(data).error is not None
