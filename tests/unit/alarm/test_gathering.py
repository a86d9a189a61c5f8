from datetime import UTC, datetime, timedelta

import pytest

from edge.alarm.gathering import LAPSE_S, VOTE, WINDOW_S, Change, Gathering, Timing
from protocol.messages import AlertLevel, AlertOp

T0 = datetime(2026, 11, 22, tzinfo=UTC)
ORDINARY, URGENT, EXTRA = AlertLevel.ORDINARY, AlertLevel.URGENT, AlertLevel.EXTRA_URGENT
FPS = 5


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def timing(**changes):
    given = {
        "levels": {ORDINARY: 10, URGENT: 20, EXTRA: 40},
        "hold_s": 10.0,
        "gap_s": 1.5,
        "clear_fraction": 0.7,
        "clear_s": 20.0,
        "repeat_s": 0.0,
    }
    return Timing(**(given | changes))


class Feed:
    """Feeds counts at 5 frames a second and keeps what the rule says."""

    def __init__(self, **changes):
        self.machine = Gathering(timing(**changes))
        self.now_s = 0.0
        self.said: list[Change] = []

    def see(self, count, seconds):
        for _ in range(round(seconds * FPS)):
            self.now_s += 1 / FPS
            change = self.machine.update(at(self.now_s), count)
            if change is not None:
                self.said.append(change)
        return self

    def skip(self, seconds):
        self.now_s += seconds
        return self

    @property
    def ops(self):
        return [(change.op, change.level) for change in self.said if change.op != AlertOp.UPDATE]


def test_enough_people_for_long_enough_start_an_alert_at_that_moment():
    feed = Feed().see(0, 5).see(12, 30)
    started = feed.said[0]
    first_seen_s = 5 + 1 / FPS
    assert started == Change(AlertOp.START, ORDINARY, started.at, 12, 10)
    assert (started.at - T0).total_seconds() == pytest.approx(first_seen_s + 10, abs=1 / FPS)


def test_the_first_frames_after_the_start_of_the_box_are_not_dated_back():
    started = Feed().see(12, 30).said[0]
    assert (started.at - T0).total_seconds() == pytest.approx(10 + 1 / FPS, abs=1e-6)


def test_fewer_than_the_threshold_start_nothing():
    assert Feed().see(9, 120).said == []


def test_a_stay_shorter_than_the_hold_starts_nothing():
    assert Feed().see(0, 5).see(12, 9).see(0, 60).said == []


def test_single_frames_of_a_crowd_start_nothing():
    feed = Feed()
    for _ in range(100):
        feed.see(12, 1 / FPS).see(3, 3 / FPS)
    assert feed.said == []


def test_holes_in_the_detection_do_not_restart_the_hold():
    feed = Feed().see(0, 5)
    for _ in range(12):
        feed.see(12, 0.6).see(7, 0.4)
    assert feed.ops == [(AlertOp.START, ORDINARY)]


def test_a_break_restarts_the_hold():
    feed = Feed().see(0, 5).see(12, 8).see(0, WINDOW_S + 1.5).see(12, 8)
    assert feed.said == []
    feed.see(12, 4)
    assert feed.ops == [(AlertOp.START, ORDINARY)]


def test_a_start_waits_for_a_frame_that_shows_it():
    feed = Feed().see(0, 5).see(12, 9.8)
    assert feed.see(9, 1).said == []
    assert feed.see(12, 1 / FPS).ops == [(AlertOp.START, ORDINARY)]


def test_a_crowd_that_comes_at_once_starts_at_its_own_level():
    assert Feed().see(45, 30).ops == [(AlertOp.START, EXTRA)]


def test_a_growing_crowd_raises_the_level_once_and_it_never_falls():
    feed = Feed().see(12, 30).see(25, 30).see(45, 30).see(12, 30)
    raised = [
        (change.level, change.threshold)
        for before, change in zip(feed.said, feed.said[1:], strict=False)
        if change.level != before.level
    ]
    assert raised == [(URGENT, 20), (EXTRA, 40)]
    assert feed.said[-1].level is EXTRA


def test_a_level_must_be_held_like_the_first_one():
    feed = Feed().see(12, 30).see(25, 5).see(12, 30)
    assert {change.level for change in feed.said} == {ORDINARY}


def test_while_it_is_open_every_look_is_an_update():
    """The desk sends what is worth it; a rule that was silent could leave it an old count."""
    feed = Feed().see(12, 30)
    opened = len(feed.said)
    feed.see(12, 10).see(14, 10)
    updates = feed.said[opened:]
    assert len(updates) == 20 * FPS
    assert {change.op for change in updates} == {AlertOp.UPDATE}
    assert {change.count for change in updates} == {12, 14}


