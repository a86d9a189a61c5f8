import errno
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edge.db.instant import to_us
from edge.errors import StorageError
from edge.recording.holds import add_hold, drop_expired, extend_hold, holds
from edge.recording.janitor import Janitor
from edge.recording.retention import Deletion, Disk, Policy, Reason
from edge.recording.segment import Hold
from protocol.clock import FakeClock
from tests.support.packets import BEGAN
from tests.support.recordings import Archive, at, closed_file, until

DAY_S = 86_400.0
POLICY = Policy(30, None, 0.01)


class FixedDisk(Janitor):
    """A janitor whose disk has the size a test gives it."""

    free_bytes = 900_000_000

    def disk(self) -> Disk:
        return Disk(1_000_000_000, self.free_bytes, self._index.size_bytes())


class Alarm:
    """A StorageAlarm that remembers, and refuses as often as a test says."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        self.refusals = 0

    def stands(self) -> bool:
        return self.told[-1:] == [True]

    def begin(self) -> None:
        self._tell(alarmed=True)

    def end(self) -> None:
        self._tell(alarmed=False)

    def _tell(self, *, alarmed: bool) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StorageError("database or disk is full")
        self.told.append(alarmed)


class Bench:
    def __init__(self, folder: Path, policy: Policy = POLICY, now_s: float = 0) -> None:
        self.clock = FakeClock(at(now_s))
        self.archive = Archive(folder, self.clock)
        self.archive.index.stamp_alive(self.clock.now(), self.clock.now())
        self.archive.root.mkdir()
        self.archive.label.accept()
        self.alarm = Alarm()
        self.restart(policy)

    def restart(self, policy: Policy = POLICY) -> None:
        """Let another process go on with the archive."""
        self.spared: Policy | None = None
        self.janitor = FixedDisk(
            self.archive.database,
            self.archive.index,
            self.archive.doomed,
            self.archive.label,
            policy,
            self.clock,
            self.alarm,
        )
        self.janitor.spare(lambda: self.spared)

    @property
    def alarms(self) -> list[bool]:
        return self.alarm.told

    def proof(self) -> list[tuple]:
        query = "select camera_id, day, reason, segments, bytes, first_us, last_us, at_us"
        with self.archive.database.reading() as connection:
            return [tuple(row) for row in connection.execute(f"{query} from deletion")]


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path, now_s=40 * DAY_S)
    yield made
    made.archive.close()


def us(seconds: float) -> int:
    return to_us(at(seconds))


def test_what_is_too_old_goes_from_index_and_disk_and_the_proof_stays(bench):
    old = [bench.archive.index.add(closed_file(bench.archive, s)) for s in (0, 10)]
    young = bench.archive.index.add(closed_file(bench.archive, 39 * DAY_S))

    bench.janitor.sweep()

    assert bench.archive.segments() == [young]
    assert bench.archive.files() == [young.path]
    assert not old[0].path.parent.exists()
    # 01:02 UTC is 09:02 of the same day in the box's zone
    assert bench.proof() == [("gate", "2026-11-22", "age", 2, 2000, us(0), us(20), us(40 * DAY_S))]
    assert bench.janitor.deleted == 2
    assert bench.alarms == []


def test_while_other_settings_are_on_trial_what_those_before_keep_stays(bench):
    old = bench.archive.index.add(closed_file(bench.archive, 5 * DAY_S))
    bench.archive.index.add(closed_file(bench.archive, 0))
    bench.spared = Policy(38, None, 0.01)

    bench.janitor.sweep()
    assert bench.archive.segments() == [old]

    bench.spared = None
    bench.janitor.sweep()
    assert bench.archive.segments() == []


def test_the_proof_of_a_day_adds_up_over_the_rounds(bench):
    for second in (0, 10, 20):
        found = replace(closed_file(bench.archive, second), recovered=True)
        bench.archive.index.add(found)
        bench.janitor.sweep()

    assert [row[:5] for row in bench.proof()] == [("gate", "2026-11-22", "age", 3, 3000)]
    assert bench.proof()[0][5:7] == (us(0), us(30))


def test_the_day_of_the_proof_is_the_boxs(bench):
    # 16:30 UTC is after midnight in Shanghai
    bench.archive.index.add(closed_file(bench.archive, 15.5 * 3600))

    bench.janitor.sweep()

    assert bench.proof()[0][1] == "2026-11-23"


def test_an_alert_inside_a_very_long_group_of_pictures_keeps_the_file_with_its_key_frame(tmp_path):
    bench = Bench(tmp_path, Policy(30, 500, 0.01), now_s=400)
    _before, *group = (
        bench.archive.index.add(closed_file(bench.archive, s, 60, starts_key=s in (0, 60)))
        for s in range(0, 360, 60)
    )
    with bench.archive.database.transaction() as connection:
        add_hold(connection, "gate", at(350), at(390), "alert:1", at(DAY_S))

    bench.janitor.sweep()

    assert bench.archive.segments() == group
    assert bench.archive.files() == [each.path for each in group]
    bench.archive.close()


def test_held_footage_stays_and_raises_the_alarm_until_the_hold_ends(tmp_path):
    bench = Bench(tmp_path, Policy(30, 500, 0.01), now_s=60)
    held = bench.archive.index.add(closed_file(bench.archive, 0))
    with bench.archive.database.transaction() as connection:
        add_hold(connection, "gate", at(2), at(3), "alert:1", at(DAY_S))

    bench.janitor.sweep()
    bench.janitor.sweep()
    assert bench.archive.segments() == [held]
    assert bench.alarms == [True]

    bench.clock.advance(DAY_S)
    bench.janitor.sweep()
    assert bench.archive.segments() == []
    assert bench.alarms == [True, False]
    with bench.archive.database.reading() as connection:
        assert holds(connection, at(0)) == []
    bench.archive.close()


def test_an_alarm_that_could_not_be_told_is_told_at_the_next_round(tmp_path):
    bench = Bench(tmp_path, Policy(30, 500, 0.01), now_s=60)
    bench.archive.index.add(closed_file(bench.archive, 0))
    with bench.archive.database.transaction() as connection:
        add_hold(connection, "gate", at(2), at(3), "alert:1", at(DAY_S))
    for now_s, told in [(60, [True]), (60 + DAY_S, [True, False])]:
        bench.clock.advance((at(now_s) - bench.clock.now()).total_seconds())
        bench.alarm.refusals = 1
        with pytest.raises(StorageError):
            bench.janitor.sweep()
        bench.janitor.sweep()
        bench.janitor.sweep()
        assert bench.alarms == told
    bench.archive.close()


def test_an_alarm_of_an_earlier_process_is_ended(bench):
    bench.alarm.begin()

    bench.janitor.sweep()

    assert bench.alarms == [True, False]
    assert bench.janitor.trouble is None


@pytest.mark.parametrize("stands", [False, True])
def test_a_round_that_is_cut_short_by_the_end_says_nothing_of_the_limits(tmp_path, stands):
    bench = Bench(tmp_path, Policy(30, 1, 0.01), now_s=DAY_S)
    with bench.archive.database.transaction():
        for second in range(600):
            bench.archive.index.add(closed_file(bench.archive, second, 1, on_disk=False))
    if stands:
        bench.alarm.begin()
    plan = bench.janitor._plan

    def plan_and_stop(*of):
        bench.janitor.close()
        return plan(*of)

    bench.janitor._plan = plan_and_stop
    bench.janitor.sweep()

    assert len(bench.archive.segments()) == 100
    assert bench.alarms == [True][: int(stands)]
    bench.archive.close()


def test_a_wall_clock_that_jumps_a_month_ahead_is_believed_once_it_held_for_an_hour(
    tmp_path, caplog
):
    bench = Bench(tmp_path, now_s=DAY_S)
    young = bench.archive.index.add(closed_file(bench.archive, 0))
    bench.janitor.sweep()

    bench.clock.step_wall(60 * DAY_S)
    for _ in range(60):
        bench.clock.advance(59)
        bench.janitor.sweep()

    assert bench.archive.segments() == [young]
    assert "clock.not_believed" in [record.message for record in caplog.records]

    bench.clock.advance(120)
    bench.janitor.sweep()

    assert bench.archive.segments() == []
    bench.archive.close()


@pytest.mark.parametrize("off_s", [400 * DAY_S, -9000 * DAY_S])
def test_a_box_that_starts_with_a_wrong_clock_deletes_nothing_by_age_and_drops_no_hold(
    tmp_path, off_s
):
    bench = Bench(tmp_path, Policy(30, 2000, 0.01), now_s=DAY_S)
    files = [bench.archive.index.add(closed_file(bench.archive, s)) for s in (0, 10, 20)]
    with bench.archive.database.transaction() as connection:
        add_hold(connection, "gate", at(0), at(3), "alert:1", at(90 * DAY_S))
    bench.clock.step_wall(off_s)
    bench.restart(Policy(30, 2000, 0.01))

    for _ in range(2):  # a box that is started again is no proof that its clock is right
        bench.janitor.sweep()
        bench.restart(Policy(30, 2000, 0.01))
    bench.janitor.sweep()

    assert bench.archive.segments() == [files[0], files[2]]  # the quota is kept all the same
    assert [(row[2], row[7]) for row in bench.proof()] == [("quota", us(DAY_S + off_s))]
    with bench.archive.database.reading() as connection:
        assert len(holds(connection, at(0))) == 1
    bench.archive.close()


def test_a_clock_that_is_set_right_after_the_start_is_believed_after_an_hour(tmp_path):
    bench = Bench(tmp_path, now_s=40 * DAY_S)
    bench.archive.index.add(closed_file(bench.archive, 0))
    bench.clock.step_wall(-9000 * DAY_S)
    bench.restart()
    bench.janitor.sweep()
    bench.clock.step_wall(9000 * DAY_S)
    bench.janitor.sweep()
    assert len(bench.archive.segments()) == 1

    bench.clock.advance(3600)
    bench.janitor.sweep()

    assert bench.archive.segments() == []
    bench.archive.close()


def test_what_this_process_recorded_goes_by_age_only_when_it_ran_for_so_long(tmp_path):
    bench = Bench(tmp_path, now_s=40 * DAY_S)
    bench.janitor.sweep()
    # It was recorded while the clock stood 40 days behind.
    bench.archive.index.add(closed_file(bench.archive, 0))
    for _ in range(30 * 24):
        bench.janitor.sweep()
        bench.clock.advance(3600)
    assert len(bench.archive.segments()) == 1

    bench.clock.advance(3600)
    bench.janitor.sweep()

    assert bench.archive.segments() == []
    bench.archive.close()


def test_a_month_that_truly_passes_deletes(tmp_path):
    bench = Bench(tmp_path, now_s=DAY_S)
    bench.archive.index.add(closed_file(bench.archive, 0))
    bench.janitor.sweep()

    bench.clock.advance(60 * DAY_S)
    bench.janitor.sweep()

    assert bench.archive.segments() == []
    bench.archive.close()


def test_more_than_a_transaction_takes_goes_in_several(bench):
    with bench.archive.database.transaction():
        for second in range(1203):
            bench.archive.index.add(closed_file(bench.archive, second, 1, on_disk=False))

    bench.janitor.sweep()

    assert bench.archive.segments() == []
    assert bench.proof()[0][3] == 1203


def test_a_file_that_can_not_be_unlinked_stays_doomed_and_is_tried_again(bench, caplog):
    segment = bench.archive.index.add(closed_file(bench.archive, 0, on_disk=False))
    segment.path.mkdir(parents=True)  # unlink refuses a folder

    bench.janitor.sweep()
    assert bench.archive.segments() == []
    assert "janitor.unlink_refused" in [record.message for record in caplog.records]

    segment.path.rmdir()
    segment.path.write_bytes(b"it can go now")
    bench.janitor.sweep()
    assert not segment.path.exists()


class RefusingDisk:
    """A disk that lets no file go while ``refuses``, as one that was remounted read-only."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refuses = True
        unlink = Path.unlink

        def refuse(path: Path, *, missing_ok: bool = False) -> None:
            if self.refuses:
                raise OSError(errno.EROFS, "read-only file system")
            unlink(path, missing_ok=missing_ok)

        monkeypatch.setattr(Path, "unlink", refuse)


