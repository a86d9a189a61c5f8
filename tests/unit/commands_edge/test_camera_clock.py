"""A camera's clock set by command, once, and what became of it (protocol I26)."""

import threading

import pytest

from edge.commands.camera_clock import ClockSetter, Ending
from edge.commands.timekeeper import Timekeeper
from edge.errors import StorageError
from protocol.messages import ClockState, Outcome
from tests.support.commanded import CommandedBox, command, quality
from tests.support.waiting import wait_until

DONE = Ending(Outcome.DONE, "clock_set", "it was +90.0 s off and is +0.4 s")


class Errand:
    """Sets no clock, and remembers of whom it was asked to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.stopped = threading.Event()
        self.hangs = False

    def run(self, camera) -> Ending:
        self.asked.append(camera.id)
        if self.hangs:
            self.stopped.wait()
            return Ending(Outcome.FAILED, "camera_not_asked", "the process ended with -9")
        return DONE

    def stop(self) -> None:
        self.stopped.set()


class Box:
    """A box that may set cameras' clocks."""

    def __init__(self, path, state=ClockState.SYNCED, clock=None) -> None:
        self.commanded = CommandedBox.opened(path, clock, Timekeeper(lambda: quality(state)))
        self.errand = Errand()
        box = self.commanded.box
        self.setter = ClockSetter(
            box.config.cameras, box.database, self.commanded.desk, box.clock, self.errand
        )

    def said(self):
        return [(each.outcome, each.reason) for each in self.commanded.results()]


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path / "box.db")
    yield made
    made.commanded.close()


def test_it_is_accepted_done_once_and_said(box):
    message = command("camera_clock")
    box.commanded.hear(message)
    box.commanded.hear(message)
    assert box.setter.work() == 1
    assert box.setter.work() == 0
    assert box.errand.asked == ["square"]
    assert box.commanded.results()[-1].detail == DONE.detail
    assert box.said() == [(Outcome.ACCEPTED, ""), (Outcome.DONE, "clock_set")]


@pytest.mark.parametrize("state", [ClockState.UNSYNCED, ClockState.UNKNOWN])
def test_a_box_whose_own_clock_nobody_steers_sets_none(tmp_path, state):
    box = Box(tmp_path / "box.db", state)
    box.commanded.hear(command("camera_clock"))
    assert box.said() == [(Outcome.REFUSED, "own_clock_unsure")]
    assert box.setter.work() == 0
    box.commanded.close()


def test_one_of_no_camera_is_refused(box):
    box.commanded.hear(command("camera_clock", camera_id="cellar"))
    assert box.said() == [(Outcome.REFUSED, "no_such_camera")]


def test_one_that_is_too_late_is_not_done(box):
    box.commanded.hear(command("camera_clock", ttl_s=60))
    box.commanded.box.clock.advance(61)
    assert box.setter.work() == 0
    box.commanded.desk.settle()
    assert box.said() == [(Outcome.ACCEPTED, ""), (Outcome.EXPIRED, "too_late")]


def test_what_ends_while_the_camera_is_asked_is_said_once(box):
    message = command("camera_clock", ttl_s=60)
    box.commanded.hear(message)
    run = box.errand.run

    def slowly(camera):
        box.commanded.box.clock.advance(61)
        box.commanded.desk.settle()
        return run(camera)

    box.errand.run = slowly
    box.setter.work()
    assert box.said() == [(Outcome.ACCEPTED, ""), (Outcome.EXPIRED, "too_late")]


def test_a_disk_that_refuses_is_no_reason_to_ask_the_camera_again(box):
    box.commanded.hear(command("camera_clock"))
    connection = box.commanded.box.database._connection
    connection.execute("pragma query_only=on")
    with pytest.raises(StorageError):
        box.setter.work()
    connection.execute("pragma query_only=off")
    assert box.setter.work() == 1
    assert box.errand.asked == ["square"]
    assert box.said()[-1] == (Outcome.DONE, "clock_set")


def test_a_box_that_stops_asks_no_longer_and_does_it_at_its_next_start(tmp_path):
    box = Box(tmp_path / "box.db")
    box.errand.hangs = True
    box.setter.start()
    box.commanded.hear(command("camera_clock"))
    box.setter.wake()
    wait_until(lambda: box.errand.asked)
    box.setter.close()
    assert box.said() == [(Outcome.ACCEPTED, "")]
    box.commanded.close()

    again = Box(tmp_path / "box.db", clock=box.commanded.box.clock)
    assert again.setter.work() == 1
    assert again.said()[-1] == (Outcome.DONE, "clock_set")
    again.commanded.close()


def test_a_camera_that_was_taken_away_meanwhile_fails_it(box):
    box.commanded.hear(command("camera_clock"))
    box.setter._cameras.clear()
    box.setter.work()
    assert box.said()[-1] == (Outcome.FAILED, "no_such_camera")
