from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from central.activities.plan import Occurrence, Plan, check_plan
from central.errors import InvalidError
from tests.support.xiacun import NOW

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=SHANGHAI)


def weekly(first: str, last: str, days: set[int], last_day: str) -> Plan:
    end = date.fromisoformat(last_day)
    return Plan(local(first), local(last), SHANGHAI, frozenset(days), end)


def test_a_wedding_is_on_from_its_start_to_before_its_end():
    plan = Plan(local("2026-11-22 11:00"), local("2026-11-22 15:00"), SHANGHAI)
    assert plan.at(local("2026-11-22 10:59")) is None
    assert plan.at(local("2026-11-22 11:00")) == plan.at(local("2026-11-22 14:59"))
    assert plan.at(local("2026-11-22 15:00")) is None
    assert plan.following(local("2026-11-22 15:00")) is None


def test_dancing_comes_again_each_evening_by_the_villages_clock():
    plan = weekly("2026-11-22 19:30", "2026-11-22 21:00", set(range(1, 8)), "2026-12-31")
    on = plan.at(local("2026-12-05 20:00"))
    assert on is not None
    assert (on.start, on.end) == (
        datetime(2026, 12, 5, 11, 30, tzinfo=UTC),
        datetime(2026, 12, 5, 13, 0, tzinfo=UTC),
    )
    assert plan.at(local("2027-01-01 20:00")) is None
    assert plan.over_at() == local("2026-12-31 21:00")


def test_a_night_market_is_on_past_midnight_and_on_its_own_days_only():
    plan = weekly("2026-11-21 20:00", "2026-11-22 01:00", {6}, "2026-12-31")  # Saturdays
    assert plan.at(local("2026-11-22 00:30")) is not None
    assert plan.at(local("2026-11-23 00:30")) is None
    assert plan.following(local("2026-11-22 01:00")).start == local("2026-11-28 20:00")


def test_clock_times_are_kept_where_clocks_change():
    zone = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 28, 19, tzinfo=zone)  # the night before clocks go ahead
    plan = Plan(start, start + timedelta(hours=2), zone, frozenset({6, 7}), date(2026, 3, 29))
    assert [each.start for each in plan.occurrences(start, start + timedelta(days=3))] == [
        datetime(2026, 3, 28, 18, tzinfo=UTC),
        datetime(2026, 3, 29, 17, tzinfo=UTC),
    ]


def test_what_is_cancelled_ends_then_without_a_grace():
    start, end = local("2026-11-22 11:00"), local("2026-11-22 15:00")
    noon = local("2026-11-22 12:00")
    plan = Plan(start, end, SHANGHAI, stopped_at=noon)
    assert plan.at(local("2026-11-22 11:30")) == Occurrence(
        start.astimezone(UTC), noon, excused_until=noon
    )
    assert plan.at(local("2026-11-22 12:10")) is None
    assert Plan(start, end, SHANGHAI, stopped_at=start).over_at() == start


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"end": NOW}, "after the start"),
        ({"end": NOW + timedelta(hours=73)}, "within 72 hours"),
        ({"start": NOW - timedelta(days=11)}, "after the start"),
        (
            {"start": NOW - timedelta(days=11), "end": NOW - timedelta(days=11) + timedelta(1)},
            "10 days ago",
        ),
        ({"weekdays": frozenset({1}), "last_day": None}, "last_day"),
        ({"weekdays": frozenset({1}), "last_day": date(2026, 11, 21)}, "last_day"),
        ({"weekdays": frozenset({1}), "last_day": date(2027, 12, 1)}, "last_day"),
        ({"weekdays": frozenset({8}), "last_day": date(2026, 12, 1)}, "Monday"),
        ({"weekdays": frozenset({3}), "last_day": date(2026, 11, 23)}, "none of them"),
        (
            {
                "weekdays": frozenset({1}),
                "last_day": date(2026, 12, 1),
                "end": NOW + timedelta(hours=17),
            },
            "within 16 hours",
        ),
    ],
)
def test_a_plan_that_is_none_is_refused_and_says_why(change, words):
    terms = {"start": NOW, "end": NOW + timedelta(hours=4), "zone": SHANGHAI} | change
    with pytest.raises(InvalidError, match=words):
        check_plan(Plan(**terms), NOW)


def test_a_year_of_market_days_and_three_days_of_temple_fair_are_plans():
    check_plan(Plan(NOW, NOW + timedelta(days=3), SHANGHAI), NOW)
    days = frozenset({3, 6})
    check_plan(Plan(NOW, NOW + timedelta(hours=8), SHANGHAI, days, date(2027, 11, 22)), NOW)
