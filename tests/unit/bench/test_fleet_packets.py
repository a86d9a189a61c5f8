"""The fleet's MQTT packets, against amqtt's own reading of them where that can be."""

import asyncio

import pytest
from amqtt.adapters import BufferReader
from amqtt.mqtt.connect import ConnectPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.mqtt.subscribe import SubscribePacket
from hypothesis import given
from hypothesis import strategies as st

from bench.fleet import packets
from bench.fleet.packets import Kind, PacketError, Publish, Reader, Will

TOPICS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=60)
MESSAGES = st.tuples(
    TOPICS,
    st.binary(max_size=400),
    st.one_of(st.none(), st.integers(1, 65_535)),
    st.booleans(),
)


def parse(kind, data):
    return asyncio.run(kind.from_stream(BufferReader(data)))


@given(st.lists(MESSAGES, max_size=5), st.data())
def test_messages_come_out_as_they_went_in_however_the_stream_is_cut(messages, data):
    stream = b"".join(
        packets.publish(topic, payload, packet_id=packet_id, retain=retain)
        for topic, payload, packet_id, retain in messages
    )
    reader, found = Reader(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += [packets.published(packet) for packet in reader.feed(stream[:size])]
        stream = stream[size:]
    assert found == [
        Publish(topic, payload, 0 if packet_id is None else 1, retain, packet_id)
        for topic, payload, packet_id, retain in messages
    ]


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 300_000])
def test_a_length_takes_as_many_bytes_as_it_needs(size):
    read = parse(PublishPacket, packets.publish("t", bytes(size), packet_id=7))
    assert (read.topic_name, read.packet_id, len(read.data)) == ("t", 7, size)


def test_a_client_signs_in_with_a_clean_session_and_a_retained_will():
    read = parse(ConnectPacket, packets.connect("box-1", "令牌", 20, Will("a/state", b"gone")))
    assert (read.client_id, read.username, read.password) == ("box-1", "box-1", "令牌")
    assert (read.keep_alive, read.clean_session_flag) == (20, True)
    assert (read.will_topic, bytes(read.will_message)) == ("a/state", b"gone")
    assert (read.will_qos, read.will_retain_flag) == (1, True)


def test_a_client_may_have_no_will():
    read = parse(ConnectPacket, packets.connect("box-1", "x", 20, None))
    assert (read.will_flag, read.username) == (False, "box-1")


def test_subscriptions_are_at_qos_1():
    read = parse(SubscribePacket, packets.subscribe(3, ["a", "b/c"]))
    assert read.payload.topics == [("a", 1), ("b/c", 1)]


@pytest.mark.parametrize("body", [b"", b"\x00", b"\x00\x05ab", b"\x00\x01a\x00", b"\x00\x01\xff"])
def test_a_message_that_is_none_is_refused(body):
    packet = next(iter(Reader().feed(bytes((Kind.PUBLISH << 4 | 2, len(body))) + body)))
    with pytest.raises(PacketError):
        packets.published(packet)


def test_a_length_without_end_is_refused():
    with pytest.raises(PacketError):
        list(Reader().feed(b"\x30\xff\xff\xff\xff\x01"))


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused(data):
    try:
        for packet in Reader().feed(data):
            if packet.kind == Kind.PUBLISH:
                packets.published(packet)
    except PacketError:
        return
