import errno

import pytest

from protocol.clock import FakeClock
from tests.support.packets import BEGAN
from village.home import Home
from village.state import StateFile


class Disk:
    """A disk that may be full; keeps what was written last."""

    def __init__(self):
        self.is_full = False
        self.tries = 0
        self.written = None

    def write(self, state):
        self.tries += 1
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.written = state


@pytest.fixture
def clock():
    return FakeClock(BEGAN)


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def told():
    return []


@pytest.fixture
def state(disk, clock, told):
    return StateFile(disk.write, clock, told.append)


def test_what_is_said_is_written_at_once_and_once(state, disk, told):
    state.say({"pid": 1})
    state.retry()
    assert (disk.written, disk.tries, told, state.failures) == ({"pid": 1}, 1, [], 0)


def test_a_full_disk_is_counted_and_told_once_and_stops_nobody(state, disk, told):
    disk.is_full = True
    state.say({"pid": 1})
    state.say({"pid": 2})
    assert state.failures == 2
    assert told == ["No space left on device"]


def test_what_was_not_written_is_tried_again_ever_more_seldom(state, disk, clock):
    disk.is_full = True
    state.say({"pid": 1})
    tries = []
    for _ in range(100):
        state.retry()
        tries.append(disk.tries)
        clock.advance(0.5)
    assert tries[:8] == [2, 3, 3, 4, 4, 4, 4, 5]
    assert tries[-1] < 10


def test_the_newest_is_written_once_there_is_room_and_the_next_full_disk_is_told_again(
    state, disk, clock, told
):
    disk.is_full = True
    state.say({"pid": 1})
    state.say({"pid": 2})
    disk.is_full = False
    clock.advance(30)
    state.retry()
    assert disk.written == {"pid": 2}
    disk.is_full = True
    state.say({"pid": 3})
    assert len(told) == 2


def test_a_state_that_the_folder_refuses_is_an_error_of_the_systems_kind(tmp_path):
    """What StateFile is built on."""
    home = Home(tmp_path)
    home.open()
    (tmp_path / "village.json.new").mkdir()
    with pytest.raises(OSError, match=r"village\.json\.new"):
        home.write_state({})
    home.close()
