from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from central.codes import BoxState, Post
from central.duty.pattern import DailyShift, PlannedShift, rotate
from central.duty.resolve import (
    OnDuty,
    Responsible,
    ShiftPlan,
    by_rank,
    first_receiver,
    responsible,
)
from central.incidents.serial import day_of, serial_number
from central.sites.liveness import box_state

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZHANG, LI = OnDuty("zhang", Post.LEAD), OnDuty("li", Post.OFFICER)


def shift(number: int, start: str, end: str, *people: OnDuty) -> ShiftPlan:
    def moment(words: str) -> datetime:
        return datetime.fromisoformat(f"2026-11-{words}").replace(tzinfo=SHANGHAI)

    return ShiftPlan(number, f"班{number}", moment(start), moment(end), people or (LI,))


DAY = shift(1, "21T08:00", "21T17:30")
NIGHT = shift(2, "21T17:30", "22T08:00")
HOLIDAY = shift(3, "21T09:00", "22T09:00")
EMPTY = ShiftPlan(4, "空班", NIGHT.end, NIGHT.end + timedelta(hours=9), ())


@pytest.mark.parametrize(
    ("shifts", "at", "expected"),
    [
        ((DAY, NIGHT), "21T08:00", Responsible(DAY, held_over=False)),  # the start belongs to it
        ((DAY, NIGHT), "21T17:30", Responsible(NIGHT, held_over=False)),  # the end does not
        ((DAY, NIGHT), "22T03:00", Responsible(NIGHT, held_over=False)),  # past midnight
        ((DAY, NIGHT), "22T08:00", Responsible(NIGHT, held_over=True)),  # nobody relieved them
        ((DAY, NIGHT, EMPTY), "22T10:00", Responsible(NIGHT, held_over=True)),  # nobody came
        ((DAY, HOLIDAY), "21T10:00", Responsible(HOLIDAY, held_over=False)),  # began last
        ((DAY, NIGHT), "21T07:59", None),  # before the first shift of all
        ((), "21T07:59", None),
    ],
)
def test_someone_has_every_moment(shifts, at, expected):
    moment = datetime.fromisoformat(f"2026-11-{at}").replace(tzinfo=SHANGHAI)
    assert responsible(shifts, moment) == expected


def test_posts_have_an_order():
    standby = OnDuty("wang", Post.STANDBY)
    assert by_rank([standby, LI, ZHANG]) == [ZHANG, LI, standby]


def test_the_duty_officer_receives_first_else_the_next_in_rank():
    assert first_receiver([ZHANG, LI]) == "li"
    assert first_receiver([OnDuty("wang", Post.STANDBY), ZHANG]) == "zhang"
    assert first_receiver([]) is None


def test_a_rotation_gives_each_day_its_team_and_nights_end_the_next_day():
    shifts = [DailyShift("白班", time(8), time(17, 30)), DailyShift("夜班", time(17, 30), time(8))]
    made = list(
        rotate(date(2026, 11, 30), date(2026, 11, 30), 2, shifts, [(ZHANG,), (LI,)], SHANGHAI)
    )
    utc = [(one.name, one.start.astimezone(UTC), one.end.astimezone(UTC)) for one in made]
    assert utc == [
        (
            "白班",
            datetime(2026, 11, 30, 0, 0, tzinfo=UTC),
            datetime(2026, 11, 30, 9, 30, tzinfo=UTC),
        ),
        (
            "夜班",
            datetime(2026, 11, 30, 9, 30, tzinfo=UTC),
            datetime(2026, 12, 1, 0, 0, tzinfo=UTC),
        ),
        ("白班", datetime(2026, 12, 1, 0, 0, tzinfo=UTC), datetime(2026, 12, 1, 9, 30, tzinfo=UTC)),
        ("夜班", datetime(2026, 12, 1, 9, 30, tzinfo=UTC), datetime(2026, 12, 2, 0, 0, tzinfo=UTC)),
    ]
    assert [one.people for one in made] == [(ZHANG,), (ZHANG,), (LI,), (LI,)]
    assert isinstance(made[0], PlannedShift)


def test_a_24_hour_shift_ends_at_the_same_clock_time_the_next_day():
    (made,) = rotate(
        date(2026, 11, 30),
        date(2026, 11, 30),
        1,
        [DailyShift("24小时班", time(8), time(8))],
        [(LI,)],
        SHANGHAI,
    )
    assert made.end - made.start == timedelta(hours=24)


def test_a_serial_number_has_the_villages_day():
    late_evening = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)  # 00:30 on the 22nd in Shanghai
    day = day_of(late_evening, SHANGHAI)
    assert serial_number("532324001002", day, 7) == "532324001002-20261122-0007"
    assert serial_number("532324001002", day, 12345) == "532324001002-20261122-12345"


@pytest.mark.parametrize(
    ("age_s", "online", "expected"),
    [
        (0, True, BoxState.ONLINE),
        (90, True, BoxState.ONLINE),
        (90.1, True, BoxState.LATE),
        (180, True, BoxState.LATE),
        (180.1, True, BoxState.LOST),
        (0, False, BoxState.LOST),  # its last will came
    ],
)
def test_a_box_is_judged_by_the_age_of_its_last_sign_of_life(age_s, online, expected):
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert box_state(now - timedelta(seconds=age_s), now, online=online) is expected


def test_a_box_that_never_spoke_is_lost():
    assert box_state(None, datetime(2026, 11, 22, tzinfo=UTC), online=True) is BoxState.LOST


def test_a_rotation_that_goes_on_later_keeps_its_turn():
    day = DailyShift("24小时班", time(8), time(8))
    (made,) = rotate(date(2026, 11, 1), date(2026, 11, 4), 1, [day], [(ZHANG,), (LI,)], SHANGHAI)
    assert made.people == (LI,)  # the fourth day is the second team's
