from datetime import timedelta

import pytest

from bench.archive import Archive as Judged
from bench.chaos_record import slope_mb
from bench.recording import Span
from tests.support.packets import packets
from tests.support.recordings import Archive, at, ended, recorded, timed

YEAR = timedelta(days=365)


@pytest.fixture
def archive(tmp_path):
    made = Archive(tmp_path)
    recorded(made, ended(timed(packets(frames=250))), segment_s=2)
    yield made
    made.close()


def test_what_was_held_is_seen_to_be_there_or_gone(archive):
    judged = Judged(archive.root.parent)
    span = Span(at(1), at(9))
    assert judged.covers("gate", span)
    archive.index.forget(archive.segments()[2])
    assert not judged.covers("gate", span)


def test_a_hold_from_outside_is_one_for_the_box(archive):
    Judged(archive.root.parent).hold("gate", Span(at(1), at(3)), at(0) + YEAR)
    with archive.database.reading() as connection:
        rows = connection.execute("select camera_id, start_us, end_us from hold").fetchall()
    assert [(row["camera_id"], row["end_us"] - row["start_us"]) for row in rows] == [
        ("gate", 2_000_000)
    ]


def test_a_file_that_cannot_be_decoded_is_told(archive):
    judged = Judged(archive.root.parent)
    assert judged.unreadable() == ()
    path = archive.segments()[2].path
    path.write_bytes(path.read_bytes()[:100])
    (fault,) = judged.unreadable()
    assert path.name in fault


def test_growth_is_told_a_thousand_times_and_without_the_beginning():
    flat = [(turn, 100_000_000) for turn in range(0, 400, 25)]
    assert slope_mb(flat) == 0
    begun = [(turn, 50_000_000 + 10_000 * turn) for turn in range(0, 400, 25)]
    begun[0] = (0, 1)
    assert slope_mb(begun) == pytest.approx(10.0)
    assert slope_mb(flat[:2]) is None