def test_a_disk_that_lets_nothing_go_costs_no_more_rows_than_are_needed(tmp_path, monkeypatch):
    bench = Bench(tmp_path, Policy(30, None, 0.01), now_s=3600)
    for second in range(0, 400, 10):
        bench.archive.index.add(closed_file(bench.archive, second))
    bench.janitor.free_bytes = 10_000_000 - 3000
    disk = RefusingDisk(monkeypatch)

    for _ in range(20):
        bench.janitor.sweep()

    assert len(bench.archive.segments()) == 37
    assert len(bench.archive.files()) == 40
    assert bench.alarms == [True]

    disk.refuses, bench.janitor.free_bytes = False, 10_000_000
    bench.janitor.sweep()

    assert len(bench.archive.files()) == 37
    assert bench.alarms == [True, False]
    bench.archive.close()


def test_a_file_that_stays_does_not_keep_the_others(tmp_path, monkeypatch):
    bench = Bench(tmp_path, Policy(30, None, 0.01), now_s=3600)
    bench.archive.index.add(closed_file(bench.archive, 0))
    bench.janitor.free_bytes = 10_000_000 - 1000
    disk = RefusingDisk(monkeypatch)
    bench.janitor.sweep()
    disk.refuses = False
    stuck = bench.archive.files()[0]
    stuck.unlink()
    stuck.mkdir()  # unlink refuses a folder
    later = [bench.archive.index.add(closed_file(bench.archive, s)) for s in (10, 20, 30)]
    bench.janitor.free_bytes = 10_000_000 - 2000

    bench.janitor.sweep()

    # Of the 2 000 bytes that are short, 1 000 are in the file that is to go already.
    assert bench.archive.segments() == later[1:]
    assert bench.alarms == [True]
    bench.archive.close()


