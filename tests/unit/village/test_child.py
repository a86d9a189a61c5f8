import pytest

from village.child import Backoff, reason


def test_the_first_restart_is_at_once_and_the_next_ones_wait_longer():
    backoff = Backoff()
    assert [backoff.pause_s(1.0) for _ in range(9)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_steady_life_makes_the_next_restart_at_once_again():
    backoff = Backoff()
    assert [backoff.pause_s(lived_s) for lived_s in (1, 1, 1, 30, 1)] == [0, 0.5, 1, 0, 0.5]


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exit status 0"), (3, "exit status 3"), (-9, "signal SIGKILL"), (-99, "signal 99")],
)
def test_an_end_is_told_in_words(status, words):
    assert reason(status) == words
