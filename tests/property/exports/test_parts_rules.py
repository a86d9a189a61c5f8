"""The rules of an export's files hold whatever the recording is like."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.exports.order import Source
from edge.exports.parts import Opened, parts, span_of
from edge.media.boxes import SampleEntry
from edge.media.sample import TICKS_PER_S, Codec, CodecParameters
from tests.support.recordings import at

PARAMETERS = [
    CodecParameters(Codec.H264, width, 360, bytes([width % 251]), "avc1") for width in (640, 1280)
]

ROUNDED = timedelta(microseconds=50)


@st.composite
def recordings(draw: st.DrawFn) -> list[Opened]:
    """Return runs of files: with gaps, steps of the clock either way, and changes of size."""
    files = []
    wall_s = 0.0
    for run in range(draw(st.integers(1, 4))):
        wall_s += draw(st.sampled_from([0.0, 0.04, 3.0, 30.0, -2.0, -40.0]))
        parameters = draw(st.sampled_from(PARAMETERS))
        started, dts = wall_s, 0
        for _ in range(draw(st.integers(1, 3))):
            entries, offset, begin = [], 500, dts
            for index in range(draw(st.integers(1, 30))):
                size = draw(st.integers(1, 50))
                duration = draw(st.integers(1, TICKS_PER_S))
                key = (index == 0 and dts == 0) or draw(st.booleans())
                entries.append(SampleEntry(offset, size, dts, duration, 0, key))
                offset, dts = offset + size, dts + duration
            source = Source(
                path=f"/{run}-{begin}",
                run_id=str(run),
                start=at(started) + timedelta(microseconds=begin * 1_000_000 // TICKS_PER_S),
                start_dts_90k=begin,
                duration_90k=dts - begin,
                size_bytes=offset,
                sha256=None,
            )
            files.append(Opened(source, parameters, (tuple(entries),)))
        wall_s = started + dts / TICKS_PER_S
    return files


@given(recordings(), st.floats(-20, 60), st.floats(0.1, 60), st.integers(100, 3000))
def test_every_part_can_be_decoded_and_is_true_to_the_recording(files, start_s, length_s, full):
    start, end = at(start_s), at(start_s + length_s)
    found = list(parts(files, start, end, lambda _p, _d, size: size >= full))

    by_path = {each.source.path: each for each in files}
    used = [take.source.path for part in found for take in part.takes]
    assert len(used) == len(set(used))  # no recorded file is in two parts
    order = [each.source.path for each in files]
    assert used == sorted(used, key=order.index)
    for part in found:
        first = by_path[part.takes[0].source.path]
        begin = {entry.offset: entry for samples in first.fragments for entry in samples}
        assert begin[part.takes[0].ranges[0][0]].is_key
        assert all(by_path[take.source.path].parameters == part.parameters for take in part.takes)
        taken = sum(size for take in part.takes for _, size in take.ranges)
        assert taken == part.table.payload_bytes
        times = [at_90k for _, at_90k, _ in part.table.rows()]
        assert times == sorted(set(times))
        assert part.start < end
        # The last sample begins before the end; a sample lasts a second at most.
        assert part.end <= end + timedelta(seconds=1)
        assert part.shown[0].start == part.start
        assert max(each.end for each in part.shown) == part.end
        # What is shown is shown at its own wall time, whatever was done to the clock.
        for take in part.takes:
            first, last = span_of(take.source)
            assert any(
                first - ROUNDED < each.end and each.start < last + ROUNDED for each in part.shown
            )
        for take in part.takes:
            reached = 0
            for offset, size in take.ranges:
                assert offset > reached
                reached = offset + size - 1
            assert reached < take.source.size_bytes


@given(recordings())
def test_asked_for_all_nothing_that_can_be_decoded_is_left_out(files):
    found = list(parts(files, at(-1000), at(1000), lambda _p, _d, size: size >= 500))

    decodable = 0
    previous = None
    ready = False
    for each in files:
        if previous is None or previous.source.run_id != each.source.run_id:
            ready = False
        for samples in each.fragments:
            for entry in samples:
                ready = ready or entry.is_key
                decodable += ready
        previous = each
    assert sum(len(part.table) for part in found) == decodable
