import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect import wire
from edge.detect.fault import PictureFault
from edge.detect.wire import Kind

runs = st.binary(min_size=16, max_size=16)
ticks = st.integers(-(2**63), 2**63 - 1)
cameras = st.integers(0, 2**16 - 1)
floats = st.floats(-10, 10, width=32)
boxes = st.lists(st.tuples(floats, floats, floats, floats, floats), max_size=20).map(tuple)

fps = st.just(0.0) | st.floats(0.125, wire.MAX_FPS, width=32)
rates = st.builds(wire.Rate, fps, fps)
streams = st.builds(
    wire.Stream,
    cameras,
    runs,
    st.sampled_from(["h264", "h265"]),
    rates,
    st.booleans(),
    st.binary(max_size=300),
)
units = st.builds(wire.Unit, cameras, ticks, ticks, st.booleans(), st.binary(max_size=300))
results = st.builds(wire.Result, cameras, runs, ticks, floats, boxes)
setups = st.builds(
    wire.Setup,
    *[st.text()] * 3,
    floats,
    *[st.text()] * 3,
    floats,
    st.text(),
)
paces = st.builds(wire.Pace, cameras, rates)
rows = st.lists(st.tuples(st.booleans(), *[floats] * 6), max_size=20).map(tuple)
fires = st.builds(wire.FireResult, cameras, runs, ticks, rows)
counts = st.integers(0, 2**53)
pictures = st.builds(
    wire.PictureState,
    cameras,
    runs,
    ticks,
    st.booleans(),
    st.frozensets(st.sampled_from(PictureFault)),
)
beats = st.builds(wire.Beat, counts, counts, counts, counts, counts, counts)

MESSAGES = [
    (streams, Kind.STREAM, wire.pack_stream, wire.parse_stream),
    (units, Kind.SAMPLE, wire.pack_unit, wire.parse_unit),
    (cameras, Kind.GONE, wire.pack_gone, wire.parse_gone),
    (results, Kind.RESULT, wire.pack_result, wire.parse_result),
    (fires, Kind.FIRE, wire.pack_fire, wire.parse_fire),
    (pictures, Kind.PICTURE, wire.pack_picture, wire.parse_picture),
    (paces, Kind.PACE, wire.pack_pace, wire.parse_pace),
    (setups, Kind.SETUP, wire.pack_setup, wire.parse_setup),
    (beats, Kind.BEAT, wire.pack_beat, wire.parse_beat),
]


@pytest.mark.parametrize(("values", "kind", "pack", "parse"), MESSAGES)
def test_what_is_packed_comes_back_whole(values, kind, pack, parse):
    @given(values)
    def check(value):
        ((found, payload),) = wire.Deframer().feed(pack(value))
        assert found is kind
        assert parse(payload) == value

    check()


@pytest.mark.parametrize(("values", "kind", "pack", "parse"), MESSAGES)
def test_other_bytes_are_refused_and_nothing_else_happens(values, kind, pack, parse):
    @given(st.binary(max_size=200))
    def check(payload):
        try:
            parse(payload)
        except wire.WireError:
            return

    check()


@given(st.lists(units, max_size=5), st.lists(st.integers(1, 200), min_size=1, max_size=50))
def test_frames_are_the_same_however_the_stream_is_cut(values, cuts):
    data = b"".join(wire.pack_unit(value) for value in values)
    deframer, found, position, turn = wire.Deframer(), [], 0, 0
    while position < len(data):
        size = cuts[turn % len(cuts)]
        found += [wire.parse_unit(p) for _, p in deframer.feed(data[position : position + size])]
        position, turn = position + size, turn + 1
    assert found == values


@given(st.binary(max_size=300))
def test_noise_is_frames_or_an_error_and_never_more(data):
    try:
        frames = list(wire.Deframer().feed(data))
    except wire.WireError:
        return
    assert sum(5 + len(payload) for _, payload in frames) <= len(data)


def test_a_frame_that_is_too_long_is_refused_before_it_comes():
    head = (wire.MAX_FRAME_BYTES + 1).to_bytes(4, "big") + bytes([Kind.SAMPLE])
    with pytest.raises(wire.WireError, match="bytes"):
        list(wire.Deframer().feed(head))
