"""The topic tree."""

import pytest

from protocol.ids import BOX_ID
from protocol.topics import (
    CENTRE_USER,
    EPOCH,
    MAX_REPLICAS,
    SHAREABLE_FILTERS,
    SITE_FILTERS,
    UPLINK_FILTERS,
    BoxTopic,
    Leaf,
    is_centre,
    replica_user,
    shared_filters,
    unshared,
)


def test_topics_are_spelt_as_documented():
    topics = [str(BoxTopic("533102105203", "laozhai-01", leaf)) for leaf in Leaf]
    assert topics == [
        "tanshao/v1/533102105203/laozhai-01/event",
        "tanshao/v1/533102105203/laozhai-01/historical",
        "tanshao/v1/533102105203/laozhai-01/state",
        "tanshao/v1/533102105203/laozhai-01/heartbeat",
        "tanshao/v1/533102105203/laozhai-01/receipt",
        "tanshao/v1/533102105203/laozhai-01/command",
    ]
    assert EPOCH == "tanshao/v1/centre/epoch"
    assert UPLINK_FILTERS == (
        "tanshao/v1/+/+/event",
        "tanshao/v1/+/+/historical",
        "tanshao/v1/+/+/state",
        "tanshao/v1/+/+/heartbeat",
    )


@pytest.mark.parametrize("leaf", Leaf)
def test_a_topic_is_parsed_back(leaf):
    topic = BoxTopic("533102105203", "laozhai-01", leaf)
    assert BoxTopic.parse(str(topic)) == topic


@pytest.mark.parametrize(
    "topic",
    [
        "",
        EPOCH,
        "tanshao/v2/533102105203/laozhai-01/event",  # another version
        "other/v1/533102105203/laozhai-01/event",  # another product
        "tanshao/v1/533102105203/laozhai-01/commands",  # no leaf of ours
        "tanshao/v1/533102105203/laozhai-01/event/x",  # a level too many
        "tanshao/v1/533102105203/event",  # a level too few
        "tanshao/v1/53310210520/laozhai-01/event",  # 11 digits
        "tanshao/v1/５３３１０２１０５２０３/laozhai-01/event",  # digits, but not ASCII
        "tanshao/v1/533102105203/Laozhai/event",
        "tanshao/v1/533102105203/laozhai-01\n/event",
        "tanshao/v1/+/+/event",  # a filter is no topic
        "tanshao/v1/533102105203/../event",
    ],
)
def test_what_is_not_a_topic_of_a_box_is_none(topic):
    assert BoxTopic.parse(topic) is None


def test_no_box_can_be_called_what_the_centre_signs_in_as():
    assert BOX_ID.match(CENTRE_USER) is None


@pytest.mark.parametrize("number", [1, 9, 10, MAX_REPLICAS])
def test_nor_what_one_of_its_consumers_does(number):
    assert is_centre(replica_user(number))
    assert BOX_ID.match(replica_user(number)) is None


def test_the_one_consumer_is_the_centre():
    assert is_centre(CENTRE_USER)


@pytest.mark.parametrize(
    "username",
    [
        "",
        "_centre-",
        "_centre-0",
        "_centre-01",
        "_centre-100",
        "_centre-1x",
        "_centre-1\n",
        "_reader",
    ],
)
def test_nobody_else_is_the_centre(username):
    assert not is_centre(username)


def test_what_is_shared_and_what_one_reads_is_what_one_alone_subscribes_to():
    assert {*SHAREABLE_FILTERS, *SITE_FILTERS} == {*UPLINK_FILTERS}
    assert not {*SHAREABLE_FILTERS} & {*SITE_FILTERS}


def test_a_share_is_of_the_alerts_of_every_box():
    assert shared_filters("word") == (
        "$share/word/tanshao/v1/+/+/event",
        "$share/word/tanshao/v1/+/+/historical",
    )
    assert tuple(map(unshared, shared_filters("word"))) == SHAREABLE_FILTERS


@pytest.mark.parametrize("topic_filter", ["", "$share", "$share/x", "$share//x", "x/$share/a", "#"])
def test_what_is_no_share_has_no_filter_within(topic_filter):
    assert unshared(topic_filter) is None
