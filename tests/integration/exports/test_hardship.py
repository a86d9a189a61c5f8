"""Exports where things go wrong beside them: the disk, the person who asked, the code itself."""

import errno
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from edge.errors import NotFoundError, StorageError
from edge.exports.job import Failure, Job, State
from edge.exports.maker import Making
from edge.exports.order import Made, Order
from edge.exports.room import KEPT_FOR
from edge.exports.shelf import Shelf
from edge.recording import holds
from tests.support.exports import Desk, Pause, ask
from tests.support.packets import packets
from tests.support.recordings import Archive, at, ended, recorded, timed, until


@pytest.fixture
def filled(archive: Archive) -> Archive:
    recorded(archive, ended(timed(packets(frames=250, gop=25))), segment_s=2)
    return archive


class Slow(Making):
    """Ends only when it is let, like a process that the disk does not let go."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.begun, self.let = threading.Event(), threading.Event()

    def run(self, tell: Callable[[int], None]) -> Made | None:
        self.begun.set()
        assert self.let.wait(20)
        return super().run(tell)


class Once:
    """Makes the first job by ``first``, the others as usual."""

    def __init__(self, first: Callable[[Order], Making]) -> None:
        self._first = first
        self.made: list[Making] = []

    def __call__(self, order: Order) -> Making:
        self.made.append((Making if self.made else self._first)(order))
        return self.made[-1]


class FullShelf(Shelf):
    """A shelf on a disk that is full."""

    def keep(self, job: Job) -> None:
        raise OSError(errno.ENOSPC, f"no space for {job.id}")


def test_one_that_is_cancelled_and_deleted_while_its_process_still_ends_leaves_nothing(filled):
    once = Once(Slow)
    with Desk(filled, making=once) as desk:
        job = desk.asked(ask())
        until(lambda: bool(once.made))
        slow = once.made[0]
        assert isinstance(slow, Slow)
        assert slow.begun.wait(20)
        desk.exporter.remove(job.id)
        assert desk.exporter.remove(job.id) is None  # the second press of the same button
        with pytest.raises(NotFoundError):
            desk.exporter.job(job.id)
        slow.let.set()
        until(lambda: not desk.folder(job).exists())
        until(lambda: desk.held() == [])
        assert desk.made(ask()).state is State.DONE


def test_a_result_that_is_deleted_while_somebody_fetches_it_goes_after_that(filled):
    with Desk(filled) as desk:
        job = desk.made(ask())
        with desk.exporter.reading(job.id) as folder:
            assert desk.exporter.remove(job.id) is None
            assert (folder / job.parts[0].name).is_file()
            with pytest.raises(NotFoundError), desk.exporter.reading(job.id):
                pass
        assert not folder.exists()


def test_a_result_that_is_deleted_while_it_is_fetched_is_gone_after_a_crash(filled):
    with Desk(filled) as desk:
        job = desk.made(ask())
        with desk.exporter.reading(job.id):
            desk.exporter.remove(job.id)
            assert desk.shelf.load() == []


def test_a_job_that_meets_what_nobody_thought_of_has_failed_and_holds_nothing(filled):
    class Strange(Making):
        def run(self, tell: Callable[[int], None]) -> Made | None:
            raise ValueError("nobody thought of this")

    with Desk(filled, making=Once(Strange)) as desk:
        failed = desk.made(ask())
        assert (failed.state, failed.failure) == (State.FAILED, Failure.CRASHED)
        until(lambda: desk.held() == [])
        assert desk.made(ask()).state is State.DONE


def test_a_full_disk_at_the_start_keeps_nothing_else_from_starting(filled):
    with Desk(filled) as desk:
        job = desk.made(ask())
        desk.shelf.keep(job.model_copy(update={"state": State.RUNNING, "attempts": 1}))

    with Desk(filled, shelf=FullShelf) as desk:
        assert desk.ended(job.id).state is State.DONE


def test_a_full_disk_does_not_keep_a_job_from_being_cancelled(filled):
    class Filling(Shelf):
        is_full = False

        def keep(self, job: Job) -> None:
            if self.is_full:
                raise OSError(errno.ENOSPC, f"no space for {job.id}")
            super().keep(job)

    once = Once(Slow)
    with Desk(filled, making=once, shelf=Filling) as desk:
        job, waiting = desk.asked(ask()), desk.asked(ask())
        until(lambda: bool(once.made))
        slow = once.made[0]
        assert isinstance(slow, Slow)
        assert slow.begun.wait(20)
        desk.shelf.is_full = True  # type: ignore[attr-defined]
        for each in (job, waiting):
            assert desk.exporter.remove(each.id) is not None
        slow.let.set()
        until(lambda: desk.held() == [])
        assert [each.state for each in desk.exporter.jobs()] == [State.CANCELLED] * 2


def test_a_disk_that_is_full_by_the_time_of_the_manifest_is_said_to_be(filled):
    class Filled(Shelf):
        def write(self, job_id: str, name: str, data: bytes) -> None:
            raise OSError(errno.ENOSPC, f"no space for {name}")

    with Desk(filled, shelf=Filled) as desk:
        failed = desk.made(ask())
        assert (failed.state, failed.failure) == (State.FAILED, Failure.NO_ROOM)


def test_without_its_folder_it_waits_until_there_is_one(filled):
    desk = Desk(filled)
    desk.shelf.root.write_bytes(b"in the way")
    with desk:
        with pytest.raises(StorageError):
            desk.exporter.submit(ask())
        assert desk.held() == []
        desk.shelf.root.unlink()
        assert desk.made(ask()).state is State.DONE


def test_what_a_job_held_that_no_longer_is_there_is_let_go_at_the_start(filled):
    with filled.database.transaction() as connection:
        for reason in ("export:0123", "alert:0123", "export: for the police"):
            holds.add_hold(connection, "gate", at(0), at(5), reason, at(86_400))
        connection.execute("update hold set placed_by = '李四' where reason like '%police'")
    with Desk(filled) as desk:
        assert desk.held() == ["alert:0123", "export: for the police"]


def test_a_result_that_the_disk_refuses_to_read_at_a_start_is_there_at_the_next(filled):
    with Desk(filled) as desk:
        job = desk.made(ask())
    state, aside = desk.folder(job) / "job.json", desk.folder(job) / "aside"
    state.rename(aside)
    state.mkdir()  # it can't be read, and is there
    with Desk(filled) as desk:
        assert desk.exporter.jobs() == []
    state.rmdir()
    aside.rename(state)
    with Desk(filled) as desk:
        assert desk.exporter.job(job.id).state is State.DONE
        assert desk.video(job).is_file()


def test_a_clock_that_was_set_ahead_by_mistake_ends_no_result(filled):
    with Desk(filled) as desk:
        job = desk.made(ask())
        filled.index.stamp_alive(filled.clock.now(), filled.clock.now())
        filled.clock.step_wall(2 * KEPT_FOR.total_seconds())
        last = desk.made(ask())
        assert {each.id for each in desk.exporter.jobs()} == {job.id, last.id}
        filled.index.stamp_alive(filled.clock.now(), filled.clock.now())
        desk.made(ask())
        until(lambda: not desk.folder(job).exists())


def test_what_is_asked_for_by_a_clock_that_is_behind_is_held_all_the_same(filled):
    pause = Pause()
    filled.index.stamp_alive(filled.clock.now(), filled.clock.now() + timedelta(days=30))
    with Desk(filled, making=pause) as desk:
        desk.exporter.submit(ask())
        with filled.database.reading() as connection:
            (held,) = holds.holds(connection, filled.clock.now())
        assert held.until > filled.clock.now() + timedelta(days=32)
        pause.go_on.set()
