"""The consumer on its own, against bare clients on a real broker."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import paho.mqtt.client as mqtt
import pytest

from central.ingest.consumer import Consumer, ConsumerSettings
from central.ingest.uplink import Delivery
from central.ports import Received, Resend
from protocol.clock import SystemClock
from protocol.codec import decode
from protocol.messages import EpochMessage, ReceiptMessage
from protocol.topics import EPOCH
from tests.support.desk_box import BOX, REGION, TOKEN, occurrence, open_desk
from tests.support.inbox import FakeInbox
from tests.support.line import OTHER, OTHER_TOKEN, Visitor, consuming, start_broker, uplink_settings
from tests.support.waiting import wait_until
from village.broker.broker import BrokerKind

AT = datetime(2026, 11, 22, tzinfo=UTC)


def topic(leaf, box=BOX):
    return f"tanshao/v1/{REGION}/{box}/{leaf}"


@pytest.fixture
def broker(tmp_path):
    started = start_broker(tmp_path, BrokerKind.EMBEDDED)
    yield started
    started.close()


@pytest.fixture
def inbox():
    made = FakeInbox()
    yield made
    made.close()


@pytest.fixture
def events(tmp_path):
    """Thirty encoded alerts, by sequence from 1."""
    box = open_desk(tmp_path / "box.sqlite3", SystemClock())
    for number in range(30):
        box.desk.report(occurrence(region_id=f"r{number}"))
    payloads = [parcel.payload for parcel in box.outbox.parcels(range(1, 31))]
    box.database.close()
    return payloads


@pytest.fixture
def box(broker):
    with Visitor(broker, BOX, TOKEN) as visitor:
        visitor.subscribe(topic("receipt"), EPOCH)
        yield visitor


def receipts(visitor):
    found = [decode(payload) for where, payload in list(visitor.messages) if where != EPOCH]
    return [each.data.sequences for each in found if isinstance(each, ReceiptMessage)]


def epochs(visitor):
    found = [decode(payload) for where, payload in list(visitor.messages) if where == EPOCH]
    return [each.data.epoch for each in found if isinstance(each, EpochMessage)]


def test_every_start_is_a_new_epoch_and_it_is_retained(broker, box, inbox):
    for _ in range(2):
        with consuming(broker, inbox) as consumer:
            wait_until(lambda consumer=consumer: consumer.status().connected)
    wait_until(lambda: len(epochs(box)) == 2)
    assert len(set(epochs(box))) == 2
    with Visitor(broker, OTHER, OTHER_TOKEN) as late:
        late.subscribe(EPOCH)
        wait_until(lambda: late.messages)
        assert epochs(late) == epochs(box)[-1:]


def test_duplicates_are_receipted_again(broker, box, inbox, events):
    with consuming(broker, inbox) as consumer:
        wait_until(lambda: consumer.status().connected)
        for copies in (1, 2):
            box.publish(topic("event"), events[0])
            wait_until(lambda copies=copies: len(receipts(box)) == copies)
        assert (receipts(box), inbox.duplicates()) == ([(1,), (1,)], 1)


def test_receipts_go_to_the_box_they_are_for(broker, box, inbox, events):
    with consuming(broker, inbox) as consumer, Visitor(broker, OTHER, OTHER_TOKEN) as other:
        other.subscribe(topic("receipt", OTHER))
        wait_until(lambda: consumer.status().connected)
        other.publish(topic("event", OTHER), events[4])
        wait_until(lambda: receipts(other))
        assert (receipts(other), receipts(box)) == ([(5,)], [])


def test_what_nobody_understands_is_the_inboxs_and_stops_nothing(broker, box, inbox, events):
    with consuming(broker, inbox) as consumer:
        wait_until(lambda: consumer.status().connected)
        box.publish(topic("event"), b"\x00junk")
        box.publish(topic("event"), events[0])
        wait_until(lambda: receipts(box) == [(1,)])
        assert inbox.quarantined() == [b"\x00junk"]


def test_a_storm_shares_its_commits(broker, box, inbox, events):
    gate = threading.Event()
    commit = inbox.commit

    def held(batch):
        gate.wait(10)
        return commit(batch)

    inbox.commit = held
    with consuming(broker, inbox) as consumer:
        wait_until(lambda: consumer.status().connected)
        for event in events:
            box.publish(topic("event"), event)
        wait_until(lambda: consumer.status().received == 30)
        gate.set()
        wait_until(lambda: sum(map(len, receipts(box))) == 30)
    assert len(inbox.batches) <= 3
    assert sum(inbox.batches) == 30


def test_a_batch_has_a_limit(broker, box, inbox, events):
    inbox.available.clear()
    with consuming(broker, inbox, batch_size=7) as consumer:
        wait_until(lambda: consumer.status().connected)
        for event in events:
            box.publish(topic("event"), event)
        wait_until(lambda: consumer.status().received == 30)
        inbox.available.set()
        wait_until(lambda: sum(map(len, receipts(box))) == 30)
    assert max(inbox.batches) == 7


def test_while_the_store_is_away_nothing_is_receipted_and_the_batch_is_kept(
    broker, box, inbox, events
):
    inbox.available.clear()
    with consuming(broker, inbox) as consumer:
        wait_until(lambda: consumer.status().connected)
        box.publish(topic("event"), events[0])
        wait_until(lambda: inbox.refusals >= 3)
        assert (receipts(box), consumer.status().committed) == ([], 0)
        inbox.available.set()
        wait_until(lambda: receipts(box) == [(1,)])
        assert inbox.duplicates() == 0


def test_an_overflow_is_counted_and_ends_in_a_new_epoch(broker, box, inbox, events):
    inbox.available.clear()
    with consuming(broker, inbox, queue_size=8, batch_size=4) as consumer:
        wait_until(lambda: consumer.status().connected)
        for event in events:
            box.publish(topic("event"), event)
        wait_until(lambda: consumer.status().received == 30)
        inbox.available.set()
        wait_until(lambda: len(epochs(box)) == 2)
        assert len(inbox.sequences(BOX)) + consumer.status().overflowed == 30
        for number, event in enumerate(events, 1):  # what a box does at a new epoch
            box.publish(topic("event"), event)
            wait_until(lambda number=number: number in inbox.sequences(BOX))
        wait_until(lambda: inbox.sequences(BOX) == list(range(1, 31)))


def test_what_overflows_while_it_connects_anew_is_no_reason_to_do_so_again(
    broker, box, inbox, events
):
    with consuming(broker, inbox, queue_size=8) as consumer:
        wait_until(lambda: consumer.status().connected)
        old = consumer._uplink
        received = Received(topic("event"), events[0], AT)
        close = old.close

        def close_late():
            for _ in range(9):
                consumer._deliver(Delivery(old, 1, 1, received))
            close()

        old.close = close_late
        consumer._overflowed.set()
        consumer._nudge()
        wait_until(lambda: consumer._uplink not in (None, old) and consumer.status().connected)
        assert consumer.status().overflowed > 0
        assert not consumer._overflowed.is_set()


def test_a_commit_that_outlives_its_connection_is_receipted_on_the_next(broker, box, inbox, events):
    """And not acknowledged there: packet ids of an old connection are strangers'."""
    inbox.available.clear()
    with consuming(broker, inbox) as consumer:
        wait_until(lambda: consumer.status().connected)
        box.publish(topic("event"), events[0])
        wait_until(lambda: inbox.refusals > 0)
        consumer._uplink._client.socket().shutdown(2)
        wait_until(lambda: len(epochs(box)) == 2)
        inbox.available.set()
        wait_until(lambda: receipts(box) == [(1,)])


