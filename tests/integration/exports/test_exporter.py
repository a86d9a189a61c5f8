"""Jobs made by the real process out of real recordings."""

import os
import signal
import sys
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import av
import pytest

from edge.errors import NoRoomError, NotFoundError, QueueFullError
from edge.exports.exporter import MOST_WAITING
from edge.exports.job import Failure, Kind, State
from edge.exports.maker import Making
from edge.exports.order import Order
from edge.exports.room import KEPT_FOR, Space
from edge.media.sample import Codec
from tests.support.exports import Desk, Pause, ask, checked
from tests.support.packets import FRAME_90K, grey, moved, packets
from tests.support.recordings import Archive, at, ended, pictures, recorded, timed, until


def fill(archive: Archive, codec: Codec = Codec.H264, frames: int = 250) -> None:
    recorded(archive, ended(timed(packets(codec, frames, 25), codec)), segment_s=2)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_copy_is_every_recorded_picture_and_says_what_it_is(archive, codec):
    fill(archive, codec)

    with Desk(archive) as desk:
        job = desk.made(ask(Kind.COPY, 3.5, 7.2))
        said = desk.manifest(job)

    assert (job.state, job.progress) == (State.DONE, 1.0)
    assert [(part.start, part.end) for part in job.parts] == [(at(3), at(7.2))]
    seen = pictures(desk.video(job))
    assert [b[0] - a[0] for a, b in pairwise(seen)] == [FRAME_90K] * 104
    assert [luma for _, luma in seen] == pytest.approx([grey(75 + i) for i in range(105)], abs=8)
    assert said["asked"]["by"] == "张三"
    assert said["asked"]["reason"] == "事件处置"
    assert said["settings"] == {"encoded_anew": False}
    assert said["missing"] == []
    used = {each["path"]: each for each in said["sources"]}
    for segment in archive.segments()[1:4]:
        entry = used[str(segment.path.relative_to(archive.root))]
        assert (entry["sha256"], entry["bytes"]) == (segment.sha256, segment.size_bytes)
        assert entry["intact"]


def test_the_hashes_are_what_sha256sum_finds(archive):
    fill(archive)

    with Desk(archive) as desk:
        job = desk.made(ask())
        assert checked(desk.folder(job)).startswith("0 ")
        with desk.video(job).open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"?")
        assert checked(desk.folder(job)).startswith("1 ")


def test_what_the_browser_can_not_play_is_made_h264_from_the_asked_instant_on(archive):
    fill(archive, Codec.H265)

    with Desk(archive) as desk:
        job = desk.made(ask(Kind.PLAYABLE, 3.5, 7.2))

    assert (job.parts[0].start, job.parts[0].end) == (at(3.52), at(7.2))
    with av.open(str(desk.video(job))) as container:
        assert container.streams.video[0].codec_context.name == "h264"
    seen = pictures(desk.video(job))
    assert [pts for pts, _ in seen] == [index * FRAME_90K for index in range(92)]
    assert [luma for _, luma in seen] == pytest.approx([grey(88 + i) for i in range(92)], abs=8)


def test_a_new_file_begins_where_the_size_changes(archive):
    small = packets(frames=50)
    large = [moved(each, media_s=2, wall_s=2) for each in packets(frames=75, width=320)]
    recorded(archive, ended(timed([*small, *large])))

    with Desk(archive) as desk:
        job = desk.made(ask(Kind.COPY, 0, 60))

    assert [(p.start, p.end, p.width) for p in job.parts] == [
        (at(0), at(2), 160),
        (at(2), at(5), 320),
    ]
    assert [p.name[-6:] for p in job.parts] == ["_1.mp4", "_2.mp4"]
    assert [len(pictures(desk.video(job, number))) for number in (0, 1)] == [50, 75]


@pytest.mark.parametrize(("late_s", "files"), [(6.0, 1), (9.5, 2)])
def test_a_short_gap_is_a_picture_that_stands_still_and_a_long_one_ends_the_file(
    archive, late_s, files
):
    first = timed(packets(frames=50, gop=25))
    second = timed(packets(frames=50, gop=25, late_s=late_s))
    recorded(archive, [*ended(first), *ended(second)])

    with Desk(archive) as desk:
        job = desk.made(ask(Kind.COPY, 0, late_s + 2))
        said = desk.manifest(job)

    assert len(job.parts) == files
    assert (job.parts[0].start, job.parts[-1].end) == (at(0), at(late_s + 2))
    (hole,) = said["missing"]
    assert (hole["start"], hole["end"]) == (iso(2), iso(late_s))
    assert hole["reason"] == "network"
    if files == 1:
        times = [pts for pts, _ in pictures(desk.video(job))]
        assert times[50] == round(late_s * 90_000)