class Mount:
    """The recordings' disk, which is taken away and comes back."""

    def __init__(self, archive: Archive) -> None:
        self._root = archive.root
        self._elsewhere = archive.root.with_name("unmounted")

    def take_away(self) -> None:
        self._root.rename(self._elsewhere)
        self._root.mkdir()

    def bring_back(self) -> None:
        shutil.rmtree(self._root)
        self._elsewhere.rename(self._root)


def test_while_the_disk_is_not_there_no_row_of_it_goes_and_the_alarm_is_raised(tmp_path):
    bench = Bench(tmp_path, Policy(30, 3000, 0.01), now_s=40 * DAY_S)
    old = [bench.archive.index.add(closed_file(bench.archive, s)) for s in (0, 10)]
    doomed = bench.archive.index.add(closed_file(bench.archive, 20))
    bench.archive.doomed.condemn([Deletion(doomed, Reason.AGE)], at(40 * DAY_S))
    mount = Mount(bench.archive)
    mount.take_away()
    here = [bench.archive.index.add(closed_file(bench.archive, 40 * DAY_S + s)) for s in (0, 10)]

    bench.janitor.free_bytes = 10_000_000 - 500
    bench.janitor.sweep()

    # Room is made on the disk that is there, by what is there; the quota is not known.
    assert bench.archive.segments() == [*old, here[1]]
    assert [(row[2], row[3]) for row in bench.proof()] == [("age", 1), ("watermark", 1)]
    assert bench.alarms == [True]

    mount.bring_back()
    bench.janitor.free_bytes = 900_000_000
    bench.janitor.sweep()

    assert bench.archive.files() == []
    assert bench.archive.segments() == [here[1]]
    assert bench.alarms == [True, False]
    bench.archive.close()


