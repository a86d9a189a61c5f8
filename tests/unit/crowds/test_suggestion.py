from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from edge.alarm.gathering import Timing
from edge.crowds.quarter import Quarter
from edge.crowds.suggestion import DayOfCounts, Suggestion, alarms, days_of, percentile, suggest
from protocol.messages import AlertLevel

SHANGHAI = ZoneInfo("Asia/Shanghai")
T0 = datetime(2026, 11, 22, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
QUIET = (0,) * 15


def timing(**changes):
    given = {
        "levels": {AlertLevel.ORDINARY: 10, AlertLevel.URGENT: 20},
        "hold_s": 60.0,
        "gap_s": 1.5,
        "clear_fraction": 0.7,
        "clear_s": 120.0,
        "repeat_s": 600.0,
    }
    return Timing(**(given | changes))


def every_minute(*counts, start=T0):
    return [(start + number * MINUTE, count) for number, count in enumerate(counts)]


def test_the_percentile_is_one_of_the_counts():
    assert percentile(range(1, 101), 99) == 99
    assert percentile([7], 99) == 7
    assert percentile([], 99) == 0
    assert percentile([1] * 99 + [50], 99) == 1
    assert percentile([1] * 98 + [50] * 2, 99) == 50


def test_one_long_gathering_is_one_alarm():
    assert alarms(every_minute(*[12] * 90, *[0] * 30), timing()) == 1


def test_a_count_around_the_threshold_is_one_alarm():
    assert alarms(every_minute(*[9, 10, 8, 11] * 30), timing()) == 1


def test_a_hold_of_more_than_a_minute_wants_as_many_in_a_row():
    counts = every_minute(12, 12, 0, 12, 12, 0, 12, 12, 12)
    assert alarms(counts, timing(hold_s=121.0)) == 1
    assert alarms(counts[:-1], timing(hold_s=121.0)) == 0


def test_who_comes_again_within_the_repeat_time_is_no_new_alarm():
    counts = [12] * 5 + [0] * 5 + [12] * 2 + [0] * 30 + [12] * 5
    assert alarms(every_minute(*counts), timing()) == 2


def test_a_long_hole_ends_an_alarm_and_a_short_one_does_not():
    def after(hole):
        later = every_minute(12, 12, start=T0 + 3 * MINUTE + hole)
        return alarms(every_minute(12, 12, 12) + later, timing(repeat_s=0.0))

    assert (after(9 * MINUTE), after(10 * MINUTE)) == (1, 2)


def test_a_hole_breaks_what_was_held():
    counts = every_minute(12) + every_minute(12, start=T0 + 3 * MINUTE)
    assert alarms(counts, timing(hold_s=120.0)) == 0


def test_a_day_is_the_boxs_own():
    evening = Quarter(datetime(2026, 11, 22, 15, 45, tzinfo=UTC), 30, (1,) * 14 + (25,))
    night = Quarter(datetime(2026, 11, 22, 16, 0, tzinfo=UTC), 4, (None,) * 14 + (3,))
    assert days_of([evening, night], SHANGHAI) == [
        DayOfCounts(date(2026, 11, 22), 15, 1, 25, 30),
        DayOfCounts(date(2026, 11, 23), 1, 3, 3, 4),
    ]


def history(days, dance):
    """Return days with a dance of ``dance`` people for half an hour and nobody else."""
    found = []
    for day in range(days):
        start = T0 + day * DAY
        found += [Quarter(start + n * 15 * MINUTE, 0, QUIET) for n in range(20)]
        found += [Quarter(start + n * 15 * MINUTE, dance + 3, (dance,) * 15) for n in (20, 21)]
        found += [Quarter(start + n * 15 * MINUTE, 0, QUIET) for n in range(22, 40)]
    return found


@pytest.mark.parametrize(("days", "threshold"), [(2, None), (3, 24), (14, 24)])
def test_a_threshold_is_suggested_from_the_third_day_on(days, threshold):
    assert suggest(history(days, 24), timing(), UTC) == Suggestion(
        days=days,
        minutes=days * 600,
        threshold=threshold,
        alarms=days,
        alarms_suggested=None if threshold is None else days,
    )


def test_what_is_rarer_than_one_minute_in_a_hundred_does_not_raise_the_suggestion():
    rare = [*history(1, 24), *(Quarter(T0 + n * DAY, 6, (6,) * 15) for n in range(1, 400))]
    found = suggest(rare, timing(levels={AlertLevel.ORDINARY: 5}, repeat_s=0.0), UTC)
    assert (found.threshold, found.alarms, found.alarms_suggested) == (6, 400, 400)
    higher = suggest(rare, timing(levels={AlertLevel.ORDINARY: 7}), UTC)
    assert higher.alarms == 1


def test_an_empty_place_is_never_told_to_call_for_one_person():
    empty = [Quarter(T0 + n * DAY, 1, QUIET) for n in range(5)]
    assert suggest(empty, timing(), UTC).threshold == 2


def test_only_the_lowest_level_is_judged():
    busy = [Quarter(T0 + n * DAY, 25, (25,) * 15) for n in range(3)]
    assert suggest(busy, timing(), UTC).alarms_suggested == 3


def test_no_history_suggests_nothing():
    assert suggest([], timing(), UTC) == Suggestion(0, 0, None, 0, None)
