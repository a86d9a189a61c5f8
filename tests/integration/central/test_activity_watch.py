"""What the centre does by itself when a planned event is over."""

from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from central.activities.book import Places
from central.activities.desk import Terms
from central.activities.plan import Plan
from central.codes import ActivityKind, AlertState, FeedKind, Leaving
from central.db.models import Alert, FeedRow
from central.http.centre import Centre, build_centre
from central.ingest.inbox import DatabaseInbox
from tests.support.activities import CAMERA
from tests.support.web_centre import config_for
from tests.support.xiacun import (
    DEADLINES,
    NOW,
    alert_data,
    alert_message,
    birth,
    camera_state,
    enter_village,
    received,
)


@pytest.fixture
def still(database, clock, tmp_path) -> Centre:
    """A centre whose background does not run: the test looks when it says so."""
    enter_village(database)
    return build_centre(config_for(tmp_path), database, clock)


def test_the_watch_rings_what_outlasts_its_event_once_and_tells_every_browser(
    still, database, clock
):
    inbox = DatabaseInbox(database, clock, DEADLINES)
    inbox.commit([received(birth(camera_state()))])
    plan = Plan(NOW - timedelta(hours=1), NOW + timedelta(hours=3), ZoneInfo("Asia/Shanghai"))
    places = Places(frozenset({CAMERA}), frozenset())
    terms = Terms("王家婚宴", ActivityKind.WEDDING, places, plan, 200, "红白理事会", "", "")
    activity = still.activities.file(terms, "zhang")
    still.activities.approve(activity.id, "li")
    alert_id = uuid4()
    inbox.commit([received(alert_message(alert_data(alert_id), 1))])

    def told() -> int:
        with database.read() as session:
            rows = session.scalars(select(FeedRow.ref).where(FeedRow.kind == FeedKind.ALERT))
            return list(rows).count(str(alert_id))

    for advance_s, state, rows in (
        (0, AlertState.KNOWN, 1),
        (3 * 3600 + 29 * 60, AlertState.KNOWN, 1),
        (60, AlertState.NEW, 2),
        (3600, AlertState.NEW, 2),
    ):
        clock.advance(advance_s)
        still.watch.look()
        with database.read() as session:
            alert = session.get_one(Alert, alert_id)
        assert (alert.state, told()) == (state, rows)
    assert (alert.activity_left, alert.activity_left_at) == (
        Leaving.OVER,
        NOW + timedelta(hours=3, minutes=30),
    )
