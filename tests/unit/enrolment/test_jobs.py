"""What takes long and is asked after, and the process that does it."""

import sys
import threading
from datetime import UTC, datetime

import pytest

from edge.enrolment.errand import Searching
from edge.enrolment.jobs import KEPT_S, MOST_KEPT, MOST_UNDER_WAY, Jobs
from edge.enrolment.runner import Errand
from edge.errors import NotFoundError, QueueFullError
from protocol.clock import FakeClock
from tests.support.waiting import wait_until


class Work:
    """Works until it is let go or stopped."""

    def __init__(self, *, is_free: bool = False, fails: bool = False) -> None:
        self._go = threading.Event()
        self._fails = fails
        self.is_over = self.was_stopped = False
        if is_free:
            self._go.set()

    def work(self) -> None:
        self._go.wait()
        self.is_over = True
        if self._fails:
            raise RuntimeError("hunter2")

    def stop(self) -> None:
        self.was_stopped = True
        self._go.set()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 27, tzinfo=UTC))


@pytest.fixture
def jobs(clock):
    jobs: Jobs[Work] = Jobs("test", clock, 2)
    yield jobs
    jobs.close()


def test_a_job_is_known_for_a_while_after_it_is_over(jobs, clock):
    job_id = jobs.begin(Work(is_free=True))
    wait_until(lambda: jobs.job(job_id).is_over)
    wait_until(lambda: not jobs.under_way())
    clock.advance(KEPT_S - 1)
    assert jobs.job(job_id).is_over
    clock.advance(2)
    with pytest.raises(NotFoundError):
        jobs.job(job_id)


def test_no_more_are_begun_than_can_be_waited_for(jobs):
    works = [Work() for _ in range(MOST_UNDER_WAY)]
    for work in works:
        jobs.begin(work)
    with pytest.raises(QueueFullError):
        jobs.begin(Work())
    jobs.close()
    assert all(work.was_stopped for work in works)
    with pytest.raises(QueueFullError):
        jobs.begin(Work())


def test_the_oldest_that_is_over_makes_room(jobs):
    ids = []
    for _ in range(MOST_KEPT + 1):
        ids.append(jobs.begin(Work(is_free=True)))
        wait_until(lambda: not jobs.under_way())
    with pytest.raises(NotFoundError):
        jobs.job(ids[0])
    assert jobs.job(ids[1]).is_over


def test_one_that_is_forgotten_is_stopped(jobs):
    work = Work()
    job_id = jobs.begin(work)
    jobs.forget(job_id)
    assert work.was_stopped
    for ask in (jobs.job, jobs.forget):
        with pytest.raises(NotFoundError):
            ask(job_id)


def test_one_that_fails_hinders_no_other_and_is_logged_without_its_words(jobs, caplog):
    jobs.begin(Work(is_free=True, fails=True))
    wait_until(lambda: not jobs.under_way())
    assert "enrolment.job_failed" in caplog.text
    assert "hunter2" not in caplog.text + str(caplog.records[-1].__dict__)


def child(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import sys; sys.stdin.read(); {code}")


def heard(code: str, limit_s: float = 30.0) -> list[str]:
    said: list[str] = []
    errand = Errand(Searching(seconds=1), child(code), limit_s)
    errand.run(lambda saying: said.append(saying.said))
    return said


def test_what_a_process_says_is_taken_line_by_line_and_nonsense_left_out():
    step = '{\\"said\\":\\"step\\",\\"step\\":\\"main\\"}'
    assert heard(f'print("{step}"); print("nonsense"); print("{step}")') == ["step", "step"]


def test_a_process_that_crashes_or_hangs_says_no_more():
    assert heard("import os; os.abort()") == []
    assert heard("import time; time.sleep(60)", limit_s=0.5) == []


def test_an_errand_that_was_stopped_is_never_begun():
    errand = Errand(Searching(seconds=1), ("/nowhere/there",))
    errand.stop()
    errand.run(lambda _: None)
