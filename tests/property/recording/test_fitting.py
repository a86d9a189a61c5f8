"""A clip that must be shorter is shortened around the instant that matters."""

from hypothesis import given
from hypothesis import strategies as st

from edge.recording.fitting import HEAD_BYTES, LEAST_AFTER_90K, SAMPLE_BYTES, Frame, fitting


@st.composite
def clips(draw: st.DrawFn) -> list[Frame]:
    """Draw a clip of one picture in 40 ms and key frames anywhere, the first among them."""
    keys = draw(st.sets(st.integers(1, 200), max_size=10)) | {0}
    count = draw(st.integers(1, 200))
    large = st.integers(100, 20_000)
    return [
        Frame(number * 3600, draw(large) if number in keys else 500, is_key=number in keys)
        for number in range(count)
    ]


def size(frames):
    return HEAD_BYTES + sum(frame.size_bytes + SAMPLE_BYTES for frame in frames)


limits = st.integers(0, 400_000)
instants = st.integers(0, 200 * 3600)


@given(clips(), limits, instants)
def test_what_is_kept_is_one_stretch_from_a_key_frame_on(frames, limit, around):
    kept = frames[fitting(frames, limit, around)]
    assert kept
    assert kept[0].is_key


@given(clips(), limits, instants)
def test_what_fits_is_kept_whole(frames, limit, around):
    if size(frames) <= limit:
        assert frames[fitting(frames, limit, around)] == frames


@given(clips(), limits, instants)
def test_it_fits_wherever_the_least_that_is_worth_showing_does(frames, limit, around):
    kept = frames[fitting(frames, limit, around)]
    least = frames[fitting(frames, 0, around)]
    assert size(kept) <= max(limit, size(least))


@given(clips(), limits, instants)
def test_the_instant_is_shown_and_a_second_after_it(frames, limit, around):
    kept = frames[fitting(frames, limit, around)]
    wanted = [f for f in frames if around <= f.at_90k < around + LEAST_AFTER_90K]
    assert all(frame in kept for frame in wanted)
    if frames[0].at_90k <= around:
        assert kept[0].at_90k <= around


@given(clips(), st.tuples(limits, limits), instants)
def test_with_more_room_nothing_is_taken_away(frames, two, around):
    less, more = (fitting(frames, limit, around) for limit in sorted(two))
    assert more.start <= less.start
    assert less.stop <= more.stop
