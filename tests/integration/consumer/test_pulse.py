"""Who watches the consumer: its process ends when it no longer works, and says how it is."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import URL, select

from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import ConsumerPulse
from central.errors import StoreUnavailableError
from central.ingest.consumer import Consumer, ConsumerSettings
from central.ingest.pulse import FAILED, PulseBook, stand_by
from protocol.clock import FakeClock, SystemClock
from protocol.notify import ServiceNotifier
from tests.support.desk_box import BOX, REGION, TOKEN
from tests.support.line import Visitor, start_broker, uplink_settings
from tests.support.tools import ROOT
from tests.support.waiting import wait_until
from village.broker.broker import BrokerKind

AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def broker(tmp_path):
    started = start_broker(tmp_path, BrokerKind.EMBEDDED)
    yield started
    started.close()


@pytest.fixture
def database(tmp_path):
    made = Database(URL.create("sqlite", database=str(tmp_path / "central.db")))
    migrate(made, FakeClock(AT))
    yield made
    made.close()


class HangingInbox:
    """Begins to store and never ends, until it is let go."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.let_go = threading.Event()

    def commit(self, batch):
        self._clock.advance(200)
        self.let_go.wait()
        return ()


def test_a_process_whose_consumer_hangs_ends(broker):
    clock = FakeClock(AT)
    inbox, ended = HangingInbox(clock), []
    consumer = Consumer(ConsumerSettings(uplink_settings(broker)), inbox, clock)
    with Visitor(broker, BOX, TOKEN) as box:
        # Retained: it is there whenever the consumer comes.
        box.publish(f"tanshao/v1/{REGION}/{BOX}/state", b"x", retain=True)
        works = stand_by(
            consumer, threading.Event(), ServiceNotifier(""), every_s=0.02, end=ended.append
        )
    assert (works, ended) == (False, [FAILED])
    consumer.close()
    inbox.let_go.set()


def test_a_process_whose_consumer_s_thread_has_died_ends(broker, monkeypatch):
    ended = []
    consumer = Consumer(ConsumerSettings(uplink_settings(broker)), HangingInbox, SystemClock())
    monkeypatch.setattr(Consumer, "run", lambda _: None)
    works = stand_by(
        consumer, threading.Event(), ServiceNotifier(""), every_s=0.02, end=ended.append
    )
    assert (works, ended) == (False, [FAILED])


def test_a_consumer_says_how_it_is_until_it_goes(database):
    consumer = Consumer(ConsumerSettings(uplink_settings(Nowhere())), HangingInbox, SystemClock())
    book = PulseBook(database, FakeClock(AT), "_centre", consumer.status, every_s=0.02)

    def pulse():
        with database.read() as session:
            return session.scalars(select(ConsumerPulse)).first()

    book.start()
    wait_until(pulse)
    found = pulse()
    assert found is not None
    assert (found.name, found.seen_at, found.connected, found.committed_at) == (
        "_centre",
        AT,
        False,
        None,
    )
    book.close()
    assert pulse() is None


def test_a_pulse_goes_on_once_the_database_is_back(database, monkeypatch):
    consumer = Consumer(ConsumerSettings(uplink_settings(Nowhere())), HangingInbox, SystemClock())
    asked = threading.Event()

    def refused():
        asked.set()
        raise StoreUnavailableError("away")

    book = PulseBook(database, FakeClock(AT), "_centre", consumer.status, every_s=0.02)
    with monkeypatch.context() as away:
        away.setattr(database, "write", refused)
        book.start()
        assert asked.wait(10)

    def is_there():
        with database.read() as session:
            return session.get(ConsumerPulse, "_centre")

    wait_until(is_there)
    book.close()


class Nowhere:
    host, port = "127.0.0.1", 1


def test_the_consumer_s_process_feeds_the_watchdog_and_takes_its_pulse_away(tmp_path, database):
    (tmp_path / "token").write_text("x")
    config = tmp_path / "central.toml"
    config.write_text(
        f'[village]\nname = "下村"\nregion_code = "{REGION}"\n'
        f'[database]\nurl = "sqlite:///{tmp_path / "central.db"}"\n'
        '[mqtt]\nport = 1\ntls = false\npassword = { file = "token" }\n',
        encoding="utf-8",
    )
    notices = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(notices))
        systemd.settimeout(60)
        running = subprocess.Popen(
            [sys.executable, "-m", "central", "consume", "--config", str(config)],
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "NOTIFY_SOCKET": str(notices)},
        )
        assert [systemd.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]
        with database.read() as session:
            assert session.scalars(select(ConsumerPulse.connected)).all() == [False]
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 0, said
    assert "consumer.down" in {json.loads(line)["event"] for line in said.splitlines()}
    with database.read() as session:
        assert session.scalars(select(ConsumerPulse)).all() == []
