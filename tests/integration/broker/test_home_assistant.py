"""What Home Assistant finds at the broker, read back as it reads it."""

import json
from uuid import uuid4

import pytest
from pydantic import SecretStr

from edge.alerts.standing import Standing
from edge.bus.home import HomeAssistant
from protocol.messages import AlertKind, AlertMode, AlertOp
from protocol.topics import HOME_FILTERS, HOME_USER
from tests.support.desk_box import BOX, REGION, box_config, occurrence
from tests.support.line import CREDENTIALS, EVERY_BROKER, SendingBox, Visitor
from tests.support.waiting import wait_until
from village.broker.broker import Broker, BrokerKind
from village.broker.mosquitto import find_mosquitto

HOME_TOKEN = "token-of-home-assistant"
SENSORS = f"homeassistant/binary_sensor/{BOX}"
STATE = f"tanshao/v1/{REGION}/{BOX}/state"

#: What https://www.home-assistant.io/integrations/binary_sensor.mqtt/ knows, as far as we use it.
DOCUMENTED = {
    "availability": list,
    "device": dict,
    "device_class": str,
    "entity_category": str,
    "name": str,
    "origin": dict,
    "payload_off": str,
    "payload_on": str,
    "qos": int,
    "state_topic": str,
    "unique_id": str,
}
REQUIRED = {"state_topic", "unique_id", "device", "origin"}
OF_DEVICE = {"identifiers", "name", "manufacturer", "model", "sw_version"}
OF_AVAILABILITY = {"topic", "value_template", "payload_available", "payload_not_available"}


@pytest.fixture
def broker(tmp_path, kind):
    if kind is BrokerKind.MOSQUITTO and find_mosquitto() is None:
        pytest.skip("Mosquitto is not installed")
    credentials = CREDENTIALS | {HOME_USER: SecretStr(HOME_TOKEN)}
    running = Broker(tmp_path / "broker", credentials, kind=kind)
    running.start()
    yield running
    running.close()


@pytest.fixture
def home(broker):
    with Visitor(broker, HOME_USER, HOME_TOKEN) as visitor:
        yield visitor


class HomeBox(SendingBox):
    """A box that was asked for it."""

    home_assistant = True


def newest(home):
    return dict(home.messages)


@EVERY_BROKER
def test_it_finds_each_camera_and_the_box_also_where_it_comes_later(broker, tmp_path, home):
    with HomeBox(tmp_path / "box", broker) as box:
        box.sender.start()
        wait_until(lambda: box.sender.status().connected)
        assert home.subscribe(*HOME_FILTERS) == [True, True]
        wait_until(
            lambda: len(newest(home)) == 7
        )  # 3 sensors, what each shows, and the box's state
    found = {
        topic: json.loads(payload)
        for topic, payload in newest(home).items()
        if topic.endswith("/config")
    }
    assert set(found) == {f"{SENSORS}/{name}/config" for name in ("square", "gate", "box")}
    for topic, document in found.items():
        assert all(isinstance(value, DOCUMENTED[key]) for key, value in document.items())
        assert set(document) >= REQUIRED
        assert set(document["device"]) <= OF_DEVICE
        assert document["state_topic"] == topic.replace("/config", "/state")
        (availability,) = document["availability"]
        assert set(availability) <= OF_AVAILABILITY
        assert availability["topic"] == STATE
    assert len({document["unique_id"] for document in found.values()}) == 3
    assert len({str(document["device"]["identifiers"]) for document in found.values()}) == 1
    square = found[f"{SENSORS}/square/config"]
    assert (square["name"], square["device_class"]) == ("文化广场", "safety")
    assert found[f"{SENSORS}/box/config"]["device_class"] == "problem"


@EVERY_BROKER
def test_a_camera_is_on_while_an_alert_of_it_is_open(broker, tmp_path, home):
    with HomeBox(tmp_path / "box", broker) as box:
        box.home.follow(box.desk.open_alerts, lambda: True)
        home.subscribe(*HOME_FILTERS)
        box.sender.start()
        wait_until(lambda: newest(home).get(f"{SENSORS}/square/state") == b"OFF")
        wait_until(lambda: newest(home).get(f"{SENSORS}/box/state") == b"ON")
        box.desk.report(occurrence())
        wait_until(lambda: newest(home)[f"{SENSORS}/square/state"] == b"ON")
        wait_until(lambda: newest(home).get(f"{SENSORS}/gate/state") == b"OFF")
        box.desk.report(occurrence(AlertOp.END))
        wait_until(lambda: newest(home)[f"{SENSORS}/square/state"] == b"OFF")


@EVERY_BROKER
def test_unless_it_is_asked_for_nothing_is_written(broker, tmp_path, home):
    with SendingBox(tmp_path / "box", broker) as box:
        home.subscribe(*HOME_FILTERS)
        box.report(2)
        box.sender.start()
        wait_until(lambda: box.sender.status().sent == 2 and STATE in newest(home))
    assert set(newest(home)) == {STATE}


def test_only_what_changed_is_told_and_neither_trial_nor_clock_switches_anything_on(tmp_path):
    alerts = []
    home = HomeAssistant(box_config(tmp_path), "test")
    home.follow(lambda: alerts, lambda: False)
    assert len(home.discovery()) == 3
    assert len(list(home.changes(with_trouble=True))) == 3
    assert list(home.changes(with_trouble=True)) == []
    alerts.append(open_alert(AlertMode.TRIAL))
    assert list(home.changes(with_trouble=False)) == []
    alerts.append(open_alert(AlertMode.LIVE, AlertKind.CAMERA_CLOCK))
    assert list(home.changes(with_trouble=False)) == []
    alerts.append(open_alert(AlertMode.LIVE))
    (change,) = home.changes(with_trouble=False)
    assert (change.topic, change.payload, change.retain) == (f"{SENSORS}/square/state", b"ON", True)


def open_alert(mode, kind=AlertKind.GATHERING):
    return Standing.begun(occurrence(mode=mode, kind=kind), uuid4()).as_open()
