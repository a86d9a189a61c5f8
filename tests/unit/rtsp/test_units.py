"""From RTP payloads back to NAL units."""

import pytest

from edge.errors import RtspError
from edge.media.nal import START_CODE
from edge.media.sample import Codec
from edge.rtsp.units import MAX_ACCESS_UNIT_BYTES, Gathered, UnitGatherer
from tests.support.rtp import aggregate, payloads

SPS, PPS, SLICE, KEY = b"\x67\x64\x1f", b"\x68\xee", b"\x41" + b"s" * 50, b"\x65" + b"k" * 50
SLICE_265 = b"\x02\x01" + b"s" * 50


def give(gatherer: UnitGatherer, *parts: bytes) -> None:
    for part in parts:
        data = bytearray(b"before" + part + b"behind")
        gatherer.take(data, 6, 6 + len(part))


def gathered(codec: Codec, *parts: bytes) -> tuple[Gathered, int]:
    gatherer = UnitGatherer(codec)
    give(gatherer, *parts)
    return gatherer.gathered(), gatherer.torn


def test_several_units_come_out_of_one_payload():
    found, torn = gathered(Codec.H264, aggregate(Codec.H264, [SPS, PPS]), KEY)
    assert found == Gathered((SPS, PPS, KEY), is_key=True, has_slice=True)
    assert torn == 0


def test_a_unit_is_whole_again_after_its_fragments():
    found, _ = gathered(Codec.H264, *payloads(Codec.H264, SLICE, 20))
    assert found == Gathered((SLICE,), is_key=False, has_slice=True)
    found, _ = gathered(Codec.H265, *payloads(Codec.H265, SLICE_265, 20))
    assert found.units == (SLICE_265,)


def test_a_unit_of_which_a_part_is_missing_is_left_out_and_the_others_stay():
    parts = list(payloads(Codec.H264, SLICE, 20))
    gatherer = UnitGatherer(Codec.H264)
    give(gatherer, KEY, parts[0])
    gatherer.lose()
    give(gatherer, *parts[2:])
    assert gatherer.gathered().units == (KEY,)
    assert gatherer.torn == 2  # its beginning, and its end

    found, torn = gathered(Codec.H264, *parts[:-1])
    assert (found.units, torn) == ((), 1)


def test_a_unit_that_begins_before_the_last_has_ended_tears_that_one():
    parts = list(payloads(Codec.H264, SLICE, 20))
    found, torn = gathered(Codec.H264, parts[0], *parts)
    assert (found.units, torn) == ((SLICE,), 1)


def test_units_with_start_codes_between_them_are_taken_apart():
    found, _ = gathered(Codec.H264, SPS + START_CODE + PPS + b"\x00" + START_CODE + KEY)
    assert found.units == (SPS, PPS, KEY)


def test_zeros_behind_a_unit_and_padding_units_are_not_kept():
    found, _ = gathered(Codec.H264, b"\x09\x10", SLICE + b"\x00\x00", b"\x0c\xff\x80")
    assert found.units == (SLICE,)


@pytest.mark.parametrize(
    ("note", "is_key"),
    [
        (b"\x06\x06\x01\xc4\x80", True),
        (b"\x06\x00\x01\x80\x06\x01\xc4\x80", True),
        (b"\x06\xff\x05\x01\x80\x80", False),
        (b"\x06\x05\xff\x00" + b"u" * 255 + b"\x80", False),
        (b"\x06\x80", False),
        (b"\x06", False),
    ],
)
def test_a_recovery_point_makes_a_picture_one_to_begin_at(note, is_key):
    found, _ = gathered(Codec.H264, note, SLICE)
    assert found == Gathered((note, SLICE), is_key=is_key, has_slice=True)


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        (Codec.H264, b""),
        (Codec.H264, b"\x00abc"),
        (Codec.H264, b"\x1c\x80"),
        (Codec.H264, b"\x1daaaaa"),
        (Codec.H264, b"\x18\x00\x00"),
        (Codec.H264, b"\x18\x00\x09abc"),
        (Codec.H265, b"\x02"),
        (Codec.H265, b"\x62\x01\x80"),
        (Codec.H265, b"\x64\x01abc"),
        (Codec.H265, b"\x60\x01\x00\x09abc"),
    ],
)
def test_what_is_no_payload_is_counted_and_costs_nothing_else(codec, payload):
    found, torn = gathered(codec, payload)
    assert found.units == ()
    assert torn <= 1
    unit = SLICE if codec is Codec.H264 else SLICE_265
    assert gathered(codec, payload, unit)[0].units == (unit,)


def test_an_access_unit_without_end_is_refused():
    gatherer = UnitGatherer(Codec.H264)
    part = b"\x1c\x01" + bytes(60_000)
    give(gatherer, b"\x1c\x81abc")
    with pytest.raises(RtspError, match="access unit"):
        give(gatherer, *([part] * (MAX_ACCESS_UNIT_BYTES // len(part) + 1)))


def test_small_units_without_end_are_refused_too():
    gatherer = UnitGatherer(Codec.H264)
    many = aggregate(Codec.H264, [b"\x41"] * 10_000)
    with pytest.raises(RtspError, match="access unit"):
        give(gatherer, many, many, many, many, many)
