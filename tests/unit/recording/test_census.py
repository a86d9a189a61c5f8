import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge.media.sample import GapReason
from edge.recording.file import SegmentFile, new_path
from edge.recording.index import RecordingIndex
from edge.recording.orphans import Outcome
from edge.recording.retention import Deletion, Reason
from tests.support.packets import packets
from tests.support.recordings import (
    MAIN,
    Archive,
    at,
    closed_file,
    ended,
    offer_all,
    recorded,
    timed,
    until,
)
from tests.unit.recording.test_recovery import NOTHING

DAY_S = 86_400


def left_by_a_crash(archive: Archive, day: int) -> Path:
    """Leave a file without a row in the folder of a day, as a killed process does."""
    recorded(archive, ended(timed(packets(frames=25))))
    (segment,) = (each for each in archive.segments() if each.recovered is False)
    archive.index.forget(segment)
    path = archive.root / "gate" / "main" / f"202611{day}" / segment.path.name
    path.parent.mkdir(exist_ok=True)
    segment.path.rename(path)
    return path


def test_before_the_recorders_only_the_newest_folders_are_looked_at(archive):
    old = left_by_a_crash(archive, 10)
    for day in (22, 23):
        (archive.root / "gate" / "main" / f"202611{day}").mkdir(exist_ok=True)
    assert archive.recover_first("gate", now=at(60))[Outcome.RECOVERED] == 0
    assert archive.gaps()[-1] == (at(1), None, GapReason.BOX_OFF)

    assert archive.census().take() == replace(NOTHING, recovered=1)

    assert [segment.path for segment in archive.segments()] == [old]
    assert archive.census().take() == NOTHING


def test_a_file_that_is_growing_stays_a_recorders(archive):
    archive.recover_first("gate")
    recorder = archive.recorder(segment_s=60)
    recorder.start()
    offer_all(recorder, timed(packets(frames=60, gop=25)))
    until(lambda: archive.index.growing("gate", MAIN))

    assert archive.census().take() == NOTHING
    recorder.close()

    assert [segment.recovered for segment in archive.segments()] == [False]


def test_a_file_that_has_no_fragment_yet_is_not_removed(archive):
    first = timed(packets(frames=1))[0]
    path = new_path(archive.root, first)
    archive.index.claim(path)
    SegmentFile(path, first).abandon()  # it is open no more, but is not given back either

    assert archive.census().take() == NOTHING
    assert path.exists()

    archive.index.release(path)
    assert archive.census().take() == replace(NOTHING, removed=1)


def test_a_file_whose_row_waits_for_the_database_is_not_indexed_twice(archive):
    recorded(archive, ended(timed(packets(frames=25))))
    (segment,) = archive.segments()
    archive.index.forget(segment)
    archive.index.claim(segment.path)

    assert archive.census().take() == NOTHING

    archive.index.add(segment)
    assert archive.index.claimed() == frozenset()


class BusyIndex(RecordingIndex):
    """An index in which others work while the census asks for the rows of a folder."""

    def __init__(self, archive: Archive, before, after) -> None:
        super().__init__(archive.database, archive.root)
        self._before_rows, self._after_rows = before, after

    def files_in(self, folder):
        self._before_rows()
        rows = super().files_in(folder)
        self._after_rows()
        return rows


def nothing() -> None:
    pass


def test_a_file_that_is_recorded_meanwhile_is_not_lost(archive):
    archive.index.add(closed_file(archive, 0))
    archive.index = BusyIndex(archive, lambda: archive.index.add(closed_file(archive, 10)), nothing)

    assert archive.census().take() == NOTHING

    assert len(archive.segments()) == 2


def test_what_retention_takes_meanwhile_is_neither_an_orphan_nor_lost(archive):
    segments = [archive.index.add(closed_file(archive, second)) for second in (0, 10)]

    def retain() -> None:
        for segment in segments:
            archive.doomed.condemn([Deletion(segment, Reason.AGE)], at(60))

    archive.index = BusyIndex(archive, retain, nothing)
    assert archive.census().take() == NOTHING
    assert len(archive.files()) == 2

    archive.doomed.unlink_all()
    archive.index = BusyIndex(archive, nothing, nothing)
    assert archive.census().take() == NOTHING


def test_a_row_that_retention_takes_before_it_is_dropped_leaves_no_gap(archive):
    segment = archive.index.add(closed_file(archive, 0, on_disk=False))
    archive.index = BusyIndex(
        archive,
        nothing,
        lambda: archive.doomed.condemn([Deletion(segment, Reason.AGE)], at(60)),
    )

    assert archive.census().take() == NOTHING
    assert archive.gaps() == []


def test_it_runs_beside_the_others_until_it_is_told_to_stop(archive, monkeypatch, caplog):
    left_by_a_crash(archive, 22)
    census = archive.census()
    census.start()
    until(lambda: len(archive.segments()) == 1)
    census.close()
    census.close()

    stopped = archive.census()
    stopped.close()
    assert stopped.take() is None

    monkeypatch.setattr(os, "scandir", None)  # calling it is a TypeError
    broken = archive.census()
    broken.start()
    until(lambda: "census.failed" in [record.message for record in caplog.records])
    broken.close()


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_a_row_becomes_a_gap_once(archive, share):
    segment = archive.index.add(closed_file(archive, 0))
    os.truncate(segment.path, int(segment.size_bytes * share))

    assert archive.doomed.lose(segment)
    assert not archive.doomed.lose(segment)

    assert archive.gaps() == [(at(0), at(10), GapReason.DISK)]
