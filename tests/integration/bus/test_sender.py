"""The bus on its own: refusals, silence, strange messages, closing."""

import shutil
import socket
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from edge.bus.sender import LOOPBACK, Timing
from edge.bus.window import Patience
from edge.errors import ConfigError
from protocol.codec import encode
from protocol.ids import uuid7
from protocol.messages import (
    EpochData,
    EpochMessage,
    ReceiptData,
    ReceiptMessage,
    ResendData,
    ResendMessage,
)
from protocol.topics import CENTRE_USER, EPOCH, ROOT, UPLINK_FILTERS, Leaf
from tests.support.desk_box import BOX, REGION
from tests.support.inbox import FakeInbox
from tests.support.line import (
    CENTRE_TOKEN,
    PATIENT,
    QUICK,
    SendingBox,
    Visitor,
    consuming,
    start_broker,
)
from tests.support.waiting import wait_until
from village.broker.broker import BrokerKind
from village.broker.mosquitto import find_mosquitto

AT = datetime(2026, 11, 22, tzinfo=UTC)
RECEIPT = f"tanshao/v1/{REGION}/{BOX}/receipt"
COMMAND = f"tanshao/v1/{REGION}/{BOX}/command"


@pytest.fixture
def broker(tmp_path):
    started = start_broker(tmp_path, BrokerKind.EMBEDDED)
    yield started
    started.close()


@pytest.fixture
def centre(broker):
    with Visitor(broker, CENTRE_USER, CENTRE_TOKEN) as visitor:
        visitor.subscribe(UPLINK_FILTERS[0])
        yield visitor


def receipt(box, *sequences):
    """Return a receipt for what a box has in its outbox."""
    return receipt_for(box.outbox.load().outbox_id, *sequences)


def receipt_for(outbox_id, *sequences):
    data = ReceiptData(outbox_id=outbox_id, sequences=sequences)
    return encode(ReceiptMessage(id=uuid7(AT), source="/centre", time=AT, data=data))


def epoch():
    data = EpochData(epoch=uuid7(AT))
    return encode(EpochMessage(id=uuid7(AT), source="/centre", time=AT, data=data))


def resend(outbox_id, first, last):
    # Its deadline is long over, by this box's clock: it says nothing about what to do.
    data = ResendData(outbox_id=outbox_id, first=first, last=last, deadline=AT)
    return encode(ResendMessage(id=uuid7(AT), source="/centre", time=AT, data=data))


class BrokenVitals:
    def vitals(self):
        raise RuntimeError("no vitals today")


def test_a_wrong_token_is_said_and_tried_again_for_ever(broker, tmp_path):
    with SendingBox(tmp_path / "box", broker, token="wrong") as box:
        box.sender.start()
        wait_until(lambda: "refused" in box.sender.status().error)
        assert not box.sender.status().connected


def test_a_broker_that_is_away_is_waited_for(broker, tmp_path):
    broker.close()
    with SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        wait_until(lambda: box.sender.status().error)
        broker.start()
        box.wait_connected()
        assert box.sender.status().error == ""


def test_a_missing_token_is_a_configuration_error(broker, tmp_path):
    with SendingBox(tmp_path / "box", broker) as box:
        (tmp_path / "box" / "token").unlink()
        with pytest.raises(ConfigError, match="token"):
            box.sender.start()


def test_receipts_clear_only_rows_that_were_sent(broker, centre, tmp_path):
    with SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        box.report(2)
        wait_until(lambda: len(centre.messages) == 2)
        centre.publish(RECEIPT, receipt(box, 2, 7, 99))
        wait_until(lambda: box.sender.status().receipted == 1)
        assert (box.sender.status().stray_receipts, box.outbox.load().rows) == (2, 1)


