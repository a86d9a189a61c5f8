import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import MediaError
from edge.media.boxes import fragments
from edge.media.sample import GapReason
from edge.recording.census import Tally
from edge.recording.label import DiskState
from edge.recording.origin import Origin
from edge.recording.orphans import Outcome
from edge.recording.retention import Deletion, Reason
from edge.recording.salvage import salvage
from edge.recording.segment import ClosedFile, Gap, Segment
from protocol.clock import FakeClock
from tests.support.packets import FRAME_90K, packets
from tests.support.recordings import (
    MAIN,
    Archive,
    assert_sound,
    at,
    closed_file,
    ended,
    offer_all,
    pictures,
    recorded,
    timed,
    until,
)

NOTHING = Tally(recovered=0, removed=0, left=0, rows_dropped=0, disk_looks_wrong=False)


def test_the_open_file_of_a_crash_is_read_back_whole_and_indexed(tmp_path):
    before = Archive(tmp_path)
    recorder = before.recorder(segment_s=4)
    recorder.start()
    offer_all(recorder, timed(packets(frames=140, gop=25)))
    until(lambda: (grows := before.index.growing("gate", MAIN)) and grows.end == at(5))
    before.close()  # the recorder is left as a killed process leaves it: a file, no row
    after = Archive(tmp_path)

    result = after.recover("gate", now=at(60))

    assert result == replace(NOTHING, recovered=1)
    done, recovered = after.segments()
    assert (done.recovered, recovered.recovered) == (False, True)
    assert (recovered.start, recovered.end) == (done.end, at(5)) == (at(4), at(5))
    assert recovered.run_id == done.run_id
    assert after.gaps() == [(at(5), None, GapReason.BOX_OFF)]
    after.close()


def torn(archive: Archive, keep: float) -> ClosedFile:
    """Record 3 s into one file, forget its row and cut it at a share of its length."""
    recorded(archive, ended(timed(packets(frames=75, gop=25))), segment_s=10)
    (segment,) = archive.segments()
    archive.index.forget(segment)
    os.truncate(segment.path, int(segment.size_bytes * keep))
    return segment


def test_a_torn_file_is_cut_after_its_last_complete_fragment(archive):
    whole = torn(archive, 0.7)

    result = archive.recover("gate", now=at(60))

    assert result.recovered == 1
    (segment,) = archive.segments()
    assert_sound(segment)
    assert segment.recovered
    assert (segment.start, segment.run_id) == (whole.start, whole.run_id)
    assert 0 < segment.duration_90k < whole.duration_90k
    assert segment.path.stat().st_size == segment.size_bytes
    assert len(pictures(segment.path)) == segment.duration_90k // FRAME_90K
    assert segment.wall_us == segment.duration_90k * 100 // 9
    assert archive.recover("gate", now=at(61)) == NOTHING


def test_every_cut_of_a_file_is_read_back_or_removed(archive):
    whole = torn(archive, 1.0)
    data = whole.path.read_bytes()
    with whole.path.open("rb") as file:
        ends = [
            part.offset + part.size_bytes for part in fragments(file, whole.init_bytes, len(data))
        ]
    seen = set()
    for cut in range(0, len(data), 997):
        whole.path.write_bytes(data[:cut])
        try:
            size = salvage(whole.path).size_bytes
        except MediaError:
            size = 0
        assert size == max((end for end in ends if end <= cut), default=0)
        seen.add(size)
    assert len(seen) == len(ends)


def test_a_tail_of_zeros_as_a_power_cut_leaves_it_is_not_taken_for_video(archive):
    whole = torn(archive, 1.0)
    data = bytearray(whole.path.read_bytes())
    with whole.path.open("rb") as file:
        parts = list(fragments(file, whole.init_bytes, len(data)))
    last = parts[-1].samples[-1]
    data[last.offset : last.offset + last.size_bytes] = bytes(last.size_bytes)
    whole.path.write_bytes(data)

    assert salvage(whole.path).size_bytes == parts[-1].offset


