"""The topic tree."""

import pytest

from protocol.ids import BOX_ID
from protocol.topics import CENTRE_USER, EPOCH, UPLINK_FILTERS, BoxTopic, Leaf


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