def test_it_says_how_long_a_receipt_is_awaited_and_nothing_where_none_is(broker, centre, tmp_path):
    with SendingBox(tmp_path / "box", broker) as box:
        assert box.sender.awaited_s() == 0
        box.sender.start()
        box.wait_connected()
        assert box.sender.awaited_s() == 0
        box.report()
        wait_until(lambda: box.sender.awaited_s() > 0.05)
        centre.publish(RECEIPT, receipt(box, 1))
        wait_until(lambda: box.sender.awaited_s() == 0)


def test_a_receipt_for_another_outbox_clears_nothing(broker, centre, tmp_path):
    with SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        box.report(1)
        wait_until(lambda: centre.messages)
        centre.publish(RECEIPT, receipt_for(uuid4(), 1))
        wait_until(lambda: box.sender.status().stray_receipts == 1)
        assert box.outbox.load().rows == 1
        centre.publish(RECEIPT, receipt(box, 1))
        box.wait_cleared()


def test_what_is_older_than_a_minute_goes_as_historical_and_byte_by_byte_the_same(broker, tmp_path):
    with Visitor(broker, CENTRE_USER, CENTRE_TOKEN) as centre:
        centre.subscribe(f"{ROOT}/+/+/{Leaf.EVENT}")
        centre.subscribe(f"{ROOT}/+/+/{Leaf.HISTORICAL}")
        with SendingBox(tmp_path / "box", broker) as box:
            box.report(2)
            with box.database.transaction() as connection:
                connection.execute(
                    "update outbox set created_us = created_us - 61000000 where seq = 1"
                )
            stored = [parcel.payload for parcel in box.outbox.parcels((1, 2))]
            box.sender.start()
            wait_until(lambda: len({payload for _, payload in centre.messages}) == 2)
        leaf = {payload: topic.rpartition("/")[2] for topic, payload in centre.messages}
    assert [leaf[payload] for payload in stored] == ["historical", "event"]


def test_what_has_its_receipt_is_not_sent_again_while_the_disk_refuses(broker, centre, tmp_path):
    hasty = replace(QUICK, patience=Patience(first_s=0.1, cap_s=0.1))
    with SendingBox(tmp_path / "box", broker, timing=hasty) as box:
        box.report(3)
        with box.database.transaction() as connection:
            connection.execute(
                "create trigger full before update on outbox begin select raise(abort, 'full'); end"
            )
        box.sender.start()
        wait_until(lambda: len({payload for _, payload in centre.messages}) == 3)
        centre.publish(RECEIPT, receipt(box, 1, 2, 3))
        centre.publish(RECEIPT, receipt(box, 98))
        wait_until(lambda: box.sender.status().stray_receipts >= 1)
        sent = box.sender.status().sent
        centre.publish(RECEIPT, receipt(box, 99))
        wait_until(lambda: box.sender.status().stray_receipts >= 2)
        with box.database.transaction() as connection:
            connection.execute("drop trigger full")
        box.wait_cleared()  # nothing but that one receipt was ever heard of them
        assert (box.sender.status().sent, box.sender.status().receipted) == (sent, 3)


def test_what_the_centre_asks_for_again_is_sent_again_byte_by_byte(broker, centre, tmp_path):
    with SendingBox(tmp_path / "box", broker, timing=PATIENT) as box:
        box.sender.start()
        box.report(3)
        wait_until(lambda: len(centre.messages) == 3)
        centre.publish(RECEIPT, receipt(box, 1, 2, 3))
        box.wait_cleared()
        centre.publish(COMMAND, resend(box.outbox.load().outbox_id, 2, 99))
        wait_until(lambda: len(centre.messages) == 5)
        assert centre.messages[3:] == centre.messages[1:3]
        assert (box.sender.status().commands, box.sender.status().reopened) == (1, 2)
        centre.publish(RECEIPT, receipt(box, 2, 3))
        box.wait_cleared()


