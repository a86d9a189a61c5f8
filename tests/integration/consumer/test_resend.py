"""A centre that lost what it had receipted, a real broker, and the box that still has it."""

from dataclasses import replace

import pytest
from sqlalchemy import URL, delete

from central.auth.tokens import hash_token
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box, BoxEvent, BoxOutbox, Region
from central.delivery.pursuit import GapPursuit
from central.delivery.views import outbox_views
from central.errors import StoreUnavailableError
from central.ingest.inbox import DatabaseInbox
from protocol.clock import FakeClock, SystemClock
from tests.support.desk_box import BOX, REGION, TOKEN
from tests.support.line import (
    EVERY_BROKER,
    PATIENT,
    SendingBox,
    consuming,
    start_broker,
)
from tests.support.waiting import wait_until
from tests.support.xiacun import DEADLINES
from village.broker.broker import BrokerKind

#: Its resend timer outlasts the test: what comes again was asked for.
TALKATIVE = replace(PATIENT, heartbeat_s=0.1)


@pytest.fixture
def database(tmp_path):
    opened = Database(URL.create("sqlite", database=str(tmp_path / "central.db")))
    migrate(opened, SystemClock())
    with opened.write() as session:
        session.add(Region(code=REGION, name="老寨"))
        session.flush()
        session.add(
            Box(id=BOX, region_code=REGION, name="老寨主机", token_sha256=hash_token(TOKEN))
        )
    yield opened
    opened.close()


def ledger(database):
    with database.read() as session:
        (view,) = outbox_views(session, SystemClock().now())
    return view


def set_back(database, to):
    """Bring the database to where it was after the event ``to``, as an old copy would."""
    with database.write() as session:
        session.execute(delete(BoxEvent).where(BoxEvent.sequence > to))
        row = session.query(BoxOutbox).one()
        row.received = row.highest = row.complete_to = row.told_last = to


@EVERY_BROKER
def test_what_a_centre_lost_is_asked_for_after_a_minute_and_comes(tmp_path, database, kind):
    broker = start_broker(tmp_path, kind)
    inbox = DatabaseInbox(database, SystemClock(), DEADLINES)
    later = FakeClock(SystemClock().now())
    pursuit = GapPursuit(database, later)
    try:
        with (
            consuming(broker, inbox, pursuer=pursuit, pursue_every_s=0.05) as consumer,
            SendingBox(tmp_path / "box", broker, timing=TALKATIVE) as box,
        ):
            box.sender.start()
            box.report(5)
            box.wait_cleared()
            set_back(database, to=2)
            wait_until(lambda: [(gap.first, gap.last) for gap in ledger(database).gaps] == [(3, 5)])
            assert (consumer.status().resends, box.sender.status().commands) == (0, 0)
            wait_until(lambda: ledger(database).gaps[0].since <= later.now())
            later.advance(61)
            wait_until(lambda: ledger(database).complete_to == 5)
            assert (box.sender.status().commands, box.sender.status().reopened) == (1, 3)
            box.wait_cleared()
            row = ledger(database)
            assert (row.missing, row.gaps, row.broken_at) == (0, [], None)
            assert consumer.status().resends == 1
    finally:
        broker.close()


class Refusing:
    """A pursuer whose store is away."""

    def __init__(self):
        self.asked = 0

    def due(self):
        self.asked += 1
        raise StoreUnavailableError("the test's store is away")


def test_where_the_store_refuses_to_say_what_is_missing_receipts_go_on(tmp_path, database):
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    inbox = DatabaseInbox(database, SystemClock(), DEADLINES)
    refusing = Refusing()
    try:
        with (
            consuming(broker, inbox, pursuer=refusing, pursue_every_s=0.01),
            SendingBox(tmp_path / "box", broker, timing=TALKATIVE) as box,
        ):
            box.sender.start()
            wait_until(lambda: refusing.asked >= 2)
            box.report(3)
            box.wait_cleared()
    finally:
        broker.close()
