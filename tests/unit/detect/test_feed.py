from dataclasses import replace
from datetime import UTC, datetime

import pytest

from edge.detect import wire
from edge.detect.feed import Feed, Looks, Rates, Task
from edge.detect.wire import Kind
from edge.media.sample import GapReason, RunEnded
from tests.support.footage import run, sample, samples

LOOKS = Looks({Task.PEOPLE: Rates(2.0, 0.5), Task.FIRE: Rates(1.0, 0.5)})
RUN = run("ab" * 16)
OTHER = run("cd" * 16)


class Woken:
    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1


@pytest.fixture
def woken():
    return Woken()


@pytest.fixture
def feed(woken):
    feed = Feed("gate", 3, LOOKS, woken, max_queue_bytes=1000)
    feed.listen(listening=True)
    return feed


def frames(feed, max_bytes=1 << 20):
    return list(wire.Deframer().feed(feed.take(max_bytes)))


def kinds(feed):
    return [kind for kind, _ in frames(feed)]


def offer(feed, of, letters, size_bytes=50, first=0):
    for one in samples(of, letters, size_bytes=size_bytes, first=first):
        feed.offer(one)


def ended(of):
    return RunEnded(of, GapReason.NETWORK, datetime(2026, 11, 22, tzinfo=UTC))


def test_a_run_is_opened_and_its_samples_follow_whole(feed, woken):
    offer(feed, RUN, "KP")
    (first, stream), (second, one), (third, two) = frames(feed)
    assert (first, second, third) == (Kind.STREAM, Kind.SAMPLE, Kind.SAMPLE)
    expected = wire.Stream(
        3,
        bytes.fromhex("ab" * 16),
        "h264",
        wire.Rate(2.0, 1.0),
        health=False,
        extradata=RUN.parameters.extradata,
    )
    assert wire.parse_stream(stream) == expected
    given = samples(RUN, "KP", size_bytes=50)
    for payload, each in zip((one, two), given, strict=True):
        assert wire.parse_unit(payload) == wire.Unit(
            3, each.dts_90k, each.pts_90k, each.is_key, each.data
        )
    assert woken.times == 2


def test_nothing_is_taken_before_a_key_frame(feed):
    offer(feed, RUN, "PPP")
    assert feed.take(1 << 20) == b""
    offer(feed, RUN, "KP", first=3)
    assert kinds(feed) == [Kind.STREAM, Kind.SAMPLE, Kind.SAMPLE]
    assert feed.dropped == 0


def test_nothing_is_taken_or_counted_while_nobody_listens(feed, woken):
    feed.listen(listening=False)
    offer(feed, RUN, "KPPP")
    assert (feed.take(1 << 20), feed.dropped, woken.times) == (b"", 0, 0)


def test_a_new_detector_gets_the_run_from_the_next_key_frame(feed):
    offer(feed, RUN, "KP")
    feed.listen(listening=False)
    feed.listen(listening=True)
    offer(feed, RUN, "PPK", first=2)
    assert kinds(feed) == [Kind.STREAM, Kind.SAMPLE]


def test_overflow_drops_all_that_waits_and_goes_on_at_a_key_frame(feed):
    offer(feed, RUN, "K" + "P" * 20)
    assert feed.queued_bytes <= 1000
    assert feed.dropped > 0
    offer(feed, RUN, "PPKP", first=21)
    assert kinds(feed)[-3:] == [Kind.STREAM, Kind.SAMPLE, Kind.SAMPLE]
    assert feed.queued_bytes == 0


def test_a_key_frame_larger_than_the_queue_is_taken_alone(feed):
    offer(feed, RUN, "K", size_bytes=5000)
    assert kinds(feed) == [Kind.STREAM, Kind.SAMPLE]
    assert (feed.dropped, feed.queued_bytes) == (0, 0)


def test_a_large_key_frame_takes_the_place_of_what_waits(feed):
    offer(feed, RUN, "KPP")
    offer(feed, RUN, "K", size_bytes=5000, first=3)
    (_, opening), (_, unit) = frames(feed)
    assert wire.parse_stream(opening).run == bytes.fromhex("ab" * 16)
    assert wire.parse_unit(unit).is_key
    assert feed.dropped == 4  # the opening of its run with them
    offer(feed, RUN, "P", first=4)
    assert kinds(feed) == [Kind.SAMPLE]


def test_another_frame_larger_than_the_queue_is_dropped_and_counted(feed):
    offer(feed, RUN, "K")
    feed.take(1 << 20)
    offer(feed, RUN, "P", size_bytes=5000, first=1)
    offer(feed, RUN, "P", first=2)
    assert feed.take(1 << 20) == b""
    assert feed.dropped == 1


def test_a_key_frame_that_the_wire_does_not_carry_is_dropped_and_counted(feed, monkeypatch):
    monkeypatch.setattr(wire, "MAX_FRAME_BYTES", 5000)
    offer(feed, RUN, "KP", size_bytes=5000)
    assert feed.take(1 << 20) == b""
    assert feed.dropped == 1