def test_what_is_asked_of_another_outbox_is_not_sent(broker, centre, tmp_path):
    with SendingBox(tmp_path / "box", broker, timing=PATIENT) as box:
        box.sender.start()
        box.report(1)
        wait_until(lambda: centre.messages)
        centre.publish(RECEIPT, receipt(box, 1))
        box.wait_cleared()
        centre.publish(COMMAND, resend(uuid4(), 1, 1))
        wait_until(lambda: box.sender.status().commands == 1)
        assert (box.sender.status().reopened, box.outbox.load().rows) == (0, 0)


def test_a_refused_disk_leaves_a_command_undone_and_the_bus_alive(broker, centre, tmp_path):
    with SendingBox(tmp_path / "box", broker, timing=PATIENT) as box:
        box.sender.start()
        box.report(1)
        wait_until(lambda: centre.messages)
        centre.publish(RECEIPT, receipt(box, 1))
        box.wait_cleared()
        with box.database.transaction() as connection:
            connection.execute(
                "create trigger full before update on outbox begin select raise(abort, 'full'); end"
            )
        ours = box.outbox.load().outbox_id
        centre.publish(COMMAND, resend(ours, 1, 1))
        centre.publish(RECEIPT, receipt(box, 99))  # heard after it
        wait_until(lambda: box.sender.status().stray_receipts == 1)
        assert (box.sender.status().commands, box.sender.status().reopened) == (1, 0)
        with box.database.transaction() as connection:
            connection.execute("drop trigger full")
        centre.publish(COMMAND, resend(ours, 1, 1))
        wait_until(lambda: len(centre.messages) == 2)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (RECEIPT, b"junk"),
        (RECEIPT, epoch()),
        (RECEIPT, resend(uuid4(), 1, 1)),
        (COMMAND, receipt_for(uuid4(), 1)),
        (EPOCH, receipt_for(uuid4(), 1)),
    ],
)
def test_what_does_not_belong_there_is_counted_and_harmless(
    broker, centre, tmp_path, topic, payload
):
    with SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        box.report(1)
        wait_until(lambda: centre.messages)
        centre.publish(topic, payload)
        wait_until(lambda: box.sender.status().bad_messages == 1)
        centre.publish(RECEIPT, receipt(box, 1))
        box.wait_cleared()


def test_an_epoch_that_was_there_before_us_is_no_news(broker, centre, tmp_path):
    centre.publish(EPOCH, epoch(), retain=True)
    with SendingBox(tmp_path / "box", broker, timing=PATIENT) as box:
        box.report(1)
        box.sender.start()
        wait_until(lambda: centre.messages)
        centre.publish(EPOCH, epoch(), retain=True)  # and this one is
        wait_until(lambda: len(centre.messages) == 2)
        wait_until(lambda: box.sender.status().sent_again == 1)  # counted once it is on its way
        assert box.sender.status().sent == 2


def test_epochs_that_follow_one_another_make_it_send_again_once(broker, centre, tmp_path):
    """As several consumers give them, when all of them begin anew."""
    timing = replace(PATIENT, epoch_gap_s=600.0)
    with SendingBox(tmp_path / "box", broker, timing=timing) as box:
        box.report(1)
        box.sender.start()
        wait_until(lambda: centre.messages)
        centre.publish(EPOCH, epoch())
        wait_until(lambda: len(centre.messages) == 2)
        for _ in range(3):
            centre.publish(EPOCH, epoch())
        centre.publish(RECEIPT, receipt(box, 1))
        box.wait_cleared()
        assert (box.sender.status().sent, len(centre.messages)) == (2, 2)


def test_silence_makes_it_connect_anew(broker, centre, tmp_path):
    timing = replace(PATIENT, silence_s=0.3)
    with SendingBox(tmp_path / "box", broker, timing=timing) as box:
        box.sender.start()
        box.report(1)
        wait_until(lambda: len(centre.messages) >= 2)
        centre.publish(RECEIPT, receipt(box, 1))
        box.wait_cleared()