@pytest.mark.parametrize("kind", [Kind.COPY, Kind.PLAYABLE])
def test_what_was_recorded_after_a_clock_was_set_back_is_there_to_the_asked_end(archive, kind):
    first = timed(packets(frames=100, gop=25))
    second = timed(packets(frames=100, gop=25, late_s=1))
    recorded(archive, [*ended(first), *ended(second)])

    with Desk(archive) as desk:
        job = desk.made(ask(kind, 0, 5))
        said = desk.manifest(job)

    (part,) = job.parts
    assert (part.start, part.end) == (at(0), at(5))
    assert said["missing"] == []
    assert len(pictures(desk.video(job))) == 200


def test_a_recorded_file_that_is_gone_is_a_loss_that_is_said(archive):
    fill(archive)
    gone = archive.segments()[2]
    gone.path.unlink()

    with Desk(archive) as desk:
        job = desk.made(ask(Kind.COPY, 0, 10))
        said = desk.manifest(job)

    assert job.state is State.DONE
    assert [each["path"] for each in said["lost"]] == [str(gone.path.relative_to(archive.root))]
    assert said["missing"] == [{"start": iso(4), "end": iso(6), "reason": "lost"}]


@pytest.mark.parametrize("kind", [Kind.COPY, Kind.PLAYABLE])
def test_a_recorded_file_whose_end_can_not_be_read_is_left_out_and_said(archive, kind):
    fill(archive)
    torn = archive.segments()[2]
    os.truncate(torn.path, torn.size_bytes - 10)  # its boxes are there, its last bytes are not

    with Desk(archive) as desk:
        job = desk.made(ask(kind, 0, 10))
        said = desk.manifest(job)
        assert checked(desk.folder(job)).startswith("0 ")

    assert job.state is State.DONE
    assert [(each["path"], each["error"]) for each in said["lost"]] == [
        (str(torn.path.relative_to(archive.root)), "shorter than it was")
    ]
    assert said["missing"] == [{"start": iso(4), "end": iso(6), "reason": "lost"}]
    assert len(said["sources"]) == 4


def test_a_recorded_file_that_was_altered_is_named(archive):
    fill(archive)
    altered = archive.segments()[1].path
    data = bytearray(altered.read_bytes())
    data[-1] ^= 1
    altered.write_bytes(data)

    with Desk(archive) as desk:
        job = desk.made(ask(Kind.COPY, 0, 10))
        said = desk.manifest(job)

    wrong = [each["path"] for each in said["sources"] if not each["intact"]]
    assert wrong == [str(altered.relative_to(archive.root))]


def test_what_is_exported_is_held_until_it_is_done(archive):
    fill(archive)
    pause = Pause()

    with Desk(archive, making=pause) as desk:
        job = desk.exporter.submit(ask())
        assert pause.reached.wait(20)
        assert desk.held() == [f"export:{job.id}"]
        pause.go_on.set()
        assert desk.ended(job.id).state is State.DONE
        until(lambda: desk.held() == [])


def test_a_job_that_is_cancelled_ends_at_once_and_leaves_nothing(archive):
    fill(archive)
    pause = Pause()

    with Desk(archive, making=pause) as desk:
        job = desk.exporter.submit(ask(Kind.MARKED))
        assert pause.reached.wait(20)
        assert pause.making is not None
        pid = pause.making.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # it hangs, and must go all the same
        cancelled = desk.exporter.remove(job.id)
        assert cancelled is not None
        assert cancelled.state is State.CANCELLED
        until(lambda: [each.name for each in desk.folder(job).iterdir()] == ["job.json"])
        until(lambda: not Path(f"/proc/{pid}").exists())
        until(lambda: desk.held() == [])
        assert desk.made(ask()).state is State.DONE


def test_a_job_that_waits_is_cancelled_before_its_turn(archive):
    fill(archive)
    pause = Pause()

    with Desk(archive, making=pause) as desk:
        first = desk.exporter.submit(ask())
        assert pause.reached.wait(20)
        second = desk.exporter.submit(ask())
        desk.exporter.remove(second.id)
        pause.go_on.set()
        assert desk.ended(first.id).state is State.DONE
        assert desk.exporter.job(second.id).state is State.CANCELLED


def test_more_than_the_queue_holds_is_refused_and_counted(archive):
    fill(archive)
    pause = Pause()

    with Desk(archive, making=pause) as desk:
        desk.exporter.submit(ask())
        assert pause.reached.wait(20)
        for _ in range(MOST_WAITING):
            desk.exporter.submit(ask())
        with pytest.raises(QueueFullError):
            desk.exporter.submit(ask())
        assert desk.exporter.component().figures["refused"] == 1
        assert len(desk.held()) == MOST_WAITING + 1


