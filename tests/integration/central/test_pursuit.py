"""What is missing is found in the tables, followed up, and asked for (protocol I12)."""

from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from central.db.models import BoxEvent, BoxGap, BoxOutbox, Quarantine
from central.delivery import pursuit
from central.delivery.gaps import Gap, GapState
from central.delivery.pursuit import GapPursuit
from central.delivery.stock import count_missing, find_gaps
from central.delivery.views import outbox_views
from central.ingest.inbox import DatabaseInbox
from central.ports import Resend
from tests.support.xiacun import (
    BOX,
    DEADLINES,
    OUTBOX,
    REGION,
    alert_data,
    alert_message,
    enter_village,
    heartbeat,
    received,
)

OTHER_OUTBOX = UUID("018f0000-0000-7000-8000-0000000000ff")


@pytest.fixture
def inbox(database, clock):
    enter_village(database)
    return DatabaseInbox(database, clock, DEADLINES)


@pytest.fixture
def pursuer(database, clock, inbox):
    return GapPursuit(database, clock)


def chained(count):
    events, prevhash = [], None
    for sequence in range(1, count + 1):
        events.append(received(alert_message(alert_data(), sequence, prevhash=prevhash)))
        prevhash = sha256(events[-1].payload).hexdigest()
    return events


def beat(last, first=1, outbox_id=OUTBOX):
    told = heartbeat(outbox_id=outbox_id, last_sequence=last, first_sequence=first, head="ab" * 32)
    return received(told)


def ranges(requests):
    return [(each.first, each.last) for each in requests]


def only_outbox(database, clock):
    with database.read() as session:
        (view,) = outbox_views(session, clock.now())
    return view


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sets(st.integers(1, 14), max_size=14),
    st.sets(st.integers(1, 14), max_size=4),
    st.integers(0, 16),
    st.integers(1, 20),
)
def test_the_tables_give_the_very_gaps(inbox, database, clock, here, aside, told, limit):
    with database.write() as session:
        for table in (BoxGap, BoxEvent, Quarantine, BoxOutbox):
            session.execute(delete(table))
    events = chained(14)
    for number in sorted(here | aside):
        event = events[number - 1]
        if number in aside:
            event = replace(event, payload=event.payload.replace(b".v1", b".v9"))
        inbox.commit([event])
        if number in here & aside:
            inbox.commit([events[number - 1]])  # it is an event too by now
    inbox.commit([beat(told)])
    missing = sorted(set(range(1, max([told, *here, *aside]) + 1)) - here - aside)
    with database.read() as session:
        row = session.get_one(BoxOutbox, (BOX, OUTBOX))
        found = find_gaps(session, row, limit)
        counted = count_missing(session, row)
    numbers = [number for gap in found for number in range(gap.first, gap.last + 1)]
    assert counted == len(missing)
    assert numbers == missing[: len(numbers)]
    assert len(found) == limit or numbers == missing


def test_the_highest_number_there_can_be_is_a_number_like_others(inbox, database):
    inbox.commit([received(alert_message(alert_data(), 2**63 - 1))])
    with database.read() as session:
        row = session.get_one(BoxOutbox, (BOX, OUTBOX))
        assert find_gaps(session, row, 5) == [Gap(1, 2**63 - 2)]
        assert count_missing(session, row) == 2**63 - 2


def test_where_nothing_is_missing_nobody_is_asked_and_nothing_is_written(inbox, pursuer, database):
    inbox.commit([*chained(3), beat(3)])
    assert ranges(pursuer.due()) == []
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(BoxGap)) == 0


def test_a_gap_is_asked_for_after_a_minute_and_again_more_and_more_seldom(
    inbox, pursuer, database, clock
):
    events = chained(9)
    inbox.commit([*events[:2], events[5], beat(9)])
    assert ranges(pursuer.due()) == []
    assert [gap.state for gap in only_outbox(database, clock).gaps] == [GapState.YOUNG] * 2
    asked = []
    for minute in range(1, 35):
        clock.advance(60)
        inbox.commit([beat(9)])
        asked += [(minute, each.first, each.last) for each in pursuer.due()]
    assert asked == [
        (minute, first, last) for minute in (1, 11, 31) for first, last in ((3, 5), (7, 9))
    ]
    view = only_outbox(database, clock)
    assert (view.missing, [gap.times for gap in view.gaps]) == (6, [3, 3])


def test_a_request_says_whose_events_and_until_when_nobody_asks_again(inbox, pursuer, clock):
    inbox.commit([chained(2)[1], beat(2)])
    pursuer.due()
    clock.advance(60)
    (request,) = pursuer.due()
    again_at = request.again_at
    assert request == Resend(REGION, BOX, OUTBOX, 1, 1, again_at)
    assert (again_at - clock.now()).total_seconds() == 600


