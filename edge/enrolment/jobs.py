"""What takes long and is asked after: a few at a time, a few remembered, each for a while."""

import logging
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from edge.errors import NotFoundError, QueueFullError
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: So long what is over can be asked after. A password that was typed is remembered no longer.
KEPT_S = 900.0
#: Of a kind, over or not.
MOST_KEPT = 16
#: Of a kind that are not over.
MOST_UNDER_WAY = 6
_NS_PER_S = 1_000_000_000


class Job(Protocol):
    """Work that somebody will ask after."""

    def work(self) -> None:
        """Do it; blocks to the end. Called once, in a thread that lives on."""

    def stop(self) -> None:
        """End it soon, from any thread, begun or not. Idempotent."""


_Job = TypeVar("_Job", bound=Job)


@dataclass(slots=True)
class _Kept(Generic[_Job]):
    job: _Job
    ended_ns: int | None = None


class Jobs(Generic[_Job]):
    """Jobs of one kind, at most ``at_once`` worked on. Any thread may ask. The owner closes it."""

    def __init__(self, name: str, clock: Clock, at_once: int) -> None:
        self._clock = clock
        self._workers = ThreadPoolExecutor(at_once, f"enrolment-{name}")
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept[_Job]] = {}
        self._timers: set[threading.Timer] = set()
        self._closed = False

    def begin(self, job: _Job) -> str:
        """Have a job done and return its id. Raises QueueFullError where too many are under way."""
        with self._lock:
            self._forget_old()
            under_way = self._under_way()
            if self._closed or under_way >= MOST_UNDER_WAY:
                raise QueueFullError(f"{under_way} are under way already")
            while len(self._kept) >= MOST_KEPT:
                over = (name for name, each in self._kept.items() if each.ended_ns is not None)
                del self._kept[next(over)]  # the oldest
            job_id = secrets.token_hex(8)
            kept = self._kept[job_id] = _Kept(job)
            self._workers.submit(self._work, kept)
        return job_id

    def under_way(self) -> int:
        """Return how many are not over."""
        with self._lock:
            return self._under_way()

    def job(self, job_id: str) -> _Job:
        """Return a job. Raises NotFoundError where it is forgotten, or never was."""
        with self._lock:
            self._forget_old()
            kept = self._kept.get(job_id)
        if kept is None:
            raise NotFoundError(f"nothing is known of {job_id}")
        return kept.job

    def forget(self, job_id: str) -> None:
        """End a job and forget it. Raises NotFoundError."""
        with self._lock:
            kept = self._kept.pop(job_id, None)
        if kept is None:
            raise NotFoundError(f"nothing is known of {job_id}")
        kept.job.stop()

    def close(self) -> None:
        """End all and wait for them; idempotent."""
        with self._lock:
            self._closed = True
            kept, self._kept = tuple(self._kept.values()), {}
            timers, self._timers = tuple(self._timers), set()
        for timer in timers:
            timer.cancel()
        for each in kept:
            each.job.stop()
        self._workers.shutdown(cancel_futures=True)

    def _under_way(self) -> int:
        return sum(each.ended_ns is None for each in self._kept.values())

    def _work(self, kept: _Kept[_Job]) -> None:
        try:
            kept.job.work()
        except Exception as error:  # noqa: BLE001 - a bug in one job must not hide behind a future
            # By its name alone: its words may hold what nobody may see.
            log.error("enrolment.job_failed", extra={"error": type(error).__name__})  # noqa: TRY400
        finally:
            timer = threading.Timer(KEPT_S, self._forget_in_time)
            timer.daemon = True
            with self._lock:
                kept.ended_ns = self._clock.monotonic_ns()
                self._timers = {each for each in self._timers if each.is_alive()}
                if not self._closed:
                    self._timers.add(timer)
                    timer.start()

    def _forget_in_time(self) -> None:
        with self._lock:
            self._forget_old()

    def _forget_old(self) -> None:
        before_ns = self._clock.monotonic_ns() - round(KEPT_S * _NS_PER_S)
        self._kept = {
            name: each
            for name, each in self._kept.items()
            if each.ended_ns is None or each.ended_ns > before_ns
        }
