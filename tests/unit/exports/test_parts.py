"""Which samples go into which file, by made-up entries: 10 a second, a fragment a second."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from edge.exports.order import Source
from edge.exports.parts import Opened, Part, parts
from edge.media.boxes import SampleEntry
from edge.media.sample import TICKS_PER_S, Codec, CodecParameters
from tests.support.recordings import at

STEP = TICKS_PER_S // 10
SMALL = CodecParameters(Codec.H264, 640, 360, b"small", "avc1")
LARGE = CodecParameters(Codec.H264, 1920, 1080, b"large", "avc1")
SAMPLE_BYTES = 100


def recorded(
    start_s: float,
    seconds: int = 4,
    *,
    run: str = "a",
    dts_s: float | None = None,
    parameters: CodecParameters = SMALL,
    key_every: int = 10,
    first_key: int = 0,
) -> Opened:
    """Return a file whose key frames are every ``key_every`` samples from ``first_key`` on."""
    begin = round((start_s if dts_s is None else dts_s) * TICKS_PER_S)
    entries = [
        SampleEntry(
            500 + index * SAMPLE_BYTES + index // 10 * 50,  # a head before each fragment
            SAMPLE_BYTES,
            begin + index * STEP,
            STEP,
            0,
            index >= first_key and (index - first_key) % key_every == 0,
        )
        for index in range(seconds * 10)
    ]
    source = Source(
        path=f"/{run}-{start_s}.mp4",
        run_id=run,
        start=at(start_s),
        start_dts_90k=begin,
        duration_90k=seconds * TICKS_PER_S,
        size_bytes=500 + len(entries) * SAMPLE_BYTES + seconds * 50,
        sha256=None,
    )
    fragments = tuple(tuple(entries[i : i + 10]) for i in range(0, len(entries), 10))
    return Opened(source, parameters, fragments)


def planned(files: list[Opened], start_s: float, end_s: float, full_bytes: int = 1 << 40):
    return list(parts(files, at(start_s), at(end_s), lambda _p, _d, size: size >= full_bytes))


def bounds(found: list[Part]) -> list[tuple[float, float]]:
    second = timedelta(seconds=1)
    return [((p.start - at(0)) / second, (p.end - at(0)) / second) for p in found]


def test_it_begins_at_the_key_frame_before_and_ends_at_the_asked_instant():
    found = planned([recorded(0), recorded(4)], 2.5, 5.5)

    assert bounds(found) == [(2.0, 5.5)]
    assert len(found[0].table) == 35


def test_samples_that_lie_side_by_side_are_one_range():
    (part,) = planned([recorded(0)], 0, 60)

    assert part.takes[0].ranges == [(500 + i * 1050, 1000) for i in range(4)]
    assert part.table.chunks == 4


def test_a_key_frame_at_the_very_start_needs_nothing_before_it():
    assert bounds(planned([recorded(0)], 2, 3)) == [(2.0, 3.0)]


def test_a_picture_that_lasts_into_the_asked_stretch_is_shown():
    assert bounds(planned([recorded(0)], 3.95, 20)) == [(3.0, 4.0)]


def test_nothing_in_the_asked_stretch_is_no_file():
    assert planned([recorded(0)], 4, 20) == []
    assert planned([], 0, 20) == []


def test_what_comes_before_the_first_key_frame_of_a_run_is_left_out():
    assert bounds(planned([recorded(0, first_key=7)], 0, 4)) == [(0.7, 4.0)]


def test_a_group_that_goes_on_in_the_next_file_is_whole():
    files = [recorded(0, key_every=1000), recorded(4, first_key=1000), recorded(8)]

    assert bounds(planned(files, 5, 9)) == [(0.0, 9.0)]


@pytest.mark.parametrize(("gap_s", "count"), [(4.9, 1), (5.1, 2)])
def test_only_a_long_gap_begins_a_file(gap_s, count):
    found = planned([recorded(0), recorded(4 + gap_s, run="b", dts_s=0)], 0, 60)

    assert len(found) == count
    shown = [each for part in found for each in part.shown]
    assert [(each.start, each.end) for each in shown] == [
        (at(0), at(4)),
        (at(4 + gap_s), at(8 + gap_s)),
    ]


def test_over_a_short_gap_a_files_time_stays_wall_time():
    (part,) = planned([recorded(0), recorded(7, run="b", dts_s=0)], 0, 60)

    times = [at_90k for _, at_90k, _ in part.table.rows()]
    assert times[39:41] == [39 * STEP, 7 * TICKS_PER_S]


@pytest.mark.parametrize(("back_s", "count"), [(3.0, 1), (60.0, 2)])
def test_where_a_clock_was_set_far_back_a_file_begins_that_says_so(back_s, count):
    found = planned([recorded(0), recorded(4 - back_s, run="b", dts_s=0)], -100, 60)

    assert len(found) == count
    assert found[-1].start == (at(0) if count == 1 else at(4 - back_s))
    for part in found:
        times = [at_90k for _, at_90k, _ in part.table.rows()]
        assert times == sorted(set(times))


def test_where_a_clock_was_set_back_a_little_what_follows_is_told_by_its_own_wall_time():
    back = recorded(1, 10, run="b", dts_s=0)  # after 4 s the clock was set back by 3
    (part,) = planned([recorded(0), back], 0, 9)

    assert [(each.start, each.end) for each in part.shown] == [(at(0), at(4)), (at(1), at(9))]
    assert part.end == at(9)
    assert len(part.table) == 40 + 80
    assert part.wall(4 * TICKS_PER_S - 1) < at(4)
    assert part.wall(4 * TICKS_PER_S) == at(1)
    assert part.wall(12 * TICKS_PER_S) == at(9)
    (late,) = planned([recorded(0), back], 5, 9)
    assert (late.start, late.end) == (at(5), at(9))


def test_what_is_left_out_between_two_runs_does_not_join_them():
    """Of the run that lies after the end nothing is taken; the next begins where time goes back."""
    files = [recorded(10, run="a"), recorded(60, run="b"), recorded(8, run="c")]
    found = planned(files, 0, 12)
    assert bounds(found) == [(10, 12), (8, 12)]


def test_other_parameters_begin_a_file():
    found = planned([recorded(0), recorded(4, run="b", dts_s=0, parameters=LARGE)], 0, 60)

    assert [part.parameters for part in found] == [SMALL, LARGE]
    assert bounds(found) == [(0.0, 4.0), (4.0, 8.0)]


def test_a_full_file_ends_with_a_recorded_one_that_a_key_frame_follows():
    files = [recorded(0), recorded(4, first_key=5), recorded(8), recorded(12)]

    found = planned(files, 0, 60, full_bytes=30 * SAMPLE_BYTES)

    assert bounds(found) == [(0.0, 8.0), (8.0, 12.0), (12.0, 16.0)]
    paths = [take.source.path for part in found for take in part.takes]
    assert len(paths) == len(set(paths))


def test_files_are_read_only_as_far_as_a_part_needs():
    read = []

    def files() -> Iterator[Opened]:
        for number in range(10):
            read.append(number)
            yield recorded(number * 4)

    first = next(parts(files(), at(0), at(60), lambda _p, _d, size: size >= 1))

    assert bounds([first]) == [(0.0, 4.0)]
    assert read == [0, 1]
