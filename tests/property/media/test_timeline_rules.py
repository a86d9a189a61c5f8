from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.media.nal import split
from edge.media.sample import Codec, GapReason, Packet, RunEnded, Sample
from edge.media.timeline import MAX_STEP_90K, MAX_WALL_STEP, Timeline
from protocol.relay import StreamName
from tests.support.packets import BEGAN, access_units

KEY = access_units(Codec.H264, 2, 2)[0][0]
DELTA = access_units(Codec.H264, 2, 2)[1][0]
OTHER_KEY = access_units(Codec.H264, 1, 1, width=320)[0][0]

times = st.none() | st.integers(-(2**33), 2**33) | st.integers(0, 200).map(lambda n: n * 3600)
packets = st.builds(
    Packet,
    times,
    times,
    st.sampled_from([False]),
    st.sampled_from([KEY, DELTA, DELTA, DELTA, OTHER_KEY, b"", b"\x00\x00\x01\x67"]).map(
        lambda data: tuple(split(data))
    ),
    st.integers(0, 10**12),
    st.integers(0, 10**6).map(lambda s: BEGAN + timedelta(seconds=s)),
)


@given(st.lists(packets, max_size=60))
def test_any_packets_give_runs_that_begin_with_a_key_frame_and_only_go_forward(script):
    line = Timeline("gate", StreamName.MAIN, Codec.H264)
    items = [item for packet in script for item in line.feed(packet)]
    items += line.finish(GapReason.NETWORK, BEGAN)

    ended: set[str] = set()
    last: Sample | None = None
    for item in items:
        if isinstance(item, RunEnded):
            assert last is not None
            assert item.run == last.run
            ended.add(item.run.run_id)
            last = None
            continue
        assert item.run.run_id not in ended
        assert item.data
        assert 0 <= item.pts_90k - item.dts_90k <= MAX_STEP_90K
        if last is None:
            assert item.is_key
            assert item.dts_90k == 0
        else:
            assert item.run == last.run
            assert item.duration_90k == item.dts_90k - last.dts_90k > 0
        last = item
    assert last is None
    assert line.dropped + sum(isinstance(item, Sample) for item in items) == len(script)


#: What is added to the wall clock at each picture of a good camera: mostly nothing.
wall_steps = st.lists(
    st.just(0.0) | st.just(0.0) | st.sampled_from([0.9, -0.9, 2.5, -2.5, 700.0, -86_400.0, 1e8]),
    min_size=1,
    max_size=60,
)


@given(wall_steps, st.integers(1, 12))
def test_key_frames_keep_to_the_wall_clock_and_no_picture_is_lost_to_it(steps_s, gop):
    line = Timeline("gate", StreamName.MAIN, Codec.H264)
    wall_s = 0.0
    parted: timedelta | None = None  # the wall clock's lead at the run's start
    for index, step_s in enumerate(steps_s):
        wall_s += step_s
        lead = timedelta(seconds=wall_s)
        is_key = index % gop == 0
        arrival = timedelta(seconds=index / 25)
        packet = Packet(
            pts_90k=index * 3600,
            dts_90k=index * 3600,
            is_key=False,
            units=tuple(split(KEY if is_key else DELTA)),
            received_mono_ns=index * 40_000_000,
            received_utc=BEGAN + arrival + lead,
        )
        *ends, sample = line.feed(packet)
        assert isinstance(sample, Sample)
        is_apart = parted is not None and abs(lead - parted) > MAX_WALL_STEP
        assert bool(ends) == (is_key and is_apart)
        if is_key:
            late = packet.received_utc - sample.run.utc_at(sample.dts_90k)
            assert abs(late) <= MAX_WALL_STEP
        if parted is None or ends:
            parted = lead
