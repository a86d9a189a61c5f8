"""Several consumers of one centre: a real Mosquitto, a real PostgreSQL, and their boxes."""

import random
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr
from sqlalchemy import func, update

from central.auth.tokens import hash_token
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box, ConsumerGroup, Region
from central.delivery.views import outbox_views
from central.ingest.group import DatabaseGroup
from central.ingest.inbox import DatabaseInbox
from central.ports import Received
from protocol.clock import SystemClock
from protocol.topics import EPOCH, BoxTopic, Leaf, replica_user, shared_filters
from tests.support.desk_box import BOX, REGION, TOKEN, occurrence, open_desk
from tests.support.inbox import FakeInbox
from tests.support.line import (
    CREDENTIALS,
    OTHER,
    OTHER_TOKEN,
    PATIENT,
    SendingBox,
    Visitor,
    consuming,
    start_broker,
    uplink_settings,
)
from tests.support.postgres import running_postgres
from tests.support.waiting import wait_until
from tests.support.xiacun import DEADLINES
from village.broker.broker import Broker, BrokerKind
from village.broker.mosquitto import find_mosquitto

pytestmark = [pytest.mark.mosquitto, pytest.mark.postgres]

REPLICAS = (1, 2, 3)
#: Its resend timer outlasts the test, and it obeys an epoch at once: what comes again has a cause.
PATIENT_BOX = replace(PATIENT, heartbeat_s=0.1, epoch_gap_s=0.0)


@pytest.fixture(scope="module")
def postgres():
    with running_postgres() as server:
        yield server


@pytest.fixture
def database(postgres):
    opened = Database(postgres.new_database())
    migrate(opened, SystemClock())
    with opened.write() as session:
        session.add(Region(code=REGION, name="老寨"))
        session.flush()
        session.add(
            Box(id=BOX, region_code=REGION, name="老寨主机", token_sha256=hash_token(TOKEN))
        )
    yield opened
    opened.close()


@pytest.fixture
def broker(tmp_path):
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    replicas = {replica_user(number): SecretStr(token(number)) for number in REPLICAS}
    started = Broker(tmp_path / "broker", CREDENTIALS | replicas, kind=BrokerKind.MOSQUITTO)
    started.start()
    yield started
    started.close()


@pytest.fixture
def line(broker, database):
    with ExitStack() as stack:
        yield Line(stack, broker, database)


@pytest.fixture
def box(broker, tmp_path):
    with SendingBox(tmp_path / "box", broker, timing=PATIENT_BOX) as running:
        running.sender.start()
        running.wait_connected()
        yield running


@pytest.fixture
def hanging(line):
    """An inbox that takes no alert until its test ends."""
    made = Hanging()
    yield made
    made.let_go.set()


def token(number):
    return f"token-of-the-consumer-{number}"


class Line:
    """A centre's consumers, as many as a test starts; all of them end with it."""

    def __init__(self, stack, broker, database):
        self._stack, self._broker, self._database = stack, broker, database

    def inbox(self):
        return DatabaseInbox(self._database, SystemClock(), DEADLINES)

    def start(self, number, *, inbox=None, pursuer=None):
        """Start a consumer that goes on until the test ends; wait until it is there."""
        running = self.running(number, inbox=inbox, pursuer=pursuer)
        return self._stack.enter_context(running)

    @contextmanager
    def running(self, number, *, inbox=None, pursuer=None):
        group = DatabaseGroup(self._database, replica_user(number))
        settings = replace(
            uplink_settings(self._broker),
            version_5=True,
            username=replica_user(number),
            password=SecretStr(token(number)),
            share=group.share(),
        )
        with consuming(
            self._broker,
            inbox or self.inbox(),
            pursuer=pursuer,
            lease=group,
            uplink=settings,
            lease_every_s=0.05,
            pursue_every_s=0.05,
        ) as consumer:
            wait_until(lambda: consumer.status().connected)
            yield consumer

    def ledger(self):
        with self._database.read() as session:
            (view,) = outbox_views(session, SystemClock().now())
        return view

    def box_state(self):
        with self._database.read() as session:
            return session.get_one(Box, BOX)


class Hanging:
    """An inbox that does not come back from its first alert until it is let go."""

    def __init__(self):
        self.holds, self.let_go = threading.Event(), threading.Event()

    def commit(self, batch):
        if any(received.topic.endswith(Leaf.EVENT) for received in batch):
            self.holds.set()
            self.let_go.wait()
        return ()


class Pursuing:
    """Counts how often it is asked what is missing."""

    def __init__(self):
        self.times = 0

    def due(self):
        self.times += 1
        return ()


def test_each_alert_goes_to_one_of_them_and_the_ledger_is_whole(line, box):
    consumers = [line.start(number) for number in REPLICAS]
    box.report(60)
    box.wait_cleared(30)
    assert all(consumer.status().committed > 0 for consumer in consumers)
    row = line.ledger()
    assert (row.received, row.complete_to, row.missing, row.broken_at) == (60, 60, 0, None)


def test_one_of_them_reads_what_boxes_say_and_asks_for_what_is_missing(line, box):
    asked = {number: Pursuing() for number in REPLICAS}
    consumers = {number: line.start(number, pursuer=asked[number]) for number in REPLICAS}
    wait_until(lambda: any(each.status().leads for each in consumers.values()))
    wait_until(lambda: line.box_state().online)
    wait_until(lambda: any(each.times >= 3 for each in asked.values()))
    leaders = [number for number, each in consumers.items() if each.status().leads]
    assert len(leaders) == 1
    assert [number for number, each in asked.items() if each.times] == leaders


