from datetime import timedelta

import pytest

from edge.media.sample import GapReason
from edge.recording import gaps
from edge.recording.audit import Audit, Level
from edge.recording.janitor import Janitor
from edge.recording.retention import Policy
from edge.recording.segment import Gap
from protocol.clock import FakeClock
from tests.support.recordings import LONG_AGO, MAIN, Archive, at, closed_file

DAY_S = 86_400.0
NOW_S = 1000 * DAY_S


class Quiet:
    """A StorageAlarm that nobody hears."""

    def stands(self) -> bool:
        return False

    def begin(self) -> None:
        """Say nothing."""

    end = begin


@pytest.fixture
def archive(tmp_path):
    made = Archive(tmp_path, FakeClock(at(NOW_S)))
    made.index.stamp_alive(made.clock.now(), made.clock.now())
    made.root.mkdir()
    made.label.accept()
    yield made
    made.close()


def janitor(archive, days=30):
    policy = Policy(days, None, 0.01)
    parts = (archive.database, archive.index, archive.doomed, archive.label)
    return Janitor(*parts, policy, archive.clock, Quiet())


def missing(archive, start_day, end_day, camera_id="gate"):
    end = None if end_day is None else at(end_day * DAY_S)
    archive.index.add_gap(Gap(camera_id, MAIN, at(start_day * DAY_S), end, GapReason.NETWORK))


def left(archive):
    return [round((start - at(0)) / timedelta(days=1)) for start, _, _ in archive.gaps()]


def test_gaps_that_ended_more_than_400_days_ago_are_forgotten(archive):
    missing(archive, 1, 2)
    missing(archive, 598, 599)
    missing(archive, 599, 601)
    missing(archive, 990, 991)
    janitor(archive).sweep()
    assert left(archive) == [599, 990]


def test_a_gap_that_still_lasts_is_kept_however_old(archive):
    missing(archive, 1, None)
    janitor(archive).sweep()
    assert left(archive) == [1]


def test_gaps_outlive_footage_that_is_kept_for_longer(archive):
    missing(archive, 464, 464.5)
    missing(archive, 465.5, 466)
    janitor(archive, days=500).sweep()
    assert left(archive) == [466]


def test_by_a_time_that_is_not_believed_none_is_forgotten(archive):
    missing(archive, 998, 999)
    archive.clock.step_wall(500 * DAY_S)
    janitor(archive).sweep()
    assert left(archive) == [998]


def test_a_round_forgets_no_more_than_a_transaction_takes(archive):
    with archive.database.transaction() as connection:
        for number in range(1500):
            gap = Gap("gate", MAIN, at(2 * number), at(2 * number + 1), GapReason.NETWORK)
            gaps.add(connection, gap)
    swept = janitor(archive)
    swept.sweep()
    assert len(left(archive)) == 500
    swept.sweep()
    assert left(archive) == []


def test_what_is_no_longer_explained_is_no_finding(archive):
    with archive.database.transaction() as connection:
        connection.execute(
            "insert into deletion values ('gate', '2026-11-22', 'age', 1, 1, ?, ?, 0, null, 0)",
            (0, 1),
        )
    missing(archive, 10, 990)
    archive.index.add(closed_file(archive, 990 * DAY_S, 10.0))
    missing(archive, 990 + 10 / DAY_S, None)

    def findings():
        audit = Audit(archive.database, archive.index, at(NOW_S), is_running=True)
        return [(each.start, each.end) for each in audit.findings(Level.ROWS)]

    [(start, end)] = findings()
    assert (start < LONG_AGO, end) == (True, at(10 * DAY_S))
    missing(archive, 2, 3, camera_id="hall")
    janitor(archive).sweep()
    assert findings() == []
