import errno
import os
import resource
import shutil
import stat
from contextlib import closing
from dataclasses import replace

import pytest

from edge.media.boxes import fragments
from edge.media.sample import Codec, GapReason, RunEnded, Sample
from protocol.clock import FakeClock
from tests.support.footage import run, sample, samples
from tests.support.packets import BEGAN, FRAME_90K, grey, moved, packets
from tests.support.recordings import (
    MAIN,
    Archive,
    assert_sound,
    at,
    ended,
    offer_all,
    pictures,
    recorded,
    timed,
    until,
)

RUN = run(stream=MAIN, started_utc=BEGAN)


def table(archive: Archive) -> list[tuple]:
    """Return (start, start_dts, duration, starts_key) a segment."""
    return [
        (
            (segment.start - BEGAN).total_seconds(),
            segment.start_dts_90k,
            segment.duration_90k,
            segment.starts_key,
        )
        for segment in archive.segments()
    ]


def fragment_lengths(archive: Archive) -> list[list[int]]:
    """Return the durations of the fragments of each file, in frames."""
    lengths = []
    for segment in archive.segments():
        with segment.path.open("rb") as file:
            parts = list(fragments(file, segment.init_bytes, segment.size_bytes))
            lengths.append([(part.end_90k - part.dts_90k) // FRAME_90K for part in parts])
    return lengths


def test_files_are_cut_at_the_first_key_frame_after_their_length(archive):
    # A key frame each 2 s (50 frames), files of 4 s: 100 + 100 + 30 frames.
    items = timed(packets(frames=230, gop=50))

    recorder = recorded(archive, ended(items), segment_s=4)

    assert table(archive) == [
        (0.0, 0, 360_000, True),
        (4.0, 360_000, 360_000, True),
        (8.0, 720_000, 30 * FRAME_90K, True),
    ]
    assert len({segment.run_id for segment in archive.segments()}) == 1
    assert (recorder.segments, recorder.dropped, recorder.write_errors) == (3, 0, 0)
    for segment in archive.segments():
        assert_sound(segment)
        assert segment.recovered is False
        assert segment.wall_us == segment.duration_90k * 1_000_000 // 90_000


def test_where_the_files_are_says_camera_stream_day_and_time(archive):
    recorded(archive, ended(timed(packets(frames=1))))

    (segment,) = archive.segments()
    parts = segment.path.relative_to(archive.root).parts
    assert parts[:3] == ("gate", "main", "20261122")
    assert parts[3].startswith("010203-")
    assert len(parts[3]) == 43


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_picture_of_every_file_decodes_at_its_time(archive, codec, b_frames):
    items = timed(packets(codec, 120, 25, b_frames=b_frames), codec)

    recorded(archive, ended(items), segment_s=2)

    shown = [picture for segment in archive.segments() for picture in pictures(segment.path)]
    offset = min(item.pts_90k for item in items if isinstance(item, Sample))
    assert [pts for pts, _ in shown] == [offset + i * FRAME_90K for i in range(120)]
    assert max(abs(luma - grey(index)) for index, (_, luma) in enumerate(shown)) <= 8
    assert len(archive.segments()) == 3


def test_fragments_are_of_at_most_a_second_and_end_with_the_group(archive):
    recorded(archive, ended(samples(RUN, ("K" + "." * 49) * 2)), segment_s=4)

    assert fragment_lengths(archive) == [[20, 20, 10, 20, 20, 10]]


def test_slow_frames_are_not_gathered_beyond_a_second(archive):
    # 1.5 frames a second: two of them would be 1.33 s
    slow = [
        replace(each, dts_90k=i * 60_000, pts_90k=i * 60_000, duration_90k=60_000)
        for i, each in enumerate(samples(RUN, "K....."))
    ]

    recorded(archive, ended([*slow]), segment_s=10)

    lengths = [length * FRAME_90K for length in fragment_lengths(archive)[0]]
    assert max(lengths) <= 60_000


def test_a_group_of_pictures_of_minutes_is_cut_without_a_key_frame(archive):
    items = samples(RUN, "K" + "." * (25 * 130))

    recorded(archive, ended([*items]), segment_s=10)

    assert table(archive) == [
        (0.0, 0, 60 * 90_000, True),
        (60.0, 60 * 90_000, 60 * 90_000, False),
        (120.0, 120 * 90_000, 10 * 90_000 + FRAME_90K, False),
    ]


def test_the_true_distance_to_the_next_sample_is_what_is_written(archive):
    times = [0, 3000, 7000, 7100, 20_000]
    items = [
        replace(each, dts_90k=time, pts_90k=time, duration_90k=3600)
        for each, time in zip(samples(RUN, "K...."), times, strict=True)
    ]

    recorded(archive, ended([*items]))

    (segment,) = archive.segments()
    with segment.path.open("rb") as file:
        (part,) = fragments(file, segment.init_bytes, segment.size_bytes)
    assert [entry.duration_90k for entry in part.samples] == [3000, 4000, 100, 12_900, 3600]


def test_time_before_the_first_picture_is_a_gap_of_the_camera(archive):
    recorder = archive.recorder()
    recorder.start()
    offer_all(recorder, timed(packets(frames=25, late_s=7)))
    recorder.close()

    assert archive.gaps()[0] == (at(0), at(7), GapReason.CAMERA)


def test_between_two_runs_is_a_gap_with_the_reason_of_the_end(archive):
    first = timed(packets(frames=25))
    second = timed(packets(frames=25, late_s=9))

    recorded(archive, [*ended(first, GapReason.NETWORK), *ended(second, GapReason.BOX_OFF)])

    assert archive.gaps() == [
        (at(1), at(9), GapReason.NETWORK),
        (at(10), None, GapReason.BOX_OFF),
    ]
    assert archive.coverage(at(0), at(60)).unexplained == ()


def test_a_change_of_parameters_is_a_new_file_and_no_gap(archive):
    small = packets(frames=25)
    large = [moved(each, media_s=1, wall_s=1) for each in packets(frames=25, width=320)]

    recorded(archive, ended(timed([*small, *large])))

    assert [(s.width, s.start_dts_90k) for s in archive.segments()] == [(160, 0), (320, 0)]
    assert archive.segments()[0].end == archive.segments()[1].start
    assert [gap for gap in archive.gaps() if gap[1] is not None] == []


def test_a_jump_of_the_cameras_clock_loses_no_picture_but_says_so(archive):
    first, second = packets(frames=25), packets(frames=25, first_90k=0, late_s=1.5)

    recorded(archive, ended(timed([*first, *second])))

    assert [len(pictures(s.path)) for s in archive.segments()] == [25, 25]
    assert archive.gaps()[0] == (at(1), at(1.5), GapReason.TIMESTAMPS)


def test_what_is_growing_is_known_a_fragment_at_a_time(archive):
    recorder = archive.recorder(segment_s=10)
    recorder.start()
    offer_all(recorder, timed(packets(frames=60, gop=60)))
    until(lambda: (archive.index.growing("gate", MAIN) or RUN_NOT).duration_90k == 40 * FRAME_90K)

    growing = archive.index.growing("gate", MAIN)

    assert growing is not None
    assert (growing.start, growing.end) == (at(0), at(1.6))
    assert growing.path.stat().st_size == growing.size_bytes
    assert archive.index.footage("gate", MAIN, at(0), at(1)) == [growing]
    assert archive.segments() == []
    recorder.close()
    assert archive.index.growing("gate", MAIN) is None
    assert archive.index.footage("gate", MAIN, at(0), at(1)) == archive.segments()


class _NothingGrows:
    duration_90k = -1


RUN_NOT = _NothingGrows()


def test_what_came_before_the_recorder_began_is_recorded_and_no_gap_lies_on_it(tmp_path):
    """The cameras answer while the recovery looks at the last run's files, here for 3 s."""
    before = Archive(tmp_path, FakeClock(BEGAN))
    recorded(before, timed(packets(frames=25)))
    before.close()
    clock = FakeClock(BEGAN)
    after = Archive(tmp_path, clock)
    clock.advance(60)
    after.recover("gate")
    recorder = after.recorder()
    offer_all(recorder, timed(packets(frames=50, late_s=60)))
    clock.advance(3)
    recorder.start()
    recorder.close()

    assert after.gaps() == [
        (at(1), at(60), GapReason.BOX_OFF),
        (at(62), None, GapReason.BOX_OFF),
    ]
    after.close()


def test_closing_writes_what_is_queued_and_the_box_is_off_from_then(archive):
    recorder = recorded(archive, timed(packets(frames=30)))
    recorder.close()
    offer_all(recorder, timed(packets(frames=30)))

    assert [segment.duration_90k for segment in archive.segments()] == [30 * FRAME_90K]
    assert archive.gaps() == [(at(1.2), None, GapReason.BOX_OFF)]


def test_closing_while_the_camera_is_away_splits_the_gap(tmp_path):
    clock = FakeClock(BEGAN)
    archive = Archive(tmp_path, clock)
    recorder = archive.recorder()
    recorder.start()
    offer_all(recorder, ended(timed(packets(frames=25)), GapReason.CAMERA))
    until(lambda: recorder.segments == 1)
    clock.advance(30)

    recorder.close()

    assert archive.gaps() == [
        (at(1), at(30), GapReason.CAMERA),
        (at(30), None, GapReason.BOX_OFF),
    ]
    archive.close()


def test_a_queue_that_is_full_drops_to_the_next_key_frame_and_the_gap_is_the_disks(archive):
    # Nothing writes yet: 3 groups of 10 x 100 bytes into a queue of 1 500 bytes.
    recorder = archive.recorder(max_queue_bytes=1500)
    offer_all(recorder, samples(RUN, ("K" + "." * 9) * 3))

    assert recorder.dropped == 15

    recorder.start()
    until(lambda: GapReason.DISK in [reason for *_, reason in archive.gaps()])
    offer_all(recorder, samples(RUN, "K" + "." * 9, first=50))
    recorder.close()

    assert [(s.start_dts_90k, s.duration_90k) for s in archive.segments()] == [
        (0, 15 * FRAME_90K),
        (50 * FRAME_90K, 10 * FRAME_90K),
    ]
    assert archive.gaps()[0] == (at(0.6), at(2.0), GapReason.DISK)


def test_a_folder_that_refuses_is_tried_again_at_a_key_frame(tmp_path, caplog):
    clock = FakeClock(BEGAN)
    archive = Archive(tmp_path, clock)
    archive.root.mkdir()
    (archive.root / "gate").write_text("in the way")
    recorder = archive.recorder()
    recorder.start()
    offer_all(recorder, samples(RUN, "K........................K"))
    until(lambda: recorder.write_errors == 1)

    (archive.root / "gate").unlink()
    offer_all(recorder, samples(RUN, ".........K" + "." * 9, first=26))
    until(lambda: recorder.dropped >= 12)
    clock.advance(3)
    offer_all(recorder, samples(RUN, "...." + "K" + "." * 20, first=46))
    recorder.close()

    assert [(s.start_dts_90k, s.duration_90k) for s in archive.segments()] == [
        (50 * FRAME_90K, 21 * FRAME_90K)
    ]
    assert archive.gaps()[0] == (at(0), at(2), GapReason.DISK)
    assert "recorder.disk_refused" in [record.message for record in caplog.records]
    archive.close()


def test_a_disk_that_refuses_while_the_camera_is_away_is_the_reason_once_it_is_back(tmp_path):
    clock = FakeClock(BEGAN)
    archive = Archive(tmp_path, clock)
    recorder = archive.recorder(segment_s=60)
    recorder.start()
    offer_all(recorder, ended(samples(RUN, "K" + "." * 24)))
    until(lambda: recorder.segments == 1)
    shutil.rmtree(archive.root / "gate")
    (archive.root / "gate").write_text("in the way")

    clock.advance(10)
    again = run("1" * 32, stream=MAIN, started_utc=at(10))
    offer_all(recorder, samples(again, "K" + "." * 24))
    offer_all(recorder, [RunEnded(again, GapReason.CAMERA, at(11))])
    until(lambda: recorder.write_errors == 1 and not recorder._queue)
    third = run("2" * 32, stream=MAIN, started_utc=at(15))
    offer_all(recorder, samples(third, "K" + "." * 24))
    clock.advance(6)
    recorder.close()

    assert archive.gaps() == [
        (at(1), at(10), GapReason.NETWORK),
        (at(10), at(11), GapReason.DISK),
        (at(11), at(15), GapReason.CAMERA),
        (at(15), at(16), GapReason.DISK),
        (at(16), None, GapReason.BOX_OFF),
    ]
    archive.close()


def test_a_file_that_can_not_be_closed_is_a_gap_of_the_disk_until_it_is_read_back(
    archive, monkeypatch
):
    fsync, refusals = os.fsync, [OSError(errno.EIO, "input/output error")]

    def refuse_once(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and refusals:
            raise refusals.pop()
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_once)

    recorded(archive, ended(timed(packets(frames=100, gop=25))), segment_s=2)

    assert [(s.start, s.end) for s in archive.segments()] == [(at(2), at(4))]
    assert archive.gaps() == [
        (at(0), at(2), GapReason.DISK),
        (at(4), None, GapReason.BOX_OFF),
    ]
    assert archive.recover("gate", now=at(60)).recovered == 0  # not in this process
    with closing(Archive(archive.root.parent)) as after:
        assert after.recover("gate", now=at(60)).recovered == 1
        assert after.gaps() == [(at(4), None, GapReason.BOX_OFF)]


def test_a_disk_that_takes_a_fragment_in_pieces_gets_it_whole(archive, monkeypatch):
    write = os.writev
    monkeypatch.setattr(os, "writev", lambda fd, parts: write(fd, [b"".join(parts)[:7_001]]))
    recorded(archive, ended([*samples(RUN, "K" + "." * 49)]))
    assert_sound(*archive.segments())


def test_a_fragment_of_more_samples_than_one_write_takes_is_whole(archive):
    many = [replace(sample(RUN, 0, is_key=each == 0), dts_90k=each * 20) for each in range(2_000)]
    recorded(archive, ended([replace(each, duration_90k=20) for each in many]))
    (segment,) = archive.segments()
    assert segment.duration_90k == 2_000 * 20
    assert_sound(segment)


def test_a_disk_that_is_full_in_the_middle_of_a_fragment_keeps_what_was_complete(archive):
    big = [replace(each, data=bytes(20_000)) for each in samples(RUN, ("K" + "." * 9) * 10)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Ten samples a fragment, 200 KB: the fourth does not fit, and is written in part.
    resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, hard))
    try:
        recorder = recorded(archive, ended([*big]), segment_s=60)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert recorder.write_errors == 1
    (segment,) = archive.segments()
    assert segment.duration_90k == 30 * FRAME_90K
    assert_sound(segment)
    assert archive.gaps() == [(at(1.2), None, GapReason.BOX_OFF)]


def test_while_the_database_refuses_rows_wait_and_nothing_is_lost(archive):
    connection = archive.database._connection
    recorder = archive.recorder(sync_s=0.05)
    recorder.start()
    connection.execute("pragma query_only=on")
    offer_all(recorder, ended(timed(packets(frames=25))))
    until(lambda: recorder.unindexed == 3)
    assert archive.segments() == []
    assert archive.index.claimed() == set(archive.files())

    connection.execute("pragma query_only=off")

    until(lambda: recorder.unindexed == 0)
    assert [segment.duration_90k for segment in archive.segments()] == [90_000]
    assert archive.index.claimed() == frozenset()
    recorder.close()


def test_offering_never_waits_for_the_disk(archive):
    recorder = archive.recorder()

    offer_all(recorder, samples(RUN, "K" * 1000))

    recorder.start()
    recorder.close()
    assert sum(segment.duration_90k for segment in archive.segments()) == 1000 * FRAME_90K


def test_the_recorder_wakes_once_a_fragment(archive):
    recorder = archive.recorder()
    offer_all(recorder, [sample(RUN, 0, is_key=True)])
    assert not recorder._ripe
    offer_all(recorder, [sample(RUN, index) for index in range(1, 21)])
    assert recorder._ripe


def test_a_bug_costs_the_end_of_a_file_and_recovery_finds_the_rest(archive, monkeypatch, caplog):
    recorder = archive.recorder(segment_s=60)
    recorder.start()
    offer_all(recorder, timed(packets(frames=30, gop=25)))
    until(lambda: archive.index.growing("gate", MAIN))
    broken = recorder._file
    assert broken is not None
    monkeypatch.setattr(broken, "append", None)  # calling it is a TypeError

    later = timed([moved(each, media_s=9, wall_s=9) for each in packets(frames=50, gop=25)])
    offer_all(recorder, [sample(RUN, index) for index in range(31, 60)])
    until(lambda: recorder.write_errors)
    offer_all(recorder, ended(later))
    recorder.close()

    assert "recorder.failed" in [record.message for record in caplog.records]
    assert [segment.duration_90k for segment in archive.segments()] == [50 * FRAME_90K]
    assert archive.coverage(at(0), at(60)).unexplained == ()
    with closing(Archive(archive.root.parent)) as after:
        assert after.recover("gate", now=at(60)).recovered == 1
        assert after.coverage(at(0), at(60)).unexplained == ()
