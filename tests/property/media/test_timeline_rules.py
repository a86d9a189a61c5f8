from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.media.sample import Codec, GapReason, Packet, RunEnded, Sample
from edge.media.timeline import MAX_STEP_90K, Timeline
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
    st.sampled_from([KEY, DELTA, DELTA, DELTA, OTHER_KEY, b"", b"\x00\x00\x01\x67"]),
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
