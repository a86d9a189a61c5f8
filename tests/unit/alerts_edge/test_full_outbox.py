"""What becomes of alerts while the outbox has no room."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.box_alert import BoxAlert
from edge.bus.limits import Limits
from edge.bus.outbox import Outbox
from edge.outbox_watch import OutboxWatch
from protocol.messages import AlertKind, AlertLevel, AlertOp
from tests.support.desk_box import AT, occurrence, open_desk

START, UPDATE, END = AlertOp.START, AlertOp.UPDATE, AlertOp.END


@pytest.fixture
def box(tmp_path):
    opened = small_box(tmp_path, rows=10)
    yield opened
    opened.database.close()


def small_box(folder, rows):
    return open_desk(folder / "box.sqlite3", limits=Limits(rows=rows))


def said(box):
    return [(message.data.op, message.data.region_id) for message in box.messages()]


def fill(box, rows):
    """Let so many alerts begin."""
    for number in range(rows):
        box.desk.report(occurrence(region_id=f"r{number}"))


def receipt_all(box):
    box.outbox.receipted([message.sequence for message in box.messages()])


def test_updates_give_way_first_and_the_end_says_what_they_said(box):
    fill(box, 8)
    box.clock.advance(10)
    box.desk.report(occurrence(UPDATE, region_id="r0", count=40))
    assert len(box.messages()) == 8
    box.clock.advance(10)
    box.desk.report(occurrence(END, region_id="r0", count=3, at=AT + timedelta(seconds=20)))
    last = box.messages()[-1]
    assert (last.data.op, last.data.peak, last.data.count) == (END, 40, 3)
    load = box.outbox.load()
    assert (load.folded, load.untold, load.rows) == (1, 0, 9)


def test_a_level_that_rises_is_still_told(box):
    fill(box, 8)
    box.clock.advance(1)
    box.desk.report(occurrence(UPDATE, region_id="r0", count=40, level=AlertLevel.EXTRA_URGENT))
    assert box.messages()[-1].data.level is AlertLevel.EXTRA_URGENT


def test_a_full_outbox_takes_nothing_and_the_alert_is_on_the_box_all_the_same(box):
    fill(box, 12)
    assert [message.sequence for message in box.messages()] == list(range(1, 11))
    assert len(box.rows("select * from alert")) == 12
    assert len(box.rows("select * from hold")) == 12
    load = box.outbox.load()
    assert (load.rows, load.full, load.folded, load.untold) == (10, 1.0, 2, 2)


def test_what_found_no_room_is_told_once_there_is_some_and_the_sequence_has_no_hole(box):
    fill(box, 10)
    box.desk.report(occurrence(region_id="over"))
    box.desk.report(occurrence(END, region_id="over", at=AT + timedelta(seconds=30)))
    box.desk.report(occurrence(region_id="on", at=AT + timedelta(seconds=40)))
    assert box.desk.tell_untold() == 0
    box.clock.advance(3600)
    receipt_all(box)
    assert box.desk.tell_untold() == 2
    assert said(box)[10:] == [(END, "over"), (UPDATE, "on")]
    assert [message.sequence for message in box.messages()] == list(range(1, 13))
    assert box.outbox.load().untold == 0
    assert box.desk.tell_untold() == 0


def test_what_is_over_is_told_as_old_and_what_goes_on_as_news(box):
    fill(box, 10)
    box.desk.report(occurrence(region_id="over"))
    box.desk.report(occurrence(END, region_id="over", at=AT + timedelta(seconds=30)))
    box.desk.report(occurrence(region_id="on", at=AT + timedelta(seconds=40)))
    box.clock.advance(3600)
    receipt_all(box)
    box.desk.tell_untold()
    assert [parcel.is_live for parcel in box.outbox.parcels((11, 12))] == [False, True]


def test_it_is_an_alert_of_its_own_until_there_is_room_again(box):
    watch = OutboxWatch(box.outbox, box.desk, box.clock)
    alert = BoxAlert(AlertKind.OUTBOX, box.desk, box.clock)
    fill(box, 7)
    watch.look()
    assert not alert.stands()
    fill(box, 9)
    watch.look()
    watch.look()
    assert alert.stands()
    assert [each.data.op for each in box.messages() if each.data.kind is AlertKind.OUTBOX] == [
        START
    ]
    box.outbox.receipted([1, 2, 3, 4, 5])
    watch.look()
    assert not alert.stands()


def test_an_outage_of_many_days_is_an_alert_and_costs_updates_only(box):
    fill(box, 1)
    box.clock.advance(timedelta(days=61).total_seconds())
    OutboxWatch(box.outbox, box.desk, box.clock).look()
    assert BoxAlert(AlertKind.OUTBOX, box.desk, box.clock).stands()
    box.desk.report(occurrence(UPDATE, region_id="r0", count=50))
    box.desk.report(occurrence(END, region_id="r0", count=50))
    assert [op for op, region in said(box) if region == "r0"] == [START, END]


def test_a_restart_still_knows_what_was_not_told(box, tmp_path):
    fill(box, 11)
    box.database.close()
    again = open_desk(tmp_path / "box.sqlite3", box.clock, limits=Limits(rows=10))
    receipt_all(again)
    assert again.desk.tell_untold() == 1
    assert said(again)[-1] == (UPDATE, "r10")
    again.database.close()


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from([START, UPDATE, END, None]), st.integers(0, 3), st.integers(0, 40)
        ),
        max_size=60,
    )
)
def test_whatever_happens_each_alert_ends_at_the_centre_as_it_ended_here(tmp_path_factory, steps):
    """``None``: the centre gives receipts for all that waits."""
    box = small_box(tmp_path_factory.mktemp("box"), rows=6)
    for op, region, count in steps:
        box.clock.advance(7)
        if op is None:
            receipt_all(box)
            box.desk.tell_untold()
        else:
            box.desk.report(occurrence(op, region_id=f"r{region}", count=count, at=box.clock.now()))
    assert box.outbox.load().rows <= 6
    for _ in range(20):
        receipt_all(box)
        box.desk.tell_untold()
    messages = box.messages()
    assert [message.sequence for message in messages] == list(range(1, len(messages) + 1))
    newest = {str(message.data.alert_id): message.data for message in messages}
    recorded = box.rows("select alert_id, ended_us, peak, untold from alert")
    assert {row["alert_id"] for row in recorded} == set(newest)
    for row in recorded:
        told = newest[row["alert_id"]]
        assert row["untold"] == 0
        assert (told.op is END) == (row["ended_us"] is not None)
        assert told.peak == row["peak"] or told.op is not END
    box.database.close()


def test_an_outbox_that_knows_no_limits_has_those_of_a_village(tmp_path):
    box = open_desk(tmp_path / "box.sqlite3")
    fill(box, 40)
    assert Outbox(box.database, box.clock).load().full < 0.01
    box.database.close()
