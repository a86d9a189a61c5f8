"""What of the evidence is forgotten, and when."""

from datetime import timedelta

import pytest

from edge.alerts.evidence_store import EvidenceStore
from edge.alerts.tidier import STEADY_NS, Tidier
from protocol.messages import EvidenceKind, EvidenceLack
from tests.support.desk_box import AT, occurrence, open_desk

KEEP = timedelta(days=180)
STEADY_S = STEADY_NS / 1e9
SNAPSHOT, CLIP = EvidenceKind.SNAPSHOT, EvidenceKind.CLIP


class Bench:
    """The evidence of one alert at AT, on a clock."""

    def __init__(self, folder):
        self.box = open_desk(folder / "box.sqlite3")
        self.clock = self.box.clock
        self.store = EvidenceStore(self.box.database)
        self.folder = folder / "evidence"
        self.folder.mkdir()
        self.box.desk.report(occurrence())
        self.alert = self.box.rows("select alert_id from alert")[0]["alert_id"]

    def tidier(self, *, uploads=True):
        return Tidier(self.store, self.folder, self.clock, KEEP, uploads=uploads)

    def piece(self, kind):
        piece = self.store.ready(kind, AT + timedelta(days=1), made=False)
        assert piece is not None
        return piece

    def done(self):
        self.store.stored(self.piece(SNAPSHOT), AT)
        self.store.failed(self.piece(CLIP), EvidenceLack.NOT_MADE, "no video")

    @property
    def kinds(self):
        return {row["kind"] for row in self.box.rows("select kind from evidence")}


@pytest.fixture
def bench(tmp_path):
    made = Bench(tmp_path)
    yield made
    made.box.database.close()


def pass_hours(bench, tidier, hours):
    for _ in range(hours):
        bench.clock.advance(3600)
        tidier.sweep()


def test_what_is_past_its_retention_is_forgotten(bench):
    bench.done()
    tidier = bench.tidier()
    tidier.sweep()
    pass_hours(bench, tidier, 180 * 24)
    assert bench.kinds == {"snapshot", "clip"}
    pass_hours(bench, tidier, 2)
    assert bench.kinds == set()


def test_what_still_waits_for_its_upload_is_never_forgotten(bench):
    bench.store.stored(bench.piece(SNAPSHOT), AT)
    tidier = bench.tidier()
    tidier.sweep()
    bench.clock.advance(400 * 86_400)
    tidier.sweep()
    assert bench.kinds == {"clip"}


def test_where_nothing_is_uploaded_retention_is_all_that_counts(bench):
    tidier = bench.tidier(uploads=False)
    tidier.sweep()
    bench.clock.advance(400 * 86_400)
    tidier.sweep()
    assert bench.kinds == set()


def test_a_clock_that_jumped_ahead_forgets_nothing_until_it_has_held_for_an_hour(bench):
    bench.done()
    tidier = bench.tidier()
    tidier.sweep()
    pass_hours(bench, tidier, 3)
    bench.clock.step_wall(400 * 86_400)
    bench.clock.advance(STEADY_S - 60)
    tidier.sweep()  # only now is the step noticed
    assert bench.kinds == {"snapshot", "clip"}
    bench.clock.step_wall(-400 * 86_400)
    pass_hours(bench, tidier, 5)
    assert bench.kinds == {"snapshot", "clip"}
    bench.clock.step_wall(400 * 86_400)
    pass_hours(bench, tidier, 1)
    assert bench.kinds == {"snapshot", "clip"}
    pass_hours(bench, tidier, 1)
    assert bench.kinds == set()


def test_a_box_that_starts_with_a_clock_ahead_forgets_nothing_before_the_clock_is_set(bench):
    bench.done()
    bench.clock.step_wall(400 * 86_400)
    tidier = bench.tidier()
    tidier.sweep()
    bench.clock.advance(600)
    tidier.sweep()
    bench.clock.step_wall(-400 * 86_400)
    pass_hours(bench, tidier, 10)
    assert bench.kinds == {"snapshot", "clip"}


def test_files_that_no_row_speaks_of_go_at_once_and_drafts_stay(bench):
    wanted = f"{bench.alert}.mp4"
    for name in (wanted, "stray.jpg", "draft.x.mp4"):
        (bench.folder / name).write_bytes(b"x")
    bench.tidier().sweep()
    assert {file.name for file in bench.folder.iterdir()} == {wanted, "draft.x.mp4"}


def test_the_file_of_what_is_forgotten_goes_with_it(bench):
    (bench.folder / f"{bench.alert}.mp4").write_bytes(b"x")
    tidier = bench.tidier(uploads=False)
    tidier.sweep()
    bench.clock.advance(400 * 86_400)
    tidier.sweep()
    assert list(bench.folder.iterdir()) == []
