"""The Mosquitto of a town, as configs/ has it, with a box, the centre and strangers at its door."""

from dataclasses import replace

import paho.mqtt.client as mqtt
import pytest
from pydantic import SecretStr

from protocol.codec import MAX_PAYLOAD_BYTES
from protocol.topics import CENTRE_USER, ROOT, UPLINK_FILTERS, BoxTopic, Leaf, replica_user
from tests.support.desk_box import BOX, REGION, TOKEN
from tests.support.inbox import FakeInbox
from tests.support.line import (
    CENTRE_TOKEN,
    CREDENTIALS,
    OTHER,
    OTHER_TOKEN,
    SendingBox,
    Visitor,
    consuming,
    uplink_settings,
)
from tests.support.tools import ROOT as PROJECT
from tests.support.town_broker import TownBroker, make_certificate
from tests.support.waiting import wait_until
from village.broker.acl import mosquitto_acl
from village.broker.mosquitto import PACKET_HEAD_BYTES

pytestmark = pytest.mark.mosquitto

SHARE = "a-word-that-no-box-knows"
BOTH_VERSIONS = pytest.mark.parametrize("version_5", [False, True], ids=["3.1.1", "5"])
#: paho leaves the socket of a failed handshake to its finalizer, which closes it with a warning.
FAILED_HANDSHAKE = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*SSLSocket:pytest.PytestUnraisableExceptionWarning"
)


def topic(leaf, box=BOX):
    return str(BoxTopic(REGION, box, leaf))


@pytest.fixture
def town(tmp_path):
    replicas = {replica_user(number): SecretStr(CENTRE_TOKEN) for number in (1, 2)}
    with TownBroker(tmp_path / "town", CREDENTIALS | replicas) as broker:
        yield broker


@pytest.fixture
def inbox():
    made = FakeInbox()
    yield made
    made.close()


def visitor(town, user, token, **client):
    return Visitor(town, user, token, ca_file=town.ca_file, **client)


def secure(town, **changes):
    return replace(uplink_settings(town), tls=True, ca_file=town.ca_file, **changes)


def sending(town, folder, **settings):
    return SendingBox(folder, town, tls=True, **({"ca_file": town.ca_file} | settings))


@BOTH_VERSIONS
def test_a_box_and_the_centre_meet_there_over_tls(town, inbox, tmp_path, version_5):
    with (
        consuming(town, inbox, uplink=secure(town, version_5=version_5)) as consumer,
        sending(town, tmp_path / "box", version_5=version_5) as box,
    ):
        wait_until(lambda: consumer.status().connected)
        box.sender.start()
        box.report(5)
        box.wait_cleared()
        wait_until(lambda: inbox.others(Leaf.STATE) and inbox.others(Leaf.HEARTBEAT))
        assert inbox.sequences(BOX) == [1, 2, 3, 4, 5]
        assert box.sender.status().refused == 0
    protocol = "p5" if version_5 else "p2"
    for user in (BOX, CENTRE_USER):
        assert f"as {user} ({protocol}, c1" in town.said()


@BOTH_VERSIONS
def test_a_box_can_neither_write_nor_read_what_is_another_boxs(town, version_5):
    protocol = mqtt.MQTTv5 if version_5 else mqtt.MQTTv311
    with (
        visitor(town, CENTRE_USER, CENTRE_TOKEN) as centre,
        visitor(town, BOX, TOKEN) as ours,
        visitor(town, OTHER, OTHER_TOKEN, protocol=protocol) as intruder,
    ):
        centre.subscribe(*UPLINK_FILTERS)
        ours.subscribe(topic(Leaf.RECEIPT), topic(Leaf.COMMAND))
        intruder.subscribe("#", topic(Leaf.RECEIPT), topic(Leaf.EVENT))
        for leaf in Leaf:
            intruder.publish(topic(leaf), b"forged")
        intruder.publish(topic(Leaf.EVENT, OTHER), b"its own")
        ours.publish(topic(Leaf.EVENT), b"ours")
        centre.publish(topic(Leaf.RECEIPT), b"for us")
        centre.publish(topic(Leaf.RECEIPT, OTHER), b"for it")
        wait_until(lambda: len(centre.messages) == 2 and ours.messages and intruder.messages)
        assert dict(centre.messages) == {
            topic(Leaf.EVENT, OTHER): b"its own",
            topic(Leaf.EVENT): b"ours",
        }
        assert ours.messages == [(topic(Leaf.RECEIPT), b"for us")]
        assert intruder.messages == [(topic(Leaf.RECEIPT, OTHER), b"for it")]
        # Only MQTT 5 has a word for it; to one that speaks 3.1.1 all seems well.
        assert intruder.refusals == (["Not authorized"] * len(Leaf) if version_5 else [])


@pytest.mark.parametrize(("user", "token"), [(BOX, "wrong"), ("nobody", TOKEN), (BOX, "")])
def test_who_has_not_the_password_is_not_let_in(town, user, token):
    with visitor(town, user, token) as stranger:
        wait_until(lambda: stranger.connected or stranger.disconnects)
        assert not stranger.admitted


def refusing(folder, rule):
    """Return a broker that lacks a rule, as one might that somebody set up by hand."""
    broker = TownBroker(folder, CREDENTIALS)
    text = broker.acl.read_text(encoding="utf-8")
    assert f"{rule}\n" in text
    broker.acl.write_text(text.replace(f"{rule}\n", ""), encoding="utf-8")
    return broker


