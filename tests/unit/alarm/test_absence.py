import pytest

from edge.alarm.absence import Absence
from protocol.messages import AlertOp

S = 1_000_000_000


@pytest.fixture
def absence():
    return Absence(after_s=30.0, steady_s=5.0)


def test_what_was_never_heard_of_is_not_missed(absence):
    assert absence.tick(10_000 * S) is None
    assert not absence.is_missed


def test_it_is_missed_after_so_long_and_said_once(absence):
    absence.here(0, present=False)
    assert absence.tick(30 * S - 1) is None
    assert absence.tick(30 * S) is AlertOp.START
    assert absence.tick(31 * S) is None
    assert absence.is_missed


def test_a_short_absence_is_nothing(absence):
    absence.here(0, present=True)
    absence.here(10 * S, present=False)
    absence.here(39 * S, present=True)
    assert absence.tick(41 * S) is None


def test_saying_again_that_it_is_away_does_not_begin_anew(absence):
    absence.here(0, present=False)
    absence.here(20 * S, present=False)
    assert absence.tick(30 * S) is AlertOp.START


def test_it_is_back_when_it_has_been_so_for_a_while(absence):
    absence.here(0, present=False)
    absence.tick(30 * S)
    absence.here(40 * S, present=True)
    assert absence.tick(44 * S) is None
    assert absence.tick(45 * S) is AlertOp.END
    assert absence.tick(46 * S) is None


def test_one_that_comes_and_goes_stays_missed(absence):
    absence.here(0, present=False)
    absence.tick(30 * S)
    absence.here(40 * S, present=True)
    absence.here(43 * S, present=False)
    absence.here(44 * S, present=True)
    assert absence.tick(48 * S) is None
    assert absence.tick(49 * S) is AlertOp.END


def test_an_alert_from_before_the_restart_goes_on(absence):
    absence.resume()
    assert absence.tick(0) is None
    absence.here(0, present=False)
    assert absence.tick(100 * S) is None
    absence.here(100 * S, present=True)
    assert absence.tick(105 * S) is AlertOp.END