def test_a_broker_that_comes_late_is_waited_for(broker, inbox):
    broker.close()
    with consuming(broker, inbox) as consumer:
        wait_until(lambda: consumer.status().error)
        broker.start()
        wait_until(lambda: consumer.status().connected)
        assert consumer.status().error == ""


def test_closing_does_not_wait_for_a_store_that_is_away(broker, box, inbox, events):
    inbox.available.clear()
    with consuming(broker, inbox, store_first_s=30.0) as consumer:
        wait_until(lambda: consumer.status().connected)
        box.publish(topic("event"), events[0])
        wait_until(lambda: inbox.refusals == 1)
    assert (inbox.sequences(BOX), receipts(box)) == ([], [])
    assert not consumer.status().connected


@pytest.mark.mosquitto
@pytest.mark.parametrize("version_5", [False, True], ids=["3.1.1", "5"])
def test_a_session_that_was_kept_is_the_same_epoch(tmp_path, inbox, events, version_5):
    """With a session store in the broker a short cut costs no repeats."""
    broker = start_broker(tmp_path, BrokerKind.MOSQUITTO)
    uplink = replace(uplink_settings(broker), clean_session=False, version_5=version_5)
    settings = ConsumerSettings(uplink=uplink, reconnect_first_s=0.02)
    consumer = Consumer(settings, inbox, SystemClock())
    thread = threading.Thread(target=consumer.run)
    thread.start()
    with Visitor(broker, BOX, TOKEN) as visitor:
        visitor.subscribe(topic("receipt"), EPOCH)
        wait_until(lambda: consumer.status().connected)
        consumer._uplink._client.socket().shutdown(2)
        wait_until(lambda: not consumer.status().connected)
        visitor.publish(topic("event"), events[0])
        wait_until(lambda: receipts(visitor) == [(1,)])
        assert len(epochs(visitor)) == 1
    consumer.close()
    thread.join()
    broker.close()


class AskingOnce:
    """Misses something of one box, once; it may be asked again in ten minutes."""

    def __init__(self):
        self.left = [
            Resend(REGION, BOX, UUID(int=1), 1, 2, SystemClock().now() + timedelta(minutes=10))
        ]

    def due(self):
        due, self.left = self.left, []
        return due


@pytest.mark.mosquitto
@pytest.mark.parametrize("version_5", [False, True], ids=["3.1.1", "5"])
def test_receipts_and_commands_expire_at_a_broker_that_can(tmp_path, inbox, events, version_5):
    broker = start_broker(tmp_path, BrokerKind.MOSQUITTO)
    uplink = replace(uplink_settings(broker), version_5=version_5)
    with Visitor(broker, BOX, TOKEN, protocol=mqtt.MQTTv5) as visitor:
        visitor.subscribe(topic("receipt"), topic("command"))
        with consuming(broker, inbox, uplink=uplink, pursuer=AskingOnce()) as consumer:
            wait_until(lambda: consumer.status().connected)
            visitor.publish(topic("event"), events[0])
            wait_until(lambda: len(visitor.messages) == 2)
        expiry = {
            where.rpartition("/")[2]: seconds
            for (where, _), seconds in zip(visitor.messages, visitor.expiries, strict=True)
        }
    broker.close()
    if not version_5:
        assert expiry == {"receipt": None, "command": None}
    else:
        assert 290 <= expiry["receipt"] <= 300
        assert 590 <= expiry["command"] <= 600
