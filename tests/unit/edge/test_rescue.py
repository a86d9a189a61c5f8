"""A box whose database was really damaged: bytes of the file are overwritten, or cut off."""

import random
import shutil
import sqlite3
import struct
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.db.database import Database, suspicion
from edge.db.examination import Examination
from edge.errors import DamagedError, StorageError
from edge.fsck import Fsck
from edge.media.sample import GapReason
from edge.recording import gaps, rebuild
from edge.recording.audit import Level
from edge.recording.census import Census
from edge.recording.claim import Claim
from edge.recording.doomed import Doomed
from edge.recording.hold_desk import place
from edge.recording.hold_rules import Placing, Terms
from edge.recording.holds import add_hold, holds
from edge.recording.index import RecordingIndex
from edge.recording.label import DiskState, Label
from edge.recording.rebuild import Rebuild, unsettled
from edge.recording.recovery import recover
from edge.recording.retention import Deletion, Reason
from edge.recording.segment import Gap, Hold
from edge.recording.usage import deletions
from edge.rescue import HELD_FOR, open_database
from protocol.clock import FakeClock
from protocol.messages import AlertOp
from tests.support.desk_box import box_config, occurrence, open_desk
from tests.support.packets import packets
from tests.support.recordings import (
    MAIN,
    Archive,
    assert_sound,
    at,
    closed_file,
    ended,
    recorded,
    timed,
    until,
)

PAGE = 4096
NOW_S = 100
GAPS = 3000
SEEDS = range(60)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A closed box: 40 files, 3000 gaps, 300 holds, deletions, two alerts that wait."""
    folder = tmp_path_factory.mktemp("box")
    archive = Archive(folder, FakeClock(at(NOW_S)))
    with archive.database.transaction() as connection:
        for number in range(GAPS):
            gap = Gap("gate", MAIN, at(number - GAPS), at(number + 1 - GAPS), GapReason.NETWORK)
            gaps.add(connection, gap)
        for number in range(300):
            add_hold(connection, "gate", at(number), at(number + 5), f"case {number}", at(10**9))
    gone = [archive.index.add(closed_file(archive, s, camera_id="hall")) for s in range(0, 900, 10)]
    archive.doomed.condemn([Deletion(each, Reason.AGE) for each in gone], at(NOW_S))
    archive.recover("gate", now=at(-GAPS))
    archive.index.close_gap("gate", MAIN, at(0))
    recorded(archive, ended(timed(packets(frames=1000))), segment_s=1)
    assert len(archive.segments()) == 40
    archive.close()
    box = open_desk(folder / "box.db", FakeClock(at(NOW_S)))
    for region in ("all", "stage"):
        box.desk.report(occurrence(region_id=region, at=at(5)))
    box.outbox.receipted([1])
    box.database.close()
    assert not (folder / "box.db-wal").exists()
    return folder


class Box:
    """One copy of it, opened as the station does."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.folder = folder / "box"
        shutil.copytree(template, self.folder)
        self.path = self.folder / "box.db"
        self.config = box_config(self.folder)
        self.clock = FakeClock(at(NOW_S))
        self.before = {}
        with closing(sqlite3.connect(self.path)) as connection:
            for table in ("hold", "deletion", "gap", "segment"):
                self.before[table] = len(connection.execute(f"select * from {table}").fetchall())
            self.outbox_id = self.meta(connection, "outbox.id")
        self.database: Database | None = None

    @staticmethod
    def meta(connection: sqlite3.Connection, key: str) -> str | None:
        row = connection.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def open(self) -> Database:
        self.database = open_database(self.config, self.clock)
        return self.database

    def opened_soundly(self) -> Database:
        """Open it, look through it, and start again where that finds damage: as the box does."""
        database = self.open()
        Examination(database).examine()
        if database.damage is not None:
            database.close()
            database = self.open()
            Examination(database).examine()
            assert database.damage is None
        return database

    def begin(self) -> None:
        """Do all of a start."""
        assert self.database is not None
        root = self.config.recordings_folder()
        index = RecordingIndex(self.database, root)
        label = Label(self.database, root)
        zone = ZoneInfo("Asia/Shanghai")
        doomed = Doomed(self.database, root, label, zone, self.clock)
        rebuild = Rebuild(self.database, index, self.clock)
        pending = rebuild if rebuild.is_pending() else None
        keys = [("gate", MAIN)]
        recover(index, doomed, label, keys, self.clock.now(), reads_back=pending is None)
        if pending is not None:
            assert pending.carry_over(threading.Event())
        assert Census(index, doomed, label, pending).take() is not None
        if pending is not None:
            pending.finish()
        assert not rebuild.is_pending()

    def rows(self, query: str) -> list[tuple]:
        assert self.database is not None
        with self.database.reading() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def held(self) -> list[Hold]:
        assert self.database is not None
        with self.database.reading() as connection:
            return holds(connection, self.clock.now())

    def holds_everything(self) -> bool:
        return {each.camera_id for each in self.held() if each.reason == HELD_FOR} >= {
            "gate",
            "square",
        }

    def findings(self) -> list[str]:
        said: list[str] = []
        root = self.config.recordings_folder()
        fsck = Fsck(self.config, root, self.clock, said.append, lambda _: False)
        fsck.run(Level.BYTES, repair=False)
        return said[:-1]

    def close(self) -> None:
        if self.database is not None:
            self.database.close()

    def overwrite(self, offset: int, data: bytes) -> None:
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def root_page(self, table: str) -> int:
        with closing(sqlite3.connect(self.path)) as connection:
            query = "select rootpage from sqlite_master where name = ?"
            return int(connection.execute(query, (table,)).fetchone()[0])

    def spoil(self, table: str) -> None:
        """Overwrite the root of a table."""
        self.overwrite((self.root_page(table) - 1) * PAGE, bytes([0xFF]) * 200)


