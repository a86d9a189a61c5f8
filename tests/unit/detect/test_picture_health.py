"""A scripted camera on a drawn place: what is noticed, and what is let pass."""

from dataclasses import replace

import numpy as np
import pytest

from bench.picture_health import noticed, seen
from bench.scripted_camera import EVERYDAY, FAULTS, TURNED, WELL_S, Act, Footage, defocused, play
from edge.detect.fault import PictureFault
from edge.detect.picture_health import ADOPT_S, LEARN_LOOKS, RUN_QUIET_S, PictureHealth


@pytest.fixture(scope="module")
def place():
    return Footage.drawn()


@pytest.mark.parametrize(("act", "fault", "within_s"), FAULTS, ids=[act.name for act, *_ in FAULTS])
def test_a_fault_is_noticed_soon_and_taken_for_no_other(place, act, fault, within_s):
    told = noticed(place, act, fault)
    assert told.after_s is not None
    assert told.after_s <= within_s
    assert told.wrong == set()


@pytest.mark.parametrize("act", EVERYDAY, ids=lambda act: act.name)
def test_everyday_light_and_weather_are_no_fault(place, act):
    assert noticed(place, act, None).wrong == set()


def looks(place, act, seconds):
    return [seen(picture) for picture in play(place, act, seconds)]


def faults(health, all_looks, begin_s=0.0):
    return [health.judge(begin_s + at, look).faults for at, look in enumerate(all_looks)]


def test_a_fault_is_over_soon_after_the_camera_is_well(place):
    act = Act("defocused", WELL_S, 20, defocused)
    health = PictureHealth()
    health.begin()
    said = faults(health, looks(place, act, WELL_S + 40))
    assert said[WELL_S + 19] == {PictureFault.BLURRED}
    assert said[WELL_S + 26] == set()


def test_a_camera_that_was_turned_while_it_was_away_is_noticed_when_it_is_back(place):
    health = PictureHealth()
    health.begin()
    faults(health, looks(place, None, WELL_S))
    health.begin()
    turned = Act("turned", 0, 60, pose=TURNED)
    said = faults(health, looks(place, turned, 20))
    assert said[int(RUN_QUIET_S) - 1] == set()
    assert said[-1] == {PictureFault.MOVED}


def test_a_camera_that_is_back_as_it_was_is_fine_whatever_its_new_clock_says(place):
    health = PictureHealth()
    health.begin()
    faults(health, looks(place, None, WELL_S), begin_s=90_000.0)
    health.begin()
    assert set().union(*faults(health, looks(place, None, 20))) == set()


def test_nothing_is_sure_before_a_view_is_known(place):
    health = PictureHealth()
    health.begin()
    sure = [health.judge(float(at), look).is_sure for at, look in enumerate(looks(place, None, 40))]
    assert not any(sure[:LEARN_LOOKS])
    assert all(sure[-5:])


def test_a_new_view_is_adopted_once_staff_have_seen_it_for_long(place):
    health = PictureHealth()
    health.begin()
    faults(health, looks(place, None, WELL_S))
    turned = looks(place, Act("turned", 0, 60, pose=TURNED), 20)
    said = [health.judge(WELL_S + at, turned[at % 20]).faults for at in range(int(ADOPT_S) + 60)]
    assert said[20] == {PictureFault.MOVED}
    assert said[int(ADOPT_S) - 10] == {PictureFault.MOVED}
    assert said[-1] == set()


def test_a_still_night_is_not_frozen_but_one_that_never_changes_is_at_last(place):
    """A picture that never showed life is given SLOW_FROZEN_S."""
    still = looks(place, Act("still", 0, 10, freezes=True), 1)[0]
    health = PictureHealth()
    health.begin()
    said = [health.judge(float(at), still).faults for at in range(400)]
    assert said[200] == set()
    assert said[-1] == {PictureFault.FROZEN}


def test_a_picture_that_is_not_later_changes_nothing(place):
    health = PictureHealth()
    health.begin()
    faults(health, looks(place, None, WELL_S))
    look = looks(place, None, 1)[0]
    verdict = health.judge(5.0, replace(look, grey=np.zeros_like(look.grey)))
    assert (verdict.faults, verdict.is_sure) == (set(), False)


def test_a_view_shifted_by_some_pixels_is_found_there(place):
    outline = seen(place.at(0, pose=TURNED)).outline
    moved = type(outline)(np.roll(outline.field, (5, -12), (0, 1)))
    right, down, alike = outline.shift(moved)
    assert (right, down) == (-12, 5)
    assert alike > 0.9
    assert outline.likeness(moved) < 0.5
    assert outline.likeness(outline) == pytest.approx(1.0)


def test_a_camera_is_at_ease_once_its_view_is_known_and_while_nothing_is_odd(place):
    health = PictureHealth()
    health.begin()
    covered = next(act for act, fault, _ in FAULTS if fault == "covered")
    eased = []
    for second, picture in enumerate(play(place, covered, covered.at_s + covered.lasts_s + 30)):
        health.judge(float(second), seen(picture))
        eased.append(health.is_at_ease)
    known = eased.index(True)
    assert known >= LEARN_LOOKS
    assert all(eased[known : covered.at_s])
    assert not any(eased[covered.at_s + 1 : covered.at_s + covered.lasts_s])
    assert eased[-1]