def test_a_recordings_folder_that_is_gone_raises_the_alarm(tmp_path):
    archive = Archive(tmp_path)
    alarm = Alarm()
    janitor = Janitor(
        archive.database,
        archive.index,
        archive.doomed,
        archive.label,
        POLICY,
        archive.clock,
        alarm,
    )

    with pytest.raises(FileNotFoundError):
        janitor.sweep()

    assert alarm.told == [True]
    archive.close()


def test_on_a_disk_too_full_to_commit_files_go_before_their_rows(bench, monkeypatch):
    segment = bench.archive.index.add(closed_file(bench.archive, 0))
    bench.janitor.free_bytes = 0
    condemn = bench.archive.doomed.condemn
    refusals = [StorageError("database or disk is full")]

    def full_at_first(deletions, at_time):
        if refusals:
            raise refusals.pop()
        assert not segment.path.exists()
        condemn(deletions, at_time)

    monkeypatch.setattr(bench.archive.doomed, "condemn", full_at_first)

    bench.janitor.sweep()

    assert bench.archive.segments() == []
    assert bench.proof()[0][3] == 1


def test_on_a_disk_too_full_to_commit_what_was_held_meanwhile_stays(bench, monkeypatch):
    segments = [bench.archive.index.add(closed_file(bench.archive, s)) for s in (0, 1000)]
    bench.janitor.free_bytes = 0
    condemn = bench.archive.doomed.condemn
    refusals = [StorageError("database or disk is full")]

    def full_at_first(deletions, at_time):
        if refusals:
            raise refusals.pop()
        condemn(deletions, at_time)

    def held_between() -> Disk:
        with bench.archive.database.transaction() as connection:
            add_hold(connection, "gate", at(0), at(5), "a person", at(100 * DAY_S))
        return FixedDisk.disk(bench.janitor)

    monkeypatch.setattr(bench.archive.doomed, "condemn", full_at_first)
    plan = bench.janitor._plan

    def plan_then_hold(*args):
        made = plan(*args)
        monkeypatch.setattr(bench.janitor, "disk", held_between)
        return made

    monkeypatch.setattr(bench.janitor, "_plan", plan_then_hold)

    bench.janitor.sweep()

    assert segments[0].path.exists()
    assert bench.archive.segments() == [segments[0]]