def test_nothing_recorded_there_is_said_at_once(archive):
    fill(archive)

    with Desk(archive) as desk, pytest.raises(NotFoundError):
        desk.exporter.submit(ask(start_s=100, end_s=200))


def test_a_disk_without_room_is_said_at_once(archive):
    fill(archive)
    full = Space(1_000_000_000_000, 25_000_000_000)

    with Desk(archive, space=lambda: full) as desk, pytest.raises(NoRoomError):
        desk.exporter.submit(ask())


def test_a_disk_that_fills_up_meanwhile_ends_the_job_and_leaves_nothing(archive):
    fill(archive)
    ample, full = Space(10**12, 5 * 10**11), Space(10**12, 10**10)
    pause = Pause()

    def space() -> Space:
        return full if pause.reached.is_set() else ample

    with Desk(archive, space=space, making=pause) as desk:
        job = desk.exporter.submit(ask(Kind.COPY, 0, 10))
        assert pause.reached.wait(20)
        pause.go_on.set()
        failed = desk.ended(job.id)
        assert (failed.state, failed.failure) == (State.FAILED, Failure.NO_ROOM)
        assert [each.name for each in desk.folder(job).iterdir()] == ["job.json"]
        until(lambda: desk.held() == [])


def test_a_process_that_is_killed_is_a_failed_job_and_the_next_one_is_made(archive):
    fill(archive)
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    commands = [(sys.executable, "-c", killed)]

    def making(order: Order) -> Making:
        return Making(order, commands.pop()) if commands else Making(order)

    with Desk(archive, making=making) as desk:
        failed = desk.made(ask(Kind.PLAYABLE))
        assert (failed.state, failed.failure) == (State.FAILED, Failure.CRASHED)
        assert desk.made(ask()).state is State.DONE


def test_a_job_that_was_going_on_is_begun_anew_after_a_restart(archive):
    fill(archive)
    pause = Pause()
    with Desk(archive, making=pause) as desk:
        running, waiting = desk.asked(ask()), desk.asked(ask(end_s=8))
        assert pause.reached.wait(20)
        (desk.folder(running) / "gate_half.mp4").write_bytes(b"half")

    with Desk(archive) as desk:
        assert desk.ended(running.id).state is State.DONE
        assert desk.ended(waiting.id).state is State.DONE
        assert not (desk.folder(running) / "gate_half.mp4").exists()
        assert checked(desk.folder(running)).startswith("0 ")
        assert [job.id for job in desk.exporter.jobs()] == [waiting.id, running.id]


def test_a_job_that_takes_the_box_with_it_three_times_has_failed(archive):
    fill(archive)
    with Desk(archive) as desk:
        job = desk.made(ask())
    for attempts, state in ((1, State.QUEUED), (3, State.FAILED)):
        died = job.model_copy(update={"state": State.RUNNING, "attempts": attempts, "files": ()})
        desk.shelf.keep(died)
        again = died.found_again(at(9))
        assert again.state is state
    with Desk(archive) as desk:
        failed = desk.exporter.job(job.id)
    assert (failed.state, failed.failure) == (State.FAILED, Failure.INTERRUPTED)


def test_results_go_after_a_week_but_not_while_somebody_reads_them(archive):
    fill(archive)
    with Desk(archive) as desk:
        job, other = desk.made(ask()), desk.made(ask())
        with desk.exporter.reading(job.id) as folder:
            archive.clock.advance(KEPT_FOR / timedelta(seconds=1))
            last = desk.made(ask())
            until(lambda: not desk.folder(other).exists())
            assert (folder / job.parts[0].name).is_file()
        desk.made(ask())
        until(lambda: not desk.folder(job).exists())
        assert last.id in {each.id for each in desk.exporter.jobs()}
        assert desk.exporter.component().figures["deleted"] == 2


def test_the_oldest_results_go_when_all_together_are_too_large(archive, monkeypatch):
    fill(archive)
    monkeypatch.setattr("edge.exports.room.TOTAL_FRACTION", 0.0)
    with Desk(archive) as desk:
        jobs = [desk.made(ask())]
        size_bytes = jobs[0].size_bytes
        monkeypatch.setattr("edge.exports.room.LEAST_TOTAL_BYTES", round(3.5 * size_bytes))
        jobs += [desk.made(ask()) for _ in range(4)]
        left = [job.id for job in reversed(desk.exporter.jobs())]
    assert left == [job.id for job in jobs[-len(left) :]]
    assert 1 <= len(left) <= 3


def iso(seconds: float) -> str:
    return at(seconds).isoformat(timespec="microseconds").replace("+00:00", "Z")
