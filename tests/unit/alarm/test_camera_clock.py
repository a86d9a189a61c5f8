"""When a camera's clock is worth a word, and when an alert."""

from datetime import timedelta

import pytest

from edge.alarm.camera_clock import FORGOTTEN_S, LASTING_S, ClockRule
from protocol.messages import CameraClockState

S = 1_000_000_000
RIGHT, OFF, WRONG = CameraClockState


class Watched:
    """A rule that is told every 10 s."""

    def __init__(self, rule: ClockRule | None = None) -> None:
        self.rule = rule or ClockRule()
        self.now_s = 0

    def after(self, seconds: float, offset_s: float | None) -> CameraClockState | None:
        offset = None if offset_s is None else timedelta(seconds=offset_s)
        for _ in range(int(seconds // 10)):
            self.rule.see(offset, self.now_s * S)
            self.now_s += 10
        return self.rule.state


@pytest.fixture
def watched():
    return Watched()


@pytest.mark.parametrize(
    ("offset_s", "state"),
    [(0, RIGHT), (5, RIGHT), (-5.1, OFF), (60, OFF), (60.5, WRONG), (-9e8, WRONG)],
)
def test_it_is_judged_once_it_was_known_for_five_minutes(watched, offset_s, state):
    assert watched.after(LASTING_S, offset_s) is None
    assert watched.after(10, offset_s) is state


def test_what_lasts_less_than_five_minutes_is_nothing(watched):
    watched.after(600, 0)
    assert watched.after(LASTING_S, 3600) is RIGHT
    assert watched.after(10, 0) is RIGHT
    assert watched.after(LASTING_S, 3600) is RIGHT
    assert watched.after(10, 3600) is WRONG


def test_it_is_over_once_it_was_well_below_the_limit_for_five_minutes(watched):
    assert watched.after(600, 90) is WRONG
    assert watched.after(3600, 50) is WRONG
    assert watched.after(LASTING_S, 47) is WRONG
    assert watched.after(10, 47) is OFF
    assert watched.after(3600, 4.5) is OFF
    assert watched.after(LASTING_S + 10, 3.9) is RIGHT


def test_one_that_goes_to_and_fro_about_the_limit_says_one_thing(watched):
    assert watched.after(600, 61) is WRONG
    states = {watched.after(50, offset_s) for _ in range(50) for offset_s in (58, 62)}
    assert states == {WRONG}


def test_one_that_wanders_beyond_both_limits_is_beyond_the_lower(watched):
    watched.after(600, 0)
    for _ in range(4):
        watched.after(50, 59)
        state = watched.after(50, 61)
    assert state is OFF


def test_while_it_is_not_known_nothing_changes_and_nothing_is_waited_for(watched):
    watched.after(600, 0)
    watched.after(LASTING_S - 50, 90)
    assert watched.after(1000, None) is RIGHT
    assert watched.after(LASTING_S, 90) is RIGHT
    assert watched.after(10, 90) is WRONG


def test_what_was_not_known_for_an_hour_is_forgotten(watched):
    watched.after(600, 90)
    assert watched.after(FORGOTTEN_S - 20, None) is WRONG
    assert watched.after(30, None) is None
    assert watched.after(LASTING_S + 10, 90) is WRONG


def test_one_that_was_open_goes_on_and_ends(watched):
    watched = Watched(ClockRule(is_wrong=True))
    assert watched.rule.state is WRONG
    assert watched.after(FORGOTTEN_S - 10, None) is WRONG
    assert watched.after(LASTING_S + 10, 0) is RIGHT
    assert Watched(ClockRule(is_wrong=True)).after(FORGOTTEN_S + 20, None) is None
