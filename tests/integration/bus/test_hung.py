"""A box that hangs while it is connected, over a real broker: its TCP connection stays open."""

import signal
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise

import pytest
from sqlalchemy import URL

from central.auth.tokens import hash_token
from central.codes import BoxState
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box, Region
from central.http.centre import build_centre
from central.ingest.inbox import DatabaseInbox
from protocol.clock import FakeClock, SystemClock
from tests.support.desk_box import BOX, REGION, TOKEN
from tests.support.line import EVERY_BROKER, consuming, start_broker
from tests.support.tools import ROOT
from tests.support.waiting import wait_until
from tests.support.web_centre import config_for
from tests.support.xiacun import DEADLINES
from village.broker.broker import BrokerKind

#: Longer than any test: so the broker never notices.
NEVER_S = 3600


@pytest.fixture
def broker(tmp_path, kind):
    started = start_broker(tmp_path, kind)
    yield started
    started.close()


@pytest.fixture
def database(tmp_path):
    opened = Database(URL.create("sqlite", database=str(tmp_path / "central.db")))
    migrate(opened, SystemClock())
    with opened.write() as session:
        session.add(Region(code=REGION, name="老寨"))
        session.flush()
        token = hash_token(TOKEN)
        session.add(Box(id=BOX, region_code=REGION, name="老寨主机", token_sha256=token))
    yield opened
    opened.close()


def of_box(database):
    with database.read() as session:
        return session.get_one(Box, BOX)


@contextmanager
def hung_box(tmp_path, broker, database, keepalive_s):
    """Give a box that was connected and heard, and then stopped by SIGSTOP."""
    line = [sys.executable, "-m", "tests.support.box_child", str(tmp_path / "box")]
    box = subprocess.Popen([*line, str(broker.port), str(keepalive_s)], cwd=ROOT)
    try:
        # Only a heartbeat says how much disk there is.
        wait_until(lambda: of_box(database).disk_free_bytes is not None, within_s=20)
        box.send_signal(signal.SIGSTOP)
        yield box
    finally:
        box.kill()
        box.wait()


@EVERY_BROKER
def test_it_is_late_and_then_lost_by_180_s_though_the_broker_notices_nothing(
    broker, database, tmp_path
):
    with (
        consuming(broker, DatabaseInbox(database, SystemClock(), DEADLINES)),
        hung_box(tmp_path, broker, database, NEVER_S),
    ):
        clock = FakeClock(of_box(database).last_seen_at)
        watch = build_centre(config_for(tmp_path), database, clock).watch
        seen = {}
        for silent_s, passes_s in pairwise((0, 80, 91, 180, 181)):
            clock.advance(passes_s - silent_s)
            watch.look()
            seen[passes_s] = of_box(database).state
        assert of_box(database).online  # no last will came
    assert seen == {
        80: BoxState.ONLINE,
        91: BoxState.LATE,
        180: BoxState.LATE,
        181: BoxState.LOST,
    }


@pytest.mark.mosquitto
@pytest.mark.parametrize("kind", [BrokerKind.MOSQUITTO], ids=str)
def test_its_last_will_says_so_as_soon_as_its_keep_alive_is_over(broker, database, tmp_path):
    with (
        consuming(broker, DatabaseInbox(database, SystemClock(), DEADLINES)),
        hung_box(tmp_path, broker, database, keepalive_s=1),
    ):
        wait_until(lambda: of_box(database).state is BoxState.LOST, within_s=60)
        assert not of_box(database).online
