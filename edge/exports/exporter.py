"""Exports one after the other, in the background: asked for, made, kept for a week."""

import logging
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.db.database import Database
from edge.errors import NoRoomError, NotFoundError, QueueFullError, StorageError
from edge.exports.ending import finished
from edge.exports.holding import JobHolds
from edge.exports.job import ENDED, Ask, Failure, Job, State
from edge.exports.maker import Making
from edge.exports.order import Order, read_until
from edge.exports.ordering import Village, needed_bytes, order_for
from edge.exports.room import Space, budget_bytes, floor_bytes, has_room, is_full, outdated
from edge.exports.shelf import Shelf
from edge.health import Component, Condition
from edge.recording.index import RecordingIndex
from edge.recording.segment import Footage
from protocol.clock import Clock
from protocol.ids import uuid7

log = logging.getLogger(__name__)

MOST_WAITING = 20
_TIDY_S = 60.0


class Exporter:
    """The queue of jobs, the one that is being made, and the results.

    Methods may be called from any thread. One job is made at a time, in a process of its own; at
    most MOST_WAITING wait. What a job needs of the recording is held from when it is asked for
    until it has ended (export E6). ``space`` is asked how full the disk of ``shelf`` is.
    """

    def __init__(
        self,
        shelf: Shelf,
        index: RecordingIndex,
        database: Database,
        village: Village,
        clock: Clock,
        min_free_fraction: float,
        *,
        space: Callable[[], Space] | None = None,
        making: Callable[[Order], Making] = Making,
    ) -> None:
        self._shelf = shelf
        self._index = index
        self._holds = JobHolds(database)
        self._village = village
        self._clock = clock
        self._min_free_fraction = min_free_fraction
        self._space = space or self._disk
        self._make = making
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._used: Counter[str] = Counter()
        self._making: Making | None = None
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="exports", daemon=True)
        self.refused = 0
        self.deleted = 0

    # -- what others ask ---------------------------------------------------------------------------

    def submit(self, ask: Ask) -> Job:
        """Put a job in the queue and return it.

        Raises NotFoundError where nothing is recorded there, QueueFullError, NoRoomError, and
        StorageError where the disk refuses. What is refused is counted.
        """
        try:
            self._check(ask)
            job = self._queue(ask)
        except (NoRoomError, QueueFullError, NotFoundError):
            self.refused += 1
            raise
        self._wake.set()
        return job

    def _queue(self, ask: Ask) -> Job:
        now = self._clock.now()
        job = Job(id=uuid7(now).hex, created_at=now, ask=ask)
        with self._lock:
            if len(self._waiting()) >= MOST_WAITING:
                raise QueueFullError(f"{MOST_WAITING} exports wait already")
            self._holds.hold(job, max(now, self._index.last_believed() or now))
            try:
                self._keep(job)
            except StorageError:
                self._holds.release(job)
                raise
        return job

    def _waiting(self) -> list[Job]:
        return [job for job in self._jobs.values() if job.state is State.QUEUED]

    def jobs(self) -> list[Job]:
        """Return all jobs, newest first."""
        with self._lock:
            return list(reversed(self._jobs.values()))

    def job(self, job_id: str) -> Job:
        """Return one job. Raises NotFoundError."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise NotFoundError(f"export {job_id}")
        return job

    def remove(self, job_id: str) -> Job | None:
        """Cancel a job that is not over, at once, and return it; delete one that is: None.

        Where the disk refuses it is cancelled until the next start. Raises NotFoundError.
        """
        with self._lock:
            job = self.job(job_id)
            if job.state in ENDED:
                self._delete(job)
                return None
            running = job.state is State.RUNNING
            job = job.cancelled(self._clock.now())
            self._note(job)
            if running and self._making is not None:
                self._making.stop()  # its own thread cleans up
            else:
                self._holds.release(job)
            return job

    @contextmanager
    def reading(self, job_id: str) -> Iterator[Path]:
        """Give the folder of a job's result, whose files stay meanwhile, whoever deletes it.

        Raises NotFoundError where there is no result.
        """
        with self._lock:
            if self.job(job_id).state is not State.DONE:
                raise NotFoundError(f"export {job_id} is not done")
            self._used[job_id] += 1
        try:
            yield self._shelf.folder(job_id)
        finally:
            self._leave(job_id)

    def _leave(self, job_id: str) -> None:
        """Need a job's folder no more; the last one to leave clears up where it was deleted."""
        with self._lock:
            self._used[job_id] -= 1
            self._used += Counter()  # without those that nobody needs
            if job_id not in self._used and job_id not in self._jobs:
                self._shelf.remove(job_id)

    def component(self) -> Component:
        """Return how the exports are, for the health board."""
        with self._lock:
            states = Counter(job.state for job in self._jobs.values())
            size_bytes = sum(job.size_bytes for job in self._jobs.values())
        figures = {state.value: states[state] for state in State}
        counted = {"bytes": size_bytes, "refused": self.refused, "deleted": self.deleted}
        return Component(Condition.OK, None, figures | counted)

    # -- life --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Go on with the jobs of the last run; without them where the disk refuses.

        That must not keep the box from recording, nor the janitor from making room (recording I5).
        """
        try:
            found = self._shelf.load()
        except OSError as error:
            log.warning("exports.not_found_again", extra={"error": repr(error)})
        else:
            for job in found:
                self._find(job)
            self._holds.release_others(self._jobs.values())
        self._thread.start()

    def _find(self, job: Job) -> None:
        again = job.found_again(self._clock.now())
        self._jobs[job.id] = again
        if again is not job:
            self._shelf.clear(job.id)
            self._note(again)

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop; the job that runs is begun anew at the next start. Idempotent."""
        with self._lock:
            self._stopping = True
            if self._making is not None:
                self._making.stop()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                self._tidy(0)
                job = self._next()
                if job is None:
                    self._wake.wait(_TIDY_S)
                else:
                    self._work(job)
            except Exception:
                # The supervising loop: one job that can't be dealt with does not stop the others.
                log.exception("exports.failed")
                self._wake.wait(_TIDY_S)

    # -- one job -----------------------------------------------------------------------------------

    def _next(self) -> Job | None:
        with self._lock:
            waiting = self._waiting()
            if not waiting or self._stopping:
                return None
            job = waiting[0].begun(self._clock.now())
            self._note(job)
            self._used[job.id] += 1
            return job

    def _work(self, job: Job) -> None:
        """Make one job, whatever becomes of it, and let go of what it held."""
        try:
            job = self._made(job)
        except NoRoomError as error:
            job = job.failed(self._clock.now(), Failure.NO_ROOM, str(error))
        except (StorageError, OSError) as error:
            full = isinstance(error, OSError) and is_full(error)
            why = Failure.NO_ROOM if full else Failure.DISK
            job = job.failed(self._clock.now(), why, str(error))
        except Exception as error:
            # Else it would be running for ever, and what it needs be held.
            log.exception("exports.failed", extra={"job": job.id})
            job = job.failed(self._clock.now(), Failure.CRASHED, repr(error))
        with self._lock:
            self._making = None
            # Who cancelled it may have deleted it since.
            kept = self._jobs.get(job.id, job.cancelled(self._clock.now()))
            if kept.state is State.RUNNING:
                self._note(job)
                kept = job
            if kept.state is not State.DONE:
                self._shelf.clear(kept.id)
            if kept.state in ENDED:
                self._holds.release(kept)
            self._leave(job.id)
        log.info("exports.ended", extra={"job": job.id, "state": kept.state.value})

    def _made(self, job: Job) -> Job:
        """Return the job as it ended. Raises NoRoomError, StorageError and OSError."""
        footage = self._footage(job.ask)
        if not footage:
            return job.failed(self._clock.now(), Failure.NO_FOOTAGE)
        more_bytes = needed_bytes(job.ask.kind, footage)
        self._tidy(more_bytes)
        self._demand_room(more_bytes)
        folder = str(self._shelf.folder(job.id))
        making = self._make(order_for(job, footage, self._village, folder))
        with self._lock:
            self._making = making
            if self._stopping or not self._is_wanted(job.id):
                making.stop()
        total_bytes = sum(item.size_bytes for item in footage)
        is_short = False

        def tell(done_bytes: int) -> None:
            nonlocal is_short
            self._reach(job.id, done_bytes, total_bytes)
            if not has_room(self._space(), self._min_free_fraction, 0):
                is_short = True
                making.stop()

        made = making.run(tell)
        if is_short:
            raise NoRoomError("the disk has filled up meanwhile")
        if made is None:
            return job.put_back()
        job = self._jobs.get(job.id, job)
        if made.failure is not None:
            log.warning(
                "exports.not_made",
                extra={"job": job.id, "failure": made.failure.value, "detail": made.detail},
            )
            return job.failed(self._clock.now(), made.failure, made.detail)
        now = self._clock.now()
        return finished(job, made, self._village, self._shelf, self._index, now)

    def _reach(self, job_id: str, done_bytes: int, total_bytes: int) -> None:
        with self._lock:
            if self._is_wanted(job_id):
                self._jobs[job_id] = self._jobs[job_id].reached(done_bytes, total_bytes)

    def _is_wanted(self, job_id: str) -> bool:
        """Say whether a job that was begun is neither cancelled nor deleted."""
        job = self._jobs.get(job_id)
        return job is not None and job.state is State.RUNNING

    def _footage(self, ask: Ask) -> list[Footage]:
        end = read_until(ask.kind, ask.end)
        return self._index.footage(ask.camera_id, ask.stream, ask.start, end)

    # -- room --------------------------------------------------------------------------------------

    def _check(self, ask: Ask) -> None:
        """Raise what is in the way already now."""
        footage = self._footage(ask)
        if not any(item.start < ask.end and item.end > ask.start for item in footage):
            raise NotFoundError("nothing is recorded there")
        self._demand_room(needed_bytes(ask.kind, footage))

    def _demand_room(self, more_bytes: int) -> None:
        space = self._space()
        budget = budget_bytes(space)
        if more_bytes > budget:
            raise NoRoomError(f"it takes {more_bytes} bytes, all exports may take {budget}")
        if not has_room(space, self._min_free_fraction, more_bytes):
            floor = floor_bytes(space, self._min_free_fraction)
            raise NoRoomError(
                f"it takes {more_bytes} bytes, {space.free_bytes} are free, {floor} must stay so"
            )

    def _disk(self) -> Space:
        try:
            self._shelf.prepare()  # somebody may have removed it, to make room
            usage = shutil.disk_usage(self._shelf.root)
        except OSError as error:
            raise StorageError(f"exports: {error.strerror}") from error
        return Space(usage.total, usage.free)

    def _tidy(self, more_bytes: int) -> None:
        """Delete results that are old, or in the way of ``more_bytes``."""
        most_bytes = budget_bytes(self._space()) - more_bytes
        # A clock that was set ahead by mistake must not end all at once (recording I10).
        now = min(self._clock.now(), self._index.last_believed() or self._clock.now())
        with self._lock:
            going = outdated(self._jobs.values(), self._used, now, most_bytes)
            for job in going:
                self._delete(job)
                log.info("exports.deleted", extra={"job": job.id, "bytes": job.size_bytes})

    def _delete(self, job: Job) -> None:
        del self._jobs[job.id]
        self._shelf.forget(job.id)
        if job.id not in self._used:
            self._shelf.remove(job.id)
        self.deleted += 1

    # -- what is kept ------------------------------------------------------------------------------

    def _keep(self, job: Job) -> None:
        """Write a job down. Raises StorageError, and then it is as it was."""
        try:
            self._shelf.keep(job)
        except OSError as error:
            raise StorageError(f"export {job.id}: {error.strerror}") from error
        self._jobs[job.id] = job

    def _note(self, job: Job) -> None:
        """Go on with a job, also where the disk does not take its state: it is made again then."""
        self._jobs[job.id] = job
        try:
            self._shelf.keep(job)
        except OSError as error:
            log.warning("exports.not_kept", extra={"job": job.id, "error": repr(error)})
