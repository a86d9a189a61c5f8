from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.ingest.burst import HOLD_NS, MAX_HELD, OpeningBurst
from edge.media.sample import Packet

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FRAME_90K = 3600  # 25 frames a second
FRAME_NS = 40_000_000
HOLD_FRAMES = HOLD_NS // FRAME_NS


def packet(index: int, arrived_ns: int, dts_90k: int | None = None) -> Packet:
    dts_90k = index * FRAME_90K if dts_90k is None else dts_90k
    arrived = NOON + timedelta(microseconds=arrived_ns // 1000)
    return Packet(dts_90k, dts_90k, index == 0, (b"x",), arrived_ns, arrived)


def passed(packets: Iterable[Packet]) -> list[Packet]:
    """Return what comes out of a stream of these."""
    burst = OpeningBurst()
    return [*(out for each in packets for out in burst.take(each)), *burst.rest()]


def test_what_the_demuxer_had_read_before_is_dated_back() -> None:
    """Ten frames are handed out at once, 400 ms after the first of them was there."""
    arrivals = [max(index, 10) * FRAME_NS for index in range(60)]
    out = passed(packet(index, at) for index, at in enumerate(arrivals))
    assert out == [packet(index, index * FRAME_NS) for index in range(60)]


def test_a_box_that_is_late_at_first_dates_its_stream_by_the_least_late_packet() -> None:
    """A busy start: the first packets come up to 350 ms late, later ones on time."""
    late_ms = [350, 320, 350, 200, 90, 120, 0, 30]
    late_ms += [20] * 60
    arrivals = [index * FRAME_NS + late * 1_000_000 for index, late in enumerate(late_ms)]
    out = passed(packet(index, at) for index, at in enumerate(arrivals))
    assert [each.received_mono_ns for each in out[:HOLD_FRAMES]] == [
        index * FRAME_NS for index in range(HOLD_FRAMES)
    ]


def test_what_comes_later_goes_on_at_once_and_untouched() -> None:
    burst = OpeningBurst()
    assert list(burst.take(packet(0, 0))) == []
    assert len(list(burst.take(packet(1, HOLD_NS)))) == 2
    late = packet(2, 9 * FRAME_NS + HOLD_NS)
    assert list(burst.take(late)) == [late]


def test_nothing_goes_on_before_the_hold_is_over() -> None:
    burst = OpeningBurst()
    for index in range(HOLD_FRAMES):
        assert list(burst.take(packet(index, index * FRAME_NS))) == []
    assert len(list(burst.take(packet(HOLD_FRAMES, HOLD_NS)))) == HOLD_FRAMES + 1


def test_a_camera_that_sends_a_burst_itself_is_not_held_for_ever() -> None:
    burst = OpeningBurst()
    out: list[Packet] = []
    for index in range(MAX_HELD):
        out += burst.take(packet(index, 0))
    assert len(out) == MAX_HELD
    assert out[-1] == packet(MAX_HELD - 1, 0)


def test_a_stream_that_ends_early_loses_nothing() -> None:
    burst = OpeningBurst()
    assert list(burst.take(packet(0, 0))) == []
    assert list(burst.rest()) == [packet(0, 0)]
    assert list(burst.rest()) == []


def test_a_clock_that_jumps_dates_only_its_own_side() -> None:
    """Two packets come at once, a jump ahead, two more: each side by its own least late one."""
    jump = 99 * 90_000
    out = passed(
        [
            packet(0, FRAME_NS),
            packet(1, FRAME_NS),
            packet(2, 9 * FRAME_NS, dts_90k=jump),
            packet(3, 9 * FRAME_NS, dts_90k=jump + FRAME_90K),
        ]
    )
    assert [each.received_mono_ns // FRAME_NS for each in out] == [0, 1, 8, 9]


def test_a_packet_without_a_time_keeps_its_arrival() -> None:
    without = Packet(None, None, is_key=True, units=(b"x",), received_mono_ns=5, received_utc=NOON)
    assert passed([without, packet(0, FRAME_NS)]) == [without, packet(0, FRAME_NS)]


def test_what_was_read_before_the_stream_was_known_gets_its_decoding_times() -> None:
    """Seven frames a second as FFmpeg hands them out: four at once, without dts, 428 ms late."""
    frame_90k, frame_ns = 12_857, 142_857_142
    late = [
        replace(
            packet(index, 4 * frame_ns),
            dts_90k=None,
            pts_90k=None if index == 0 else index * frame_90k,
        )
        for index in range(4)
    ]
    on_time = [packet(index, index * frame_ns, dts_90k=index * frame_90k) for index in range(4, 20)]
    out = passed([*late, *on_time])
    assert [each.dts_90k for each in out] == [index * frame_90k for index in range(20)]
    assert all(
        abs(each.received_mono_ns - index * frame_ns) < 100_000 for index, each in enumerate(out)
    )


def test_a_decoding_time_that_is_filled_in_is_never_after_the_presentation() -> None:
    early = replace(packet(0, 0), dts_90k=None, pts_90k=-9 * FRAME_90K)
    out = passed([early, *(packet(index, index * FRAME_NS) for index in range(1, 40))])
    assert out[0].dts_90k == -9 * FRAME_90K


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-(2**33), 2**33),
            st.integers(0, 3 * HOLD_NS),
        ),
        max_size=2 * MAX_HELD,
    )
)
def test_nothing_is_lost_reordered_or_dated_later(times: list[tuple[int | None, int]]) -> None:
    packets = [
        replace(packet(0, at_ns), pts_90k=dts, dts_90k=dts, units=(str(index).encode(),))
        for index, (dts, at_ns) in enumerate(times)
    ]
    out = passed(packets)
    assert [each.units for each in out] == [each.units for each in packets]
    assert all(
        mine.received_mono_ns <= theirs.received_mono_ns
        for mine, theirs in zip(out, packets, strict=True)
    )