def test_a_new_run_is_opened_anew(feed):
    offer(feed, RUN, "K")
    offer(feed, OTHER, "PK")
    assert kinds(feed) == [Kind.STREAM, Kind.SAMPLE, Kind.STREAM, Kind.SAMPLE]


def test_the_end_of_a_run_is_told_once(feed):
    offer(feed, RUN, "K")
    feed.offer(ended(RUN))
    feed.offer(ended(RUN))
    assert kinds(feed) == [Kind.STREAM, Kind.SAMPLE, Kind.GONE]


def test_results_of_an_older_run_are_stale(feed):
    offer(feed, RUN, "K")
    assert feed.run_of(bytes.fromhex("ab" * 16)) == RUN
    assert feed.run_of(bytes.fromhex("cd" * 16)) is None
    offer(feed, OTHER, "K")
    assert feed.run_of(bytes.fromhex("ab" * 16)) is None
    feed.offer(ended(OTHER))
    assert feed.run_of(bytes.fromhex("cd" * 16)) is None


def test_no_more_than_asked_for_is_given_but_always_a_whole_frame(feed):
    offer(feed, RUN, "KPP")
    pieces = []
    while piece := feed.take(1):
        pieces.append(piece)
    assert len(pieces) == 4
    deframer = wire.Deframer()
    assert [kind for piece in pieces for kind, _ in deframer.feed(piece)] == [
        Kind.STREAM,
        *[Kind.SAMPLE] * 3,
    ]


def test_a_camera_where_nothing_goes_on_is_looked_at_less_often_from_the_next_frame(feed):
    offer(feed, RUN, "K")
    feed.attend(Task.PEOPLE, busy=False)
    feed.attend(Task.PEOPLE, busy=False)
    offer(feed, RUN, "P", first=1)
    _, _, (kind, pace), (last, _) = frames(feed)
    assert (kind, last) == (Kind.PACE, Kind.SAMPLE)
    assert wire.parse_pace(pace) == wire.Pace(3, wire.Rate(0.5, 1.0))


def test_fire_is_looked_for_at_a_rate_of_its_own(feed):
    offer(feed, RUN, "K")
    feed.attend(Task.FIRE, busy=False)
    _, _, (_, pace) = frames(feed)
    assert wire.parse_pace(pace).rate == wire.Rate(2.0, 0.5)


def test_where_nothing_is_looked_for_only_key_frames_go(woken):
    feed = Feed("gate", 3, Looks(health=True), woken)
    feed.listen(listening=True)
    offer(feed, RUN, "KPPK")
    (_, opening), *rest = frames(feed)
    assert not wire.parse_stream(opening).rate
    assert [kind for kind, _ in rest] == [Kind.SAMPLE, Kind.SAMPLE]


def large(woken):
    feed = Feed("gate", 3, Looks({Task.PEOPLE: Rates(2.0, 0.5)}, large=True), woken)
    feed.listen(listening=True)
    return feed


def sent(feed, of, letters, first=0):
    """Return which of the samples, one a second, the detector got, one letter each."""
    for index, letter in enumerate(letters, first):
        feed.offer(sample(of, 25 * index, is_key=letter == "K"))
    units = [wire.parse_unit(data) for kind, data in frames(feed) if kind is Kind.SAMPLE]
    return "".join("K" if unit.is_key else "P" for unit in units)


def test_of_a_main_stream_the_key_frames_go_alone_once_they_are_seen_to_come_often(woken):
    feed = large(woken)
    assert sent(feed, RUN, "KPPP") == "KPPP"
    assert sent(feed, RUN, "KPPPKP", first=4) == "KK"
    assert sent(feed, OTHER, "KPP") == "K"


def test_a_main_stream_whose_key_frames_are_far_apart_goes_whole(woken):
    feed = large(woken)
    assert sent(feed, RUN, "KPPPPPPP") == "KPPPPPPP"
    assert sent(feed, RUN, "KP", first=8) == "KP"
    assert sent(feed, RUN, "KPKP", first=10) == "KK"
    assert sent(feed, RUN, "PPPPKP", first=14) == "KP"


def test_a_main_stream_with_pictures_in_another_order_goes_whole(woken):
    feed = large(woken)
    for index, letter in enumerate("KPKPKP"):
        one = sample(RUN, 25 * index, is_key=letter == "K")
        feed.offer(replace(one, pts_90k=one.dts_90k + 3600))
    assert kinds(feed) == [Kind.STREAM] + [Kind.SAMPLE] * 6


def test_a_later_run_begins_with_the_rate_of_the_last(feed):
    feed.attend(Task.PEOPLE, busy=False)
    assert frames(feed) == []
    offer(feed, RUN, "K")
    assert wire.parse_stream(frames(feed)[0][1]).rate.people_fps == 0.5
