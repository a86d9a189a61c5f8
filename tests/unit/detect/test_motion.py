import numpy as np
import pytest

from edge.detect.motion import Motion, shrink


def luma(value=100, noise=0, seed=1):
    rng = np.random.default_rng(seed)
    plane = np.full((360, 640), value, np.float32) + rng.normal(0, noise, (360, 640))
    return shrink(np.clip(plane.round(), 0, 255).astype(np.uint8))


def test_the_first_look_shows_no_change():
    motion = Motion()
    assert motion.within(0, 0, 1, 1) == 0
    motion.see(luma())
    assert motion.within(0, 0, 1, 1) == 0


def test_what_changes_is_found_where_it_is():
    motion = Motion()
    before, after = luma(), luma()
    after[45:, 80:] = 130
    motion.see(before)
    motion.see(after)
    assert motion.within(0.5, 0.5, 1, 1) == pytest.approx(30)
    assert motion.within(0, 0, 0.5, 0.5) == 0
    assert motion.within(0, 0, 1, 1) == pytest.approx(7.5)


def test_a_camera_noise_stays_below_what_a_rule_takes_for_motion():
    motion = Motion()
    motion.see(luma(noise=6, seed=1))
    motion.see(luma(noise=6, seed=2))
    assert motion.within(0, 0, 1, 1) < 2.0


def test_a_box_smaller_than_a_pixel_and_one_at_the_edge_still_have_a_change():
    motion = Motion()
    motion.see(luma(100))
    motion.see(luma(110))
    for box in ((0.5, 0.5, 0.5, 0.5), (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.001, 0.001)):
        assert motion.within(*box) == pytest.approx(10)


def test_a_new_run_begins_anew():
    motion = Motion()
    motion.see(luma(0))
    motion.begin()
    motion.see(luma(200))
    assert motion.within(0, 0, 1, 1) == 0
