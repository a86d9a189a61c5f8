"""The broker as a child process: who gets in, who may do what, how it lives and dies."""

import logging
import os
import signal
import socket
import subprocess
import sys

import paho.mqtt.client as mqtt
import psutil
import pytest
from pydantic import SecretStr

from protocol.topics import CENTRE_USER, EPOCH, UPLINK_FILTERS, shared_filters
from tests.support.desk_box import BOX, REGION, TOKEN
from tests.support.line import (
    CENTRE_TOKEN,
    CREDENTIALS,
    EVERY_BROKER,
    OTHER,
    OTHER_TOKEN,
    Visitor,
    start_broker,
)
from tests.support.tools import ROOT
from tests.support.waiting import wait_until
from village.broker.broker import Broker, BrokerError, BrokerKind
from village.broker.mosquitto import find_mosquitto


def topic(leaf, box=BOX):
    return f"tanshao/v1/{REGION}/{box}/{leaf}"


@pytest.fixture
def broker(tmp_path, kind):
    started = start_broker(tmp_path, kind)
    yield started
    started.close()


def centre(broker):
    return Visitor(broker, CENTRE_USER, CENTRE_TOKEN)


def box(broker, **client):
    return Visitor(broker, BOX, TOKEN, **client)


def other(broker):
    return Visitor(broker, OTHER, OTHER_TOKEN)


@EVERY_BROKER
@pytest.mark.parametrize(
    ("user", "token"), [(BOX, "wrong"), (BOX, OTHER_TOKEN), ("nobody", TOKEN), (BOX, "")]
)
def test_a_wrong_token_is_refused(broker, user, token):
    with Visitor(broker, user, token) as stranger:
        wait_until(lambda: stranger.connected or stranger.disconnects)
        assert not stranger.admitted


@EVERY_BROKER
def test_a_box_reads_its_receipts_and_the_epoch(broker):
    with box(broker) as ours, centre(broker) as consumer:
        assert ours.subscribe(topic("receipt"), EPOCH) == [True, True]
        consumer.publish(topic("receipt"), b"receipt")
        consumer.publish(EPOCH, b"epoch", retain=True)
        wait_until(lambda: len(ours.messages) == 2)
        assert ours.messages == [(topic("receipt"), b"receipt"), (EPOCH, b"epoch")]


@EVERY_BROKER
def test_a_box_can_not_write_another_boxs_topics_nor_the_centres(broker):
    with centre(broker) as consumer, other(broker) as intruder, box(broker) as ours:
        consumer.subscribe(*UPLINK_FILTERS)
        ours.subscribe(topic("receipt"), EPOCH)
        for leaf in ("event", "state", "heartbeat", "receipt"):
            intruder.publish(topic(leaf), b"forged")
        intruder.publish(EPOCH, b"forged", retain=True)
        intruder.publish(topic("event", OTHER), b"its own")
        wait_until(lambda: consumer.messages)
        assert consumer.messages == [(topic("event", OTHER), b"its own")]
        consumer.publish(topic("receipt"), b"true")
        wait_until(lambda: ours.messages)
        assert ours.messages == [(topic("receipt"), b"true")]


@EVERY_BROKER
def test_a_box_can_not_read_what_is_another_boxs(broker):
    with centre(broker) as consumer, other(broker) as intruder, box(broker) as ours:
        ours.publish(topic("state"), b"kept", retain=True)
        intruder.subscribe(topic("receipt"), topic("state"), "#", "tanshao/#", f"{topic('#')}")
        intruder.subscribe(topic("receipt", OTHER))
        consumer.publish(topic("receipt"), b"for the other")
        ours.publish(topic("event"), b"for the centre")
        consumer.publish(topic("receipt", OTHER), b"for it")
        wait_until(lambda: intruder.messages)
        assert intruder.messages == [(topic("receipt", OTHER), b"for it")]


@EVERY_BROKER
def test_a_newcomer_is_not_sent_what_others_subscribed_to(broker):
    """amqtt of itself sends every retained message that matches anyone's filter."""
    with centre(broker) as consumer, box(broker) as ours:
        consumer.subscribe(*UPLINK_FILTERS)
        ours.publish(topic("state"), b"kept", retain=True)
        wait_until(lambda: consumer.messages)
        with other(broker) as newcomer:
            newcomer.subscribe(topic("receipt", OTHER))
            consumer.publish(topic("receipt", OTHER), b"for it")
            wait_until(lambda: newcomer.messages)
            assert newcomer.messages == [(topic("receipt", OTHER), b"for it")]


@EVERY_BROKER
def test_a_late_subscriber_gets_the_retained_state(broker):
    with box(broker) as ours:
        ours.publish(topic("state"), b"kept", retain=True)
        with centre(broker) as consumer:
            consumer.subscribe(*UPLINK_FILTERS)
            wait_until(lambda: consumer.messages)
            assert consumer.messages == [(topic("state"), b"kept")]


