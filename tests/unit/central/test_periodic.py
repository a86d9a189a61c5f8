import logging
import threading

import pytest

from central.errors import StoreUnavailableError
from central.periodic import PeriodicWorker


class Turns:
    """Work that counts its turns and fails in those that are told."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.done = threading.Semaphore(0)

    def __call__(self) -> None:
        try:
            if self._errors:
                raise self._errors.pop(0)
        finally:
            self.done.release()


def test_the_first_turn_comes_at_once_and_closing_ends_the_waiting():
    turns = Turns()
    worker = PeriodicWorker("tests", 3600, turns)
    worker.start()
    assert turns.done.acquire(timeout=30)
    worker.close()
    worker.close()
    assert "tests" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (StoreUnavailableError("database: away"), "tests.interrupted"),
        (ZeroDivisionError(), "tests.failed"),
    ],
)
def test_a_turn_that_fails_is_said_and_the_next_one_comes(caplog, error, event):
    turns = Turns(error)
    worker = PeriodicWorker("tests", 0.001, turns)
    with caplog.at_level(logging.WARNING):
        worker.start()
        assert all(turns.done.acquire(timeout=30) for _ in range(3))
        worker.close()
    assert [record.getMessage() for record in caplog.records] == [event]


def test_one_that_was_never_started_may_be_closed():
    turns = Turns()
    PeriodicWorker("tests", 3600, turns).close()
    assert not turns.done.acquire(blocking=False)