def test_what_came_is_no_longer_missing_and_the_rest_keeps_its_age(inbox, pursuer, database, clock):
    events = chained(9)
    inbox.commit([events[0], events[8], beat(9)])
    pursuer.due()
    clock.advance(60)
    assert ranges(pursuer.due()) == [(2, 8)]
    inbox.commit([events[3], beat(9)])
    clock.advance(600)
    inbox.commit([beat(9)])
    assert ranges(pursuer.due()) == [(2, 3), (5, 8)]
    inbox.commit(events)
    assert ranges(pursuer.due()) == []
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(BoxGap)) == 0
    assert only_outbox(database, clock).gaps == []


def test_a_box_that_is_away_is_asked_when_it_is_back(inbox, pursuer, database, clock):
    inbox.commit([chained(2)[1], beat(2)])
    clock.advance(181)
    pursuer.due()
    clock.advance(181)
    assert ranges(pursuer.due()) == []
    (gap,) = only_outbox(database, clock).gaps
    assert (gap.state, gap.times) == (GapState.OPEN, 0)
    inbox.commit([beat(2)])
    assert ranges(pursuer.due()) == [(1, 1)]


def test_a_box_that_counts_in_another_outbox_is_not_asked_for_the_old_one(inbox, pursuer, clock):
    inbox.commit([chained(2)[1], beat(2)])
    pursuer.due()
    clock.advance(200)
    inbox.commit([beat(0, first=None, outbox_id=OTHER_OUTBOX)])
    assert ranges(pursuer.due()) == []


def test_what_the_box_no_longer_keeps_is_gone_and_not_asked_for(inbox, pursuer, database, clock):
    events = chained(9)
    inbox.commit([events[0], events[4], events[8], beat(9, first=7)])
    pursuer.due()
    clock.advance(60)
    assert ranges(pursuer.due()) == [(7, 8)]
    states = [gap.state for gap in only_outbox(database, clock).gaps]
    assert states == [GapState.GONE, GapState.ASKED]


def test_a_gap_is_said_to_be_unanswered_after_an_hour(inbox, pursuer, database, clock):
    inbox.commit([chained(2)[1], beat(2)])
    pursuer.due()
    clock.advance(60)
    assert ranges(pursuer.due()) == [(1, 1)]
    clock.advance(3600)
    (gap,) = only_outbox(database, clock).gaps
    assert gap.state is GapState.UNANSWERED


def test_requests_are_bounded_and_what_is_left_is_due_the_next_time(
    inbox, pursuer, clock, monkeypatch
):
    monkeypatch.setattr(pursuit, "MAX_REQUESTS", 3)
    inbox.commit([*chained(10)[1::2], beat(10)])
    pursuer.due()
    clock.advance(60)
    assert ranges(pursuer.due()) == [(1, 1), (3, 3), (5, 5)]
    assert ranges(pursuer.due()) == [(7, 7), (9, 9)]
    assert ranges(pursuer.due()) == []


def test_gaps_beyond_those_that_are_followed_up_have_their_turn_when_these_are_closed(
    inbox, pursuer, clock, monkeypatch
):
    monkeypatch.setattr(pursuit, "MAX_GAPS", 2)
    events = chained(6)
    inbox.commit([*events[1::2], beat(6)])
    pursuer.due()
    clock.advance(60)
    assert ranges(pursuer.due()) == [(1, 1), (3, 3)]
    inbox.commit([events[0], events[2], beat(6)])
    assert ranges(pursuer.due()) == []
    clock.advance(60)
    assert ranges(pursuer.due()) == [(5, 5)]


def test_an_old_gap_that_nothing_can_fill_is_not_looked_at_again_and_again(
    inbox, pursuer, clock, monkeypatch
):
    looks = []
    find = find_gaps
    monkeypatch.setattr(pursuit, "find_gaps", lambda *args: looks.append(args) or find(*args))
    events = chained(4)
    inbox.commit([events[0], events[2], beat(3, first=3)])
    for _ in range(20):
        clock.advance(60)
        inbox.commit([beat(3, first=3)])
        assert ranges(pursuer.due()) == []
    assert len(looks) == 1
    inbox.commit([events[3], beat(4, first=3)])
    pursuer.due()
    assert len(looks) == 2


def test_another_process_of_the_centre_does_not_ask_again_what_one_has_asked(
    inbox, pursuer, database, clock
):
    other = GapPursuit(database, clock)
    inbox.commit([chained(2)[1], beat(2)])
    pursuer.due()
    other.due()
    clock.advance(60)
    assert ranges(pursuer.due()) == [(1, 1)]
    assert ranges(other.due()) == []
