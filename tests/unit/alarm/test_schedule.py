from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from edge.alarm.schedule import Calendar, DayKind, Period, Schedule, periods_of

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
#: A Sunday.
SUNDAY = date(2026, 11, 22)


def schedule(zone=SHANGHAI, holidays=(), **rows):
    periods = {DayKind(day): periods_of(texts) for day, texts in rows.items()}
    return Schedule(periods, Calendar(zone, frozenset(holidays)))


def here(day, hour, minute=0, zone=SHANGHAI, second=0):
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)


def test_a_period_begins_with_its_first_minute_and_ends_before_its_last():
    work = schedule(sunday=["08:00-12:00"])
    moments = [here(SUNDAY, 7, 59, second=59), here(SUNDAY, 8), here(SUNDAY, 11, 59, second=59)]
    assert [work.is_on(at) for at in (*moments, here(SUNDAY, 12))] == [False, True, True, False]


def test_it_goes_by_the_villages_clock_and_not_by_utc():
    work = schedule(sunday=["00:00-01:00"])
    assert work.is_on(datetime(2026, 11, 21, 16, 30, tzinfo=UTC))
    assert not work.is_on(datetime(2026, 11, 22, 0, 30, tzinfo=UTC))


def test_a_night_belongs_to_the_evening_it_begins_on():
    work = schedule(sunday=["22:00-02:00"])
    monday = date(2026, 11, 23)
    assert work.is_on(here(SUNDAY, 23))
    assert work.is_on(here(monday, 1, 59))
    assert not work.is_on(here(monday, 2))
    assert not work.is_on(here(monday, 23))
    assert not work.is_on(here(SUNDAY, 1))


def test_a_holiday_has_its_own_row_instead_of_the_weekdays():
    work = schedule(holidays=[SUNDAY], sunday=["08:00-12:00"], holiday=["18:00-20:00"])
    assert not work.is_on(here(SUNDAY, 9))
    assert work.is_on(here(SUNDAY, 19))
    assert work.is_on(here(date(2026, 11, 29), 9))
    assert not work.is_on(here(date(2026, 11, 29), 19))


def test_a_holiday_without_a_row_of_its_own_is_a_day_like_any_other():
    assert schedule(holidays=[SUNDAY], sunday=["08:00-12:00"]).is_on(here(SUNDAY, 9))


def test_a_holiday_with_an_empty_row_is_free_and_the_eves_night_still_goes_on():
    work = schedule(holidays=[SUNDAY], saturday=["22:00-02:00"], sunday=["00:00-24:00"], holiday=[])
    assert work.is_on(here(SUNDAY, 1))
    assert not work.is_on(here(SUNDAY, 12))


def test_the_hour_that_comes_twice_is_twice_in_its_period_and_the_missing_one_never():
    autumn, spring = date(2026, 10, 25), date(2026, 3, 29)
    work = schedule(BERLIN, sunday=["02:00-03:00"])
    for utc_hour, on in ((23, False), (0, True), (1, True), (2, False)):
        day = autumn if utc_hour < 23 else date(2026, 10, 24)
        assert work.is_on(here(day, utc_hour, 30, UTC)) is on
    on = [work.is_on(here(spring, hour, minute, UTC)) for hour in (0, 1) for minute in (0, 30, 59)]
    assert on == [False] * 6


@pytest.mark.parametrize(
    "text",
    ["8:00-12:00", "08:00", "08:00–12:00", "08:60-09:00", "24:00-25:00", "08:00-24:01", ""],
)
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match="must be"):
        Period.of(text)


def test_a_period_of_no_length_is_refused_and_a_whole_day_has_a_way_to_be_said():
    with pytest.raises(ValueError, match="two different times"):
        Period.of("08:00-08:00")
    assert Period.of("00:00-24:00") == Period(0, 1440)


@pytest.mark.parametrize("texts", [["08:00-12:00", "11:59-13:00"], ["23:00-24:00", "22:00-02:00"]])
def test_periods_of_a_day_that_overlap_are_refused(texts):
    with pytest.raises(ValueError, match="overlap"):
        periods_of(texts)


def test_periods_may_meet():
    assert len(periods_of(["12:00-14:00", "08:00-12:00"])) == 2
