from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from edge.alarm.schedule import Calendar, DayKind, Period, Schedule

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe")]
#: A year with both of Berlin's and Lord Howe's changes of the clock.
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 365 * 86_400).map(lambda s: FIRST + timedelta(seconds=s))
days = st.integers(0, 364).map(lambda day: date(2026, 1, 1) + timedelta(days=day))
periods = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(
    lambda given: Period(given[0], given[0] + given[1])
)
rows = st.dictionaries(st.sampled_from(DayKind), st.lists(periods, max_size=8))
schedules = st.builds(
    Schedule,
    rows,
    st.builds(Calendar, st.sampled_from(ZONES), st.frozensets(days, max_size=20)),
)


def stretches(schedule, around):
    """Every stretch of wall-clock time that the rows give, for the days around one."""
    for shift in (-2, -1, 0, 1):
        day = around + timedelta(days=shift)
        kind = list(DayKind)[day.weekday()]
        if day in schedule.calendar.holidays and DayKind.HOLIDAY in schedule.rows:
            kind = DayKind.HOLIDAY
        midnight = datetime.combine(day, time())
        for period in schedule.rows.get(kind, ()):
            start, end = timedelta(minutes=period.start), timedelta(minutes=period.end)
            yield midnight + start, midnight + end


@given(schedules, moments)
def test_a_rule_is_on_exactly_when_the_clock_on_the_wall_is_in_a_stretch_of_its_rows(schedule, at):
    wall = at.astimezone(schedule.calendar.zone).replace(tzinfo=None, fold=0)
    expected = any(start <= wall < end for start, end in stretches(schedule, wall.date()))
    assert schedule.is_on(at) == expected


@given(rows, st.frozensets(days, max_size=5), moments, st.sampled_from(ZONES))
def test_who_asks_in_another_zone_gets_the_same_answer(given_rows, holidays, at, zone):
    schedule = Schedule(given_rows, Calendar(ZONES[0], holidays))
    assert schedule.is_on(at) == schedule.is_on(at.astimezone(zone))


@given(moments, st.sampled_from(ZONES), st.frozensets(days, max_size=5))
def test_whole_days_leave_no_hole_at_any_border(at, zone, holidays):
    whole = dict.fromkeys(DayKind, (Period.of("00:00-24:00"),))
    assert Schedule(whole, Calendar(zone, holidays)).is_on(at)


@given(st.integers(0, 1439), st.integers(0, 1440))
def test_a_period_is_as_it_was_written_and_never_longer_than_a_day(start, end):
    if start == end % 1440 and end != 1440:
        return
    text = "{:02}:{:02}-{:02}:{:02}".format(*divmod(start, 60), *divmod(end, 60))
    period = Period.of(text)
    assert period.start == start
    assert period.end % 1440 == end % 1440
    assert 0 < period.end - period.start <= 1440
