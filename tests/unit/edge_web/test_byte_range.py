import pytest

from edge.web.byte_range import Span, span_of


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-", 10, 100),
        ("bytes=10-19", 10, 20),
        ("bytes=10-1000", 10, 100),
        ("bytes=-30", 70, 100),
        ("bytes=-300", 0, 100),
    ],
)
def test_one_range_is_that_part(header, start, end):
    assert span_of(header, 100) == Span(start, end, is_part=True)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "bytes=9-2", "bytes=a-"]
)
def test_what_is_no_range_is_the_whole(header):
    assert span_of(header, 100) == Span(0, 100, is_part=False)


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=200-300", "bytes=-0"])
def test_a_range_of_nothing_is_refused(header):
    with pytest.raises(ValueError, match="nothing of 100 bytes"):
        span_of(header, 100)
