"""Decoding times out of presentation times."""

import pytest

from edge.media import nal
from edge.media.nal import NalRole
from edge.media.sample import Codec
from edge.rtsp.decoding_time import DecodingTimes
from tests.support.packets import FRAME_90K, access_units


def sequence_set(codec: Codec, b_frames: int) -> bytes:
    units = nal.split(access_units(codec, 12, 12, b_frames=b_frames)[0][0])
    return next(unit for unit in units if nal.role(codec, unit) is NalRole.SPS)


def test_where_pictures_are_shown_as_they_come_both_times_are_the_same():
    times = DecodingTimes()
    assert [times.read(time) for time in (5, 10, 10, 20)] == [5, 10, 10, 20]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("b_frames", [1, 2, 3])
def test_the_encoders_own_decoding_times_come_out(codec, b_frames):
    times = DecodingTimes()
    times.announce(codec, sequence_set(codec, b_frames))
    units = access_units(codec, 12, 12, b_frames=b_frames)

    found = [times.read(pts * FRAME_90K) for _, pts, _, _ in units]

    depth = found.count(None)
    assert 1 <= depth <= 2
    assert found[:depth] == [None] * depth
    assert found[depth:] == sorted(pts * FRAME_90K for _, pts, _, _ in units)[: len(found) - depth]
    assert all(
        time <= pts * FRAME_90K
        for time, (_, pts, _, _) in zip(found, units, strict=True)
        if time is not None
    )


def test_an_order_that_no_set_announced_is_learned_from_the_first_picture_that_shows_it():
    times = DecodingTimes()
    found = [times.read(time * FRAME_90K) for time in (0, 2, 1, 4, 3, 6, 5)]
    assert found == [time * FRAME_90K for time in (0, 2, 2, 2, 3, 4, 5)]


def test_a_clock_that_is_set_is_followed_at_once_either_way():
    times = DecodingTimes()
    assert [times.read(time) for time in (10**6, 0, 10**9)] == [10**6, 0, 10**9]


def test_a_set_that_can_not_be_read_says_nothing():
    times = DecodingTimes()
    times.announce(Codec.H264, b"\x67\x64")
    assert times.read(7) == 7
