from datetime import UTC, datetime, timedelta

import pytest

from bench.onvif_answers import envelope, time_of
from edge.cameras import camera_clock, soap
from edge.cameras.camera_clock import ClockSource
from edge.errors import CameraBadXml

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)


def answer(now: datetime = NOW, **changed: str) -> soap.Element:
    text = time_of(now)
    for name, value in changed.items():
        before, _, rest = text.partition(f"<tt:{name}>")
        text = f"{before}<tt:{name}>{value}<{rest.partition('<')[2]}"
    return soap.checked(200, envelope(text))


def test_the_offset_is_the_cameras_time_minus_ours():
    read = camera_clock.from_answer(answer(NOW - timedelta(days=700)), NOW)
    assert (read.offset, read.source, read.by_ntp) == (
        timedelta(days=-700),
        ClockSource.ONVIF,
        False,
    )
    assert camera_clock.from_answer(answer(DateTimeType="NTP"), NOW).by_ntp is True
    assert camera_clock.from_answer(answer(DateTimeType="Sundial"), NOW).by_ntp is None


def test_a_leap_second_is_the_one_before():
    assert camera_clock.from_answer(answer(Second="60"), NOW).offset == timedelta(seconds=59)


@pytest.mark.parametrize(
    "impossible",
    [{"Month": "13"}, {"Hour": "00:61"}, {"Day": "0"}, {"Year": "0"}, {"Minute": ""}, {"Day": "x"}],
)
def test_an_impossible_time_is_no_time(impossible):
    with pytest.raises(CameraBadXml):
        camera_clock.from_answer(answer(**impossible), NOW)


def test_an_answer_without_utc_is_no_time():
    with pytest.raises(CameraBadXml):
        camera_clock.from_answer(soap.checked(200, envelope("<tds:X/>")), NOW)


@pytest.mark.parametrize(
    ("header", "offset", "source"),
    [
        ("Thu, 26 Nov 2026 11:59:00 GMT", timedelta(minutes=-1), ClockSource.HTTP),
        ("Thu, 26 Nov 2026 19:59:00 +0800", timedelta(minutes=-1), ClockSource.HTTP),
        ("Thu, 26 Nov 2026 11:59:00", timedelta(minutes=-1), ClockSource.HTTP),
        ("Thu, 01 Jan 1970 00:00:00 GMT", datetime(1970, 1, 1, tzinfo=UTC) - NOW, ClockSource.HTTP),
        (None, timedelta(0), ClockSource.UNKNOWN),
        ("2485-13-13", timedelta(0), ClockSource.UNKNOWN),
        ("Thu, 99 Nov 2026 11:59:00 GMT", timedelta(0), ClockSource.UNKNOWN),
    ],
)
def test_a_date_header_is_believed_where_it_is_one(header, offset, source):
    read = camera_clock.from_date_header(header, NOW)
    assert (read.offset, read.source) == (offset, source)
