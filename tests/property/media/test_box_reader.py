from functools import cache
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MediaError
from edge.media.boxes import fragments, read_head
from edge.media.fmp4 import fragment, init_segment
from edge.media.sample import Codec, Sample
from edge.media.timeline import Timeline
from protocol.relay import StreamName
from tests.support.packets import FRAME_90K, packets


@cache
def recorded() -> tuple[bytes, int]:
    """Return a file of ten fragments and the length of its head."""
    line = Timeline("gate", StreamName.MAIN, Codec.H264)
    items = [item for packet in packets(frames=50) for item in line.feed(packet)]
    samples = [item for item in items if isinstance(item, Sample)]
    init = init_segment(samples[0].run.parameters, b"note")
    parts = [
        fragment(samples[first : first + 5], [FRAME_90K] * 5, first) for first in range(0, 50, 5)
    ]
    return init + b"".join(parts), len(init)


def read(data: bytes) -> list[int]:
    """Return the ends of the fragments that are read."""
    file = BytesIO(data)
    head = read_head(file, len(data))
    return [part.offset + part.size_bytes for part in fragments(file, head.init_bytes, len(data))]


@given(st.data())
def test_a_file_cut_anywhere_gives_the_fragments_before_the_cut_or_a_media_error(data):
    whole, init_bytes = recorded()
    length = data.draw(st.integers(0, len(whole)))
    try:
        ends = read(whole[:length])
    except MediaError:
        assert length < init_bytes
        return
    assert ends == [end for end in read(whole) if end <= length]


@given(st.data())
def test_a_file_changed_anywhere_is_read_or_refused_never_worse(data):
    whole, _ = recorded()
    changed = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8)):
        changed[at] = data.draw(st.integers(0, 255))
    try:
        ends = read(bytes(changed))
    except MediaError:
        return
    assert all(end <= len(whole) for end in ends)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    try:
        read(data)
    except MediaError:
        return
    raise AssertionError("noise was taken for a recording")
