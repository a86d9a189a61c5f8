from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from edge.media.sample import GapReason
from edge.recording.coverage import Coverage, coverage, days
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


SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_day_is_the_village_s_and_ends_with_what_has_been():
    first = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # 23:00 there
    now = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    found = list(days(date(2026, 11, 20), date(2026, 11, 30), SHANGHAI, first, now))
    assert [(day.day, (part.end - part.start) / timedelta(hours=1)) for day, part in found] == [
        (21, 1),
        (22, 24),
        (23, 12),
    ]


def test_a_day_is_as_long_as_its_clock_makes_it():
    berlin = ZoneInfo("Europe/Berlin")
    long_ago, far_ahead = (datetime(year, 1, 1, tzinfo=UTC) for year in (2000, 2100))
    of = [date(2026, 3, 29), date(2026, 10, 25)]
    hours = [
        (part.end - part.start) / timedelta(hours=1)
        for day in of
        for _, part in days(day, day, berlin, long_ago, far_ahead)
    ]
    assert hours == [23, 25]
