from datetime import UTC, datetime, timedelta

import pytest

from edge.alarm.scene import Scene
from edge.alarm.sight import MAX_BLIND_S
from edge.alarm.watch import Watch
from edge.commands.masks import RuleMask
from edge.config import CameraSection, EdgeConfig
from edge.detect.choice import Choice
from edge.detect.feed import Task
from edge.health import Condition
from edge.lookout import Lookout
from edge.ports import Box, Detections, StreamStatus
from edge.station import Station
from protocol.clock import FakeClock
from protocol.messages import StreamState
from protocol.relay import StreamName
from tests.support.detector import Told, detector, fallback

T0 = datetime(2026, 11, 22, tzinfo=UTC)
GATE = CameraSection.model_validate(
    {
        "id": "gate",
        "name": "村口",
        "grid_code": "330521100201001",
        "main_url": "rtsp://10.0.0.9/main",
        "rules": [{"id": "crowd"}],
    }
)


class Desk:
    def report(self, _occurrence):
        return

    def open_alerts(self):
        return []


@pytest.fixture
def clock():
    return FakeClock(T0)


@pytest.fixture
def lookout(tmp_path, clock):
    """A lookout whose detector has said that it is ready, and looks at nothing."""
    box = {"id": "box-1", "name": "下村", "region_code": "330521100201", "data_dir": tmp_path}
    config = EdgeConfig.model_validate({"box": box, "cameras": [GATE.model_dump()]})
    station = Station(config, clock)
    lookout = Lookout(config, station, clock)
    lookout._choice = Choice({Task.PEOPLE: fallback()}, {})
    lookout._detector = detector(Told())
    lookout._watch = Watch([GATE], {"gate": Scene(GATE, min_score=0.4)}, Desk(), clock)
    lookout._watch.detector_works(works=True)
    yield lookout
    lookout._detector.close()
    station.database.close()


def test_a_detector_that_does_not_look_at_a_live_camera_is_down(lookout, clock):
    live = StreamStatus("gate", StreamName.MAIN, StreamState.LIVE, T0, None)
    lookout._watch.stream_changed(live)
    assert lookout.component().condition is not Condition.DOWN
    clock.advance(MAX_BLIND_S + 1)
    component = lookout.component()
    assert component.condition is Condition.DOWN
    assert component.detail is not None
    assert "gate" in component.detail
    assert lookout.detector_state()[0] == "down"


def test_rules_go_by_the_boxs_own_days_and_what_they_count_is_told(tmp_path, clock):
    """On a holiday the square is watched from nine, by the village's clock and not by UTC."""
    box = {
        "id": "box-1",
        "name": "下村",
        "region_code": "330521100201",
        "data_dir": tmp_path,
        "holidays": ["2026-11-22"],
    }
    rule = {"id": "crowd", "schedule": {"sunday": ["00:00-24:00"], "holiday": ["09:00-24:00"]}}
    camera = GATE.model_dump() | {"rules": [rule]}
    detect = {"model": "no-such-model"}
    config = EdgeConfig.model_validate({"box": box, "cameras": [camera], "detect": detect})
    station = Station(config, clock)
    counts: list[tuple[str, str, str, datetime, int]] = []
    lookout = Lookout(config, station, clock, lambda *told: counts.append(told))
    lookout.start(Desk())
    nine = T0 + timedelta(hours=1)
    for at in (nine - timedelta(seconds=1), nine):
        lookout._watch.seen(Detections("gate", "ab" * 16, 0, at, ()))
    lookout.close()
    station.database.close()
    assert counts == [("gate", "crowd", "all", nine, 0)]


def test_rules_look_past_what_masks_say_from_the_start_and_whenever_that_is_changed(
    tmp_path, clock
):
    box = {"id": "box-1", "name": "下村", "region_code": "330521100201", "data_dir": tmp_path}
    detect = {"model": "no-such-model"}
    config = EdgeConfig.model_validate(
        {"box": box, "cameras": [GATE.model_dump()], "detect": detect}
    )
    station = Station(config, clock)
    everywhere = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    masks = [RuleMask("gate", "crowd", (everywhere,), T0, "", "")]
    counts: list[int] = []
    lookout = Lookout(
        config, station, clock, lambda *told: counts.append(told[-1]), lambda: tuple(masks)
    )
    lookout.start(Desk())

    def look():
        somebody = (Box(0.4, 0.4, 0.5, 0.6, 1.0),)
        lookout._watch.seen(Detections("gate", "ab" * 16, 0, T0, somebody))

    look()
    masks.clear()
    look()
    lookout.mask()
    look()
    lookout.close()
    station.database.close()
    assert counts == [0, 0, 1]


def test_networks_are_run_by_what_the_configuration_names(tmp_path, clock):
    box = {"id": "box-1", "name": "下村", "region_code": "330521100201", "data_dir": tmp_path}
    detect = {"runtime": "openvino", "model": "ssdlite-mobilenetv2-person"}
    config = EdgeConfig.model_validate(
        {"box": box, "cameras": [GATE.model_dump()], "detect": detect}
    )
    station = Station(config, clock)
    lookout = Lookout(config, station, clock)
    lookout.start(Desk())
    assert lookout._detector._setup.runtime == "openvino"
    lookout.close()
    station.database.close()
