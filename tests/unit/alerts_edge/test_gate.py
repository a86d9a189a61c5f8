import pytest

from edge.alerts.gate import Gate
from edge.bus.backoff import Backoff

S = 1_000_000_000
MIDDLE = 0.5  # no spread


@pytest.fixture
def gate():
    return Gate(Backoff(first_s=2.0, cap_s=60.0))


def test_it_is_open_until_something_is_refused(gate):
    assert gate.wait_s(0) == 0
    gate.refused(10 * S, MIDDLE, "HTTP 503")
    assert [gate.wait_s(at * S) for at in (10, 11, 12, 13)] == [2, 1, 0, 0]
    assert (gate.failures, gate.reason) == (1, "HTTP 503")


def test_each_refusal_doubles_the_pause_up_to_a_minute(gate):
    pauses, at_s = [], 0
    for _ in range(8):
        gate.refused(at_s * S, MIDDLE, "away")
        pauses.append(gate.wait_s(at_s * S))
        at_s += 100
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]


def test_an_upload_that_was_under_way_as_it_shut_does_not_lengthen_the_pause(gate):
    gate.refused(0, MIDDLE, "away")
    gate.refused(1 * S, MIDDLE, "away too")
    assert (gate.wait_s(1 * S), gate.failures) == (1, 1)


def test_whatever_comes_through_opens_it(gate):
    gate.refused(0, MIDDLE, "away")
    gate.passed()
    assert (gate.wait_s(0), gate.failures, gate.reason) == (0, 0, "")
    gate.refused(0, MIDDLE, "away")
    assert gate.wait_s(0) == 2
