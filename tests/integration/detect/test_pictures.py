"""Cameras' pictures as the real detector process judges them, from what a camera sends."""

import pytest

from bench.scripted_camera import Act, Footage, covered_hand, play
from edge.detect.fault import PictureFault
from edge.detect.feed import Looks, Rates, Task
from edge.detect.process import DetectorState
from tests.support.detector import EAGER, Player, Told, detector
from tests.support.footage import filmed

#: A camera's view is learned from twenty looks: of key frames every 2 s that takes 40 s.
WELL_S, COVERED_S = 60, 20
#: Each second of the film is played in so little.
FAST_FPS = 60


@pytest.fixture(scope="module")
def film():
    """A camera that is well, is covered for a while, and is well again; a key frame every 2 s."""
    act = Act("hand", WELL_S, COVERED_S, covered_hand)
    return filmed(list(play(Footage.drawn(), act, WELL_S + COVERED_S + 30)), gop=2)


@pytest.mark.parametrize(
    ("looks_for_people", "looks", "within_s"),
    [
        (True, Looks({Task.PEOPLE: Rates(1.0, 1.0)}, health=True), 10),
        (False, Looks(health=True), 10),
    ],
    ids=["looks for people too", "key frames alone, without a model"],
)
def test_a_covered_camera_is_told_and_told_again_when_it_is_well(
    film, looks_for_people, looks, within_s
):
    told = Told()
    made = detector(told, looks=looks_for_people)
    player = Player([made.feed("gate", looks)], film, fps=FAST_FPS)

    def seconds(*faults):
        began = film[0].run.utc_at(0)
        return [
            (each.at - began).total_seconds()
            for each in told.pictures
            if each.is_sure and each.faults == frozenset(faults)
        ]

    try:
        made.start()
        # The film begins when it is watched: joined later, its camera is well for too short a time.
        told.wait(lambda: DetectorState.LIVE in told.states)
        player.start()
        told.wait(lambda: seconds(PictureFault.COVERED))
        first = seconds(PictureFault.COVERED)[0]
        told.wait(lambda: seconds()[-1] > seconds(PictureFault.COVERED)[-1])
    finally:
        player.close()
        made.close()
    assert WELL_S < first <= WELL_S + within_s
    assert {each.camera_id for each in told.pictures} == {"gate"}
    assert bool(told.detections) is looks_for_people


def test_of_a_camera_whose_pictures_are_not_judged_nothing_is_said(film):
    told = Told()
    made = detector(told)
    player = Player([made.feed("gate", EAGER)], film, fps=FAST_FPS)
    try:
        made.start()
        player.start()
        told.wait(lambda: len(told.detections) >= 3)
    finally:
        player.close()
        made.close()
    assert told.pictures == []
