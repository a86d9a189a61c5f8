"""Real processes killed by SIGKILL in the middle of their work."""

import sqlite3
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests.support.desk_box import BOX
from tests.support.inbox import FakeInbox
from tests.support.line import EVERY_BROKER, SendingBox, consuming, start_broker
from tests.support.tools import ROOT
from tests.support.waiting import wait_until

pytestmark = EVERY_BROKER


@pytest.fixture
def broker(tmp_path, kind):
    started = start_broker(tmp_path, kind)
    yield started
    started.close()


@contextmanager
def child(module, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.support.{module}", *map(str, arguments)], cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def outbox(folder):
    with sqlite3.connect(folder / "box.sqlite3") as connection:
        rows = connection.execute("select seq, event_id from outbox order by seq").fetchall()
    connection.close()
    return rows


def test_a_box_killed_while_it_sends_loses_nothing_and_leaves_no_hole(broker, tmp_path):
    inbox = FakeInbox()
    folder = tmp_path / "box"
    with consuming(broker, inbox):
        for goal in (40, 80):
            with child("box_child", folder, broker.port) as box:
                wait_until(lambda goal=goal: len(inbox.sequences(BOX)) >= goal, within_s=20)
                box.kill()
        with SendingBox(folder, broker) as restarted:
            restarted.sender.start()
            restarted.wait_cleared()
    rows = outbox(folder)
    assert [sequence for sequence, _ in rows] == list(range(1, len(rows) + 1))
    assert inbox.event_ids(BOX) == [event_id for _, event_id in rows]
    inbox.close()


def test_a_consumer_killed_between_commit_and_receipt_stores_once_and_receipts_again(
    broker, tmp_path
):
    database = tmp_path / "centre.sqlite3"
    with SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        with child("consumer_child", database, broker.port, 10) as mortal:
            box.report(10)
            mortal.wait(20)
        stored = FakeInbox(database)
        assert len(stored.sequences(BOX)) == 10
        assert box.outbox.load().rows > 0  # committed there, but not said so
        with child("consumer_child", database, broker.port):
            box.wait_cleared()
        assert stored.sequences(BOX) == list(range(1, 11))
        assert stored.duplicates() > 0
        stored.close()
