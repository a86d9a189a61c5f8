"""What docs/protocol says another program can do, done as it is said there."""

import shlex
import subprocess
import sys

import pytest
from pydantic import SecretStr

from protocol.codec import decode
from protocol.topics import READER_USER, BoxTopic, Leaf
from tests.support.desk_box import BOX, REGION, TOKEN
from tests.support.line import CREDENTIALS, EVERY_BROKER, SendingBox, Visitor
from tests.support.tools import ROOT, require_mosquitto_sub
from tests.support.town_broker import TownBroker
from tests.support.waiting import wait_until
from village.broker.broker import Broker, BrokerKind
from village.broker.mosquitto import find_mosquitto

READER_TOKEN = "token-of-the-reader"


@pytest.fixture
def broker(tmp_path, kind):
    if kind is BrokerKind.MOSQUITTO and find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    credentials = CREDENTIALS | {READER_USER: SecretStr(READER_TOKEN)}
    running = Broker(tmp_path / "broker", credentials, kind=kind)
    running.start()
    yield running
    running.close()


@EVERY_BROKER
def test_the_example_in_the_docs_prints_every_alert(broker, tmp_path):
    secret, said = tmp_path / "password", tmp_path / "said"
    secret.write_text(f"{READER_TOKEN}\n")
    script = ROOT / "docs/protocol/subscriber.py"
    with said.open("wb") as output:
        reader = subprocess.Popen(
            [sys.executable, str(script), broker.host, str(broker.port), str(secret)],
            cwd=tmp_path,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        with SendingBox(tmp_path / "box", broker) as box:
            box.report(2)
            box.sender.start()
            # Nobody knows when the reader has subscribed: report until it has seen both.
            wait_until(lambda: _reports(box, said), within_s=30)
    finally:
        reader.terminate()
        reader.wait(10)
    lines = said.read_text().splitlines()
    assert {line.split()[1] for line in lines} == {"gathering"}
    assert all(f"/boxes/{BOX} 文化广场" in line for line in lines)


def _reports(box, said):
    box.report(2)
    text = said.read_text()
    return "gathering start" in text and "gathering end" in text


@pytest.mark.mosquitto
def test_the_command_in_the_docs_prints_every_alert_without_a_program(tmp_path):
    """Its words are those of the docs; only host, port and authority are this test's."""
    require_mosquitto_sub()
    text = (ROOT / "docs/protocol/README.md").read_text(encoding="utf-8")
    (line,) = (each for each in text.splitlines() if each.startswith("mosquitto_sub "))
    (tmp_path / "password-file").write_text(f"{READER_TOKEN}\n")
    credentials = CREDENTIALS | {READER_USER: SecretStr(READER_TOKEN)}
    said = tmp_path / "said"
    with TownBroker(tmp_path / "town", credentials) as town:
        for named, ours in (
            ("broker.example.org", town.host),
            ("8883", str(town.port)),
            ("--capath /etc/ssl/certs", f"--cafile {shlex.quote(str(town.ca_file))}"),
        ):
            assert line.count(named) == 1
            line = line.replace(named, ours)
        with said.open("wb") as output:
            reader = subprocess.Popen(
                ["bash", "-c", f"exec {line}"],
                cwd=tmp_path,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            with SendingBox(tmp_path / "box", town, tls=True, ca_file=town.ca_file) as box:
                box.report(2)
                box.sender.start()
                wait_until(lambda: _reports_both(box, said), within_s=30)
        finally:
            reader.terminate()
            reader.wait(10)
    alerts = [decode(each.encode()) for each in said.read_text(encoding="utf-8").splitlines()]
    assert {alert.data.op for alert in alerts} == {"start", "end"}
    assert {alert.data.camera_name for alert in alerts} == {"文化广场"}


def _reports_both(box, said):
    box.report(2)
    text = said.read_text(encoding="utf-8")
    return '"op":"start"' in text and '"op":"end"' in text and text.endswith("\n")


@EVERY_BROKER
def test_a_reader_can_write_nothing_that_a_box_could(broker):
    with (
        Visitor(broker, READER_USER, READER_TOKEN) as reader,
        Visitor(broker, READER_USER, READER_TOKEN[:-1]) as stranger,
    ):
        assert reader.admitted
        assert not stranger.admitted
    topic = str(BoxTopic(REGION, BOX, Leaf.EVENT))
    with Visitor(broker, READER_USER, READER_TOKEN) as reader, Visitor(broker, BOX, TOKEN) as box:
        reader.subscribe("tanshao/v1/+/+/event")
        reader.publish(topic, b"forged")
        box.publish(topic, b"true")
        wait_until(lambda: reader.messages)
        assert reader.messages == [(topic, b"true")]