def test_a_fragment_of_an_impossible_length_is_not_taken_for_video(archive):
    whole = torn(archive, 1.0)
    data = bytearray(whole.path.read_bytes())
    with whole.path.open("rb") as file:
        parts = list(fragments(file, whole.init_bytes, len(data)))
    duration = data.rindex(b"trun") + 16  # of the last fragment's first sample
    data[duration : duration + 4] = (2 * 3600 * 90_000).to_bytes(4)
    whole.path.write_bytes(data)

    assert salvage(whole.path).size_bytes == parts[-1].offset


def test_a_file_without_a_picture_is_removed_and_foreign_files_stay(archive):
    whole = torn(archive, 0.01)
    foreign = whole.path.with_name("notes.txt")
    foreign.write_text("mine")

    result = archive.recover("gate", now=at(60))

    assert result == replace(NOTHING, removed=1)
    assert not whole.path.exists()
    assert foreign.exists()


def test_a_file_whose_note_is_damaged_is_removed(archive):
    whole = torn(archive, 1.0)
    data = whole.path.read_bytes()
    whole.path.write_bytes(data.replace(b'"run_id"', b'"ran_id"'))

    assert archive.recover("gate", now=at(60)).removed == 1


def test_a_file_that_can_not_be_read_is_left_and_keeps_no_other_from_being_read_back(
    archive, caplog
):
    whole = torn(archive, 1.0)
    unreadable = whole.path.with_name("000000-" + "0" * 32 + ".mp4")
    unreadable.mkdir()  # opening a folder is an OSError

    result = archive.recover("gate", now=at(60))

    assert result == replace(NOTHING, recovered=1, left=1)
    assert unreadable.exists()
    assert "recovery.file_left" in [record.message for record in caplog.records]


@pytest.mark.parametrize("dts_90k", [2**64 - 1, 2**63, 10**17])
def test_a_file_whose_time_is_damaged_does_not_keep_the_box_from_starting(archive, dts_90k):
    whole = torn(archive, 1.0)
    data = bytearray(whole.path.read_bytes())
    place = data.index(b"tfdt") + 8
    data[place : place + 8] = dts_90k.to_bytes(8)
    whole.path.write_bytes(data)

    with pytest.raises(MediaError):
        salvage(whole.path)
    assert archive.recover("gate", now=at(60)) == replace(NOTHING, removed=1)


def test_a_short_file_whose_row_stays_as_the_disk_looks_wrong_is_not_indexed_twice(archive):
    recorded(archive, ended(timed(packets(frames=75, gop=25))), segment_s=10)
    (short,) = archive.segments()
    os.truncate(short.path, short.size_bytes - 1)
    for second in range(100, 130):
        archive.index.add(closed_file(archive, second, 1, on_disk=False))

    result = archive.recover("gate", now=at(200))

    assert result == replace(NOTHING, disk_looks_wrong=True)
    assert short in archive.segments()
    assert short.path.stat().st_size == short.size_bytes - 1


@pytest.mark.parametrize("above", [0, 1, 2, 3])
def test_a_folder_that_can_not_be_read_keeps_its_rows(archive, monkeypatch, above):
    recorded(archive, ended(timed(packets(frames=75, gop=25))), segment_s=10)
    kept = archive.segments()
    damaged, scandir = kept[0].path.parents[above], os.scandir

    def refuse(folder):
        if Path(folder).is_relative_to(damaged):
            raise OSError(errno.EIO, "input/output error")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)

    assert archive.recover("gate", now=at(60)) == NOTHING
    assert archive.segments() == kept


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_row_without_its_whole_file_goes_and_the_time_is_a_gap_of_the_disk(archive, damage):
    items = timed(packets(frames=250, gop=25))
    recorded(archive, ended(items), segment_s=2)
    lost = archive.segments()[2]
    if damage == "missing":
        lost.path.unlink()
    else:
        os.truncate(lost.path, lost.size_bytes - 1)

    result = archive.recover("gate", now=at(60))

    assert result.rows_dropped == 1
    assert lost.id not in [segment.id for segment in archive.segments()]
    coverage = archive.coverage(at(0), at(60))
    assert coverage.unexplained == ()
    assert GapReason.DISK in coverage.missing
    # A short file is cut to what is sound, so less is missing than with no file.
    assert result.recovered == (damage == "short")


