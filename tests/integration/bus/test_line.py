"""From an alert's commit on the box to its receipt, over real brokers."""

import os
import signal
import socket

import pytest

from protocol.codec import decode
from protocol.messages import HeartbeatMessage, StateMessage
from tests.support.desk_box import BOX
from tests.support.inbox import FakeInbox
from tests.support.line import (
    EVERY_BROKER,
    IMPATIENT,
    PATIENT,
    SendingBox,
    consuming,
    start_broker,
)
from tests.support.waiting import wait_until

pytestmark = EVERY_BROKER


@pytest.fixture
def broker(tmp_path, kind):
    started = start_broker(tmp_path, kind)
    yield started
    started.close()


@pytest.fixture
def inbox():
    made = FakeInbox()
    yield made
    made.close()


def states(inbox):
    return [decode(payload) for payload in inbox.others("state")]


def test_an_alert_arrives_and_its_receipt_clears_the_outbox(broker, inbox, tmp_path):
    with consuming(broker, inbox) as consumer, SendingBox(tmp_path / "box", broker) as box:
        # An epoch that comes once the box is there makes it send again, rightly.
        wait_until(lambda: consumer.status().connected)
        box.sender.start()
        box.wait_connected()
        box.report(5)
        box.wait_cleared()
        assert inbox.sequences(BOX) == [1, 2, 3, 4, 5]
        assert box.sender.status().sent_again == 0


def test_no_message_waits_for_a_delayed_ack(broker, inbox, tmp_path):
    with consuming(broker, inbox) as consumer, SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        box.wait_connected()
        wait_until(lambda: consumer.status().connected)
        for client in (box.sender._link._client, consumer._uplink._client):
            assert client.socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_alerts_reported_before_the_first_connection_arrive(broker, inbox, tmp_path):
    with SendingBox(tmp_path / "box", broker) as box:
        box.report(3)
        box.sender.start()
        with consuming(broker, inbox):
            box.wait_cleared()
        assert inbox.sequences(BOX) == [1, 2, 3]


def test_a_consumer_that_starts_later_gets_everything_at_once(broker, inbox, tmp_path):
    """The epoch, not the resend timer, brings what was sent to nobody (protocol I5)."""
    with SendingBox(tmp_path / "box", broker, timing=PATIENT) as box:
        box.sender.start()
        box.wait_connected()
        box.report(3)
        wait_until(lambda: box.sender.status().sent == 3)
        with consuming(broker, inbox):
            box.wait_cleared()
        assert inbox.sequences(BOX) == [1, 2, 3]


def test_a_backlog_larger_than_the_window_drains_without_repeats(broker, inbox, tmp_path):
    with SendingBox(tmp_path / "box", broker) as box:
        box.report(300)
        with consuming(broker, inbox) as consumer:
            wait_until(lambda: consumer.status().connected)
            box.sender.start()
            box.wait_cleared()
        assert inbox.sequences(BOX) == list(range(1, 301))
        assert inbox.duplicates() == 0


def test_a_killed_and_restarted_broker_loses_and_doubles_nothing(broker, inbox, tmp_path):
    with consuming(broker, inbox), SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        box.report(5)
        box.wait_connected()
        os.kill(broker.pid, signal.SIGKILL)
        wait_until(lambda: not broker.alive)
        box.report(5)
        broker.start()
        box.report(5)
        box.wait_cleared()
        assert inbox.sequences(BOX) == list(range(1, 16))
        assert inbox.event_ids(BOX) == [event["event_id"] for event in _events(box)]


def test_a_store_that_was_away_gets_everything_and_nothing_was_receipted(broker, inbox, tmp_path):
    with consuming(broker, inbox), SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        box.wait_connected()
        inbox.available.clear()
        box.report(4)
        wait_until(lambda: inbox.refusals >= 3)
        assert (box.outbox.load().rows, box.sender.status().receipted) == (4, 0)
        inbox.available.set()
        box.wait_cleared()
        assert inbox.sequences(BOX) == [1, 2, 3, 4]


def test_the_centre_hears_birth_heartbeat_and_farewell(broker, inbox, tmp_path):
    with consuming(broker, inbox):
        with SendingBox(tmp_path / "box", broker) as box:
            box.sender.start()
            wait_until(lambda: inbox.others("heartbeat") and states(inbox))
        wait_until(lambda: not states(inbox)[-1].data.online)
        first, last = states(inbox)[0], states(inbox)[-1]
        assert isinstance(first, StateMessage)
        assert (first.source, first.data.box_name) == (f"/boxes/{BOX}", "老寨村值班室")
        assert (first.data.online, last.data.online) == (True, False)
        beat = decode(inbox.others("heartbeat")[0])
        assert isinstance(beat, HeartbeatMessage)
        assert (beat.data.disk_free_bytes, beat.data.outbox_rows) == (1000, 0)


def test_a_box_that_vanishes_is_reported_by_its_last_will(broker, inbox, tmp_path):
    with consuming(broker, inbox), SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        wait_until(lambda: states(inbox))
        # Cut the wire under paho: no farewell. The box is back at once and says so.
        box.sender._link._client.socket().shutdown(2)
        wait_until(lambda: [each.data.online for each in states(inbox)][-2:] == [False, True])


def test_changed_cameras_are_told(broker, inbox, tmp_path):
    with consuming(broker, inbox), SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        wait_until(lambda: states(inbox))
        before = len(states(inbox))
        box.sender.cameras_changed()
        wait_until(lambda: len(states(inbox)) > before)


def test_what_nobody_answers_is_sent_again_after_a_while(broker, inbox, tmp_path):
    with SendingBox(tmp_path / "box", broker, timing=IMPATIENT) as box:
        box.sender.start()
        box.report(1)
        wait_until(lambda: box.sender.status().sent_again >= 2)
        with consuming(broker, inbox):
            box.wait_cleared()
        assert inbox.sequences(BOX) == [1]


def test_a_new_connection_sends_everything_again_at_once(broker, tmp_path):
    with SendingBox(tmp_path / "box", broker, timing=PATIENT) as box:
        box.sender.start()
        box.report(3)
        wait_until(lambda: box.sender.status().sent == 3)
        box.sender._link._client.socket().shutdown(2)
        wait_until(lambda: box.sender.status().sent == 6)


def test_a_message_that_breaks_the_inbox_stops_no_other(broker, inbox, tmp_path):
    with consuming(broker, inbox) as consumer, SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        box.report(3)
        box.wait_cleared()
        inbox.poison = b'"sequence":"0000000000000000005",'
        box.report(4)
        wait_until(lambda: box.outbox.load().rows == 1)
        assert inbox.sequences(BOX) == [1, 2, 3, 4, 6, 7]
        assert consumer.status().refused >= 1


def _events(box):
    with box.database.reading() as connection:
        return connection.execute("select event_id from outbox order by seq").fetchall()
