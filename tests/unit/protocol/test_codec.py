"""The wire format: golden files pin it byte for byte (protocol I1)."""

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.codec import MAX_PAYLOAD_BYTES, BadMessageError, decode, encode
from tests.unit.protocol.examples import EXAMPLES

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def changed(name: str, **changes: Any) -> bytes:
    return json.dumps(json.loads(golden(name)) | changes).encode()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_message_is_encoded_as_its_golden_file_byte_for_byte(name):
    assert encode(EXAMPLES[name]) == golden(name)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_a_golden_file_is_decoded_as_its_message(name):
    assert decode(golden(name)) == EXAMPLES[name]


def test_every_golden_file_has_an_example():
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == sorted(EXAMPLES)


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_unknown_fields_are_read_over(name):
    document = json.loads(golden(name))
    document["fromthefuture"] = {"a": [1]}
    document["data"]["from_the_future"] = "x"
    assert decode(json.dumps(document).encode()) == EXAMPLES[name]


BAD = {
    # a newer version is refused by name, not half understood
    "unknown version": changed("alert.v1.start", type="cn.tanshao.alert.v2"),
    "unknown type": changed("alert.v1.start", type="com.example.weather.v1"),
    "unknown cloudevents version": changed("epoch.v1", specversion="2.0"),
    "no type": json.dumps({"specversion": "1.0"}).encode(),
    "not json": b"\x00\xff",
    "not an object": b"[]",
    "empty": b"",
    "half a message": golden("alert.v1.start")[:-40],
    "deep nesting": b"[" * 100_000,
    "a time without a zone": changed("epoch.v1", time="2026-11-22T01:02:03"),
    "sequence 0": changed("alert.v1.start", sequence=0),
    "sequence over 63 bits": changed("alert.v1.start", sequence=2**63),
    "a subject that climbs folders": changed("alert.v1.start", subject="../etc"),
    "an id that is no UUID": changed("epoch.v1", id="1"),
    "a command whose end comes before its beginning": golden("command.v1").replace(
        b'"last":9', b'"last":3'
    ),
    "a command with a word of tomorrow": golden("command.v1").replace(b'"resend"', b'"reboot"'),
    "too long": b" " * (MAX_PAYLOAD_BYTES + 1),
}


@pytest.mark.parametrize("payload", BAD.values(), ids=BAD.keys())
def test_what_is_not_a_message_is_refused(payload):
    with pytest.raises(BadMessageError):
        decode(payload)


def test_the_error_names_the_failing_key_and_never_quotes_the_payload():
    with pytest.raises(BadMessageError) as caught:
        decode(changed("alert.v1.start", subject="机密 secret"))
    assert "subject" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("field", ["grid_code", "camera_id", "rule_id", "region_id"])
@pytest.mark.parametrize("value", ["a\n", "", "A/B", "１２３４５６７８９０１２３４５", "x" * 33])
def test_ids_in_an_alert_are_plain_ascii_and_short(field, value):
    document = json.loads(golden("alert.v1.start"))
    document["data"][field] = value
    with pytest.raises(BadMessageError):
        decode(json.dumps(document).encode())
