"""The outbox table."""

from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest

from edge.bus.outbox import Load
from edge.bus.window import Waiting
from protocol.codec import decode
from protocol.messages import AlertOp
from tests.support.desk_box import AT, occurrence, open_desk


@pytest.fixture
def box(tmp_path):
    opened = open_desk(tmp_path / "box.sqlite3")
    yield opened
    opened.database.close()


def fill(box, count):
    for _ in range(count):
        box.desk.report(occurrence(AlertOp.END if box.desk.open_alerts() else AlertOp.START))


def test_an_empty_outbox_has_nothing_waiting(box):
    assert box.outbox.waiting(8) == Waiting((), ())
    assert box.outbox.load() == Load(last_sequence=0, rows=0, oldest_at=None)


def test_sequences_are_counted_from_one_and_each_message_says_its_own(box):
    fill(box, 4)
    assert [message.sequence for message in box.messages()] == [1, 2, 3, 4]
    load = box.outbox.load()
    assert (load.last_sequence, load.rows, load.oldest_at) == (4, 4, AT)


def test_each_message_has_the_hash_of_the_one_before_also_when_that_is_long_gone(box):
    fill(box, 3)
    stored = [parcel.payload for parcel in box.outbox.parcels((1, 2, 3))]
    hashes = [sha256(payload).hexdigest() for payload in stored]
    assert [decode(payload).prevhash for payload in stored] == [None, *hashes[:2]]
    box.outbox.receipted([1, 2, 3])
    box.clock.advance(timedelta(days=30).total_seconds())
    box.outbox.prune(timedelta(days=7))
    box.desk.report(occurrence(region_id="later"))
    (last,) = box.outbox.parcels((4,))
    assert decode(last.payload).prevhash == hashes[2]
    load = box.outbox.load()
    assert load.head == sha256(last.payload).hexdigest()
    assert load.outbox_id == decode(last.payload).outboxid


def test_a_message_is_live_for_a_minute(box):
    fill(box, 1)
    box.clock.advance(60)
    fill(box, 1)
    assert [parcel.is_live for parcel in box.outbox.parcels((1, 2))] == [True, True]
    box.clock.advance(1)
    assert [parcel.is_live for parcel in box.outbox.parcels((1, 2))] == [False, True]


def test_all_messages_name_the_same_outbox_also_after_a_restart(box, tmp_path):
    fill(box, 1)
    box.database.close()
    again = open_desk(tmp_path / "box.sqlite3", box.clock)
    again.desk.report(occurrence(AlertOp.END))
    names = {message.outboxid for message in again.messages()}
    again.database.close()
    assert len(names) == 1
    assert None not in names


def test_a_box_with_a_new_database_names_another_outbox(box, tmp_path):
    fill(box, 1)
    other = open_desk(tmp_path / "other.sqlite3")
    fill(other, 1)
    assert box.messages()[0].outboxid != other.messages()[0].outboxid
    other.database.close()


def test_rows_of_the_last_minute_are_live_and_older_ones_backlog(box):
    fill(box, 3)
    box.clock.advance(61)
    fill(box, 2)
    assert box.outbox.waiting(8) == Waiting(live=(4, 5), backlog=(1, 2, 3))


def test_each_lane_is_limited_the_backlog_to_its_oldest_the_live_one_to_its_newest(box):
    fill(box, 5)
    box.clock.advance(61)
    fill(box, 5)
    assert box.outbox.waiting(2) == Waiting(live=(9, 10), backlog=(1, 2))


def test_live_rows_beyond_the_limit_count_as_backlog(box):
    fill(box, 5)
    assert box.outbox.waiting(3) == Waiting(live=(3, 4, 5), backlog=(1, 2))


def test_a_wall_clock_set_back_leaves_no_row_out(box):
    fill(box, 2)
    box.clock.step_wall(-7200)
    fill(box, 2)
    waiting = box.outbox.waiting(8)
    assert sorted(waiting.live + waiting.backlog) == [1, 2, 3, 4]


def test_a_receipt_clears_a_row_once(box):
    fill(box, 3)
    assert box.outbox.receipted([2, 3, 99]) == 2
    assert box.outbox.receipted([2]) == 0
    assert box.outbox.waiting(8).live == (1,)


def test_what_the_centre_misses_waits_again_with_the_very_bytes(box):
    fill(box, 4)
    before = [parcel.payload for parcel in box.outbox.parcels((1, 2, 3, 4))]
    box.outbox.receipted([1, 2, 4])
    ours = box.outbox.load().outbox_id
    assert box.outbox.reopen(ours, 2, 3) == 1  # the third one waits anyway
    assert box.outbox.waiting(8).live == (2, 3)
    assert [each.payload for each in box.outbox.parcels((2, 3))] == before[1:3]


def test_what_is_missed_of_another_outbox_is_not_ours_to_send(box):
    fill(box, 2)
    box.outbox.receipted([1, 2])
    assert box.outbox.reopen(uuid4(), 1, 2) is None
    assert box.outbox.load().rows == 0


def test_an_outbox_says_from_where_on_it_still_has_its_events(box):
    fill(box, 4)
    assert box.outbox.load().first_sequence == 1
    box.outbox.receipted([1, 2])
    box.clock.advance(timedelta(days=8).total_seconds())
    box.outbox.prune(timedelta(days=7))
    assert box.outbox.load().first_sequence == 3
    assert box.outbox.reopen(box.outbox.load().outbox_id, 1, 2) == 0


def test_parcels_come_in_the_order_asked_for_without_receipted_rows(box):
    fill(box, 3)
    box.outbox.receipted([2])
    parcels = box.outbox.parcels([3, 2, 1])
    assert [(parcel.sequence, decode(parcel.payload).sequence) for parcel in parcels] == [
        (3, 3),
        (1, 1),
    ]


def test_pruning_removes_only_rows_receipted_long_ago(box):
    fill(box, 3)
    box.outbox.receipted([1])
    box.clock.advance(86400)
    box.outbox.receipted([2])
    box.clock.advance(1)
    assert box.outbox.prune(timedelta(hours=1)) == 1
    assert [message.sequence for message in box.messages()] == [2, 3]


def test_pruning_never_makes_the_numbering_begin_again(box):
    fill(box, 3)
    box.outbox.receipted([1, 2, 3])
    box.clock.advance(1)
    assert box.outbox.prune(timedelta(0)) == 2
    fill(box, 2)
    assert [message.sequence for message in box.messages()] == [3, 4, 5]


def test_the_oldest_waiting_row_says_since_when(box):
    fill(box, 1)
    box.clock.advance(30)
    fill(box, 2)
    box.outbox.receipted([1])
    load = box.outbox.load()
    assert (load.last_sequence, load.rows) == (3, 2)
    assert load.oldest_at == AT + timedelta(seconds=30)
