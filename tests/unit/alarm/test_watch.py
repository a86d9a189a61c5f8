from datetime import UTC, datetime, timedelta

import pytest

from edge.alarm.fire_rule import FIRE_KINDS
from edge.alarm.gathering import LAPSE_S
from edge.alarm.picture import PictureRule
from edge.alarm.scene import Scene
from edge.alarm.sight import MAX_BLIND_S
from edge.alarm.watch import DETECTOR_DOWN_S, MAX_UNREPORTED, STEADY_S, Watch
from edge.config import CameraSection
from edge.detect.fault import PictureFault
from edge.errors import StorageError
from edge.ports import (
    Box,
    Detections,
    OpenAlert,
    PictureCondition,
    Sighting,
    Sightings,
    StreamStatus,
)
from edge.rule_config import FireSection, GatheringSection
from protocol.clock import FakeClock
from protocol.messages import BOX_SUBJECT, AlertKind, AlertLevel, AlertOp, StreamState
from protocol.relay import StreamName
from tests.support.waiting import wait_until

T0 = datetime(2026, 11, 22, tzinfo=UTC)
CROWD = GatheringSection.model_validate(
    {"id": "crowd", "levels": {"ordinary": 2}, "hold_s": 1.0, "clear_s": 1.0, "repeat_s": 0.0}
)
GATE = CameraSection(
    id="gate",
    name="村口",
    grid_code="330521100201001",
    main_url="rtsp://10.0.0.9/main",
    lost_after_s=20.0,
    rules=(CROWD,),
)


class Desk:
    """Keeps what is reported; refuses while the disk is full."""

    def __init__(self):
        self.reported = []
        self.is_full = False

    def report(self, occurrence):
        if self.is_full:
            raise StorageError("disk full")
        self.reported.append(occurrence)

    def open_alerts(self):
        return []

    @property
    def said(self):
        return [(o.op, o.kind, o.camera_id) for o in self.reported if o.op is not AlertOp.UPDATE]


@pytest.fixture
def clock():
    return FakeClock(T0)


@pytest.fixture
def desk():
    return Desk()


def burning(second, camera_id="gate"):
    flame = Sighting(AlertKind.FLAME, (0.4, 0.5, 0.5, 0.6), 0.9, motion=20.0)
    return Sightings(camera_id, T0 + timedelta(seconds=second), (flame,))


@pytest.fixture
def watch(desk, clock):
    return Watch([GATE], {"gate": Scene(GATE, min_score=0.4)}, desk, clock)


def pass_time(watch, clock, seconds):
    for _ in range(round(seconds)):
        clock.advance(1)
        watch.tick()
    watch.report()


def stream(state, name=StreamName.MAIN, camera_id="gate"):
    return StreamStatus(camera_id, name, state, T0, None)


def detections(second, people, camera_id="gate"):
    boxes = tuple(Box(0.2 * n, 0.3, 0.2 * n + 0.05, 0.5, 0.9) for n in range(people))
    at = T0 + timedelta(seconds=second)
    return Detections(camera_id, "ab" * 16, round(second * 90_000), at, boxes)


START, END = AlertOp.START, AlertOp.END
LOST = AlertKind.CAMERA_LOST


def test_fire_is_told_of_a_camera_that_has_a_rule_for_it_and_looked_for_closely(desk, clock):
    gate = GATE.model_copy(update={"rules": (CROWD, FireSection(id="fire"))})
    scene = Scene(gate, min_score=0.4, fire_scores=dict.fromkeys(FIRE_KINDS, 0.5))
    watch = Watch([gate], {"gate": scene}, desk, clock)
    busy = []
    for second in range(6):
        clock.advance(1)
        busy.append(watch.seen_fire(burning(second)))
    assert all(busy)
    assert not watch.seen_fire(burning(7, camera_id="elsewhere"))
    watch.report()
    assert [(o.kind, o.rule_id, o.region_id) for o in desk.reported if o.op is START] == [
        (AlertKind.FLAME, "fire", "all-flame")
    ]


def test_a_look_for_fire_alone_is_a_look(watch, clock):
    watch.stream_changed(stream(StreamState.LIVE))
    watch.detector_works(works=True)
    for second in range(60):
        clock.advance(1)
        watch.seen_fire(burning(second))
    assert watch.blind() == ()