def test_an_index_whose_disk_is_not_there_is_left_alone(archive, caplog):
    for second in range(30):
        archive.index.add(closed_file(archive, second, 1, on_disk=False))

    result = archive.recover("gate", now=at(60))

    assert result == replace(NOTHING, disk_looks_wrong=True)
    assert len(archive.segments()) == 30


def take_away_some(archive: Archive) -> list[Segment]:
    """Return what the index knows, of which two of three files are still there."""
    kept = [archive.index.add(closed_file(archive, second)) for second in (0, 10, 20)]
    archive.recover("gate", now=at(60))
    kept[1].path.unlink()
    return kept


@pytest.mark.parametrize("other", [None, "of another disk"])
def test_a_disk_without_our_label_is_not_ours_though_most_files_are_there(archive, other, caplog):
    kept = take_away_some(archive)
    expected = archive.label.path.read_text().strip()
    if other is None:
        archive.label.path.unlink()
    else:
        archive.label.path.write_text(other)

    result = archive.recover("gate", now=at(60))

    assert result == replace(NOTHING, disk_looks_wrong=True)
    assert archive.segments() == kept
    (record,) = [r for r in caplog.records if r.message == "recovery.disk_looks_wrong"]
    assert vars(record)["expected"] == expected

    # Who put another disk in for good writes its id; what was on the old one is missing then.
    archive.label.path.write_text(f"{expected}\n")
    assert archive.recover("gate", now=at(60)) == replace(NOTHING, rows_dropped=1)
    assert archive.segments() == [kept[0], kept[2]]


def test_a_database_that_refuses_to_be_written_does_not_keep_the_box_from_starting(archive):
    """A disk that was full when the box stopped is full when it starts; the janitor comes later."""
    archive.recover("gate")
    recorded(archive, ended(timed(packets(frames=25))))
    (orphan,) = archive.segments()
    archive.index.forget(orphan)
    connection = archive.database._connection
    connection.execute("pragma query_only=on")

    assert archive.recover_first("gate", now=at(60)) == {Outcome.LEFT: 1}

    recorder = archive.recorder()
    recorder.start()
    connection.execute("pragma query_only=off")
    recorder.close()
    assert archive.recover("gate", now=at(90)).recovered == 1
    assert archive.coverage(at(0), at(90)).unexplained == ()


def test_nothing_is_read_back_from_a_disk_of_another_box(archive):
    recorded(archive, ended(timed(packets(frames=25))))
    (theirs,) = archive.segments()
    archive.index.forget(theirs)
    archive.index.add(closed_file(archive, 0, on_disk=False))
    archive.label.reject()
    archive.label.path.write_text("of another box")

    assert archive.recover("gate", now=at(60)) == replace(NOTHING, disk_looks_wrong=True)
    assert theirs.path.exists()


def test_our_own_disk_may_have_lost_most_of_its_files(archive):
    archive.recover("gate")
    for second in range(30):
        archive.index.add(closed_file(archive, second, 1, on_disk=False))

    assert archive.recover("gate", now=at(60)) == replace(NOTHING, rows_dropped=30)


def test_a_disk_that_lost_its_label_but_no_file_is_given_it_again(archive):
    archive.index.add(closed_file(archive, 0))
    archive.recover("gate", now=at(60))
    label = archive.label.path.read_bytes()
    archive.label.path.unlink()

    assert archive.recover("gate", now=at(60)) == NOTHING

    assert archive.label.path.read_bytes() == label


