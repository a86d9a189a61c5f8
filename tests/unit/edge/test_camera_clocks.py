"""The cameras' clocks, watched."""

from datetime import timedelta

import pytest

from edge.alarm.camera_clock import CLOCK_RULE, FORGOTTEN_S, LASTING_S
from edge.camera_clocks import CameraClocks
from edge.errors import StorageError
from edge.health import Condition
from protocol.clock import FakeClock
from protocol.messages import (
    AlertKind,
    AlertLevel,
    AlertOp,
    CameraClockState,
    ClockQuality,
    ClockState,
)
from tests.support.desk_box import AT, open_desk


class Village:
    """Two cameras with a desk, on a clock; what their clocks say is set by the test."""

    def __init__(self, folder, clock=None) -> None:
        self.clock = clock or FakeClock(AT)
        self.box = open_desk(folder / "box.db", self.clock)
        self.offsets: dict[str, float | None] = {"square": 0.2, "gate": None}
        self.state = ClockState.SYNCED
        self.clocks = CameraClocks(
            ["square", "gate"],
            self._offset,
            lambda: ClockQuality(state=self.state, since=AT),
            self.clock,
        )
        self.clocks.begin(self.box.desk)

    def _offset(self, camera_id):
        offset_s = self.offsets[camera_id]
        return None if offset_s is None else timedelta(seconds=offset_s)

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds // 10)):
            self.clocks.look()
            self.clock.advance(10)

    def told(self):
        return [(m.subject, m.data.op) for m in self.box.messages()]


@pytest.fixture
def village(tmp_path):
    made = Village(tmp_path)
    yield made
    made.box.database.close()


def test_a_clock_that_is_wrong_is_an_ordinary_alert_of_its_camera_until_it_is_set(village):
    village.offsets["square"] = -3600
    village.wait(LASTING_S)
    assert village.told() == []
    village.wait(20)
    village.offsets["square"] = 0.4
    village.wait(LASTING_S + 20)
    assert village.told() == [("square", AlertOp.START), ("square", AlertOp.END)]
    begun = village.box.messages()[0].data
    assert (begun.kind, begun.level) == (AlertKind.CAMERA_CLOCK, AlertLevel.ORDINARY)
    assert (begun.rule_id, begun.gb_method) == (CLOCK_RULE, 6)
    assert village.clocks.component().condition is Condition.OK


def test_no_video_is_kept_for_it_and_no_picture_asked_for(village):
    village.offsets["square"] = 90
    village.wait(LASTING_S + 20)
    assert village.told() == [("square", AlertOp.START)]
    assert village.box.rows("select * from hold") == []
    assert village.box.rows("select * from evidence") == []


def test_one_that_is_a_little_off_is_said_and_no_alert(village):
    village.offsets["square"] = 12
    village.wait(LASTING_S + 20)
    clock = village.clocks.clock_of("square")
    assert (clock.state, clock.offset_ms) == (CameraClockState.OFF, 12_000)
    assert village.clocks.clock_of("gate") is None
    component = village.clocks.component()
    assert (component.condition, component.figures) == (Condition.OK, {"square": 12.0})
    assert component.detail == "clocks that are off: square +12 s"
    assert village.told() == []


def test_while_nobody_steers_the_boxs_own_clock_no_camera_is_judged_by_it(village):
    village.offsets["square"] = 90
    village.state = ClockState.UNSYNCED
    village.wait(2 * LASTING_S)
    assert village.told() == []
    assert village.clocks.clock_of("square") is None
    village.state = ClockState.SYNCED
    village.wait(LASTING_S + 20)
    assert village.clocks.component().condition is Condition.DEGRADED
    village.state = ClockState.UNKNOWN
    village.wait(LASTING_S)
    assert village.told() == [("square", AlertOp.START)]
    component = village.clocks.component()
    assert (component.condition, component.figures) == (Condition.DEGRADED, {})
    assert component.detail == "clocks that are off: square (was)"


def test_an_alert_goes_on_over_a_restart_and_ends_where_nobody_says_the_time_any_more(tmp_path):
    village = Village(tmp_path)
    village.offsets["square"] = 90
    village.wait(LASTING_S + 20)
    village.box.database.close()

    again = Village(tmp_path, village.clock)
    again.box.desk.end_orphans()
    again.offsets["square"] = None
    again.wait(FORGOTTEN_S - 20)
    assert again.told() == [("square", AlertOp.START)]
    again.wait(40)
    assert again.told() == [("square", AlertOp.START), ("square", AlertOp.END)]
    again.box.database.close()


def test_what_the_disk_refuses_is_said_later(village):
    village.offsets["square"] = 90
    village.wait(LASTING_S)
    village.box.database._connection.execute("pragma query_only=on")
    with pytest.raises(StorageError):
        village.wait(20)
    village.box.database._connection.execute("pragma query_only=off")
    village.wait(20)
    assert village.told() == [("square", AlertOp.START)]


def test_its_own_thread_looks_and_stops(village):
    village.offsets["square"] = 3
    village.clocks.start(village.box.desk)
    village.clocks.close()
    assert village.clocks.clock_of("square") is None  # not known for long enough
