"""Holds by persons over a real index, and what the janitor makes of them."""

from datetime import date, timedelta

import pytest

from edge.errors import NotFoundError, RefusedError, StorageError
from edge.health import Condition
from edge.recording import hold_desk
from edge.recording.hold_desk import HoldDesk
from edge.recording.hold_rules import Act, Placing, Terms
from edge.recording.holds import add_hold, drop_expired, drop_hold, extend_hold
from edge.recording.janitor import Janitor
from edge.recording.retention import Disk, Policy
from edge.recording.segment import Hold
from edge.recording.usage import held_bytes
from protocol.clock import FakeClock
from tests.support.box import ZONE
from tests.support.recordings import Archive, at, closed_file

DAY_S = 86_400.0
ACTOR = "杨文昌 (yangwc)"
UNTIL_S = 100 * DAY_S
LONG_GROUP = range(0, 360, 60)  # when files begin whose one key frame is in the second
REVIEW = date(2027, 1, 20)  # the archive's time 0 is 2026-11-22


class QuietAlarm:
    def stands(self) -> bool:
        return False

    def begin(self) -> None:
        """Nobody is called."""

    def end(self) -> None:
        """Nobody is called."""


class WideJanitor(Janitor):
    """A janitor with room enough, that says when it has made its plan."""

    planned = staticmethod(lambda: None)

    def disk(self) -> Disk:
        return Disk(1_000_000_000, 900_000_000, self._index.size_bytes())

    def _plan(self, *args):
        made = super()._plan(*args)
        self.planned()
        return made


class Desk:
    def __init__(self, folder) -> None:
        self.clock = FakeClock(at(DAY_S))
        self.archive = Archive(folder, self.clock)
        self.archive.root.mkdir()
        self.archive.label.accept()
        self.believe()
        self.desk = HoldDesk(self.archive.database, self.archive.index, ZONE, self.clock)

    def believe(self) -> None:
        now = self.clock.now()
        self.archive.index.stamp_alive(now, now)

    def pass_days(self, days: float) -> None:
        self.clock.advance(days * DAY_S)
        self.believe()

    def record(self, *starts_s: float) -> list:
        return [self.archive.index.add(closed_file(self.archive, s)) for s in starts_s]

    def place(self, start_s: float = 0, end_s: float = 30, **changes):
        terms = Terms(changes.get("until", at(UNTIL_S)), changes.get("review_on", REVIEW))
        reason = changes.get("reason", " 派出所来函 ")
        return self.desk.place(Placing("gate", at(start_s), at(end_s), reason, terms), ACTOR)

    def janitor(self, days: int = 30) -> WideJanitor:
        archive = self.archive
        return WideJanitor(
            archive.database,
            archive.index,
            archive.doomed,
            archive.label,
            Policy(days, None, 0.01),
            self.clock,
            QuietAlarm(),
        )

    def acts(self) -> list[tuple]:
        return [(event.act, event.actor, event.note) for event in self.desk.history(None, None, 50)]

    def drop_expired(self) -> None:
        with self.archive.database.transaction() as connection:
            drop_expired(connection, self.clock.now())


