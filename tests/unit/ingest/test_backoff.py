import random

from edge.ingest.backoff import JITTER, Backoff


class _NoDice(random.Random):
    def random(self) -> float:
        return 0.0


class _FullDice(random.Random):
    def random(self) -> float:
        return 1.0


def test_waits_double_and_stay_short_enough_to_be_back_within_three_seconds():
    backoff = Backoff(_NoDice())

    assert [backoff.wait_s() for _ in range(4)] == [0.5, 1.0, 1.6, 1.6]
    assert all(backoff.wait_s() == 1.6 for _ in range(10_000))  # after a night, too


def test_a_good_run_begins_again():
    backoff = Backoff(_NoDice())
    backoff.wait_s()
    backoff.wait_s()

    backoff.reset()

    assert backoff.wait_s() == 0.5


def test_a_refusal_waits_longer_and_does_not_lengthen_the_others():
    backoff = Backoff(_NoDice())

    assert [backoff.refused_s(), backoff.wait_s()] == [30.0, 0.5]


def test_a_stream_that_is_not_there_yet_is_asked_for_soon_and_seldom_after_minutes_of_it():
    backoff = Backoff(_NoDice())

    waits = [backoff.missing_s(since_s) for since_s in (0, 1, 3, 60, 179.9, 180, 3600)]

    assert waits == [0.5, 1.0, 1.6, 1.6, 1.6, 30.0, 30.0]


def test_jitter_only_shortens():
    backoff = Backoff(_FullDice())

    assert backoff.wait_s() == 0.5 * (1 - JITTER)
