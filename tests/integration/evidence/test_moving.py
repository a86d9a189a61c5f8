"""Moving evidence from the disk to S3 and back, by the command that people type."""

import contextlib
import hashlib
import random
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import URL, select

from central.__main__ import main
from central.codes import EvidencePlace
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Evidence
from central.evidence import moving
from central.evidence.caretaker import EvidenceCaretaker
from central.evidence.folder import MOVING, FolderStorage
from central.evidence.partial import PARTIAL, Partials
from central.evidence.places import open_storages
from central.evidence.span import Span
from central.evidence.store import EvidenceStore, Piece
from central.ingest.inbox import DatabaseInbox
from central.points.codes import PlaceType
from central.points.desk import PointDesk, Terms
from central.points.photos import SignPhotos
from central.points.picture import clean
from protocol.clock import FakeClock, SystemClock
from protocol.messages import EvidenceKind, LegalBasis
from tests.support.jpeg import jpeg
from tests.support.tools import ROOT
from tests.support.web_centre import config_for
from tests.support.xiacun import (
    BOX,
    DEADLINES,
    NOW,
    REGION,
    alert_data,
    alert_message,
    enter_village,
    received,
)

PIECES = 5


class Village:
    """A centre's folder with evidence on its disk, and its configuration as a file."""

    def __init__(self, folder: Path, server) -> None:
        self.folder = folder
        self.server = server
        self.evidence = folder / "evidence"
        self.database = Database(URL.create("sqlite", database=str(folder / "central.db")))
        migrate(self.database, SystemClock())
        enter_village(self.database)
        self.bytes: dict[str, bytes] = {}

    def config(self, store: str) -> Path:
        """Write the configuration with new pieces going to ``store``; return its file."""
        told = self.server.section(self.folder)
        path = self.folder / "central.toml"
        path.write_text(
            f"""
[village]
name = "下村"
region_code = "{REGION}"
[database]
url = "sqlite:///central.db"
[mqtt]
password = {{ env = "NOT_USED" }}
[evidence]
folder = "evidence"
store = "{store}"
[evidence.s3]
endpoint = "{told["endpoint"]}"
bucket = "{told["bucket"]}"
access_key = {{ file = "access-key" }}
secret_key = {{ file = "secret-key" }}
attempts = 1
""",
            encoding="utf-8",
        )
        return path

    def storages(self, store: str, clock=None):
        told = {"store": store, "s3": self.server.section(self.folder)}
        return open_storages(config_for(self.folder, evidence=told), clock or SystemClock())

    def bring(self, count: int) -> None:
        """Store pieces as a box would."""
        clock, chance = FakeClock(NOW), random.Random(count)
        config = config_for(self.folder)
        partials = Partials(self.evidence / PARTIAL, config.evidence.allowance(), clock)
        kept = EvidenceStore(self.database, clock, partials, self.storages("disk"), 10**6)
        kept.open()
        inbox = DatabaseInbox(self.database, clock, DEADLINES)
        for number in range(1, count + 1):
            alert, content = uuid4(), chance.randbytes(100_000)
            inbox.commit([received(alert_message(alert_data(alert), number))])
            sha256 = hashlib.sha256(content).hexdigest()
            end = NOW + timedelta(seconds=10)
            piece = Piece(BOX, alert, EvidenceKind.CLIP, NOW, end, sha256)
            partial = kept.receive(piece, 0, len(content))
            partial.write(content)
            kept.keep(piece, partial)
            partial.close()
            self.bytes[str(alert)] = content

    def rows(self):
        with self.database.read() as session:
            return session.scalars(select(Evidence).order_by(Evidence.id)).all()

    def places(self) -> list[EvidencePlace]:
        return [row.place for row in self.rows()]

    def files(self) -> list[Path]:
        return sorted(path for path in self.evidence.rglob("*.mp4"))

    def is_readable(self, store: str) -> bool:
        """Return whether every piece gives the bytes that were brought."""
        kept = EvidenceStore(self.database, SystemClock(), None, self.storages(store), 10**6)
        return all(kept.read(row.id) == self.bytes[str(row.alert_id)] for row in self.rows())


@pytest.fixture
def village(tmp_path, seaweed):
    made = Village(tmp_path, seaweed)
    yield made
    made.database.close()


def move(village, to):
    config = village.config(to)
    return main(["evidence", "move", "--to", to, "--config", str(config)])


def test_everything_goes_to_s3_and_back_and_can_be_read_in_between(village, capsys):
    village.bring(PIECES)
    assert move(village, "s3") == 0
    assert f"{PIECES} moved, 0.5 MB" in capsys.readouterr().out
    assert (village.places(), village.files()) == ([EvidencePlace.S3] * PIECES, [])
    assert village.is_readable("s3")
    assert move(village, "disk") == 0
    assert (village.places(), len(village.files())) == ([EvidencePlace.DISK] * PIECES, PIECES)
    assert village.server.keys() == []
    assert village.is_readable("disk")