@pytest.fixture
def box(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.archive.close()


def test_a_hold_says_how_much_of_what_was_asked_for_is_there(box):
    box.record(0, 10, 30)  # 10 s and 1000 bytes each
    kept = box.place(5, 65)
    assert kept.recorded == timedelta(seconds=25)
    assert kept.size_bytes == 3000
    assert (kept.hold.placed_by, kept.hold.reason) == (ACTOR, "派出所来函")
    assert kept.hold.placed_at == at(DAY_S)
    assert not kept.review_due


def test_files_that_overlap_count_once_and_those_with_the_key_frame_count_as_held(box):
    box.record(0, 5, 8, 200)
    kept = box.place(1, 60)
    assert kept.recorded == timedelta(seconds=17)
    assert box.place(70, 205).size_bytes == 4000  # 90 s before it are kept with it
    assert box.place(205, 206).recorded == timedelta(seconds=1)


def test_a_hold_inside_a_very_long_group_of_pictures_keeps_the_file_with_its_key_frame(box):
    archive = box.archive
    before, *group = (
        archive.index.add(closed_file(archive, s, 60, starts_key=s in (0, 60))) for s in LONG_GROUP
    )
    after = archive.index.add(closed_file(archive, 360, 60))
    kept = box.place(330, 340)
    assert kept.size_bytes == 1000 * len(group)
    [again] = box.desk.in_force(None, 10).holds
    assert again.size_bytes == kept.size_bytes
    with archive.database.reading() as connection:
        assert held_bytes(connection, at(DAY_S)) == kept.size_bytes

    box.pass_days(40)
    box.janitor().sweep()

    assert archive.segments() == group
    assert not before.path.exists()
    assert not after.path.exists()


def test_a_hold_reaches_to_no_key_frame_of_another_run_or_beyond_an_hour(box):
    archive = box.archive
    other = "1" * 32
    archive.index.add(closed_file(archive, 0, 60, run_id=other))
    for start_s in LONG_GROUP[1:]:
        archive.index.add(closed_file(archive, start_s, 60, starts_key=False))
    assert box.place(330, 340).size_bytes == 5000
    for start_s in range(600, 7200, 60):
        archive.index.add(closed_file(archive, start_s, 60, starts_key=start_s == 600))
    assert box.place(7150, 7160).size_bytes == 61_000


def test_what_a_hold_keeps_is_found_without_reading_all_that_was_recorded(box):
    box.record(0)
    box.place()
    asked: list[str] = []
    connection = box.archive.database._connection
    connection.set_trace_callback(asked.append)
    box.desk.in_force(None, 10)
    connection.set_trace_callback(None)
    plans = [
        row["detail"]
        for question in asked
        for row in connection.execute(f"explain query plan {question}")
        if "segment" in row["detail"]
    ]
    assert plans
    assert all("stream=? AND start_us>? AND start_us<?" in plan for plan in plans)


def test_a_stretch_without_footage_can_not_be_held_and_leaves_no_trace(box):
    box.record(0)
    with pytest.raises(RefusedError, match="nothing_recorded"):
        box.place(60, 120)  # the file before it is not what was asked for
    with pytest.raises(RefusedError, match="reason"):
        box.place(reason="")
    assert box.desk.in_force(None, 10).holds == ()
    assert box.acts() == []


def test_what_a_person_holds_outlives_its_age_and_goes_after_its_end(box):
    old, held = box.record(0, 600)
    box.place(600, 610)
    box.pass_days(40)
    box.janitor().sweep()
    assert box.archive.segments() == [held]
    assert not old.path.exists()
    box.pass_days(60)
    box.janitor().sweep()  # the hold ends in this round, the footage goes in the next
    box.janitor().sweep()
    assert box.archive.segments() == []
    assert box.acts() == [(Act.ENDED, "box", ""), (Act.PLACED, ACTOR, "派出所来函")]


def test_a_hold_that_is_placed_while_a_plan_is_made_still_keeps_its_footage(box):
    old, held = box.record(0, 600)
    box.pass_days(40)
    janitor = box.janitor()

    def place_once() -> None:
        janitor.planned = lambda: None
        kept = box.place(600, 610, review_on=REVIEW)
        assert kept.recorded == timedelta(seconds=10)

    janitor.planned = place_once
    janitor.sweep()
    assert held.path.exists()
    assert box.archive.segments() == [held]
    assert not old.path.exists()


def test_no_persons_hold_ends_by_a_time_that_is_not_believed(box):
    box.record(0)
    box.place()
    box.clock.step_wall(4000 * DAY_S)
    fresh = HoldDesk(box.archive.database, box.archive.index, ZONE, box.clock)
    box.janitor().sweep()
    (kept,) = fresh.in_force(None, 10).holds
    assert not kept.review_due
    assert len(box.archive.segments()) == 1
    fresh.change(kept.hold.id, ACTOR, review_on=date(2027, 2, 1))
    assert fresh.history(None, None, 1)[0].at == at(DAY_S)  # the time that was believed last


def test_a_box_that_believes_no_time_yet_lets_footage_be_held_by_its_clock(tmp_path):
    archive = Archive(tmp_path, FakeClock(at(DAY_S)))
    archive.index.add(closed_file(archive, 0))
    desk = HoldDesk(archive.database, archive.index, ZONE, archive.clock)
    kept = desk.place(Placing("gate", at(0), at(10), "理由", Terms(at(UNTIL_S), REVIEW)), "local")
    assert kept.hold.placed_at == at(DAY_S)
    archive.close()


def test_a_released_hold_stays_readable_and_its_footage_goes(box):
    box.record(0)
    hold = box.place().hold
    box.desk.release(hold.id, "local", " 案件已结 ")
    assert box.desk.in_force(None, 10).holds == ()
    event = box.desk.history("gate", None, 1)[0]
    assert (event.act, event.actor, event.note, event.hold) == (
        Act.RELEASED,
        "local",
        "案件已结",
        hold,
    )
    with pytest.raises(NotFoundError):
        box.desk.release(hold.id, "local", "再次")
    box.pass_days(40)
    box.janitor().sweep()
    assert box.archive.segments() == []


def test_a_change_is_written_down_with_who_and_why_and_its_review_with_it(box):
    box.record(0)
    hold = box.place().hold
    box.pass_days(60)
    assert box.desk.in_force("gate", 10).holds[0].review_due
    assert box.desk.component().figures == {"persons": 1, "alerts": 0, "review_due": 1}
    assert box.desk.component().condition is Condition.OK
    kept = box.desk.change(hold.id, "李秀英 (li)", review_on=date(2027, 2, 1), reason="仍需要")
    assert (kept.review_due, kept.hold.review_on) == (False, date(2027, 2, 1))
    assert box.desk.component().detail is None
    with pytest.raises(RefusedError, match="shorter"):
        box.desk.change(hold.id, ACTOR, until=at(95 * DAY_S))
    box.desk.change(hold.id, ACTOR, until=at(95 * DAY_S), reason="够了")
    assert box.acts() == [
        (Act.CHANGED, ACTOR, "够了"),
        (Act.CHANGED, "李秀英 (li)", "仍需要"),
        (Act.PLACED, ACTOR, "派出所来函"),
    ]
    states = [event.hold.until for event in box.desk.history(None, None, 50)]
    assert states == [at(95 * DAY_S), at(UNTIL_S), at(UNTIL_S)]


def test_an_alerts_hold_is_listed_after_persons_and_is_not_for_persons_to_end(box):
    box.record(0, 10)
    with box.archive.database.transaction() as connection:
        add_hold(connection, "gate", at(0), at(10), "alert:1", at(50 * DAY_S))
    box.place()
    found = box.desk.in_force(None, 1)
    assert (found.holds[0].hold.placed_by, found.left_out) == (ACTOR, 1)
    alert = box.desk.in_force(None, 10).holds[1]
    assert alert.hold == Hold("gate", at(0), at(10), "alert:1", at(50 * DAY_S))
    assert alert.recorded == timedelta(seconds=10)
    for act in (
        lambda: box.desk.release(1, ACTOR, "不要了"),
        lambda: box.desk.change(1, ACTOR, until=at(99 * DAY_S)),
    ):
        with pytest.raises(RefusedError, match="alert_hold"):
            act()
    box.pass_days(60)
    box.drop_expired()
    assert box.acts() == [(Act.PLACED, ACTOR, "派出所来函")]  # an alert's end is the alert's story


def test_what_ends_with_the_boxs_own_work_is_never_a_persons_hold(box):
    box.record(0)
    kept = box.place(reason="export:7")
    with box.archive.database.transaction() as connection:
        add_hold(connection, "gate", at(0), at(9), "export:7", at(UNTIL_S))
        extend_hold(connection, "export:7", at(900))
        drop_hold(connection, "export:7")
    assert [each.hold for each in box.desk.in_force(None, 10).holds] == [kept.hold]


def test_an_id_is_never_used_again(box):
    box.record(0)
    first = box.place().hold
    box.desk.release(first.id, ACTOR, "错了")
    assert box.place().hold.id > first.id


def test_more_holds_than_a_box_takes_are_refused(box, monkeypatch):
    monkeypatch.setattr(hold_desk, "MAX_HOLDS", 1)
    box.record(0)
    box.place()
    with pytest.raises(RefusedError, match="too_many"):
        box.place()


def test_a_trace_goes_three_years_after_the_end_and_not_while_the_hold_is_in_force(box):
    box.record(0)
    hold = box.place().hold
    box.desk.release(box.place().hold.id, ACTOR, "错了")
    box.pass_days(3 * 365)
    box.drop_expired()
    assert len(box.acts()) == 4
    box.pass_days(3)
    box.drop_expired()
    assert {event.hold.id for event in box.desk.history(None, None, 9)} == {hold.id}
    box.pass_days(3 * 365)
    box.drop_expired()
    assert box.acts() == []


def test_what_happened_is_not_changed(box):
    box.record(0)
    box.place()
    with pytest.raises(StorageError, match="not changed"), box.archive.database.transaction() as c:
        c.execute("update hold_event set actor = 'somebody'")


def test_the_history_is_read_page_by_page(box):
    box.record(0)
    for _ in range(3):
        box.place()
    first = box.desk.history("gate", None, 2)
    assert [event.hold.id for event in first] == [3, 2]
    assert [event.hold.id for event in box.desk.history(None, first[-1].id, 2)] == [1]
    assert box.desk.history("road", None, 2) == []