def test_a_disk_with_footage_and_a_label_is_taken_over_by_a_new_database(tmp_path):
    before = Archive(tmp_path)
    before.recover("gate")
    recorded(before, ended(timed(packets(frames=25))))
    before.close()
    label = before.label.path.read_bytes()
    (tmp_path / "box.db").unlink()
    after = Archive(tmp_path)

    assert after.recover("gate", now=at(60)) == replace(NOTHING, recovered=1)

    assert after.label.state() is DiskState.RIGHT
    assert after.label.path.read_bytes() == label
    after.close()


def test_an_unlabelled_disk_that_looks_wrong_is_not_labelled(archive):
    for second in range(30):
        archive.index.add(closed_file(archive, second, 1, on_disk=False))
    archive.recover("gate", now=at(60))

    assert archive.label.state() is DiskState.MISSING
    assert not archive.label.path.exists()


def test_a_label_that_can_not_be_read_is_not_ours_and_one_that_can_not_be_written_is_none(archive):
    archive.label.path.parent.mkdir()
    archive.label.path.mkdir()  # opening a folder is an OSError
    archive.recover("gate")
    assert archive.label.state() is DiskState.UNKNOWN

    archive.label.reject()
    assert archive.label.state() is DiskState.MISSING


def test_the_time_the_box_was_off_is_a_gap_from_the_last_footage_to_the_start(tmp_path):
    archive = Archive(tmp_path, FakeClock(at(60)))
    archive.index.add(closed_file(archive, 0))

    archive.recover("gate")
    assert archive.gaps() == [(at(10), None, GapReason.BOX_OFF)]

    recorder = archive.recorder()
    recorder.start()
    assert archive.gaps() == [
        (at(10), at(60), GapReason.BOX_OFF),
        (at(60), None, GapReason.CAMERA),
    ]
    recorder.close()
    archive.close()


def test_a_camera_that_was_away_when_the_box_died_has_two_gaps(archive):
    archive.index.add(closed_file(archive, 0))
    archive.index.open_gap("gate", MAIN, at(10), GapReason.CAMERA)
    archive.index.stamp_alive(at(30), None)

    archive.recover("gate", now=at(60))

    assert archive.gaps() == [
        (at(10), at(30), GapReason.CAMERA),
        (at(30), None, GapReason.BOX_OFF),
    ]


@pytest.mark.parametrize("ahead_s", [3600, 86_400])
def test_an_absence_is_explained_though_the_clock_had_been_ahead(tmp_path, ahead_s):
    archive = Archive(tmp_path, FakeClock(at(60)))
    archive.index.add(closed_file(archive, 0))
    archive.index.add(closed_file(archive, ahead_s))
    archive.index.add_gap(Gap("gate", MAIN, at(10), at(ahead_s), GapReason.TIMESTAMPS))
    archive.index.add(closed_file(archive, 20))  # the clock is right again; then the box dies

    archive.recover("gate")
    recorder = archive.recorder()
    recorder.start()
    offer_all(recorder, timed(packets(frames=50, gop=25, late_s=60.0)))
    recorder.close()

    assert archive.coverage(at(0), at(62)).unexplained == ()
    assert archive.coverage(at(0), at(ahead_s)).unexplained == ()
    archive.close()


def test_a_file_left_open_under_a_wrong_clock_leaves_no_hole_behind_it(archive):
    """Its day's folder is not the newest: only the census finds it."""
    day_s = 86_400
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    archive.index.forget(archive.segments()[0])
    with archive.database.transaction() as connection:
        connection.execute("delete from gap")  # the box died with the file
    for day in (40, 41):
        archive.index.add(closed_file(archive, day * day_s))

    archive.recover("gate", now=at(60))

    assert at(2) in {segment.end for segment in archive.segments()}
    assert archive.coverage(at(0), at(60)).unexplained == ()


