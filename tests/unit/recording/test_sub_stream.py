"""A camera's sub-stream that is recorded beside its main stream, and what is kept of it."""

from contextlib import closing
from datetime import timedelta

import pytest

from edge.media.sample import Codec, GapReason, StreamItem
from edge.media.timeline import Timeline
from edge.recording.audit import Audit, Level
from edge.recording.holds import add_hold
from edge.recording.janitor import Janitor
from edge.recording.recovery import recover
from edge.recording.retention import Disk, Policy
from edge.recording.writer import Recorder
from protocol.clock import FakeClock
from protocol.relay import StreamName
from tests.support.packets import BEGAN, packets
from tests.support.recordings import FAR_AHEAD, LONG_AGO, Archive, assert_sound, at, ended

DAY_S = 86_400
BOTH = [("gate", StreamName.MAIN), ("gate", StreamName.SUB)]


class Quiet:
    """A StorageAlarm that nobody hears."""

    def stands(self) -> bool:
        return False

    def begin(self) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


class HalfEmpty(Janitor):
    """A janitor whose disk has room."""

    def disk(self) -> Disk:
        return Disk(1_000_000_000, 900_000_000, self._index.size_bytes())


def items(stream: StreamName, **settings: int) -> list[StreamItem]:
    line = Timeline("gate", stream, Codec.H264)
    sent = packets(frames=100, **settings)
    return ended([item for packet in sent for item in line.feed(packet)])


def record_both(archive: Archive) -> None:
    """Record 4 s of both streams, each in its own size, in files of 2 s."""
    for stream, size in zip(StreamName, ((320, 240), (160, 120)), strict=True):
        recorder = Recorder("gate", stream, archive.index, archive.clock, 2.0, 5.0)
        recorder.start()
        for item in items(stream, width=size[0], height=size[1]):
            recorder.offer(item)
        recorder.close()


def of(archive: Archive, stream: StreamName):
    return archive.index.segments("gate", stream, LONG_AGO, FAR_AHEAD)


@pytest.fixture
def archive(tmp_path):
    with closing(Archive(tmp_path / "box", FakeClock(at(4)))) as made:
        made.root.mkdir()
        made.label.accept()
        record_both(made)
        yield made


def test_both_streams_are_whole_and_apart(archive):
    for stream, width in zip(StreamName, (320, 160), strict=True):
        found = of(archive, stream)
        assert [segment.width for segment in found] == [width, width]
        for segment in found:
            assert_sound(segment)
            assert segment.path.relative_to(archive.root).parts[1] == stream.value
    audit = Audit(archive.database, archive.index, at(4), is_running=False)
    assert list(audit.findings(Level.BYTES)) == []


def test_a_hold_keeps_both_and_without_one_both_go_by_age(archive):
    archive.clock.advance(40 * DAY_S)
    janitor = HalfEmpty(
        archive.database,
        archive.index,
        archive.doomed,
        archive.label,
        Policy(30, None, 0.01),
        archive.clock,
        Quiet(),
    )
    archive.index.stamp_alive(archive.clock.now(), archive.clock.now())
    with archive.database.transaction() as connection:
        until = archive.clock.now() + timedelta(days=1)
        add_hold(connection, "gate", at(1), at(3), "alert:1", until)
    janitor.sweep()
    assert [len(of(archive, stream)) for stream in StreamName] == [2, 2]

    with archive.database.transaction() as connection:
        connection.execute("delete from hold")
    janitor.sweep()

    assert [of(archive, stream) for stream in StreamName] == [[], []]
    with archive.database.reading() as connection:
        proof = connection.execute("select camera_id, segments from deletion").fetchall()
    assert [tuple(row) for row in proof] == [("gate", 4)]
    assert archive.files() == []


def test_a_sub_stream_that_is_no_longer_recorded_says_that_it_was_switched_off(archive):
    recover(archive.index, archive.doomed, archive.label, BOTH[:1], at(60))

    gaps = archive.index.gaps("gate", StreamName.SUB, LONG_AGO, FAR_AHEAD)
    assert (gaps[-1].end, gaps[-1].reason) == (None, GapReason.CONFIG)
    main = archive.index.gaps("gate", StreamName.MAIN, LONG_AGO, FAR_AHEAD)
    assert main[-1].reason is GapReason.BOX_OFF


def test_the_open_files_of_both_are_read_back_after_a_crash(archive):
    with archive.database.transaction() as connection:
        connection.execute("delete from segment where starts_key = 1 and id in (2, 4)")

    recover(archive.index, archive.doomed, archive.label, BOTH, at(60))

    for stream in StreamName:
        found = of(archive, stream)
        assert [segment.recovered for segment in found] == [False, True]
        assert all(segment.keys for segment in found)
    assert of(archive, StreamName.SUB)[1].start > BEGAN
