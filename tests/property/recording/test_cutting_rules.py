"""Whatever a camera sends, the recorder cuts it into files and fragments by the same rules."""

import tempfile
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.media.boxes import Fragment, fragments
from edge.media.sample import Sample
from edge.recording.segment import KeyPoint, Segment
from edge.recording.writer import FRAGMENT_90K, MAX_FILE_90K, MAX_FRAGMENT_90K
from tests.support.footage import run, sample
from tests.support.packets import BEGAN
from tests.support.recordings import MAIN, Archive, ended, recorded

RUN = run(stream=MAIN, started_utc=BEGAN)
SEGMENT_S = 4
SEGMENT_90K = SEGMENT_S * 90_000


@st.composite
def sent(draw: st.DrawFn) -> list[Sample]:
    """Draw the samples of one run: any rhythm up to a picture in two seconds, any key frames."""
    slowest = draw(st.sampled_from([7_200, 60_000, 180_000]))
    steps = draw(st.lists(st.integers(900, slowest), min_size=1, max_size=120))
    gop = draw(st.integers(1, 60))
    found, at_90k = [], 0
    for number, step_90k in enumerate(steps):
        found.append(_at(at_90k, step_90k, is_key=number % gop == 0))
        at_90k += step_90k
    return found


@st.composite
def smart(draw: st.DrawFn) -> list[Sample]:
    """Draw a smart codec's run: a picture a second, minutes without a key frame."""
    keys = draw(st.sets(st.integers(1, 200), max_size=3)) | {0}
    return [_at(second * 90_000, 90_000, is_key=second in keys) for second in range(200)]


def _at(at_90k: int, duration_90k: int, *, is_key: bool) -> Sample:
    each = sample(RUN, 0, is_key=is_key)
    return replace(each, dts_90k=at_90k, pts_90k=at_90k, duration_90k=duration_90k)


def recording(samples: list[Sample]) -> list[tuple[Segment, list[Fragment]]]:
    """Record a run; return its files and their fragments."""
    with tempfile.TemporaryDirectory() as folder, closing(Archive(Path(folder))) as archive:
        recorded(archive, ended([*samples]), segment_s=SEGMENT_S)
        found = []
        for segment in archive.segments():
            with segment.path.open("rb") as file:
                parts = list(fragments(file, segment.init_bytes, segment.size_bytes))
            found.append((segment, parts))
        return found


@settings(max_examples=60, deadline=None)
@given(sent() | smart())
def test_every_sample_is_in_one_file_in_order_and_at_its_time(samples):
    entries = [
        (entry.dts_90k, entry.is_key)
        for _, parts in recording(samples)
        for part in parts
        for entry in part.samples
    ]
    assert entries == [(each.dts_90k, each.is_key) for each in samples]


@settings(max_examples=60, deadline=None)
@given(sent() | smart())
def test_a_file_is_cut_at_the_first_key_frame_after_its_length_or_when_it_is_too_long(samples):
    files = recording(samples)

    for (segment, _), (later, _) in pairwise(files):
        assert segment.duration_90k >= (SEGMENT_90K if later.starts_key else MAX_FILE_90K)
    for segment, parts in files:
        end_90k = segment.start_dts_90k + segment.duration_90k
        late = [
            entry
            for part in parts
            for entry in part.samples
            if entry.is_key and entry.dts_90k - segment.start_dts_90k >= SEGMENT_90K
        ]
        assert not late, "it should have been cut there"
        last_90k = parts[-1].samples[-1].dts_90k
        assert last_90k - segment.start_dts_90k < MAX_FILE_90K
        assert parts[-1].end_90k == end_90k


@settings(max_examples=60, deadline=None)
@given(sent() | smart())
def test_a_fragment_is_of_at_most_a_second_or_of_one_picture_and_no_shorter_than_need_be(samples):
    for segment, parts in recording(samples):
        for part, later in pairwise(parts):
            span_90k = part.end_90k - part.dts_90k
            next_90k = later.samples[0].duration_90k
            assert (
                later.starts_key
                or span_90k >= FRAGMENT_90K
                or span_90k + next_90k > MAX_FRAGMENT_90K
            )
        for part in parts:
            assert part.end_90k - part.dts_90k <= MAX_FRAGMENT_90K or len(part.samples) == 1
            assert not any(entry.is_key for entry in part.samples[1:])
        assert segment.keys == tuple(_key_points(segment, parts))


def _key_points(segment: Segment, parts: list[Fragment]):
    for part in parts:
        if part.starts_key:
            yield KeyPoint(part.dts_90k - segment.start_dts_90k, part.offset)
