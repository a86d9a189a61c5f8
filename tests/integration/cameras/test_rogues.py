"""Hostile and broken cameras: refused by kind, bounded, and nothing goes anywhere else."""

import pytest

from bench.onvif_device import Device
from bench.rogue_devices import ELSEWHERE_HOST, Outcome, Rogue, meet, rogues
from edge.cameras.transport import Limits
from edge.errors import CameraFault
from protocol.clock import SystemClock

NAMES = [rogue.name for rogue in rogues("http://127.0.0.2", 1.0)]
#: What times out here does so by these; the others are given the time of a busy machine.
HASTY = Limits(read_s=0.4, total_s=0.8)
PATIENT = Limits(connect_s=30, read_s=60, total_s=60)
MOST_BYTES = Limits().max_bytes


@pytest.fixture(scope="module")
def elsewhere():
    with Device(host=ELSEWHERE_HOST) as device:
        yield device


def meeting(rogue: Rogue, elsewhere: Device) -> Outcome:
    limits = HASTY if rogue.expected is CameraFault.TIMEOUT else PATIENT
    return meet(rogue, elsewhere, SystemClock(), limits)


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_a_rogue_is_refused_by_its_kind_and_gets_nothing(number, elsewhere):
    rogue = list(rogues(elsewhere.base, 0.02))[number]
    outcome = meeting(rogue, elsewhere)
    assert (outcome.kind, outcome.elsewhere) == (rogue.expected, 0), outcome.said
    assert outcome.grown_bytes < 10 * MOST_BYTES
    assert "long password" not in outcome.said


def test_nothing_signed_is_sent_before_the_camera_told_a_time_that_can_be(elsewhere):
    (rogue,) = (one for one in rogues(elsewhere.base, 1.0) if one.name == "a clock a year ahead")
    assert meeting(rogue, elsewhere).signed == 0


def test_a_refused_password_is_sent_once_however_often_it_is_asked(elsewhere):
    (rogue,) = (one for one in rogues(elsewhere.base, 1.0) if "thrice" in one.name)
    assert meeting(rogue, elsewhere).signed == 1
