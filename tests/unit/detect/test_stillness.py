"""A picture that hangs, and views in which nothing happens."""

import numpy as np
import pytest

from bench.picture_health import seen
from bench.scripted_camera import Footage, Pose
from edge.detect.stillness import (
    EXACT_S,
    FIRST_RECORD_S,
    LEAST_STILL_S,
    RECORD_TIMES,
    SLOW_S,
    Stillness,
)

PLACE = Footage.drawn()


def noisy(picture, sigma, seed):
    noise = np.random.default_rng(seed).normal(0, sigma, (360, 640, 1))
    return seen(np.clip(picture + noise, 0, 255).astype(np.uint8))


def moving(second):
    """A view in which something moves, and its sensor's noise."""
    return noisy(PLACE.at(second, Pose()), 1.5, second)


def coded_anew(second):
    """One picture, as coding with few bits changes it from time to time."""
    return noisy(PLACE.at(0, Pose()), 3, second)


def first_frozen(stillness, begin_s, looks, *, keyed=True):
    """Return after how many seconds it was frozen, or None."""
    for second, look in enumerate(looks):
        if stillness.is_frozen(begin_s + second, look, keyed=keyed):
            return second
    return None


@pytest.fixture
def lively():
    """A camera of which every picture shows something new, for two minutes."""
    stillness = Stillness()
    assert first_frozen(stillness, 0.0, [moving(second) for second in range(120)]) is None
    return stillness


def test_a_repeated_picture_of_a_lively_view_is_told_in_seconds(lively):
    assert first_frozen(lively, 120.0, [moving(119)] * 20) == EXACT_S - 1


def test_between_key_frames_a_repeated_picture_says_nothing(lively):
    assert first_frozen(lively, 120.0, [moving(119)] * 100, keyed=False) is None
    assert lively.is_frozen(220.0, moving(119), keyed=True)


def test_of_a_view_that_never_lived_a_repeated_picture_is_told_late():
    assert first_frozen(Stillness(), 0.0, [moving(0)] * 400) == SLOW_S


def test_a_run_begins_anew(lively):
    first_frozen(lively, 120.0, [moving(119)] * 6)
    lively.begin()
    assert first_frozen(lively, 5.0, [moving(119)] * 6) is None


def test_a_picture_that_is_coded_anew_is_told_by_how_long_the_view_stands_still_at_most():
    stillness = Stillness()
    still = [coded_anew(second) for second in range(50)]
    long = int(RECORD_TIMES * FIRST_RECORD_S)
    found = first_frozen(stillness, 0.0, [still[second % 50] for second in range(long + 60)])
    assert found is not None
    assert long * 0.9 < found <= long + 1


def test_a_view_that_is_never_still_for_long_is_known_after_some_days():
    stillness = Stillness()
    still = [coded_anew(second) for second in range(50)]
    day_s = 86_400.0
    for hour in range(5 * 24):  # something moves each hour; the pictures between are left out
        look = seen(PLACE.at(0, Pose(right=0.3 * (hour % 2))))
        assert not stillness.is_frozen(hour * 3600.0, look, keyed=True)
    found = first_frozen(stillness, 5 * day_s, [still[second % 50] for second in range(300)])
    assert found is not None
    assert LEAST_STILL_S - 1 <= found <= LEAST_STILL_S + 1