def test_it_ends_when_the_region_has_been_clear_for_long_enough():
    feed = Feed().see(12, 30).see(6, 30)
    ended = feed.said[-1]
    assert feed.ops == [(AlertOp.START, ORDINARY), (AlertOp.END, ORDINARY)]
    assert 30 + 20 <= (ended.at - T0).total_seconds() <= 30 + 20 + WINDOW_S


def test_a_count_that_hovers_around_the_threshold_raises_one_alert():
    feed = Feed().see(12, 20)
    for _ in range(20):
        feed.see(9, 15).see(11, 15)
    feed.see(0, 60)
    assert feed.ops == [(AlertOp.START, ORDINARY), (AlertOp.END, ORDINARY)]


@pytest.mark.parametrize(
    ("fraction", "threshold", "expected"),
    [
        (0.7, 10, 7),
        (0.7, 15, 11),  # 10.5: eleven or more are not clear
        (0.7, 3, 3),  # 2.1
        (1.0, 3, 3),
        (0.1, 3, 1),  # never 0: an empty region is always clear
        (0.29, 100, 29),  # 28.999999999999996
    ],
)
def test_the_clear_count_is_rounded_up(fraction, threshold, expected):
    assert timing(levels={ORDINARY: threshold}, clear_fraction=fraction).clear_count == expected


def test_after_an_end_nothing_starts_until_the_repeat_time_is_over():
    feed = Feed(repeat_s=100.0).see(12, 30).see(0, 30)
    ended_s = (feed.said[-1].at - T0).total_seconds()
    feed.see(12, 150)
    assert [op for op, _ in feed.ops] == [AlertOp.START, AlertOp.END, AlertOp.START]
    again = [change for change in feed.said if change.op is AlertOp.START][-1]
    again_s = (again.at - T0).total_seconds()
    assert again_s == pytest.approx(ended_s + 100, abs=2 / FPS)


def test_unseen_time_is_neither_held_nor_clear():
    feed = Feed().see(12, 8).skip(60).see(12, 8)
    assert feed.said == []
    feed.see(12, 10).see(0, 10).skip(60).see(0, 15)
    assert [op for op, _ in feed.ops] == [AlertOp.START]


def test_an_alert_whose_camera_shows_nothing_ends_after_a_long_time():
    feed = Feed().see(12, 30)
    assert feed.machine.lapse(at(30), unseen_s=LAPSE_S - 1) is None
    ended = feed.machine.lapse(at(31), unseen_s=LAPSE_S)
    assert ended == Change(AlertOp.END, ORDINARY, at(31), 0, 10)
    assert feed.machine.lapse(at(5000), unseen_s=5000) is None


def test_a_clock_that_was_set_ahead_restarts_the_timers_and_keeps_the_alert():
    feed = Feed().see(12, 30).skip(3 * 365 * 86_400).see(0, 15)
    assert [op for op, _ in feed.ops] == [AlertOp.START]
    feed.see(0, 10)
    assert [op for op, _ in feed.ops] == [AlertOp.START, AlertOp.END]


def test_an_alert_from_before_the_restart_goes_on_and_ends():
    machine = Gathering(timing())
    machine.resume(URGENT)
    assert machine.is_open
    said = [machine.update(at(step / FPS), 0) for step in range(1, 30 * FPS)]
    (ended,) = [change for change in said if change is not None and change.op is AlertOp.END]
    assert ended.level is URGENT
    assert (ended.at - T0).total_seconds() >= 20


def test_an_alert_from_before_the_restart_does_not_start_again():
    machine = Gathering(timing())
    machine.resume(ORDINARY)
    said = [machine.update(at(step / FPS), 12) for step in range(1, 60 * FPS)]
    assert {change.op for change in said if change is not None} == {AlertOp.UPDATE}


def test_a_level_that_was_configured_away_becomes_the_lowest():
    machine = Gathering(timing(levels={URGENT: 20}))
    machine.resume(EXTRA)
    change = machine.update(at(1), 25)
    assert change is not None
    assert change.level is URGENT


def test_a_resumed_alert_of_a_camera_that_never_comes_back_ends():
    machine = Gathering(timing())
    machine.resume(ORDINARY)
    assert machine.lapse(at(0), unseen_s=0) is None
    assert machine.lapse(at(0), unseen_s=LAPSE_S) is not None
    assert not machine.is_open