def test_when_the_one_that_leads_goes_another_reads_the_states_that_are_retained(
    line, broker, tmp_path
):
    follower = FakeInbox()
    with line.running(1) as first:
        wait_until(lambda: first.status().leads)
        second = line.start(2, inbox=follower)
        with SendingBox(tmp_path / "box", broker) as box:
            box.sender.start()
            box.wait_connected()
            wait_until(lambda: line.box_state().online)
        wait_until(lambda: not line.box_state().online)  # it took its leave
        assert follower.others(Leaf.STATE) == []
    wait_until(lambda: second.status().leads)
    wait_until(lambda: len(follower.others(Leaf.STATE)) == 1)
    follower.close()


def test_a_leader_that_died_is_followed_when_its_term_is_over(line, database):
    dead = DatabaseGroup(database, replica_user(9))
    dead.share()
    assert dead.keep()
    consumer = line.start(1)
    assert not consumer.status().leads
    with database.write() as session:
        session.execute(update(ConsumerGroup).values(leads_until=func.now()))
    wait_until(lambda: consumer.status().leads)


def test_a_lease_is_ones_until_it_gives_it_back(database):
    first, second = (DatabaseGroup(database, replica_user(number)) for number in (1, 2))
    assert first.share() == second.share()
    assert [first.keep(), second.keep(), first.keep()] == [True, False, True]
    second.release()  # of what is not its own nothing
    assert not second.keep()
    first.release()
    assert [second.keep(), first.keep()] == [True, False]


def test_what_a_consumer_had_when_its_connection_broke_the_others_get_at_once(line, box, hanging):
    """Its last will is a new epoch: no box waits for a timer, which here takes ten minutes."""
    line.start(2)
    dying = line.start(1, inbox=hanging)
    report_until(box, hanging.holds)
    dying._uplink._client.socket().shutdown(2)
    box.wait_cleared()
    assert line.ledger().missing == 0


def test_what_a_consumer_had_when_it_was_stopped_the_others_get_at_once(line, box, hanging):
    line.start(2)
    with line.running(1, inbox=hanging):
        report_until(box, hanging.holds)
        hanging.let_go.set()
    box.wait_cleared()
    assert line.ledger().missing == 0


def test_whoever_else_joins_a_share_by_name_takes_nothing_from_it(line, broker, box):
    """Mosquitto lets a box join any share whose name it knows, and loses what it may not read."""
    consumer = line.start(1)
    with Visitor(broker, OTHER, OTHER_TOKEN) as thief:
        thief.subscribe(*shared_filters("centre"))
        box.report(20)
        box.wait_cleared()
        assert thief.messages == []
    assert consumer.status().committed >= 20


def test_the_embedded_broker_says_that_it_is_none_for_several(tmp_path):
    embedded = start_broker(tmp_path, BrokerKind.EMBEDDED)
    settings = replace(uplink_settings(embedded), version_5=True, share="s")
    with consuming(embedded, FakeInbox(), uplink=settings) as consumer:
        wait_until(lambda: "this broker does not speak MQTT 5" in consumer.status().error)
    embedded.close()


def test_every_consumer_that_comes_is_a_new_epoch_and_so_is_every_one_that_goes(line, broker):
    with Visitor(broker, BOX, TOKEN) as visitor:
        visitor.subscribe(EPOCH)
        with line.running(1), line.running(2):
            wait_until(lambda: len(visitor.messages) == 2)
        wait_until(lambda: len(visitor.messages) == 4)
        assert len({payload for _, payload in visitor.messages}) == 4


@pytest.mark.parametrize("seed", range(3))
def test_two_that_commit_events_of_one_box_at_once_leave_its_chain_whole(
    line, tmp_path, database, seed
):
    events = encoded_events(tmp_path / "box.sqlite3", 60)
    deal = random.Random(seed)
    # Some come to both, as they do after a new epoch.
    hands = [[event for event in events if deal.random() < 0.7] for _ in range(2)]
    hands[0] += [event for event in events if not any(event in hand for hand in hands)]
    for hand in hands:
        deal.shuffle(hand)
    together = threading.Barrier(2)

    def commit(hand):
        inbox = line.inbox()
        together.wait()
        while hand:
            size = 1 + deal.randrange(7)
            batch, hand[:] = hand[:size], hand[size:]
            inbox.commit([Received(topic(), event, SystemClock().now()) for event in batch])

    repeated = sum(map(len, hands)) - len(events)
    workers = [threading.Thread(target=commit, args=(hand,)) for hand in hands]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    row = line.ledger()
    assert (row.received, row.repeated, row.complete_to) == (60, repeated, 60)
    assert (row.missing, row.broken_at, row.quarantined, row.doubled) == (0, None, 0, 0)


def report_until(box, happened):
    """Let a box report, one alert after the other: the consumers have them by turns."""

    def reports():
        box.report(2)
        return happened.wait(0.05)

    wait_until(reports)


def topic():
    return str(BoxTopic(REGION, BOX, Leaf.EVENT))


def encoded_events(path, count):
    box = open_desk(path, SystemClock())
    for number in range(count):
        box.desk.report(occurrence(region_id=f"r{number}"))
    payloads = [parcel.payload for parcel in box.outbox.parcels(range(1, count + 1))]
    box.database.close()
    return payloads
