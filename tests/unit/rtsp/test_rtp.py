"""RTP's and RTCP's bytes."""

import struct

from edge.rtsp.rtp import (
    MediaClock,
    SenderReport,
    Sequence,
    payload_bounds,
    receiver_report,
    sender_report,
)


def bounds(first: int, body: bytes) -> tuple[int, int] | None:
    data = bytearray(bytes((first, 96)) + bytes(10) + body)
    return payload_bounds(data, 0, len(data))


def test_a_payload_begins_behind_sources_and_extension_and_ends_before_padding():
    assert bounds(0x80, b"abc") == (12, 15)
    assert bounds(0x82, bytes(8) + b"abc") == (20, 23)
    assert bounds(0x90, b"\xbe\xde\x00\x01" + bytes(4) + b"abc") == (20, 23)
    assert bounds(0xA0, b"abc\x00\x00\x03") == (12, 15)
    assert bounds(0x80, b"") == (12, 12)


def test_what_is_no_rtp_or_longer_than_it_is_has_no_payload():
    assert bounds(0x40, b"abc") is None
    assert bounds(0x8F, b"abc") is None
    assert bounds(0x90, b"ab") is None
    assert bounds(0x90, b"\xbe\xde\xff\xff") is None
    assert bounds(0xA0, b"abc\xff") is None
    assert payload_bounds(bytearray(b"\x80\x60"), 0, 2) is None


def test_numbers_wrap_and_missing_ones_are_counted():
    sequence = Sequence()
    assert [sequence.follows(number) for number in (65_534, 65_535, 0, 1, 4)] == [
        *(True, True, True, True),
        False,
    ]
    assert (sequence.lost, sequence.highest) == (2, 65_536 + 4)


def test_a_source_that_counts_anew_has_lost_nothing():
    sequence = Sequence()
    assert sequence.follows(10_000)
    assert not sequence.follows(7)
    assert sequence.follows(8)
    sequence.begin_anew()
    assert sequence.follows(9_999)
    assert sequence.lost == 0


def test_times_go_on_where_they_wrap_and_may_go_back_a_little():
    clock = MediaClock()
    assert [clock.read(time) for time in (0xFFFF_FFF0, 0x10, 0x00, 0xFFFF_FFFF)] == [
        *(0xFFFF_FFF0, 0x1_0000_0010, 0x1_0000_0000, 0xFFFF_FFFF)
    ]


def test_a_sender_report_is_read_and_nothing_else():
    report = struct.pack(">BBHIQIII", 0x80, 200, 6, 7, 1 << 40, 99, 1, 2)
    assert sender_report(report) == SenderReport(7, 1 << 40, 99)
    assert sender_report(report[:19]) is None
    assert sender_report(b"\x80\xc9" + report[2:]) is None
    assert sender_report(b"\x40" + report[1:]) is None


def test_a_receiver_report_is_whole_words_that_say_what_came():
    sequence = Sequence()
    for number in (65_535, 0, 3):
        sequence.follows(number)
    report = receiver_report(1, 2, sequence, SenderReport(2, 0x1234_5678_9ABC_DEF0, 0), 1.5)
    first, kind, words, own, source, lost, highest, _, last, delay = struct.unpack_from(
        ">BBHIIIIIII", report
    )
    assert (first, kind, own, source, lost, highest) == (0x81, 201, 1, 2, 2, 65_539)
    assert (last, delay) == (0x5678_9ABC, 98_304)
    names = report[4 * (words + 1) :]
    assert (names[1], len(names)) == (202, 4 * (int.from_bytes(names[2:4]) + 1))
    assert b"tanshao" in names


def test_before_any_sender_report_a_receiver_report_names_none():
    report = receiver_report(1, 2, Sequence(), None, 9.0)
    assert report[24:32] == bytes(8)
