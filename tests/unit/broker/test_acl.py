"""Who may write and read which topic."""

import re

import pytest

from protocol.topics import (
    CENTRE_USER,
    EPOCH,
    HOME_USER,
    UPLINK_FILTERS,
    home_topic,
    replica_user,
    shared_filters,
)
from tests.support.desk_box import BOX, REGION
from tests.support.tools import ROOT
from village.broker.acl import may_read, may_subscribe, may_write, mosquitto_acl


def topic(leaf, box=BOX):
    return f"tanshao/v1/{REGION}/{box}/{leaf}"


WRITE = [
    (BOX, topic("event"), True),
    (BOX, topic("state"), True),
    (BOX, topic("heartbeat"), True),
    (BOX, topic("receipt"), False),  # it could clear its own outbox with these
    (BOX, topic("event", "other-box"), False),
    (BOX, topic("command"), False),  # nor may it command itself, or another
    (BOX, topic("receipt", "other-box"), False),
    (BOX, topic("command", "other-box"), False),
    (BOX, EPOCH, False),
    (BOX, "tanshao/v1/+/+/event", False),
    (BOX, "#", False),
    (CENTRE_USER, topic("receipt"), True),
    (CENTRE_USER, topic("command"), True),
    (CENTRE_USER, EPOCH, True),
    (CENTRE_USER, topic("event"), False),
    ("", topic("event"), False),
    (BOX, home_topic(BOX, "square", "config"), True),
    (BOX, home_topic(BOX, "box", "state"), True),
    (BOX, home_topic("other-box", "square", "config"), False),
    (BOX, home_topic(BOX, "square", "set"), False),
    (BOX, f"homeassistant/switch/{BOX}/square/config", False),
    (BOX, f"{BOX}/square/config", False),
    (HOME_USER, home_topic(BOX, "square", "state"), False),
]
READ = [
    (BOX, topic("receipt"), True),
    (BOX, topic("command"), True),
    (BOX, topic("command", "other-box"), False),
    (BOX, EPOCH, True),
    (BOX, topic("event"), False),
    (BOX, topic("receipt", "other-box"), False),
    (BOX, topic("state", "other-box"), False),
    (HOME_USER, home_topic(BOX, "square", "state"), True),
    (HOME_USER, topic("state"), True),
    (HOME_USER, topic("event"), False),
    (BOX, home_topic(BOX, "square", "state"), False),
    (CENTRE_USER, topic("event"), True),
    (CENTRE_USER, topic("heartbeat"), True),
    (CENTRE_USER, topic("receipt"), False),
    (CENTRE_USER, topic("command"), False),
    (CENTRE_USER, EPOCH, False),
]
SUBSCRIBE = [
    (BOX, topic("receipt"), True),
    (BOX, topic("command"), True),
    (BOX, topic("command", "other-box"), False),
    (BOX, EPOCH, True),
    (BOX, "#", False),
    (BOX, "tanshao/v1/#", False),
    (BOX, f"tanshao/v1/+/{BOX}/receipt", False),
    (BOX, "tanshao/v1/+/+/receipt", False),
    (BOX, UPLINK_FILTERS[0], False),
    (CENTRE_USER, UPLINK_FILTERS[0], True),
    (CENTRE_USER, topic("event"), True),
    (CENTRE_USER, "#", False),
    (HOME_USER, "homeassistant/#", True),
    (HOME_USER, "tanshao/v1/+/+/state", True),
    (HOME_USER, "tanshao/v1/+/+/event", False),
    (CENTRE_USER, "$SYS/#", False),
    (replica_user(7), UPLINK_FILTERS[0], True),
    (replica_user(7), "#", False),
    (replica_user(7), shared_filters("any-word")[0], True),
    (replica_user(7), "$share/any-word/tanshao/v1/+/+/state", False),
    (replica_user(7), "$share/any-word/#", False),
    (replica_user(7), "$share//tanshao/v1/+/+/event", False),
    (BOX, shared_filters("any-word")[0], False),
    (BOX, f"$share/any-word/{topic('receipt')}", False),
    ("_reader", shared_filters("any-word")[0], False),
]