def test_a_box_that_was_last_alive_in_the_future_was_off_until_now(archive):
    archive.index.add(closed_file(archive, 0))
    archive.index.open_gap("gate", MAIN, at(10), GapReason.CAMERA)
    archive.index.stamp_alive(at(86_400), None)

    archive.recover("gate", now=at(60))

    assert archive.gaps() == [
        (at(10), at(60), GapReason.CAMERA),
        (at(60), None, GapReason.BOX_OFF),
    ]


def test_a_crash_before_the_gap_was_closed_does_not_cover_the_footage(archive):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    (segment,) = archive.segments()
    archive.index.forget(segment)
    archive.index.close_gap("gate", MAIN, at(2))
    archive.index.open_gap("gate", MAIN, at(-5), GapReason.CAMERA)

    archive.recover("gate", now=at(60))

    assert archive.gaps() == [(at(-5), at(0), GapReason.CAMERA), (at(2), None, GapReason.CAMERA)]
    assert archive.coverage(at(-5), at(60)).unexplained == ()


def test_a_camera_switched_off_in_the_configuration_says_so(archive):
    archive.index.add(closed_file(archive, 0))

    archive.recover(now=at(60))
    archive.recover(now=at(90))

    assert archive.gaps() == [
        (at(10), at(60), GapReason.BOX_OFF),
        (at(60), None, GapReason.CONFIG),
    ]


def test_a_camera_that_a_person_switched_off_says_that_and_since_when(archive):
    archive.index.add(closed_file(archive, 0))
    off = {("gate", MAIN)}
    archive.recover(now=at(60))

    for now_s in (90, 120):
        archive.recover(now=at(now_s), stopped=off)
    archive.index.stamp_alive(at(130), at(130))
    archive.recover("gate", now=at(150), stopped=set())

    assert archive.gaps() == [
        (at(10), at(60), GapReason.BOX_OFF),
        (at(60), at(90), GapReason.CONFIG),
        (at(90), None, GapReason.OPERATOR),
    ]


def test_a_camera_that_was_never_recorded_has_nothing_to_explain(archive):
    archive.recover("gate", now=at(60))

    assert archive.gaps() == []


def test_a_doomed_file_is_not_resurrected(archive):
    recorded(archive, ended(timed(packets(frames=25))))
    (segment,) = archive.segments()
    archive.doomed.condemn([Deletion(segment, Reason.AGE)], at(60))
    assert segment.path.exists()  # the crash comes here

    result = archive.recover("gate", now=at(60))

    assert result == NOTHING
    assert not segment.path.exists()


def test_a_doomed_file_that_the_disk_does_not_let_go_is_not_resurrected(archive, monkeypatch):
    recorded(archive, ended(timed(packets(frames=25))))
    (segment,) = archive.segments()
    archive.doomed.condemn([Deletion(segment, Reason.AGE)], at(60))

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "read-only file system", path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)

    assert archive.recover("gate", now=at(60)) == NOTHING
    assert archive.segments() == []


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"camera_id":1,"stream":"main","run_id":"r","run_started_us":0}',
        b'{"camera_id":"g","stream":"left","run_id":"r","run_started_us":0}',
        b'{"camera_id":"g","stream":"main","run_id":"r","run_started_us":"now"}',
        b'{"camera_id":"g","stream":"main","run_id":"r","run_started_us":1e30}',
        b'{"camera_id":"\\ud800","stream":"main","run_id":"r","run_started_us":0}',
        b"[" * 100_000,
    ],
)
def test_a_note_that_is_not_ours_is_refused(note):
    with pytest.raises(MediaError):
        Origin.decode(note)


def test_a_note_comes_back_as_it_went_in():
    origin = Origin("gate", MAIN, "ab" * 16, at(0.000001))

    assert Origin.decode(origin.encode()) == origin
