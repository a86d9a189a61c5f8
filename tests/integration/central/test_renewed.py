"""A box whose outbox began anew: its events are known again, its old gaps are asked for no more."""

from uuid import UUID

import pytest
from sqlalchemy import func, select

from central.db.models import Alert, BoxEvent, BoxGap, BoxOutbox
from central.delivery.pursuit import GapPursuit
from central.delivery.views import outbox_views
from central.ingest.inbox import DatabaseInbox
from protocol.messages import AlertLevel, AlertOp
from tests.support.xiacun import (
    BOX,
    DEADLINES,
    NOW,
    OUTBOX,
    alert_data,
    alert_message,
    enter_village,
    heartbeat,
    received,
)

NEXT = UUID("018f0000-0000-7000-8000-0000000000ff")
ALERT = UUID("018f0000-0000-7000-8000-0000000000aa")


@pytest.fixture
def inbox(database, clock):
    enter_village(database)
    return DatabaseInbox(database, clock, DEADLINES)


def event(op, sequence, **changes):
    return alert_message(alert_data(ALERT, op=op, **changes), sequence)


def again(message, sequence):
    """Return the same event as it is queued in the new outbox."""
    return message.model_copy(
        update={
            "outboxid": NEXT,
            "sequence": sequence,
            "formeroutbox": message.outboxid,
            "formersequence": message.sequence,
        }
    )


def alert(database):
    with database.read() as session:
        return session.scalars(select(Alert)).one()


def test_an_event_that_came_before_changes_nothing_and_is_receipted(inbox, database):
    start, update = event(AlertOp.START, 1), event(AlertOp.UPDATE, 2, count=50, peak=50)
    inbox.commit([received(start), received(update)])
    (done,) = inbox.commit([received(again(start, 1))])
    assert (done.outbox_id, done.sequences) == (NEXT, (1,))
    assert (alert(database).count, alert(database).sequence) == (50, 2)
    with database.read() as session:
        assert session.scalars(select(func.count()).select_from(BoxEvent)).one() == 3
        row = session.get_one(BoxOutbox, (BOX, NEXT))
    assert (row.complete_to, row.broken_at) == (1, None)


def test_it_is_known_again_where_both_come_in_one_batch(inbox, database):
    start, update = event(AlertOp.START, 1), event(AlertOp.UPDATE, 2, count=50, peak=50)
    inbox.commit([received(each) for each in (again(start, 1), start, update)])
    assert alert(database).count == 50


def test_one_that_did_not_come_counts_and_is_newer_than_all_of_the_old_outbox(inbox, database):
    late = event(AlertOp.UPDATE, 9, count=60, level=AlertLevel.EXTRA_URGENT)
    inbox.commit([received(event(AlertOp.START, 8))])
    inbox.commit([received(again(late, 1))])
    row = alert(database)
    assert (row.count, row.level, row.outbox_id) == (60, AlertLevel.EXTRA_URGENT, NEXT)


def test_what_is_missing_of_an_outbox_that_ended_is_renewed_and_never_asked_for(
    inbox, database, clock
):
    pursuit = GapPursuit(database, clock)
    told = {"outbox_id": OUTBOX, "last_sequence": 5, "first_sequence": 1}
    inbox.commit([received(event(AlertOp.START, 1)), received(heartbeat(**told))])
    assert list(pursuit.due()) == []
    clock.advance(61)
    inbox.commit([received(heartbeat(**told), clock.now())])
    assert [(one.first, one.last) for one in pursuit.due()] == [(2, 5)]
    clock.advance(3600)
    beat = heartbeat(outbox_id=NEXT, last_sequence=0, former_outboxes=(OUTBOX,))
    inbox.commit([received(beat, clock.now())])
    assert list(pursuit.due()) == []
    with database.read() as session:
        assert session.scalars(select(BoxGap)).all() == []
        new, old = outbox_views(session, clock.now(), BOX)
    assert (new.is_current, new.ended_at) == (True, None)
    assert (old.is_current, old.ended_at, old.missing_since) == (False, clock.now(), None)
    assert [(gap.first, gap.last, gap.state) for gap in old.gaps] == [(2, 5, "renewed")]


def test_what_still_comes_of_it_does_not_open_it_again(inbox, database, clock):
    beat = heartbeat(outbox_id=NEXT, last_sequence=0, former_outboxes=(OUTBOX,))
    inbox.commit([received(event(AlertOp.START, 1))])
    inbox.commit([received(beat)])
    inbox.commit([received(event(AlertOp.UPDATE, 7, count=40))])
    with database.read() as session:
        row = session.get_one(BoxOutbox, (BOX, OUTBOX))
    assert (row.ended_at, row.missing_since, row.highest) == (NOW, None, 7)