def as_one_of_several(cases):
    return [(replica_user(7), *rule) for user, *rule in cases if user == CENTRE_USER]


@pytest.mark.parametrize(("user", "where", "allowed"), [*WRITE, *as_one_of_several(WRITE)])
def test_writing(user, where, allowed):
    assert may_write(user, where) is allowed


@pytest.mark.parametrize(("user", "where", "allowed"), [*READ, *as_one_of_several(READ)])
def test_reading(user, where, allowed):
    assert may_read(user, where) is allowed


@pytest.mark.parametrize(("user", "where", "allowed"), SUBSCRIBE)
def test_subscribing(user, where, allowed):
    assert may_subscribe(user, where) is allowed


def test_mosquitto_gets_the_same_rules():
    assert mosquitto_acl().splitlines() == [
        "user _centre",
        "topic read tanshao/v1/+/+/event",
        "topic read tanshao/v1/+/+/historical",
        "topic read tanshao/v1/+/+/state",
        "topic read tanshao/v1/+/+/heartbeat",
        "topic write tanshao/v1/+/+/command",
        "topic write tanshao/v1/+/+/receipt",
        "topic write tanshao/v1/centre/epoch",
        "user _reader",
        "topic read tanshao/v1/+/+/event",
        "topic read tanshao/v1/+/+/historical",
        "user _home",
        "topic read homeassistant/#",
        "topic read tanshao/v1/+/+/state",
        "pattern write tanshao/v1/+/%u/event",
        "pattern write tanshao/v1/+/%u/heartbeat",
        "pattern write tanshao/v1/+/%u/historical",
        "pattern write tanshao/v1/+/%u/state",
        "pattern write homeassistant/binary_sensor/%u/+/config",
        "pattern write homeassistant/binary_sensor/%u/+/state",
        "pattern read tanshao/v1/+/%u/command",
        "pattern read tanshao/v1/+/%u/receipt",
        "pattern read tanshao/v1/centre/epoch",
    ]


def test_mosquitto_gets_them_for_each_of_several_consumers():
    alone = mosquitto_acl().splitlines()
    rules_of_one = alone[1 : alone.index("user _reader")]
    lines = mosquitto_acl(["_centre-1", "_centre-2"]).splitlines()
    assert lines == [
        *("user _centre-1", *rules_of_one),
        *("user _centre-2", *rules_of_one),
        *alone[alone.index("user _reader") :],
    ]


def test_the_handbook_gives_emqx_the_same_rules():
    text = (ROOT / "docs/handbook/broker.md").read_text(encoding="utf-8")
    rules = [line for line in text.splitlines() if line.strip().startswith("{allow, ")]
    told = {
        (re.search(r'"\^?(_\w+)|\ball\b', rule)[1] or "%u", "publish" in rule, where)
        for rule in rules
        for where in re.findall(r'"((?:tanshao|homeassistant)/[^"]+)"', rule)
    }
    ours, user = set(), ""
    for kind, *rest in map(str.split, mosquitto_acl().splitlines()):
        if kind == "user":
            (user,) = rest
            continue
        who = "%u" if kind == "pattern" else user
        ours.add((who, rest[0] == "write", rest[1].replace("%u", "${username}")))
    assert told == ours


@pytest.mark.parametrize("leaf", ["event", "historical"])
def test_a_reader_reads_every_boxs_alerts_and_writes_nothing(leaf):
    topic = f"tanshao/v1/533102105203/laozhai-01/{leaf}"
    assert may_read("_reader", topic)
    assert may_subscribe("_reader", f"tanshao/v1/+/+/{leaf}")
    assert not may_write("_reader", topic)
    assert not may_write("_reader", f"tanshao/v1/533102105203/_reader/{leaf}")


@pytest.mark.parametrize("leaf", ["state", "heartbeat", "receipt", "#"])
def test_a_reader_reads_nothing_else(leaf):
    assert not may_read("_reader", f"tanshao/v1/533102105203/laozhai-01/{leaf}")
    assert not may_subscribe("_reader", f"tanshao/v1/+/+/{leaf}")
    assert not may_subscribe("_reader", "tanshao/v1/centre/epoch")
