import numpy as np
import pytest

from edge.detect.motion import shrink
from edge.detect.repeat import LONGEST_S, Repeat


def yard(noise=0.0, seed=1):
    """A yard at night, with a camera's noise."""
    rng = np.random.default_rng(seed)
    plane = np.tile(np.linspace(20, 60, 640, dtype=np.float32), (360, 1))
    return np.clip((plane + rng.normal(0, noise, plane.shape)).round(), 0, 255).astype(np.uint8)


def looked_at(plane):
    repeat = Repeat()
    repeat.looked(0.0, shrink(plane))
    return repeat


def test_the_first_picture_repeats_nothing():
    assert not Repeat().is_same(0.0, shrink(yard()))


def test_a_camera_noise_is_the_same_picture():
    repeat = looked_at(yard(noise=6, seed=1))
    assert all(repeat.is_same(1.0, shrink(yard(noise=6, seed=seed))) for seed in range(2, 12))


@pytest.mark.parametrize(("width", "height"), [(6, 12), (8, 8), (200, 300)])
def test_somebody_who_comes_in_anywhere_makes_it_another_picture(width, height):
    repeat = looked_at(yard(noise=3))
    rng = np.random.default_rng(5)
    for _ in range(30):
        after = yard(noise=3, seed=2)
        top, left = rng.integers(0, 360 - height), rng.integers(0, 640 - width)
        after[top : top + height, left : left + width] += 60
        assert not repeat.is_same(1.0, shrink(after))


def test_what_changes_slowly_is_seen_once_it_has_changed():
    repeat = looked_at(yard())
    same = [repeat.is_same(step, shrink(yard() + np.uint8(step))) for step in range(12)]
    assert same[0]
    assert not same[11]


def test_nothing_is_the_same_for_ever_nor_before_itself():
    repeat = looked_at(yard())
    assert repeat.is_same(LONGEST_S - 0.1, shrink(yard()))
    assert not repeat.is_same(LONGEST_S, shrink(yard()))
    assert not repeat.is_same(-0.1, shrink(yard()))
