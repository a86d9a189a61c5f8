"""Whatever bytes come in, a parser answers with a value or with its own error."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import BadMessageError, decode, encode
from protocol.ids import uuid7
from protocol.relay import FrameKind, decode_control, pack, unpack
from protocol.topics import BoxTopic, Leaf
from tests.unit.protocol.examples import EXAMPLES

GOLDEN = [
    path.read_bytes()
    for path in sorted((Path(__file__).parents[2] / "unit/protocol/golden").glob("*.json"))
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def decode_or_refuse(payload: bytes) -> None:
    try:
        message = decode(payload)
    except BadMessageError:
        return
    assert decode(encode(message)) == message


@given(st.binary(max_size=400))
def test_any_bytes_are_decoded_or_refused(payload):
    decode_or_refuse(payload)


@given(st.sampled_from(GOLDEN), st.data())
def test_a_damaged_message_is_decoded_or_refused(payload, data):
    cut = data.draw(st.integers(0, len(payload)))
    junk = data.draw(st.binary(max_size=8))
    skip = data.draw(st.integers(0, 8))
    decode_or_refuse(payload[:cut] + junk + payload[cut + skip :])


def _paths(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    found = []
    for key, value in items:
        found.append((*here, key))
        if isinstance(value, dict | list):
            found += _paths(value, (*here, key))
    return found


@given(st.sampled_from(GOLDEN), JSON, st.data())
def test_a_message_with_one_wrong_value_is_decoded_or_refused(payload, value, data):
    document = json.loads(payload)
    *path, last = data.draw(st.sampled_from(_paths(document)))
    node = document
    for key in path:
        node = node[key]
    node[last] = value
    decode_or_refuse(json.dumps(document).encode())


@given(st.sampled_from(sorted(EXAMPLES)))
def test_encoding_is_stable(name):
    assert encode(decode(encode(EXAMPLES[name]))) == encode(EXAMPLES[name])


@given(st.binary(max_size=64))
def test_any_relay_frame_is_unpacked_or_refused(frame):
    try:
        channel, kind, payload = unpack(frame)
    except BadMessageError:
        return
    assert pack(channel, kind, bytes(payload)) == frame


@given(st.integers(0, 2**32 - 1), st.sampled_from(FrameKind), st.binary(max_size=64))
def test_what_is_packed_is_unpacked(channel, kind, payload):
    assert unpack(pack(channel, kind, payload)) == (channel, kind, memoryview(payload))


@given(st.text(max_size=100) | st.binary(max_size=100))
def test_any_control_text_is_decoded_or_refused(text):
    try:
        decode_control(text)
    except BadMessageError:
        return


@given(st.text(max_size=60))
def test_any_text_parses_to_a_topic_or_to_none(text):
    parsed = BoxTopic.parse(text)
    assert parsed is None or str(parsed) == text


@given(
    st.from_regex(r"[0-9]{12}", fullmatch=True),
    st.from_regex(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]", fullmatch=True),
    st.sampled_from(Leaf),
)
def test_every_topic_of_a_box_round_trips(region_code, box_id, leaf):
    topic = BoxTopic(region_code, box_id, leaf)
    assert BoxTopic.parse(str(topic)) == topic


@given(st.integers(0, 230 * 365 * 86_400_000), st.integers(1, 10**9))
def test_a_later_uuid7_sorts_after_an_earlier_one(since_millis, millis):
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=since_millis)
    assert uuid7(at).int < uuid7(at + timedelta(milliseconds=millis)).int
