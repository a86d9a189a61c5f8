from datetime import UTC, datetime, timedelta

from edge.ingest.burst import MAX_HELD, WAITED_NS, OpeningBurst
from edge.media.sample import Packet

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FRAME_90K = 3600  # 25 frames a second
FRAME_NS = 40_000_000


def packet(index: int, arrived_ns: int, dts_90k: int | None = None) -> Packet:
    dts_90k = index * FRAME_90K if dts_90k is None else dts_90k
    arrived = NOON + timedelta(microseconds=arrived_ns // 1000)
    return Packet(dts_90k, dts_90k, index == 0, b"x", arrived_ns, arrived)


def test_a_burst_is_dated_from_the_first_packet_that_was_waited_for() -> None:
    """Ten frames are handed out at once, 400 ms after the first of them was there."""
    burst = OpeningBurst()
    out = []
    for index in range(10):
        out += burst.take(packet(index, 1_000_000_000), 0)
    assert out == []
    out += burst.take(packet(10, 1_000_000_000 + FRAME_NS), FRAME_NS)
    expected = [packet(i, 1_000_000_000 + FRAME_NS - (10 - i) * FRAME_NS) for i in range(11)]
    assert out == expected


def test_what_comes_later_goes_on_at_once_and_untouched() -> None:
    burst = OpeningBurst()
    list(burst.take(packet(0, 0), 0))
    list(burst.take(packet(1, FRAME_NS), FRAME_NS))
    late = packet(2, 9 * FRAME_NS)
    assert list(burst.take(late, 0)) == [late]


def test_the_first_packet_alone_says_nothing_however_long_it_took() -> None:
    burst = OpeningBurst()
    assert list(burst.take(packet(0, 0), 10 * WAITED_NS)) == []


def test_a_camera_that_sends_a_burst_itself_is_not_held_for_ever() -> None:
    burst = OpeningBurst()
    out = []
    for index in range(MAX_HELD):
        out += burst.take(packet(index, 0), 0)
    assert len(out) == MAX_HELD
    assert out[-1] == packet(MAX_HELD - 1, 0)


def test_a_stream_that_ends_early_loses_nothing() -> None:
    burst = OpeningBurst()
    assert list(burst.take(packet(0, 0), 0)) == []
    assert list(burst.rest()) == [packet(0, 0)]
    assert list(burst.rest()) == []


def test_times_that_tell_nothing_are_left_alone() -> None:
    """A time is missing, goes back, or is from another age."""
    without = Packet(None, None, is_key=True, data=b"x", received_mono_ns=5, received_utc=NOON)
    ahead = packet(1, 5, dts_90k=99 * FRAME_90K)
    ancient = packet(2, 5, dts_90k=-100 * 90_000)
    live = packet(3, FRAME_NS)
    burst = OpeningBurst()
    for held in (without, ahead, ancient):
        assert list(burst.take(held, 0)) == []
    assert list(burst.take(live, FRAME_NS)) == [without, ahead, ancient, live]