@EVERY_BROKER
def test_a_subscriber_that_acknowledges_nothing_is_still_heard(broker):
    """amqtt of itself waits for the PUBACK of a retained message before it reads on."""
    with box(broker) as ours:
        ours.publish(topic("state"), b"kept", retain=True)
        ours.subscribe(topic("receipt"))
        with Visitor(broker, CENTRE_USER, CENTRE_TOKEN, manual_ack=True) as silent:
            silent.subscribe(*UPLINK_FILTERS)
            silent.publish(topic("receipt"), b"heard")
            wait_until(lambda: ours.messages)


@EVERY_BROKER
def test_a_last_will_is_published_when_the_wire_is_cut(broker):
    with centre(broker) as consumer:
        consumer.subscribe(*UPLINK_FILTERS)
        ours = box(broker)
        ours.client.will_set(topic("state"), b"gone", 1, retain=True)
        with ours:
            ours.client.socket().shutdown(socket.SHUT_RDWR)
            wait_until(lambda: consumer.messages)
        assert consumer.messages == [(topic("state"), b"gone")]


@EVERY_BROKER
def test_a_last_will_can_not_be_anothers_state(broker):
    with centre(broker) as consumer:
        consumer.subscribe(*UPLINK_FILTERS)
        intruder = other(broker)
        intruder.client.will_set(topic("state"), b"forged", 1, retain=True)
        with intruder:
            if intruder.admitted:
                intruder.client.socket().shutdown(socket.SHUT_RDWR)
            wait_until(lambda: intruder.disconnects)
        with box(broker) as ours:
            ours.publish(topic("event"), b"true")
        wait_until(lambda: consumer.messages)
        assert consumer.messages == [(topic("event"), b"true")]


@EVERY_BROKER
def test_a_stranger_can_not_push_a_box_out_by_its_client_id(broker):
    with centre(broker) as consumer, box(broker) as ours:
        ours.subscribe(topic("receipt"))
        with Visitor(broker, BOX, "wrong") as stranger:
            wait_until(lambda: stranger.connected or stranger.disconnects)
        with Visitor(broker, OTHER, OTHER_TOKEN, client_id=BOX) as masked:
            wait_until(lambda: masked.connected or masked.disconnects)
            consumer.publish(topic("receipt"), b"still here")
            wait_until(lambda: ours.messages)
        assert (ours.messages, ours.disconnects) == ([(topic("receipt"), b"still here")], 0)


@EVERY_BROKER
def test_a_box_that_comes_twice_replaces_itself(broker):
    with centre(broker) as consumer, box(broker) as first:
        first.subscribe(topic("receipt"))
        with box(broker) as second:
            second.subscribe(topic("receipt"))
            consumer.publish(topic("receipt"), b"to the newer")
            wait_until(lambda: second.messages)
            assert second.messages == [(topic("receipt"), b"to the newer")]


@EVERY_BROKER
def test_credentials_change_while_it_runs(broker):
    broker.update(CREDENTIALS | {"new-box": SecretStr("new-token"), BOX: SecretStr("changed")})

    def admitted(user, token):
        with Visitor(broker, user, token) as visitor:
            return visitor.admitted

    wait_until(lambda: admitted("new-box", "new-token"))
    assert [admitted(BOX, TOKEN), admitted(BOX, "changed")] == [False, True]


@EVERY_BROKER
def test_it_is_started_again_on_its_port_after_it_was_killed(broker):
    port, pid = broker.port, broker.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not broker.alive)
    assert broker.pid is None
    broker.start()
    assert broker.alive
    assert (broker.port, broker.pid != pid) == (port, True)
    with box(broker) as ours:
        assert ours.admitted


@EVERY_BROKER
def test_who_reads_its_process_id_while_it_starts_again_reads_a_whole_one(broker, tmp_path):
    (noted,) = tmp_path.rglob("broker.pid")
    before = broker.pid
    with noted.open(encoding="ascii") as opened_before:
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: not broker.alive)
        broker.start()
        assert int(opened_before.read()) == before
    assert int(noted.read_text()) == broker.pid


@EVERY_BROKER
def test_starting_and_closing_twice_is_harmless(broker):
    pid = broker.pid
    broker.start()
    assert broker.pid == pid
    broker.close()
    broker.close()
    assert not psutil.pid_exists(pid)


@EVERY_BROKER
def test_no_secret_is_on_its_command_line_or_readable_by_others(broker, tmp_path):
    command_line = " ".join(psutil.Process(broker.pid).cmdline())
    files = [path for path in (tmp_path / "broker").iterdir() if path.name != "broker.log"]
    texts = [path.read_text(errors="replace") for path in [*files, broker.log_path]]
    for token in (TOKEN, OTHER_TOKEN, CENTRE_TOKEN):
        assert not [text for text in [command_line, *texts] if token in text]
    secret = [path for path in files if path.name in ("passwords", "digests.json")]
    assert [path.stat().st_mode & 0o077 for path in secret] == [0]