def test_without_a_fire_model_a_fire_rule_says_nothing(desk, clock):
    gate = GATE.model_copy(update={"rules": (FireSection(id="fire"),)})
    watch = Watch([gate], {"gate": Scene(gate, min_score=0.4)}, desk, clock)
    for second in range(30):
        watch.seen_fire(burning(second))
    watch.report()
    assert desk.reported == []


def test_a_camera_that_stays_away_is_reported_and_its_return_too(watch, desk, clock):
    watch.stream_changed(stream(StreamState.LIVE))
    pass_time(watch, clock, 100)
    watch.stream_changed(stream(StreamState.CONNECTING))
    pass_time(watch, clock, 10)
    watch.stream_changed(stream(StreamState.LOST))
    pass_time(watch, clock, 9)
    assert desk.said == []
    pass_time(watch, clock, 1)
    assert desk.said == [(START, LOST, "gate")]
    watch.stream_changed(stream(StreamState.LIVE))
    pass_time(watch, clock, STEADY_S)
    assert desk.said == [(START, LOST, "gate"), (END, LOST, "gate")]
    assert desk.reported[0].at == T0 + timedelta(seconds=120)
    assert (desk.reported[0].count, desk.reported[0].threshold) == (0, 0)


def test_a_camera_that_never_came_is_lost_too(watch, desk, clock):
    watch.stream_changed(stream(StreamState.CONNECTING))
    pass_time(watch, clock, 20)
    assert desk.said == [(START, LOST, "gate")]


def test_sub_streams_and_unknown_cameras_are_not_judged(watch, desk, clock):
    watch.stream_changed(stream(StreamState.LOST, StreamName.SUB))
    watch.stream_changed(stream(StreamState.LOST, camera_id="elsewhere"))
    pass_time(watch, clock, 100)
    assert desk.said == []


def test_a_step_of_the_wall_clock_loses_no_camera(watch, desk, clock):
    watch.stream_changed(stream(StreamState.CONNECTING))
    clock.step_wall(3600)
    pass_time(watch, clock, 5)
    assert desk.said == []


def test_a_detector_that_stays_down_is_reported_for_the_box(watch, desk, clock):
    watch.detector_works(works=True)
    pass_time(watch, clock, 10)
    watch.detector_works(works=False)
    pass_time(watch, clock, DETECTOR_DOWN_S)
    watch.detector_works(works=True)
    pass_time(watch, clock, STEADY_S)
    kind = AlertKind.DETECTOR_DOWN
    assert desk.said == [(START, kind, BOX_SUBJECT), (END, kind, BOX_SUBJECT)]


def test_a_detector_that_is_restarted_is_nothing(watch, desk, clock):
    watch.detector_works(works=False)
    pass_time(watch, clock, 5)
    watch.detector_works(works=True)
    pass_time(watch, clock, 100)
    assert desk.said == []


DOWN = AlertKind.DETECTOR_DOWN


def test_a_live_camera_that_is_never_looked_at_is_a_detector_that_does_not_work(watch, desk, clock):
    watch.detector_works(works=True)
    watch.stream_changed(stream(StreamState.LIVE))
    pass_time(watch, clock, MAX_BLIND_S)
    assert watch.blind() == ()
    pass_time(watch, clock, 1)
    assert watch.blind() == ("gate",)
    pass_time(watch, clock, DETECTOR_DOWN_S - 1)
    assert desk.said == []
    pass_time(watch, clock, 1)
    assert desk.said == [(START, DOWN, BOX_SUBJECT)]
    look(watch, clock, STEADY_S + 1, people=0)
    assert watch.blind() == ()
    assert desk.said == [(START, DOWN, BOX_SUBJECT), (END, DOWN, BOX_SUBJECT)]


def test_a_detector_that_looks_far_too_seldom_does_not_work(watch, desk, clock):
    watch.detector_works(works=True)
    watch.stream_changed(stream(StreamState.LIVE))
    for _ in range(20):
        pass_time(watch, clock, 40)
        watch.seen(detections((clock.now() - T0).total_seconds(), 3))
    assert desk.said == [(START, DOWN, BOX_SUBJECT)]