def test_a_frame_that_is_not_later_is_not_looked_at():
    feed = Feed().see(12, 9)
    for _ in range(100):
        assert feed.machine.update(at(feed.now_s), 12) is None
        assert feed.machine.update(at(feed.now_s - 1), 12) is None
    assert feed.said == []


def test_a_clock_that_was_set_back_restarts_the_timers_and_keeps_the_alert():
    feed = Feed().see(12, 30).skip(-3600).see(0, 15)
    assert [op for op, _ in feed.ops] == [AlertOp.START]
    feed.see(0, 10)
    assert [op for op, _ in feed.ops] == [AlertOp.START, AlertOp.END]


def test_after_a_clock_was_set_back_the_repeat_time_does_not_last_for_ever():
    feed = Feed(repeat_s=100.0).see(12, 30).see(0, 30).skip(-86_400).see(12, 30)
    assert [op for op, _ in feed.ops] == [AlertOp.START, AlertOp.END, AlertOp.START]


def test_no_hold_starts_with_the_vote():
    feed = Feed(hold_s=0.0).see(0, 10).see(12, 5)
    started = feed.said[0]
    assert (started.at - T0).total_seconds() == pytest.approx(10 + VOTE * WINDOW_S, abs=2 / FPS)


def test_without_a_gap_any_break_of_the_vote_restarts_the_hold():
    feed = Feed(gap_s=0.0).see(0, 5).see(12, 9).see(0, WINDOW_S * (1 - VOTE) + 0.2).see(12, 5)
    assert feed.said == []


def test_a_slow_detector_is_judged_by_the_frames_there_are():
    machine = Gathering(timing(blind_s=12.0))
    said = [machine.update(at(step * 4), 12) for step in range(1, 6)]
    assert [change.op for change in said if change is not None][:1] == [AlertOp.START]


def test_an_overloaded_detector_still_starts_and_ends_an_alert():
    """It looks every 7 s where twice a second was asked for."""
    machine = Gathering(timing(hold_s=60.0, clear_s=120.0))
    counts = [40] * 500 + [0] * 60
    said = [machine.update(at(step * 7), count) for step, count in enumerate(counts, 1)]
    ops = [(each.op, each.level) for each in said if each is not None]
    assert [op for op in ops if op[0] is not AlertOp.UPDATE] == [
        (AlertOp.START, EXTRA),
        (AlertOp.END, EXTRA),
    ]


def test_one_gap_is_not_taken_for_a_slow_detector():
    feed = Feed().see(12, 6).skip(5).see(12, 6).skip(5).see(12, 6)
    assert feed.said == []


def test_looks_further_apart_than_half_a_minute_are_no_watching():
    machine = Gathering(timing())
    assert [machine.update(at(step * 31), 40) for step in range(1, 100)] == [None] * 99


def test_a_frame_outside_of_the_schedule_ends_an_open_alert_at_that_frame_whoever_is_there():
    feed = Feed().see(12, 30)
    ended = feed.machine.rest(at(31), 12)
    assert ended == Change(AlertOp.END, ORDINARY, at(31), 12, 10)
    assert feed.machine.rest(at(32), 12) is None


def test_who_came_before_the_schedule_began_is_not_in_its_hold():
    machine = Gathering(timing())
    assert [machine.rest(at(step / FPS), 12) for step in range(1, 100 * FPS)] == [None] * 499
    said = [machine.update(at(100 + step / FPS), 12) for step in range(20 * FPS)]
    started = next(each for each in said if each is not None)
    assert (started.at - at(100)).total_seconds() == pytest.approx(10, abs=1 / FPS)


def test_a_late_frame_of_before_the_border_neither_ends_nor_restarts_anything():
    feed = Feed().see(12, 30)
    assert feed.machine.rest(at(29.9), 0) is None
    assert feed.machine.is_open


def test_the_pause_after_an_alert_counts_across_the_schedules_border():
    feed = Feed(repeat_s=600.0).see(12, 30)
    feed.machine.rest(at(31), 12)
    feed.skip(5).see(12, 120)
    assert [op for op, _ in feed.ops] == [AlertOp.START]


def test_a_greater_vote_wants_more_of_the_frames():
    half = [12, 12, 3, 3] * (30 * FPS // 4)

    def started(vote):
        machine = Gathering(timing(vote=vote, gap_s=0.0))
        said = [machine.update(at(step / FPS), count) for step, count in enumerate(half, 1)]
        return any(each is not None for each in said)

    assert [started(vote) for vote in (0.25, 0.4, 0.6)] == [True, True, False]
