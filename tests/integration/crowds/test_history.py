"""Counts of weeks in the box's database."""

import subprocess
import sys
from contextlib import suppress
from datetime import timedelta

import pytest

from edge.crowds.history import KEPT, MAX_WAITING, CrowdHistory
from edge.db.database import Database
from edge.errors import StorageError
from edge.health import Condition
from protocol.clock import FakeClock
from tests.support.crowds_child import FIRST, KEY
from tests.support.tools import ROOT
from tests.support.waiting import wait_until

QUARTER = timedelta(minutes=15)


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "box.db")
    yield opened
    opened.close()


@pytest.fixture
def clock():
    return FakeClock(FIRST)


def look(crowds, at, count, key=KEY):
    crowds.counted(*key, at, count)


def kept(crowds, clock, key=KEY):
    return [(quarter.start, quarter.peak) for quarter in crowds.quarters(key, clock.now())]


def test_a_quarter_is_written_down_as_soon_as_the_next_one_begins(database, clock):
    crowds = CrowdHistory(database, clock)
    crowds.start()
    look(crowds, FIRST, 7)
    look(crowds, FIRST + QUARTER, 3)
    wait_until(lambda: kept(crowds, clock) == [(FIRST, 7)])
    crowds.close()


def test_a_quarter_is_written_down_though_nobody_looks_any_more(database, clock):
    crowds = CrowdHistory(database, clock)
    look(crowds, FIRST, 7)
    clock.advance(15 * 60 + 59)
    crowds.tick()
    assert kept(crowds, clock) == []
    clock.advance(1)
    crowds.tick()
    assert kept(crowds, clock) == [(FIRST, 7)]


def test_a_stop_writes_down_what_was_counted_and_a_start_goes_on_with_the_quarter(database, clock):
    for minute, count in ((1, 7), (9, 12)):
        crowds = CrowdHistory(database, clock)
        crowds.start()
        look(crowds, FIRST + timedelta(minutes=minute), count)
        crowds.close()
    (quarter,) = crowds.quarters(KEY, clock.now())
    assert quarter.peak == 12
    assert (quarter.minutes[1], quarter.minutes[2], quarter.minutes[9]) == (7, None, 12)


def test_rules_and_regions_have_histories_of_their_own(database, clock):
    crowds = CrowdHistory(database, clock)
    keys = [KEY, ("gate", "crowd", "stage"), ("gate", "few", "all"), ("road", "crowd", "all")]
    for count, key in enumerate(keys):
        look(crowds, FIRST, count, key)
    clock.advance(3600)
    crowds.tick()
    assert [kept(crowds, clock, key) for key in keys] == [[(FIRST, n)] for n in range(4)]


def test_what_is_older_than_its_time_is_forgotten(database, clock):
    crowds = CrowdHistory(database, clock)
    look(crowds, FIRST, 7)
    clock.advance(3600)
    crowds.tick()
    for _ in range(KEPT.days * 24):
        clock.advance(3600)
        crowds.tick()
    with database.reading() as connection:
        assert connection.execute("select count(*) from crowd").fetchone()[0] == 0


def test_a_clock_that_jumps_ahead_forgets_nothing(database, clock):
    crowds = CrowdHistory(database, clock)
    look(crowds, FIRST, 7)
    clock.advance(3600)
    crowds.tick()
    clock.step_wall(400 * 86_400)
    clock.advance(3600)
    crowds.tick()
    clock.step_wall(-400 * 86_400)
    assert kept(crowds, clock) == [(FIRST, 7)]


def test_a_disk_that_refuses_keeps_nobody_waiting_and_gets_it_later(database, clock, monkeypatch):
    crowds = CrowdHistory(database, clock)
    with monkeypatch.context() as refusing:
        refusing.setattr(database, "transaction", _refuse)
        look(crowds, FIRST, 7)
        clock.advance(3600)
        with pytest.raises(StorageError):
            crowds.tick()
    assert crowds.component().figures == {"waiting": 1, "dropped": 0}
    crowds.tick()
    assert kept(crowds, clock) == [(FIRST, 7)]
    assert crowds.component().figures == {"waiting": 0, "dropped": 0}


def test_where_too_many_wait_the_oldest_go_and_that_is_said(database, clock, monkeypatch):
    crowds = CrowdHistory(database, clock)
    with monkeypatch.context() as refusing:
        refusing.setattr(database, "transaction", _refuse)
        for number in range(MAX_WAITING + 3):
            look(crowds, FIRST + number * QUARTER, number)
            with suppress(StorageError):  # nothing waits yet at the first
                crowds.tick()
    component = crowds.component()
    assert component.condition is Condition.DEGRADED
    assert component.figures["waiting"] == MAX_WAITING
    clock.step_wall((MAX_WAITING + 10) * 900)
    crowds.tick()
    assert kept(crowds, clock)[0] == (FIRST + 3 * QUARTER, 3)
    assert crowds.component().figures == {"waiting": 0, "dropped": 3}


def _refuse():
    raise StorageError("disk full")


def test_a_process_that_is_killed_loses_no_more_than_the_quarter_under_way(tmp_path):
    path = tmp_path / "box.db"
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.crowds_child", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "counted\n"
    child.kill()
    child.communicate()
    database = Database(path)
    crowds = CrowdHistory(database, FakeClock(FIRST))
    quarters = crowds.quarters(KEY, FIRST + timedelta(days=1))
    database.close()
    assert [quarter.start for quarter in quarters] == [FIRST, FIRST + QUARTER]
    assert [quarter.minutes for quarter in quarters] == [tuple(range(15)), tuple(range(15, 30))]
