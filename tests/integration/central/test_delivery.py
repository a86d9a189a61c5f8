"""What the centre can prove of an outbox: that all of it is here, each after the one it names."""

import random
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select

from central.db.models import BoxOutbox
from central.delivery import ledger
from central.ingest.inbox import DatabaseInbox
from protocol.topics import BoxTopic, Leaf
from tests.support.xiacun import (
    BOX,
    DEADLINES,
    NOW,
    OUTBOX,
    REGION,
    alert_data,
    alert_message,
    enter_village,
    heartbeat,
    received,
)


@pytest.fixture
def inbox(database, clock):
    enter_village(database)
    return DatabaseInbox(database, clock, DEADLINES)


def chained(count, **changes):
    """Return so many events of one outbox, each with the hash of the one before."""
    events, prevhash = [], None
    for sequence in range(1, count + 1):
        made = alert_message(alert_data(), sequence, prevhash=prevhash, **changes)
        events.append(received(made))
        prevhash = sha256(events[-1].payload).hexdigest()
    return events


def outbox(database):
    with database.read() as session:
        return session.get_one(BoxOutbox, (BOX, OUTBOX))


def test_what_came_whole_is_proved_whole(inbox, database):
    inbox.commit(chained(5))
    row = outbox(database)
    assert (row.received, row.highest, row.complete_to) == (5, 5, 5)
    assert (row.broken_at, row.missing_since, row.repeated) == (None, None, 0)


def test_a_gap_is_seen_from_when_it_is_there_until_it_is_closed(inbox, database, clock):
    events = chained(6)
    inbox.commit([*events[:2], *events[3:]])
    row = outbox(database)
    assert (row.complete_to, row.highest, row.missing_since) == (2, 6, NOW)
    clock.advance(30)
    inbox.commit([events[2]])
    row = outbox(database)
    assert (row.complete_to, row.missing_since, row.broken_at) == (6, None, None)


def test_what_a_box_says_it_has_given_and_did_not_come_is_missing(inbox, database):
    events = chained(3)
    told = heartbeat(outbox_id=OUTBOX, last_sequence=4, head="ab" * 32)
    inbox.commit([*events, received(told)])
    row = outbox(database)
    assert (row.complete_to, row.told_last, row.missing_since) == (3, 4, NOW)


def test_an_event_that_does_not_follow_the_one_before_it_is_named(inbox, database):
    events = chained(5)
    forged = alert_message(alert_data(), 3, prevhash=sha256(events[1].payload).hexdigest())
    inbox.commit([*events[:2], received(forged), *events[3:]])
    row = outbox(database)
    assert (row.complete_to, row.broken_at) == (5, 4)


def test_repeats_are_counted_and_change_nothing_else(inbox, database):
    events = chained(2)
    inbox.commit(events)
    inbox.commit([*events, events[0]])
    row = outbox(database)
    assert (row.received, row.repeated, row.complete_to) == (2, 3, 2)


def test_what_went_to_quarantine_keeps_its_place_in_the_chain(inbox, database):
    events = chained(3)
    damaged = replace(events[1], payload=events[1].payload.replace(b".v1", b".v9"))
    third = alert_message(alert_data(), 3, prevhash=sha256(damaged.payload).hexdigest())
    inbox.commit([events[0], damaged, received(third)])
    row = outbox(database)
    assert (row.received, row.complete_to, row.broken_at) == (2, 3, None)


def test_a_long_chain_whose_gap_closes_late_is_followed_to_its_end(inbox, database, monkeypatch):
    monkeypatch.setattr(ledger, "_STEP", 4)
    events = chained(20)
    inbox.commit(events[1:])
    assert outbox(database).complete_to == 0
    inbox.commit(events[:1])
    assert outbox(database).complete_to == 20


@pytest.mark.parametrize("seed", range(6))
def test_however_events_are_dealt_out_to_batches_the_broken_place_is_named(inbox, database, seed):
    chance = random.Random(seed)
    broken_at = chance.randrange(2, 30)
    events, prevhash = [], None
    for sequence in range(1, 31):
        named = "ab" * 32 if sequence == broken_at else prevhash
        events.append(received(alert_message(alert_data(), sequence, prevhash=named)))
        prevhash = sha256(events[-1].payload).hexdigest()
    numbers = [*range(30), *chance.choices(range(30), k=5)]
    reach = 0 if seed == 0 else 8  # the first comes in order
    numbers.sort(key=lambda number: number + chance.uniform(0, reach))
    while numbers:
        size = chance.randrange(1, 6)
        inbox.commit([events[number] for number in numbers[:size]])
        numbers = numbers[size:]
    row = outbox(database)
    assert (row.received, row.repeated, row.highest, row.complete_to) == (30, 5, 30, 30)
    assert (row.broken_at, row.missing_since) == (broken_at, None)


def test_historical_and_live_events_are_one_chain(inbox, database):
    topic = str(BoxTopic(REGION, BOX, Leaf.HISTORICAL))
    events = chained(4)
    inbox.commit([replace(each, topic=topic) for each in events[:2]] + events[2:])
    assert outbox(database).complete_to == 4


def test_each_outbox_of_a_box_is_counted_by_itself(inbox, database, clock):
    inbox.commit(chained(2))
    clock.advance(timedelta(days=1).total_seconds())
    other = BOX.replace("-", "")[:4].encode().hex().ljust(32, "0")
    inbox.commit(chained(1, outboxid=other))
    with database.read() as session:
        rows = session.scalars(select(BoxOutbox).order_by(BoxOutbox.first_at)).all()
    assert [(row.received, row.complete_to) for row in rows] == [(2, 2), (1, 1)]