def test_silence_without_anything_to_answer_is_no_reason(broker, tmp_path):
    timing = Timing(silence_s=0.05, heartbeat_s=0.05)
    inbox = FakeInbox()
    with (
        consuming(broker, inbox),
        SendingBox(tmp_path / "box", broker, timing=timing) as box,
    ):
        box.sender.start()
        box.wait_connected()
        since = box.sender.status().since
        wait_until(lambda: len(inbox.others("heartbeat")) >= 5)
        assert box.sender.status().since == since
    inbox.close()


def test_broken_vitals_do_not_stop_alerts(broker, centre, tmp_path):
    with SendingBox(tmp_path / "box", broker, vitals=BrokenVitals()) as box:
        box.sender.start()
        box.report(1)
        wait_until(lambda: centre.messages)


def test_closing_before_starting_and_twice_is_harmless(broker, tmp_path):
    with SendingBox(tmp_path / "box", broker) as box:
        box.sender.close()
        box.sender.close()


def test_starting_twice_is_starting_once(broker, centre, tmp_path):
    with SendingBox(tmp_path / "box", broker) as box:
        box.sender.start()
        box.sender.start()
        box.report(1)
        wait_until(lambda: centre.messages)
        assert box.sender.status().sent == 1


@pytest.mark.mosquitto
def test_mqtt_5_works_the_same(tmp_path):
    broker = start_broker(tmp_path, BrokerKind.MOSQUITTO)
    inbox = FakeInbox()
    with consuming(broker, inbox), SendingBox(tmp_path / "box", broker, version_5=True) as box:
        box.sender.start()
        box.report(3)
        box.wait_cleared()
        assert inbox.sequences(BOX) == [1, 2, 3]
    inbox.close()
    broker.close()


#: paho leaves the socket of a failed handshake to its finalizer, which closes it with a warning.
FAILED_HANDSHAKE = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*SSLSocket:pytest.PytestUnraisableExceptionWarning"
)


class TlsMosquitto:
    """A Mosquitto with a certificate of its own, beside a plain one whose users it shares."""

    host = "127.0.0.1"

    def __init__(self, folder, plain):
        self.certificate = folder / "certificate.pem"
        key = folder / "key.pem"
        subprocess.run(
            [
                *(
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                ),
                *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-keyout", key),
                *("-out", self.certificate, "-addext", "subjectAltName=IP:127.0.0.1"),
            ],
            check=True,
            capture_output=True,
        )
        with socket.socket() as probe:
            probe.bind((self.host, 0))
            self.port = probe.getsockname()[1]
        text = (folder / "broker" / "mosquitto.conf").read_text()
        configuration = folder / "tls.conf"
        configuration.write_text(
            text.replace(f"listener {plain.port}", f"listener {self.port}").replace(
                "persistence true", "persistence false"
            )
            + f"certfile {self.certificate}\nkeyfile {key}\n"
        )
        daemon = find_mosquitto().daemon
        self.process = subprocess.Popen([daemon, "-c", configuration], stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait()


@FAILED_HANDSHAKE
@pytest.mark.mosquitto
def test_over_tls_it_sends_to_a_broker_it_can_verify_and_to_no_other(tmp_path, monkeypatch):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    plain = start_broker(tmp_path, BrokerKind.MOSQUITTO)
    secure = TlsMosquitto(tmp_path, plain)
    with SendingBox(tmp_path / "box", secure, tls=True) as box:
        box.sender.start()
        wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in box.sender.status().error)
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate))
    with SendingBox(tmp_path / "box", secure, tls=True) as box:
        box.sender.start()
        box.wait_connected()
    secure.close()
    plain.close()


@FAILED_HANDSHAKE
def test_a_broker_without_tls_is_an_error_and_not_a_plain_connection(broker, tmp_path):
    with SendingBox(tmp_path / "box", broker, tls=True) as box:
        box.sender.start()
        wait_until(lambda: box.sender.status().error)
        assert not box.sender.status().connected


def test_on_loopback_a_restart_costs_seconds_at_most():
    assert LOOPBACK.reconnect.after(99, 0.99) < 8
