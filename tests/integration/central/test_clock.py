"""What the centre makes of boxes' clocks."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from central.db.models import Alert, Box
from central.fleet.rule import BoxWarning
from central.fleet.views import fleet_views
from central.ingest.inbox import DatabaseInbox
from protocol.messages import AlertOp, ClockQuality, ClockState, OutboxFill, UplinkFigures
from tests.support.xiacun import (
    DEADLINES,
    NOW,
    alert_data,
    alert_message,
    enter_village,
    heartbeat,
    received,
)

SYNCED = ClockQuality(state=ClockState.SYNCED, since=NOW, error_ms=3)
ADRIFT = ClockQuality(state=ClockState.UNSYNCED, since=NOW)
LINE = UplinkFigures(day_bytes=10**8, kbit_s=9, connects_day=2, puback_ms=80, receipt_ms=120)
FILL = OutboxFill(bytes=10, full_percent=85, folded=3, untold=1)


@pytest.fixture
def inbox(database, clock):
    enter_village(database)
    return DatabaseInbox(database, clock, DEADLINES)


def beat(at, ahead_s=0.0, **changes):
    return received(heartbeat(at=at.now() + timedelta(seconds=ahead_s), **changes), at.now())


def is_doubtful(database):
    with database.read() as session:
        return session.scalars(select(Alert.clock_doubtful)).one()


def test_an_alert_of_a_clock_that_is_right_is_not_marked(inbox, database, clock):
    inbox.commit([beat(clock, 0.2), received(alert_message(alert_data(clock=SYNCED), 1))])
    assert not is_doubtful(database)


def test_an_alert_of_a_clock_that_is_off_is_marked_whatever_it_says(inbox, database, clock):
    inbox.commit([beat(clock, -3600), received(alert_message(alert_data(clock=SYNCED), 1))])
    assert is_doubtful(database)


def test_once_in_doubt_an_alert_stays_so(inbox, database, clock):
    data = alert_data(clock=ADRIFT)
    inbox.commit([received(alert_message(data, 1))])
    assert is_doubtful(database)
    later = data.model_copy(update={"op": AlertOp.UPDATE, "count": 40, "clock": SYNCED})
    inbox.commit([beat(clock), received(alert_message(later, 2))])
    assert is_doubtful(database)


def test_the_offset_is_measured_from_heartbeats_and_smoothed(inbox, database, clock):
    offsets = []
    for ahead_s in (0.4, 0.4, 0.8, 600):
        inbox.commit([beat(clock, ahead_s)])
        clock.advance(60)
        with database.read() as session:
            offsets.append(session.scalars(select(Box.clock_offset_ms)).one())
    assert offsets == [400, 400, 450, 600_000]


def test_the_fleet_says_what_the_box_says_of_its_clock_its_line_and_its_outbox(
    inbox, database, clock
):
    inbox.commit([beat(clock, 6, clock=SYNCED, uplink=LINE, outbox=FILL)])
    with database.read() as session:
        (view,) = fleet_views(session, clock.now())
    assert (view.clock, view.uplink, view.outbox) == (SYNCED, LINE, FILL)
    assert view.clock_offset_ms == 6000
    assert set(view.warnings) == {BoxWarning.CLOCK, BoxWarning.FULL}


def test_a_box_that_is_older_than_these_says_nothing_and_nothing_is_wrong(inbox, database, clock):
    inbox.commit([beat(clock)])
    with database.read() as session:
        (view,) = fleet_views(session, clock.now())
    assert (view.clock, view.uplink, view.outbox, view.warnings) == (None, None, None, [])
