"""A fleet's pure parts: what boxes keep, how they are shared out, what is made of figures."""

import hashlib
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.delivery_box import configuration
from bench.delivery_speed import figures
from bench.fleet.outbox import KEPT, FleetOutbox
from bench.fleet.processes import Fleet, shares
from bench.fleet.raw import InsertRates, rate
from bench.fleet.scenarios import Storm, Throughput, ToWall
from bench.fleet.wall import first_shown
from central.delivery.chain import Link, examine
from central.ingest.parse import Understood, understand
from central.ports import Received
from protocol.codec import decode
from protocol.messages import AlertOp
from protocol.topics import BoxTopic, Leaf

NOW = datetime(2026, 11, 26, 20, tzinfo=UTC)
REGION = "532324001002"
BOX = "fleet-0001"


@pytest.fixture
def outbox():
    return FleetOutbox(configuration(Path("/nowhere"), BOX, REGION), random.Random(1), NOW)


def messages(outbox, count, now=NOW):
    numbers = [outbox.report(now) for _ in range(count)]
    return [parcel.payload for parcel in outbox.parcels(numbers, now)]


def test_the_centre_understands_what_a_simulated_box_sends_and_finds_its_chain_whole(outbox):
    links = []
    for payload in messages(outbox, 20):
        item = understand(Received(str(BoxTopic(REGION, BOX, Leaf.EVENT)), payload, NOW))
        assert isinstance(item, Understood)
        links.append(Link(item.message.sequence, item.digest, item.message.prevhash))
    found = examine(links)
    assert (found.whole_to, found.broken, found.missing) == (20, 0, 0)
    load = outbox.load()
    assert (load.last_sequence, load.head, load.rows) == (20, links[-1].digest, 20)


def test_every_alert_begins_before_it_ends(outbox):
    begun, ended = set(), set()
    for payload in messages(outbox, 30):
        data = decode(payload).data
        if data.op is AlertOp.START:
            begun.add(data.alert_id)
        else:
            assert data.alert_id in begun
            assert data.alert_id not in ended
            ended.add(data.alert_id)
    assert (len(begun), len(ended)) == (15, 15)


def test_what_is_a_minute_old_is_of_the_backlog(outbox):
    messages(outbox, 2)
    later = NOW + timedelta(seconds=61)
    messages(outbox, 1, later)
    waiting = outbox.waiting(10, later)
    assert (waiting.live, waiting.backlog) == ((3,), (1, 2))
    assert [parcel.is_live for parcel in outbox.parcels([1, 3], later)] == [False, True]


def test_a_receipt_lets_go_of_what_it_names_and_of_nothing_of_another_outbox(outbox):
    messages(outbox, 3)
    assert outbox.receipted(uuid4(), [1, 2, 3]) == 0
    assert outbox.receipted(outbox.outbox_id, [2, 9]) == 1
    assert outbox.waiting(10, NOW).live == (1, 3)


def test_what_was_receipted_is_sent_again_when_the_centre_asks_as_it_was(outbox):
    before = messages(outbox, 5)
    outbox.receipted(outbox.outbox_id, [1, 2, 3, 4])
    assert outbox.reopen(uuid4(), 1, 5) == 0
    assert outbox.reopen(outbox.outbox_id, 2, 3) == 2
    assert outbox.waiting(10, NOW).live == (2, 3, 5)
    assert [parcel.payload for parcel in outbox.parcels([2, 3], NOW)] == before[1:3]


def test_a_box_says_from_where_on_it_still_has_everything(outbox):
    assert outbox.load().first_sequence is None
    count = KEPT + 10
    messages(outbox, count)
    outbox.receipted(outbox.outbox_id, range(1, count + 1))
    assert (outbox.load().first_sequence, outbox.load().rows) == (11, 0)


@given(st.integers(1, 3000), st.integers(1, 600))
def test_every_box_is_in_one_process_and_none_has_too_many(boxes, each):
    found = shares(boxes, each)
    numbers = [number for first, count in found for number in range(first, first + count)]
    assert numbers == list(range(boxes))
    assert max(count for _, count in found) <= each


def test_boxes_have_names_that_a_centre_takes():
    assert Fleet.names(2) == ["fleet-0000", "fleet-0001"]


def test_a_rate_is_of_what_came_after_the_first():
    assert rate([0, 500_000_000, 1_000_000_000]) == 2.0


def test_an_alert_is_seen_when_it_is_first_told_while_it_goes_on():
    def event(kind, **alert):
        return [f"event: {kind}", f"data: {json.dumps(alert)}", ""]

    began = NOW.isoformat()
    lines = [
        ": go on",
        *event("box", box_id="a"),
        *event("alert", id="a", started_at=began, ended_at=None),
        *event("alert", id="a", started_at=began, ended_at=began),
        *event("alert", id="b", started_at=began, ended_at=began),
    ]
    found = list(first_shown(lines, lambda: NOW + timedelta(milliseconds=40)))
    assert [(shown.alert_id, shown.ms) for shown in found] == [("a", 40.0)]


def throughput(committed):
    return Throughput(100, 5, committed, 9000.0, InsertRates(4000.0, 20_000.0), ())


@pytest.mark.parametrize(
    ("committed", "p95", "back", "met"),
    [
        (2000.0, 500.0, 60.0, True),
        (1999.0, 500.0, 60.0, False),
        (2000.0, 501.0, 60.0, False),
        (2000.0, 500.0, 60.1, False),
    ],
)
def test_the_aims_are_met_by_all_three_or_not(committed, p95, back, met):
    storm = Storm(1000, 2.0, back, 5000.0, 9000.0, 10, ())
    found = figures(throughput(committed), ToWall((20.0, p95)), storm)
    assert (found["aims_met"], found["passed"], found["boxes"]) == (met, True, 1000)
    assert found["alert_to_wall_ms_p95"] == p95


def test_the_ratio_is_of_the_smaller_of_broker_and_database():
    assert throughput(2000.0).ratio == 0.5


def test_what_is_lost_fails_the_run_and_a_part_left_out_has_no_figures():
    storm = Storm(10, 2.0, 3.0, 1.0, 1.0, 10, ("9 events stored of 10",))
    found = figures(None, None, storm)
    assert (found["passed"], found["faults"]) == (False, ["9 events stored of 10"])
    assert "committed_ratio" not in found


def test_the_digest_of_a_message_is_of_the_bytes_as_they_came(outbox):
    (payload,) = messages(outbox, 1)
    item = understand(Received(str(BoxTopic(REGION, BOX, Leaf.EVENT)), payload, NOW))
    assert isinstance(item, Understood)
    assert item.digest == hashlib.sha256(payload).hexdigest()
