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


def windy(seed):
    """The yard with a tree at the left, whose leaves are lighter or darker each time."""
    plane = yard(noise=3, seed=seed).astype(np.int16)
    leaves = np.random.default_rng(seed).integers(-15, 16, (20, 20))
    plane[100:180, 40:120] += np.kron(leaves, np.ones((4, 4), np.int16))
    return np.clip(plane, 0, 255).astype(np.uint8)


def used_to(pictures, found=()):
    """Return what has looked at these pictures, a second apart, and the second after."""
    repeat = Repeat()
    for second, plane in enumerate(pictures):
        repeat.looked(float(second), shrink(plane), found)
    return repeat, float(len(pictures))


def test_leaves_that_move_all_day_are_no_other_picture_once_they_are_known():
    repeat, now_s = used_to([windy(seed) for seed in range(40)])
    same = [repeat.is_same(now_s, shrink(windy(seed))) for seed in range(100, 120)]
    assert sum(same) >= 15
    assert not looked_at(windy(0)).is_same(1.0, shrink(windy(100)))


def test_somebody_beside_the_leaves_or_bright_before_them_makes_it_another_picture():
    repeat, now_s = used_to([windy(seed) for seed in range(40)])
    for top, left, light in ((200, 300, 30), (120, 60, 90)):
        after = windy(100)
        after[top : top + 24, left : left + 12] += np.uint8(light)
        assert not repeat.is_same(now_s, shrink(after))


def test_movement_in_which_somebody_is_found_is_never_usual():
    tree = (40 / 640, 100 / 360, 120 / 640, 180 / 360)
    repeat, now_s = used_to([windy(seed) for seed in range(40)], [tree])
    assert not repeat.is_same(now_s, shrink(windy(100)))


def test_somebody_elsewhere_hinders_nobody_from_learning_the_leaves():
    elsewhere = (0.8, 0.5, 0.85, 0.9)
    repeat, now_s = used_to([windy(seed) for seed in range(40)], [elsewhere])
    assert repeat.is_same(now_s, shrink(windy(100)))


def test_light_that_changes_makes_nothing_usual():
    pictures = [yard(noise=3, seed=seed) + np.uint8(40 * (seed % 2)) for seed in range(20)]
    repeat, now_s = used_to(pictures)
    after = pictures[-1].copy()
    after[200:224, 300:312] += 30
    assert not repeat.is_same(now_s, shrink(after))


def test_what_no_longer_moves_is_forgotten():
    repeat, now_s = used_to([windy(seed) for seed in range(40)])
    for second in range(300):
        repeat.looked(now_s + second, shrink(yard(noise=3, seed=second)))
    after = yard(noise=3, seed=1)
    after[120:144, 60:72] += 20
    assert not repeat.is_same(now_s + 300, shrink(after))