def test_a_full_disk_that_lets_nothing_go_costs_no_row(bench, monkeypatch):
    segment = bench.archive.index.add(closed_file(bench.archive, 0))
    bench.janitor.free_bytes = 0

    def refuse(deletions, at_time):
        raise StorageError("database or disk is full")

    monkeypatch.setattr(bench.archive.doomed, "condemn", refuse)
    RefusingDisk(monkeypatch)

    with pytest.raises(StorageError, match="full"):
        bench.janitor.sweep()
    assert bench.archive.segments() == [segment]


def test_a_database_that_refuses_for_another_reason_costs_no_file(bench, monkeypatch):
    segment = bench.archive.index.add(closed_file(bench.archive, 0))

    def refuse(deletions, at_time):
        raise StorageError("disk I/O error")

    monkeypatch.setattr(bench.archive.doomed, "condemn", refuse)

    with pytest.raises(StorageError):
        bench.janitor.sweep()
    assert segment.path.exists()


def test_a_deletion_that_can_not_be_written_down_is_trouble_until_it_can(bench):
    segment = bench.archive.index.add(closed_file(bench.archive, 0))
    in_the_way = bench.archive.database.path.parent / "deletions"
    in_the_way.write_text("")

    with pytest.raises(StorageError):
        bench.janitor.sweep()

    assert bench.archive.segments() == [segment]
    assert bench.janitor.trouble is not None
    assert bench.alarms == [True]
    in_the_way.unlink()
    bench.janitor.sweep()
    assert bench.archive.segments() == []
    assert bench.janitor.trouble is None
    assert bench.alarms == [True, False]


def test_the_thread_survives_what_goes_wrong_and_stops_when_told(bench, caplog, monkeypatch):
    errors: list[Exception] = [
        StorageError("refused"),
        OSError(errno.EROFS, "read-only"),
        RuntimeError("a bug"),
    ]
    rounds: list[int] = []

    def sweep():
        rounds.append(1)
        if errors:
            raise errors.pop(0)

    monkeypatch.setattr(bench.janitor, "sweep", sweep)
    bench.janitor._interval_s = 0.001
    bench.janitor.start()
    until(lambda: len(rounds) >= 4)
    bench.janitor.close()
    bench.janitor.close()

    messages = [record.message for record in caplog.records]
    assert messages.count("janitor.refused") == 2
    assert messages.count("janitor.failed") == 1


def test_a_sweep_says_that_the_box_is_alive(bench):
    bench.janitor.sweep()

    assert bench.archive.index.last_alive() == at(40 * DAY_S)


def test_a_real_disk_has_a_size(tmp_path):
    archive = Archive(tmp_path)
    archive.root.mkdir()
    archive.index.add(closed_file(archive, 0))
    janitor = Janitor(
        archive.database,
        archive.index,
        archive.doomed,
        archive.label,
        POLICY,
        archive.clock,
        Alarm(),
    )

    disk = janitor.disk()

    assert disk.total_bytes > disk.free_bytes > 0
    assert disk.used_bytes == 1000
    archive.close()


def test_nothing_of_a_failed_deletion_is_done(archive):
    segment = archive.index.add(closed_file(archive, 0))
    broken = replace(segment, path=Path("/elsewhere.mp4"))

    with pytest.raises(ValueError, match="elsewhere"):
        archive.doomed.condemn([Deletion(segment, Reason.AGE), Deletion(broken, Reason.AGE)], at(1))

    assert archive.segments() == [segment]


def test_a_hold_joins_the_transaction_it_is_made_in(archive):
    def alert() -> None:
        with archive.database.transaction() as connection:
            add_hold(connection, "gate", at(0), at(10), "alert:1", at(100))
            raise RuntimeError("the alert could not be written")

    with pytest.raises(RuntimeError):
        alert()

    with archive.database.reading() as connection:
        assert holds(connection, BEGAN) == []


def test_holds_are_extended_never_shortened_and_expire(archive):
    with archive.database.transaction() as connection:
        add_hold(connection, "gate", at(0), at(10), "alert:1", at(100))
        add_hold(connection, "gate", at(50), at(60), "alert:2", at(200))
        extend_hold(connection, "alert:1", at(30))
        extend_hold(connection, "alert:1", at(20))

        assert holds(connection, at(99)) == [
            Hold("gate", at(0), at(30), "alert:1", at(100)),
            Hold("gate", at(50), at(60), "alert:2", at(200)),
        ]
        assert drop_expired(connection, at(100)) == 1
        assert [hold.reason for hold in holds(connection, at(0))] == ["alert:2"]
