from datetime import timedelta

from edge.media.sample import GapReason
from edge.recording.coverage import Coverage, coverage
from edge.recording.segment import Gap
from tests.support.recordings import MAIN, at, closed_file


def gap(start_s: float, end_s: float | None, reason: GapReason) -> Gap:
    return Gap("gate", MAIN, at(start_s), None if end_s is None else at(end_s), reason)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_recorded_missing_and_unexplained_add_up_to_the_whole(archive):
    footage = [closed_file(archive, -5), closed_file(archive, 10), closed_file(archive, 22)]
    gaps = [
        gap(5, 9, GapReason.CAMERA),
        gap(20, 22, GapReason.NETWORK),
        gap(40, None, GapReason.CAMERA),
    ]

    assert coverage(footage, gaps, at(0), at(60)) == Coverage(
        seconds(5 + 10 + 10),
        {GapReason.CAMERA: seconds(4 + 20), GapReason.NETWORK: seconds(2)},
        ((at(9), at(10)), (at(32), at(40))),
    )


def test_where_a_clock_was_set_back_nothing_counts_twice(archive):
    footage = [closed_file(archive, 0), closed_file(archive, 4)]

    assert coverage(footage, [gap(2, 6, GapReason.TIMESTAMPS)], at(0), at(14)) == Coverage(
        seconds(14), {}, ()
    )


def test_nothing_at_all_is_unexplained():
    assert coverage([], [], at(0), at(1)) == Coverage(seconds(0), {}, ((at(0), at(1)),))