def test_a_slow_detector_works(watch, desk, clock):
    watch.detector_works(works=True)
    watch.stream_changed(stream(StreamState.LIVE))
    for _ in range(100):
        pass_time(watch, clock, 7)
        watch.seen(detections((clock.now() - T0).total_seconds(), 0))
    assert desk.said == []


def test_a_camera_without_video_says_nothing_of_the_detector(watch, desk, clock):
    watch.detector_works(works=True)
    watch.stream_changed(stream(StreamState.CONNECTING))
    pass_time(watch, clock, 200)
    assert [kind for _, kind, _ in desk.said] == [LOST]


def test_the_sub_stream_is_the_one_that_is_looked_at_where_there_is_one(desk, clock):
    both = GATE.model_copy(update={"sub_url": "rtsp://10.0.0.9/sub"})
    watch = Watch([both], {"gate": Scene(both, min_score=0.4)}, desk, clock)
    watch.detector_works(works=True)
    watch.stream_changed(stream(StreamState.LIVE))
    pass_time(watch, clock, 100)
    assert desk.said == []
    watch.stream_changed(stream(StreamState.LIVE, StreamName.SUB))
    pass_time(watch, clock, 100)
    assert desk.said == [(START, DOWN, BOX_SUBJECT)]


def test_while_the_detector_loads_nothing_is_expected_of_it(watch, desk, clock):
    watch.stream_changed(stream(StreamState.LIVE))
    pass_time(watch, clock, 100)
    assert (watch.blind(), desk.said) == ((), [])
    watch.detector_works(works=True)
    pass_time(watch, clock, MAX_BLIND_S)
    assert (watch.blind(), desk.said) == ((), [])


def test_what_the_detector_sees_becomes_an_alert(watch, desk):
    for step in range(20):
        watch.seen(detections(step / 4, 3))
    watch.seen(detections(5, 3, camera_id="elsewhere"))
    watch.report()
    assert desk.said == [(START, AlertKind.GATHERING, "gate")]


def look(watch, clock, seconds, people=3):
    """See ``people`` twice a second on the wall clock, which may have been set in between."""
    for _ in range(round(seconds * 2)):
        clock.advance(0.5)
        watch.seen(detections((clock.now() - T0).total_seconds(), people))
        watch.tick()
    watch.report()


GATHERING = AlertKind.GATHERING


def test_an_alert_whose_camera_is_gone_lapses(watch, desk, clock):
    look(watch, clock, 5)
    clock.advance(LAPSE_S - 1)
    watch.tick()
    watch.report()
    assert desk.said == [(START, GATHERING, "gate")]
    clock.advance(1)
    watch.tick()
    watch.report()
    assert desk.said == [(START, GATHERING, "gate"), (END, GATHERING, "gate")]


def test_a_frame_that_comes_after_a_very_long_gap_ends_the_alert_too(watch, desk, clock):
    look(watch, clock, 5)
    clock.advance(LAPSE_S)
    look(watch, clock, 0.5)
    assert desk.said == [(START, GATHERING, "gate"), (END, GATHERING, "gate")]


def test_an_open_alert_whose_camera_never_comes_back_lapses_after_a_restart(desk, clock):
    opened = OpenAlert("gate", "crowd", "all", GATHERING, AlertLevel.ORDINARY, T0, 3)
    scene = Scene(GATE, min_score=0.4, open_alerts=[opened])
    watch = Watch([GATE], {"gate": scene}, desk, clock)
    pass_time(watch, clock, LAPSE_S - 1)
    assert desk.said == []
    pass_time(watch, clock, 1)
    assert desk.said == [(END, GATHERING, "gate")]


@pytest.mark.parametrize("by_s", [3600, 3 * 365 * 86_400, -3600])
def test_a_step_of_the_wall_clock_ends_no_gathering(watch, desk, clock, by_s):
    look(watch, clock, 5)
    clock.step_wall(by_s)
    # The frames of the run that is under way still bear the old time.
    for step in range(40):
        clock.advance(0.5)
        watch.seen(detections(5 + step / 2, 3))
        watch.tick()
    look(watch, clock, 60)
    assert desk.said == [(START, GATHERING, "gate")]