@EVERY_BROKER
def test_a_taken_port_is_an_error_that_says_so(tmp_path, kind):
    if kind is BrokerKind.MOSQUITTO and find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        broker = Broker(tmp_path / "broker", CREDENTIALS, port=port, kind=kind)
        with pytest.raises(BrokerError, match=f"(?s)port {port}.*[Aa]ddress already in use"):
            broker.start()
        assert not broker.alive


@EVERY_BROKER
def test_a_broker_whose_launcher_was_killed_does_not_stay(tmp_path, kind):
    """The embedded one ends by itself; a Mosquitto is stopped by the next start."""
    if kind is BrokerKind.MOSQUITTO and find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    launcher = subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER, str(tmp_path / "broker"), kind.value],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    pid, port = map(int, launcher.stdout.readline().split())
    launcher.kill()
    launcher.wait()
    launcher.stdout.close()
    broker = Broker(tmp_path / "broker", CREDENTIALS, port=port, kind=kind)
    if kind is BrokerKind.EMBEDDED:
        wait_until(lambda: _is_gone(pid))
    broker.start()
    assert _is_gone(pid)
    assert broker.alive
    broker.close()


_LAUNCHER = """
import sys, pathlib, threading
from tests.support.line import CREDENTIALS
from village.broker.broker import Broker, BrokerKind
broker = Broker(pathlib.Path(sys.argv[1]), CREDENTIALS, kind=BrokerKind(sys.argv[2]))
broker.start()
print(broker.pid, broker.port, flush=True)
threading.Event().wait()
"""


def _is_gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_an_installed_mosquitto_is_preferred(tmp_path):
    preferred = BrokerKind.MOSQUITTO if find_mosquitto() else BrokerKind.EMBEDDED
    assert Broker(tmp_path, CREDENTIALS).kind is preferred


def test_a_persistent_session_is_refused_by_the_embedded_broker(tmp_path):
    """amqtt would lose at a restart what such a session promises to keep."""
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    with box(broker, clean_session=False) as visitor:
        wait_until(lambda: visitor.connected or visitor.disconnects)
        assert not visitor.admitted
    broker.close()


@pytest.mark.parametrize(
    "junk",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10",
        b"\x10\xff\xff\xff\xff\x7f",
        b"\x30\x02\x00\x00",
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x14\x00\x00",  # a CONNECT without a name
        b"\x10\x0c\x00\x04MQTT\x09\x02\x00\x14\x00\x00",  # of a protocol to come
    ],
)
def test_the_embedded_broker_survives_junk(tmp_path, junk):
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    with socket.create_connection((broker.host, broker.port)) as stranger:
        stranger.sendall(junk)
        stranger.shutdown(socket.SHUT_WR)
        stranger.settimeout(5)
        while stranger.recv(1024):
            """Whatever it answers."""
    with box(broker) as ours:
        assert ours.admitted
    broker.close()


@pytest.mark.mosquitto
def test_mqtt_5_is_spoken_with_mosquitto(tmp_path):
    broker = start_broker(tmp_path, BrokerKind.MOSQUITTO)
    with Visitor(broker, BOX, TOKEN, protocol=mqtt.MQTTv5) as ours:
        assert ours.admitted
    broker.close()


def test_the_embedded_broker_refuses_mqtt_5_at_once_and_in_its_words(tmp_path):
    """amqtt of itself takes it for a longer CONNECT of 3.1.1 and waits for the rest."""
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    with Visitor(broker, BOX, TOKEN, protocol=mqtt.MQTTv5) as newer:
        assert newer.connected == [False]
        assert newer.reasons == ["Unsupported protocol version"]
    with box(broker) as ours:
        assert ours.admitted
    broker.close()


def test_the_embedded_broker_refuses_a_share_which_it_would_never_serve(tmp_path):
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    with centre(broker) as consumer, box(broker) as ours:
        assert consumer.subscribe(*shared_filters("any-word")) == [False, False]
        assert consumer.subscribe(UPLINK_FILTERS[0]) == [True]
        ours.publish(topic("event"), b"heard")
        wait_until(lambda: consumer.messages == [(topic("event"), b"heard")])
    broker.close()


@EVERY_BROKER
def test_only_the_embedded_broker_says_that_it_is_for_a_village_or_a_trial(tmp_path, kind, caplog):
    caplog.set_level(logging.INFO)
    start_broker(tmp_path, kind).close()
    advice = [record.advice for record in caplog.records if record.msg == "broker.embedded"]
    assert advice == ([kind.advice] if kind is BrokerKind.EMBEDDED else [])
    assert ("one village or a trial" in kind.advice) is (kind is BrokerKind.EMBEDDED)