def test_a_box_that_may_not_write_its_alerts_says_why_and_keeps_them(tmp_path, caplog):
    with (
        refusing(tmp_path / "town", f"pattern write {ROOT}/+/%u/event") as town,
        sending(town, tmp_path / "box", version_5=True) as box,
    ):
        box.report(3)
        box.sender.start()
        wait_until(lambda: box.sender.status().refused == 3)
        assert box.outbox.load().rows == 3
    said = [record.error for record in caplog.records if record.msg == "bus.refused"]
    assert len(said) == 1
    assert said[0].startswith("Not authorized (0x87): the rules (ACL) forbid it")


def test_a_centre_that_may_not_write_receipts_says_why(tmp_path, inbox, caplog):
    with (
        refusing(tmp_path / "town", f"topic write {ROOT}/+/+/receipt") as town,
        consuming(town, inbox, uplink=secure(town, version_5=True)),
        sending(town, tmp_path / "box") as box,
    ):
        box.report()
        box.sender.start()
        wait_until(lambda: "uplink.refused" in caplog.messages)
        assert box.outbox.load().rows == 1
    (record,) = (each for each in caplog.records if each.msg == "uplink.refused")
    assert record.reason.startswith("Not authorized (0x87): ")


def test_without_tls_there_is_no_way_in(town, tmp_path):
    with SendingBox(tmp_path / "box", town) as box:
        box.sender.start()
        wait_until(lambda: box.sender.status().error)
        assert not box.sender.status().connected


@FAILED_HANDSHAKE
def test_a_broker_of_another_authority_gets_no_password(town, inbox, tmp_path):
    (tmp_path / "other").mkdir()
    stranger, _ = make_certificate(tmp_path / "other")
    with (
        sending(town, tmp_path / "box", ca_file=stranger) as box,
        consuming(town, inbox, uplink=replace(secure(town), ca_file=stranger)) as consumer,
    ):
        box.sender.start()
        wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in box.sender.status().error)
        wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in consumer.status().error)
    assert "New client connected" not in town.said()


def test_a_missing_authority_is_named(town, inbox, tmp_path):
    none = tmp_path / "none.pem"
    with (
        sending(town, tmp_path / "box", ca_file=none) as box,
        consuming(town, inbox, uplink=replace(secure(town), ca_file=none)) as consumer,
    ):
        box.sender.start()
        words = f"{none}: No such file or directory"
        wait_until(lambda: words in box.sender.status().error)
        wait_until(lambda: words in consumer.status().error)


def test_consumers_with_a_number_share_a_boxs_alerts(town, inbox, tmp_path):
    first = secure(town, version_5=True, share=SHARE, username=replica_user(1))
    second = replace(first, username=replica_user(2))
    with (
        consuming(town, inbox, uplink=first) as one,
        consuming(town, inbox, uplink=second) as two,
        sending(town, tmp_path / "box") as box,
    ):
        wait_until(lambda: one.status().connected and two.status().connected)
        box.sender.start()
        box.wait_connected()
        box.report(20)
        box.wait_cleared()
        assert inbox.sequences(BOX) == list(range(1, 21))
        assert one.status().committed > 0
        assert two.status().committed > 0


def test_a_boxs_last_state_outlives_a_restart(town):
    with visitor(town, BOX, TOKEN) as box:
        box.publish(topic(Leaf.STATE), b"last", retain=True)
    town.stop()
    town.start()
    with visitor(town, CENTRE_USER, CENTRE_TOKEN) as centre:
        centre.subscribe(*UPLINK_FILTERS)
        wait_until(lambda: centre.messages)
        assert centre.messages == [(topic(Leaf.STATE), b"last")]


def test_a_message_as_long_as_any_of_ours_comes_through_and_a_longer_one_does_not(town):
    with visitor(town, CENTRE_USER, CENTRE_TOKEN) as centre:
        centre.subscribe(*UPLINK_FILTERS)
        with visitor(town, BOX, TOKEN, protocol=mqtt.MQTTv5) as box:
            box.publish(topic(Leaf.EVENT), b"x" * MAX_PAYLOAD_BYTES)
            wait_until(lambda: centre.messages)
            box.client.publish(topic(Leaf.EVENT), b"x" * (MAX_PAYLOAD_BYTES + 1), 1)
            wait_until(lambda: box.disconnects or box.refusals)
        with visitor(town, BOX, TOKEN) as box:
            box.publish(topic(Leaf.EVENT), b"after")
        wait_until(lambda: len(centre.messages) > 1)
        assert [len(payload) for _, payload in centre.messages] == [MAX_PAYLOAD_BYTES, 5]


def test_the_rules_are_those_that_every_broker_of_ours_has():
    text = (PROJECT / "configs/mosquitto.acl").read_text(encoding="utf-8")
    rules = [line for line in text.splitlines() if not line.startswith("#")]
    users = (CENTRE_USER, *(replica_user(number) for number in range(1, 10)))
    assert rules == mosquitto_acl(users).splitlines()


def test_the_limits_are_those_of_the_contract():
    text = (PROJECT / "configs/mosquitto.conf").read_text(encoding="utf-8")
    limits = dict(line.split(" ", 1) for line in text.splitlines() if line and line[0] != "#")
    assert int(limits["message_size_limit"]) == MAX_PAYLOAD_BYTES
    assert int(limits["max_packet_size"]) == MAX_PAYLOAD_BYTES + PACKET_HEAD_BYTES
