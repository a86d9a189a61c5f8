import pytest

from edge.recording.believed import BelievedClock
from protocol.clock import FakeClock
from tests.support.packets import BEGAN
from tests.support.recordings import at

HOUR_S = 3600.0


@pytest.mark.parametrize("late_s", [0, 1, 23 * HOUR_S])
def test_a_clock_that_goes_on_from_what_was_believed_is_believed_at_once(late_s):
    assert BelievedClock(FakeClock(at(late_s)), BEGAN).now() == at(late_s)


@pytest.mark.parametrize("late_s", [-1, 25 * HOUR_S])
def test_any_other_is_believed_after_an_hour(late_s):
    clock = FakeClock(at(late_s))
    believed = BelievedClock(clock, BEGAN)
    assert believed.now() is None

    clock.advance(HOUR_S - 1)
    assert believed.now() is None
    clock.advance(1)
    assert believed.now() == at(late_s + HOUR_S)


def test_the_clock_of_a_new_box_is_not_believed_at_once():
    assert BelievedClock(FakeClock(BEGAN), None).now() is None


def test_after_a_step_time_goes_on_as_it_was_until_the_new_one_held_for_an_hour():
    clock = FakeClock(BEGAN)
    believed = BelievedClock(clock, BEGAN)
    believed.now()

    clock.step_wall(-50 * HOUR_S)
    assert believed.now() == at(0)
    clock.advance(HOUR_S - 1)
    assert believed.now() == at(HOUR_S - 1)
    clock.advance(1)
    assert believed.now() == at(-49 * HOUR_S)


def test_each_further_step_begins_the_hour_anew():
    clock = FakeClock(BEGAN)
    believed = BelievedClock(clock, BEGAN)
    believed.now()

    for _ in range(5):
        clock.step_wall(2 * HOUR_S)
        believed.now()
        clock.advance(HOUR_S / 2)
        assert believed.now() == at(clock.monotonic_ns() / 1e9)


def test_a_clock_that_is_set_back_to_what_is_believed_is_believed_at_once():
    clock = FakeClock(BEGAN)
    believed = BelievedClock(clock, BEGAN)
    believed.now()
    clock.step_wall(90 * HOUR_S)
    believed.now()

    clock.advance(30)
    clock.step_wall(-90 * HOUR_S + 5)

    assert believed.now() == at(35)


def test_many_small_steps_are_one_great_one():
    clock = FakeClock(BEGAN)
    believed = BelievedClock(clock, BEGAN)
    for _ in range(10):
        believed.now()
        clock.step_wall(HOUR_S / 2)
        clock.advance(30)

    now = believed.now()

    assert now is not None
    assert now <= at(300 + HOUR_S)