def test_what_a_full_disk_refuses_is_reported_later_and_in_order(watch, desk, clock):
    desk.is_full = True
    watch._stopping.set()  # so that the pause after a refusal is none
    watch.stream_changed(stream(StreamState.LOST))
    pass_time(watch, clock, 20)
    watch.stream_changed(stream(StreamState.LIVE))
    pass_time(watch, clock, STEADY_S)
    assert desk.said == []
    desk.is_full = False
    watch.report()
    assert desk.said == [(START, LOST, "gate"), (END, LOST, "gate")]


def test_a_disk_that_refuses_for_long_is_a_line_a_minute(watch, desk, clock, caplog):
    desk.is_full = True
    watch._stopping.set()
    watch.stream_changed(stream(StreamState.LOST))
    pass_time(watch, clock, 20)
    for _ in range(60):
        watch.report()
        clock.advance(1)
    said = [record.message for record in caplog.records]
    assert said == ["watch.unreported"]


def test_waiting_updates_of_one_alert_are_merged(watch, desk):
    for step in range(40):
        watch.seen(detections(step / 4, 3))
    for step in range(40, 200):
        watch.seen(detections(step / 4, 3 + step // 20 % 3))
    watch.report()
    assert [o.op for o in desk.reported] == [AlertOp.START, AlertOp.UPDATE]


def test_beyond_the_limit_the_oldest_is_dropped_and_counted(watch, desk, clock):
    desk.is_full = True
    watch._stopping.set()
    for _ in range(MAX_UNREPORTED // 2 + 5):
        watch.stream_changed(stream(StreamState.LOST))
        pass_time(watch, clock, 20)
        watch.stream_changed(stream(StreamState.LIVE))
        pass_time(watch, clock, STEADY_S)
    assert watch.dropped == 10
    desk.is_full = False
    watch.report()
    assert len(desk.reported) == MAX_UNREPORTED


def test_alerts_of_before_the_restart_go_on_and_end(desk, clock):
    watch = Watch([GATE], {}, desk, clock)
    level = AlertLevel.ORDINARY
    watch.start(
        [
            OpenAlert("gate", "camera-lost", "all", LOST, level, T0, 0),
            OpenAlert("gone", "camera-lost", "all", LOST, level, T0, 0),
            OpenAlert(BOX_SUBJECT, "detector-down", "all", AlertKind.DETECTOR_DOWN, level, T0, 0),
        ]
    )
    try:
        watch.stream_changed(stream(StreamState.LIVE))
        watch.detector_works(works=True)
        clock.advance(STEADY_S)
        wait_until(lambda: len(desk.reported) == 2)
    finally:
        watch.close()
    assert sorted(desk.said) == [(END, LOST, "gate"), (END, AlertKind.DETECTOR_DOWN, BOX_SUBJECT)]


def test_its_own_thread_reports_and_close_reports_what_is_left(watch, desk):
    watch.start()
    for step in range(20):
        watch.seen(detections(step / 4, 3))
    wait_until(lambda: desk.said)
    watch.close()
    watch.close()
    assert desk.said == [(START, AlertKind.GATHERING, "gate")]


def test_a_desk_that_fails_in_another_way_does_not_end_the_watch(desk, clock):
    class Failing(Desk):
        fails = 1

        def report(self, occurrence):
            if self.fails:
                self.fails -= 1
                raise RuntimeError("a bug")
            super().report(occurrence)

    failing = Failing()
    watch = Watch([GATE], {}, failing, clock)
    watch.start()
    try:
        watch.stream_changed(stream(StreamState.LOST))
        clock.advance(20)
        wait_until(lambda: failing.said == [(START, LOST, "gate")])
    finally:
        watch.close()


def test_what_is_wrong_with_a_picture_is_reported_by_its_camera(desk, clock):
    watch = Watch([GATE], {}, desk, clock, {"gate": PictureRule("gate", UTC)})
    watch.picture(PictureCondition("gate", T0, frozenset({PictureFault.MOVED}), is_sure=True))
    watch.picture(PictureCondition("road", T0, frozenset({PictureFault.MOVED}), is_sure=True))
    watch.report()
    assert desk.said == [(START, AlertKind.CAMERA_MOVED, "gate")]
    assert (desk.reported[0].rule_id, desk.reported[0].region_id) == ("picture", "moved")