def test_the_photo_of_a_sign_goes_with_them_and_is_found_where_it_is(village, capsys):
    terms = Terms(PlaceType.GATE, LegalBasis.ARTICLE_7_1, "村委会", None, "")
    zone = ZoneInfo("Asia/Shanghai")
    desk = PointDesk(village.database, SystemClock(), REGION, zone)
    desk.put(f"{BOX}.cam1", terms, "li")
    village.evidence.mkdir()
    given = village.database, SystemClock(), village.storages("disk"), village.evidence / MOVING
    photo = SignPhotos(*given).keep(f"{BOX}.cam1", clean(jpeg()), "li")
    desk.hang(photo, "li")
    assert move(village, "s3") == 0
    assert "1 moved" in capsys.readouterr().out
    assert list((village.evidence / BOX / "signs").iterdir()) == []
    photos = SignPhotos(village.database, SystemClock(), village.storages("s3"), village.evidence)
    for known in (photo, photos.find(f"{BOX}.cam1")):  # asked before it moved, and after
        with contextlib.closing(photos.content(known)) as content:
            assert content.read(10**6) == jpeg()


@pytest.mark.parametrize("puts", [1, 3])
def test_a_move_that_is_killed_loses_nothing_and_goes_on(village, puts):
    village.bring(PIECES)
    config = village.config("s3")
    child = [sys.executable, "-m", "tests.support.dying_centre_child", str(puts)]
    given = ["evidence", "move", "--to", "s3", "--config", str(config)]
    killed = subprocess.run([*child, *given], cwd=ROOT, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert village.places().count(EvidencePlace.S3) == puts - 1
    assert village.is_readable("s3")
    assert move(village, "s3") == 0
    assert (village.places(), village.files()) == ([EvidencePlace.S3] * PIECES, [])
    assert len(village.server.keys()) == PIECES
    assert village.is_readable("s3")


def test_a_copy_that_an_ended_move_left_behind_goes_with_the_next(village, capsys, monkeypatch):
    monkeypatch.setattr(moving, "_BATCH", 2)
    village.bring(PIECES)
    with monkeypatch.context() as ended:
        ended.setattr(FolderStorage, "delete", lambda *_given: None)
        move(village, "s3")
    assert len(village.files()) == PIECES
    capsys.readouterr()
    assert move(village, "s3") == 0
    assert f"{PIECES} left over from before removed" in capsys.readouterr().out
    assert village.files() == []
    assert village.is_readable("s3")


def test_a_damaged_and_a_missing_file_are_said_and_keep_nothing_else_from_going(village, capsys):
    village.bring(PIECES)
    damaged, missing = village.files()[:2]
    damaged.write_bytes(b"\0" * damaged.stat().st_size)
    missing.unlink()
    assert move(village, "s3") == 1
    assert "1 gone, 1 damaged" in capsys.readouterr().out
    assert sorted(village.places()) == ["disk"] * 2 + ["s3"] * (PIECES - 2)
    assert village.files() == [damaged]


def test_who_asked_just_before_a_piece_moved_gets_it_from_where_it_is_now(village):
    village.bring(1)
    kept = EvidenceStore(village.database, SystemClock(), None, village.storages("s3"), 10**6)
    (row,) = village.rows()
    found = kept.find(row.id)
    assert move(village, "s3") == 0
    with contextlib.closing(kept.content(found, Span(10, 19))) as content:
        assert content.read(10) == village.bytes[str(row.alert_id)][10:20]


def test_new_pieces_must_go_there_first(village, capsys):
    config = village.config("disk")
    assert main(["evidence", "move", "--to", "s3", "--config", str(config)]) == 1
    assert "evidence.store: must be 's3' first" in capsys.readouterr().err


def test_files_that_no_row_names_go_after_thirty_days_and_others_never(village):
    clock = FakeClock(SystemClock().now())
    village.bring(PIECES)
    storages = village.storages("s3", clock)
    orphan, source = f"{BOX}/2026-11/{uuid4()}-clip-{uuid4()}.mp4", village.folder / "orphan"
    source.write_bytes(b"orphan")
    sha256 = hashlib.sha256(b"orphan").hexdigest()
    for storage in storages.by_place.values():
        storage.put(orphan, source, sha256)
    caretaker = EvidenceCaretaker(village.database, clock, storages)
    caretaker.look()
    assert (len(village.server.keys()), len(village.files())) == (1, PIECES + 1)
    clock.advance(31 * 86_400)
    caretaker.look()
    assert (village.server.keys(), len(village.files())) == ([], PIECES)
    assert village.is_readable("s3")


def test_what_others_put_into_the_folder_is_left_to_them(village):
    clock = FakeClock(SystemClock().now())
    village.bring(1)
    theirs = [village.evidence / "central.db", village.evidence / BOX / "2026-11" / "report.pdf"]
    unfinished = [village.evidence / MOVING / "moving-x", theirs[1].with_name(".a.mp4.part")]
    for path in (*theirs, *unfinished):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"?")
    caretaker = EvidenceCaretaker(village.database, clock, village.storages("disk", clock))
    caretaker.look()
    assert all(path.exists() for path in (*theirs, *unfinished))
    clock.advance(31 * 86_400)
    caretaker.look()
    assert all(path.exists() for path in theirs)
    assert not any(path.exists() for path in unfinished)
    assert village.is_readable("disk")


def test_where_most_files_have_no_row_the_database_is_another_and_nothing_goes(village, caplog):
    clock = FakeClock(SystemClock().now())
    village.bring(25)
    other = Database(URL.create("sqlite", database=str(village.folder / "other.db")))
    migrate(other, SystemClock())
    clock.advance(31 * 86_400)
    EvidenceCaretaker(other, clock, village.storages("disk", clock)).look()
    other.close()
    assert len(village.files()) == 25
    assert "evidence.orphans_kept" in caplog.text