@pytest.fixture
def box(template, tmp_path):
    made = Box(template, tmp_path)
    yield made
    made.close()


def damage(box: Box, chance: random.Random) -> None:
    size = box.path.stat().st_size
    pages = size // PAGE
    match chance.choice(["head", "page", "pages", "cut", "specks", "zeroed"]):
        case "head":
            box.overwrite(chance.randrange(16), chance.randbytes(chance.randrange(1, 100)))
        case "page":
            box.overwrite(chance.randrange(1, pages) * PAGE, chance.randbytes(PAGE))
        case "pages":
            for _ in range(pages // 4):
                box.overwrite(chance.randrange(1, pages) * PAGE, chance.randbytes(PAGE))
        case "cut":
            with box.path.open("r+b") as file:
                file.truncate(chance.randrange(size))
        case "specks":
            for _ in range(30):
                box.overwrite(chance.randrange(size - 8), chance.randbytes(8))
        case "zeroed":
            first = chance.randrange(pages)
            box.overwrite(first * PAGE, bytes(PAGE * chance.randrange(1, pages - first + 1)))


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_damaged_the_box_has_an_index_of_every_file_and_nothing_held_is_let_go(
    box, seed
):
    damage(box, random.Random(seed))
    database = box.opened_soundly()
    if unsettled(database) is None:
        return  # nothing that SQLite would notice
    box.begin()
    assert box.holds_everything() or len(box.held()) == box.before["hold"]
    files = {
        path.relative_to(box.config.recordings_folder()).as_posix()
        for path in box.config.recordings_folder().rglob("*.mp4")
    }
    assert len(files) >= 40
    assert {path for (path,) in box.rows("select path from segment")} == files
    index = RecordingIndex(database, box.config.recordings_folder())
    for segment in index.oldest_first():
        assert_sound(segment)
    assert box.rows("select value from meta where key = 'outbox.id'") != [(box.outbox_id,)]
    numbers = [number for (number,) in box.rows("select seq from outbox order by seq")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert box.findings() == []


def test_a_whole_database_is_opened_as_it_is(box):
    before = box.path.read_bytes()
    database = box.opened_soundly()
    assert unsettled(database) is None
    database.close()
    assert box.path.read_bytes() == before


def test_what_only_the_log_has_yet_is_carried_over(box):
    with closing(Database(box.path)) as database:
        with database.transaction() as connection:
            add_hold(connection, "gate", at(7), at(8), "the newest", at(10**9))
        saved = {}
        for side in ("", "-wal", "-shm"):
            path = box.path.with_name(f"box.db{side}")
            saved[path] = path.read_bytes()
    for path, data in saved.items():  # as a power cut leaves them
        path.write_bytes(data)
    box.spoil("gap")
    box.opened_soundly()
    assert "the newest" in {each.reason for each in box.held()}
    assert not box.holds_everything()


def test_a_torn_page_of_one_table_costs_nothing_of_the_others(box):
    box.spoil("segment")
    database = box.opened_soundly()
    assert "(lost in part: nothing that is known of)" in str(unsettled(database))
    assert not box.holds_everything()
    assert len(box.held()) == box.before["hold"]
    assert box.rows("select count(*) from gap") == [(box.before["gap"],)]
    assert box.rows("select count(*) from deletion") == [(box.before["deletion"],)]
    box.begin()
    assert box.rows("select count(*), min(recovered) from segment") == [(40, 1)]
    assert box.findings() == []


def test_rows_that_can_be_read_are_carried_over_and_need_no_reading_of_files(box):
    with closing(sqlite3.connect(box.path)) as connection:
        before = connection.execute("select path, sha256, wall_us from segment").fetchall()
    box.spoil("gap")
    box.opened_soundly()
    for path in box.config.recordings_folder().rglob("*.mp4"):
        path.chmod(0)  # not even root's census asks for more than their names and sizes
    box.begin()
    query = "select path, sha256, wall_us from segment"
    assert sorted(box.rows(query)) == sorted(before)


def test_holds_that_can_not_be_read_hold_everything_that_was_recorded(box):
    box.spoil("hold")
    database = box.opened_soundly()
    assert box.holds_everything()
    assert "hold" in str(unsettled(database))
    [gate] = [each for each in box.held() if (each.camera_id, each.reason) == ("gate", HELD_FOR)]
    assert gate.start < at(-GAPS)
    assert gate.end >= at(NOW_S)  # all of it began before
    assert gate.until > box.clock.now() + timedelta(days=3000)


def test_where_all_is_held_what_is_recorded_from_then_on_is_not(box):
    """Else a full disk could let nothing go for two days, and would stop recording."""
    box.clock.advance(3600)
    box.spoil("hold")
    box.opened_soundly()
    assert {each.end for each in box.held() if each.reason == HELD_FOR} == {box.clock.now()}


def test_a_folder_of_a_day_that_never_comes_does_not_keep_the_box_from_starting(box):
    (box.config.recordings_folder() / "gate" / "main" / "99991231").mkdir()
    box.spoil("hold")
    box.opened_soundly()
    assert box.holds_everything()


@pytest.mark.parametrize("is_there", [True, False])
def test_where_all_is_held_so_is_what_a_clock_that_was_ahead_dated(box, is_there):
    archive = Archive(box.folder.parent / "ahead", box.clock)
    archive.root = box.config.recordings_folder()
    ahead = closed_file(archive, 5 * 86_400)
    archive.close()
    if not is_there:
        ahead.path.unlink()
        ahead.path.mkdir()  # a name that says nothing
        ahead.path.rename(ahead.path.with_name("lost"))
    box.spoil("hold")
    box.opened_soundly()
    ends = {each.end for each in box.held() if each.reason == HELD_FOR}
    assert (max(ends) >= ahead.end) is is_there


@pytest.mark.parametrize("lost", [False, True])
def test_a_hold_after_a_rescue_bears_no_id_that_the_trace_names(box, lost):
    with closing(sqlite3.connect(box.path)) as connection, connection:
        connection.execute(
            "insert into hold_event values (1, 900, 1, 'released', 'local', 'over', 'gate', 1, 2,"
            " 'case', 3, 'local', 1, '2026-12-01')"
        )
        if lost:
            connection.execute("update hold set camera_id = '../gate'")
    suspicion(box.path).touch()
    with box.open().transaction() as connection:
        add_hold(connection, "gate", at(0), at(5), "another", at(10**9))
        [newest] = box.rows("select max(id) from hold")
    assert newest > (900,)
    box.database.close()


@pytest.mark.parametrize("traced", [True, False])
def test_ids_of_holds_that_have_ended_are_not_used_again(box, traced):
    wanted = Placing("gate", at(0), at(9), "theft", Terms(at(10**6), at(10**5).date()))
    with box.open().transaction() as connection:
        ended = place(connection, wanted, "Li", at(NOW_S)).id
        connection.execute("delete from hold where id = ?", (ended,))
        if not traced:
            connection.execute("delete from hold_event")
    box.close()
    box.spoil("gap")
    with box.opened_soundly().transaction() as connection:
        assert place(connection, wanted, "Li", at(NOW_S)).id > ended


@pytest.mark.parametrize("other", [None, "0123456789abcdef\n"])
def test_a_disk_that_is_missing_or_another_while_the_database_is_made_anew_stays_so(box, other):
    root = box.config.recordings_folder()
    expected = (root / "disk-id").read_bytes()
    away = root.rename(root.with_name("unplugged"))
    root.mkdir()
    if other is not None:
        (root / "disk-id").write_text(other)
    box.spoil("gap")
    database = box.opened_soundly()
    box.begin()
    assert Label(database, root).state().is_wrong
    assert box.rows("select count(*) from segment") == [(40,)]
    assert box.rows("select count(*) from deletion where reason = 'lost'") == [(0,)]
    shutil.rmtree(root)
    away.rename(root)
    assert Label(database, root).state() is DiskState.RIGHT
    assert (root / "disk-id").read_bytes() == expected
    box.begin()
    assert box.rows("select count(*) from segment") == [(40,)]


def test_what_is_missing_between_files_that_were_read_back_is_the_disks(box):
    files = sorted(box.config.recordings_folder().rglob("*.mp4"))
    for path in files[10:20]:
        path.unlink()
    box.overwrite(0, bytes(100))
    index = RecordingIndex(box.opened_soundly(), box.config.recordings_folder())
    index.open_gap("gate", MAIN, at(NOW_S), GapReason.CAMERA)  # the recorder is at work already
    box.begin()
    gaps_of_gate = index.gaps("gate", MAIN, at(0), at(NOW_S + 1))
    assert [(each.start, each.end, each.reason) for each in gaps_of_gate] == [
        (at(10), at(20), GapReason.DISK),
        (at(40), at(NOW_S), GapReason.DISK),
        (at(NOW_S), None, GapReason.CAMERA),
    ]


def test_what_is_recorded_after_the_holds_were_lost_is_free_to_go(box):
    box.spoil("hold")
    box.opened_soundly()
    [gate] = [each for each in box.held() if (each.camera_id, each.reason) == ("gate", HELD_FOR)]
    assert gate.end <= at(NOW_S) + timedelta(hours=1)


def test_a_file_of_a_time_when_the_clock_was_ahead_is_held_and_nothing_before_it(box):
    day = box.config.recordings_folder() / "gate" / "main" / "20360102"
    day.mkdir()
    (day / f"030405-{'0' * 32}.mp4").write_bytes(b"")
    box.spoil("hold")
    box.opened_soundly()
    gate = [each for each in box.held() if (each.camera_id, each.reason) == ("gate", HELD_FOR)]
    begun = datetime(2036, 1, 2, 3, 4, 5, tzinfo=UTC)
    [_, ahead] = sorted(gate, key=lambda each: each.start)
    assert (ahead.start, ahead.end) == (begun, begun + timedelta(hours=1))


def test_what_waited_is_sent_under_a_new_outbox_from_1(box):
    box.spoil("gap")
    box.opened_soundly()
    box.close()
    desk_box = open_desk(box.path, box.clock, box.config)
    [message] = desk_box.messages()  # the other had its receipt
    assert message.sequence == 1
    assert str(message.outboxid) != box.outbox_id
    assert message.data.region_id == "stage"
    assert message.data.op is AlertOp.START
    # What was open is ended under the new numbers: the centre orders by those of one outbox.
    assert desk_box.desk.end_orphans() == 2
    assert [each.sequence for each in desk_box.messages()] == [1, 2, 3]
    assert len({each.outboxid for each in desk_box.messages()}) == 1
    box.clock.advance(1)
    desk_box.desk.report(occurrence(at=desk_box.clock.now()))
    assert desk_box.desk.end_orphans() == 0  # it began under the numbers of now
    desk_box.database.close()


def test_a_deletion_table_that_is_lost_is_made_anew_from_its_lines(box):
    with closing(sqlite3.connect(box.path)) as connection:
        before = connection.execute("select * from deletion").fetchall()
    box.spoil("deletion")
    box.opened_soundly()
    assert box.rows("select * from deletion") == before


def test_a_damaged_line_makes_no_row_that_could_not_be_shown(box):
    [path] = (box.folder / "deletions").iterdir()
    text = path.read_text().replace('"age"', '"agf"', 1)
    path.write_text(text[::-1].replace("11-62", "31-62", 1)[::-1])  # and the last line's day
    box.spoil("deletion")
    database = box.opened_soundly()
    with database.reading() as connection:
        (record,) = deletions(connection, 100)
    assert record.segments == len(text.splitlines()) - 2


def test_evidence_of_which_nothing_is_known_any_more_is_kept_aside(box):
    with closing(sqlite3.connect(box.path)) as connection, connection:
        connection.execute("update evidence set path = alert_id || '.jpg' where kind = 'snapshot'")
        [first, _] = connection.execute("select path from evidence where path is not null")
    folder = box.folder / "evidence"
    folder.mkdir()
    (folder / first[0]).write_bytes(b"picture")
    (folder / "stray.jpg").write_bytes(b"other")
    box.spoil("evidence")
    box.opened_soundly()
    [aside] = box.folder.glob("evidence.damaged-*")
    assert sorted(path.name for path in aside.iterdir()) == sorted([first[0], "stray.jpg"])
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("path", ["../box.lock", "/etc/passwd", "gate/main/20261122/../../x.mp4"])
def test_a_path_that_is_not_a_recording_is_never_taken_over(box, path):
    with closing(sqlite3.connect(box.path)) as connection, connection:
        connection.execute("insert into doomed values (?, 1)", (path,))
        connection.execute("update segment set path = ? where id = 100", (path,))
    box.spoil("gap")
    box.opened_soundly()
    assert box.rows(f"select count(*) from doomed where path = '{path}'") == [(0,)]
    assert "doomed" in str(unsettled(box.database))
    box.begin()
    assert (path,) not in box.rows("select path from segment")
    assert box.findings() == []


def test_the_old_file_is_kept_until_a_person_takes_it_away(box):
    box.overwrite(0, bytes(100))
    whole = box.path.read_bytes()
    database = box.open()
    [old] = box.folder.glob("box.db.damaged-*Z")
    assert old.read_bytes() == whole
    assert unsettled(database) is not None
    old.unlink()
    assert unsettled(database) is None


def test_only_the_last_three_are_kept(box):
    for _ in range(5):
        box.clock.advance(60)
        box.overwrite(0, bytes(100))
        box.open().close()
    names = sorted(path.name for path in box.folder.glob("box.db.damaged-*Z"))
    assert len(names) == 3
    assert names[-1] == f"box.db.damaged-{box.clock.now():%Y%m%dT%H%M%SZ}"


def test_the_newest_is_kept_whatever_the_clock_says(box):
    for _ in range(4):
        box.clock.step_wall(-86_400)
        box.overwrite(0, bytes(100))
        database = box.open()
        assert unsettled(database) is not None
        database.close()


def test_a_database_that_is_empty_beside_recordings_was_damaged(box):
    box.path.write_bytes(b"")
    assert unsettled(box.open()) is not None
    assert box.holds_everything()


@pytest.mark.parametrize("left", ["recordings", "deletions"])
def test_a_database_that_is_gone_from_a_box_that_has_recorded_is_a_loss_like_any_other(box, left):
    """Else nothing would be held any more, and retention might take what a person has held."""
    for path in box.folder.iterdir():
        if path.name != left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert unsettled(box.open()) is not None
    assert box.holds_everything()
    lines = (each.read_text().splitlines() for each in box.folder.glob("deletions/*"))
    assert box.rows("select coalesce(sum(segments), 0) from deletion") == [(sum(map(len, lines)),)]
    box.begin()
    assert box.rows("select count(*) from segment") == [(40 if left == "recordings" else 0,)]
    [aside] = box.folder.glob("box.db.damaged-*Z")
    aside.unlink()
    assert unsettled(box.database) is None


def test_a_box_whose_lost_database_was_suspected_starts_all_the_same(box):
    suspicion(box.path).touch()
    box.path.unlink()
    assert unsettled(box.open()) is not None
    assert box.holds_everything()


def test_an_empty_file_beside_nothing_is_a_box_that_begins(tmp_path):
    (tmp_path / "box.db").touch()
    with closing(open_database(box_config(tmp_path), FakeClock(at(0)))) as database:
        assert unsettled(database) is None


@pytest.mark.parametrize(
    ("statement", "version"),
    [
        ("drop table hold", None),
        ("alter table hold rename column until_us to untik_us", None),
        ("select 1", 0),
        ("select 1", 2),
        ("select 1", 77_777),
        ("select 1", -5),
    ],
)
def test_tables_that_are_not_those_of_the_version_are_damage(box, statement, version):
    with closing(sqlite3.connect(box.path)) as connection, connection:
        connection.execute(statement)
        if version is not None:
            connection.execute(f"pragma user_version={version}")
    assert unsettled(box.open()) is not None


def test_a_newer_programs_database_is_refused_and_stays(box):
    with closing(sqlite3.connect(box.path)) as connection:
        connection.execute("pragma user_version=50")
    with pytest.raises(StorageError, match="made by a newer program"):
        box.open()
    assert list(box.folder.glob("box.db.*")) == []


def test_while_another_box_has_the_folder_nothing_is_set_aside(box):
    box.overwrite(0, bytes(100))
    with closing(Claim(box.folder)) as claim:
        claim.take()
        with pytest.raises(StorageError, match="in use"):
            box.open()
    assert list(box.folder.glob("box.db.*")) == []


def test_damage_that_is_met_later_is_told_and_mended_at_the_next_start(box):
    database = box.open()
    box.overwrite((box.root_page("hold") - 1) * PAGE, bytes([0xFF]) * 200)
    with pytest.raises(DamagedError), database.reading() as connection:
        connection.execute("select * from hold").fetchall()
    assert database.damage is not None
    assert suspicion(box.path).exists()
    database.close()
    assert unsettled(box.open()) is not None
    assert not suspicion(box.path).exists()


def test_damage_that_nobody_met_is_found_by_looking_at_every_page(box):
    database = box.open()
    box.overwrite((box.root_page("evidence") - 1) * PAGE, bytes([0xFF]) * 200)
    examination = Examination(database)
    examination.start()
    until(lambda: database.damage is not None)
    examination.close()
    assert suspicion(box.path).exists()


def test_an_examination_that_is_broken_off_finds_nothing(box):
    box.spoil("evidence")
    database = box.open()
    examination = Examination(database)
    examination.close()
    examination.start()
    examination.close()
    assert database.damage is None


def test_fsck_says_that_the_box_makes_a_damaged_database_anew(box):
    box.overwrite(0, bytes(100))
    with pytest.raises(DamagedError, match="the box makes its database anew when it starts"):
        box.findings()
    assert box.path.read_bytes()[:100] == bytes(100)


def test_what_is_only_locked_or_refused_is_no_damage(box):
    database = box.open()
    with pytest.raises(StorageError), database.transaction() as connection:
        connection.execute("insert into no_such_table values (1)")
    assert database.damage is None
    assert not suspicion(box.path).exists()


@pytest.mark.parametrize("dies_after", range(6))
def test_a_box_that_dies_while_it_makes_the_database_anew_does_it_at_the_next_start(
    box, dies_after, monkeypatch
):
    box.spoil("gap")
    suspicion(box.path).touch()
    replaced = 0
    replace = Path.replace

    def until_it_dies(self, target):
        nonlocal replaced
        if replaced == dies_after:
            raise KeyboardInterrupt
        replaced += 1
        return replace(self, target)

    (box.folder / "box.db-wal").write_bytes(b"")
    (box.folder / "box.db-shm").write_bytes(b"")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", until_it_dies)
        with suppress(KeyboardInterrupt):
            box.open().close()
    assert unsettled(box.opened_soundly()) is not None
    box.begin()
    assert len(box.held()) == box.before["hold"]
    assert len(list(box.folder.glob("box.db.damaged-*Z"))) == 1
    assert list(box.folder.glob("box.db.new-*")) == []
    assert box.findings() == []


def test_a_rebuild_that_is_broken_off_goes_on_where_it_was(box, monkeypatch):
    box.spoil("gap")
    database = box.opened_soundly()
    monkeypatch.setattr("edge.recording.rebuild._BATCH_ROWS", 7)
    stopping = threading.Event()
    root = box.config.recordings_folder()
    rebuild = Rebuild(database, RecordingIndex(database, root), box.clock)
    inserted = rebuild._insert

    def one_batch(*arguments):
        stopping.set()
        return inserted(*arguments)

    monkeypatch.setattr(rebuild, "_insert", one_batch)
    assert not rebuild.carry_over(stopping)
    assert rebuild.is_pending()
    assert box.rows("select count(*) from segment") == [(7,)]
    box.begin()
    assert box.rows("select count(*) from segment") == [(40,)]
    assert box.findings() == []


def test_key_points_that_can_not_be_of_their_file_are_not_believed(box):
    with closing(sqlite3.connect(box.path)) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("select * from segment limit 1").fetchone())
    root = box.config.recordings_folder()
    sound = struct.pack(">II", 0, row["init_bytes"])
    ahead = struct.pack(">II", 90, row["init_bytes"] + 1)
    beyond = struct.pack(">II", 180, row["size_bytes"])

    def believed(keys):
        found = rebuild.closed_file(row | {"keys": keys}, root)
        assert found is not None  # the file itself is as it was
        return len(found.keys)

    assert [believed(keys) for keys in (b"", sound, sound + ahead)] == [0, 1, 2]
    assert [believed(keys) for keys in (ahead + sound, sound + beyond, b"\xff" * 8)] == [0, 0, 0]
