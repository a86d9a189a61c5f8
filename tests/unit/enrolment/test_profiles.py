"""Which of a camera's streams are recorded and shown."""

from edge.enrolment.profiles import Offer, chosen


def offer(name: str, pixels: int | None, encoding: str = "H264", source: str = "lens-1") -> Offer:
    return Offer(f"rtsp://camera/{name}", source, encoding, pixels)


FULL, HALF, SMALL = offer("full", 1920 * 1080), offer("half", 640 * 360), offer("small", 352 * 288)


def test_the_largest_is_the_main_one_and_the_largest_small_one_the_sub_stream():
    assert chosen([SMALL, HALF, FULL]) == (FULL, HALF)


def test_a_lone_stream_has_no_sub_stream_and_neither_has_one_told_twice():
    assert chosen([FULL]) == (FULL, None)
    assert chosen([FULL, FULL]) == (FULL, None)


def test_h264_counts_before_size():
    assert chosen([FULL, offer("h265", 640 * 360, "H265"), SMALL]) == (FULL, SMALL)


def test_of_too_large_ones_the_smallest():
    large, larger = offer("large", 1280 * 720), offer("larger", 1600 * 900)
    assert chosen([FULL, larger, large]) == (FULL, large)


def test_another_lens_is_no_sub_stream():
    assert chosen([FULL, offer("other", 640 * 360, source="lens-2")]) == (FULL, None)


def test_sizes_that_are_not_told_leave_it_to_the_cameras_order():
    first, second = offer("first", None), offer("second", None)
    assert chosen([first, second]) == (first, second)
