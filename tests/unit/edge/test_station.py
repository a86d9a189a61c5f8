"""What the health board says of a camera."""

from datetime import UTC, datetime, timedelta

import pytest

from edge.config import EdgeConfig
from edge.errors import StorageError
from edge.health import Condition
from edge.media.sample import GapReason
from edge.ports import StreamStatus
from edge.recording.segment import Gap
from edge.rtsp.flaws import Flaws
from edge.rtsp.sender_clock import FEWEST
from edge.station import Station
from protocol.clock import FakeClock
from protocol.messages import StreamState
from protocol.relay import StreamName
from tests.support.footage import run, sample

DEAD = "rtsp://127.0.0.1:1/none"
T0 = datetime(2026, 11, 22, tzinfo=UTC)
MAIN, SUB = ("gate", StreamName.MAIN), ("gate", StreamName.SUB)
CAMERA = {
    "id": "gate",
    "name": "村口",
    "grid_code": "330521100201001",
    "main_url": "rtsp://10.0.0.9/main",
    "sub_url": "rtsp://10.0.0.9/sub",
}


@pytest.fixture
def station(tmp_path):
    """A station of one camera with two streams; nothing of it runs."""
    box = {"id": "box-1", "name": "下村", "region_code": "330521100201", "data_dir": tmp_path}
    config = EdgeConfig.model_validate({"box": box, "cameras": [CAMERA]})
    station = Station(config, FakeClock(T0))
    yield station
    station.database.close()


def tell(station, *, main: StreamState, sub: StreamState, error: str | None = None):
    for key, state in ((MAIN, main), (SUB, sub)):
        station.stream_changed(StreamStatus(*key, state, T0, None, error))
    return station.component("gate")


@pytest.mark.parametrize(
    ("changes", "recording", "main", "sub"),
    [
        ({"enabled": False}, True, GapReason.OPERATOR, GapReason.OPERATOR),
        ({}, False, GapReason.OPERATOR, GapReason.OPERATOR),
        ({"record_sub": False}, True, GapReason.BOX_OFF, GapReason.CONFIG),
        ({"id": "renamed"}, True, GapReason.CONFIG, GapReason.CONFIG),
    ],
)
def test_what_is_not_recorded_is_known_to_be_a_persons_will_or_not_configured_any_more(
    tmp_path, changes, recording, main, sub
):
    box = {"id": "box-1", "name": "下村", "region_code": "330521100201", "data_dir": tmp_path}
    camera = CAMERA | {"main_url": DEAD, "sub_url": DEAD, "record_sub": True} | changes
    config = EdgeConfig.model_validate(
        {"box": box, "recording": {"enabled": recording}, "cameras": [camera]}
    )
    station = Station(config, FakeClock(T0))
    for key in (MAIN, SUB):
        station.index.add_gap(Gap(*key, T0 - timedelta(minutes=2), None, GapReason.BOX_OFF))
    station.start()
    station.close()
    of_gate = [each.reason for each in station.index.open_gaps() if each.camera_id == "gate"]
    assert of_gate == [main, sub]
    station.database.close()


@pytest.mark.parametrize(
    ("cameras", "reason"),
    [([{"enabled": False}], GapReason.OPERATOR), ([], GapReason.CONFIG)],
    ids=["switched off", "removed"],
)
def test_what_ends_while_the_box_runs_says_whether_a_person_switched_it_off(
    tmp_path, cameras, reason
):
    box = {"id": "box-1", "name": "下村", "region_code": "330521100201", "data_dir": tmp_path}
    camera = CAMERA | {"main_url": DEAD, "sub_url": DEAD, "record_sub": True}
    before, after = (
        EdgeConfig.model_validate({"box": box, "cameras": [camera | each for each in those]})
        for those in ([{}], cameras)
    )
    station = Station(before, FakeClock(T0))
    for key in (MAIN, SUB):
        station.index.add_gap(Gap(*key, T0 - timedelta(minutes=2), None, GapReason.BOX_OFF))
    station.start()
    station.apply(after)
    assert [each.reason for each in station.index.open_gaps()] == [reason, reason]
    station.close()
    station.database.close()


def test_a_camera_whose_streams_come_is_well(station):
    said = tell(station, main=StreamState.LIVE, sub=StreamState.LIVE)
    assert (said.condition, said.detail) == (Condition.OK, None)


def test_a_stream_that_is_dead_beside_a_live_one_is_named(station):
    said = tell(station, main=StreamState.LIVE, sub=StreamState.LOST, error="no route")
    assert (said.condition, said.detail) == (Condition.DEGRADED, "sub stream lost: no route")


def test_a_camera_of_which_nothing_comes_is_down_and_each_stream_says_why(station):
    said = tell(station, main=StreamState.CONNECTING, sub=StreamState.LOST)
    assert said.condition is Condition.DOWN
    assert said.detail == "main stream connecting; sub stream lost"


def test_a_subscriber_that_failed_is_shown(station):
    class Broken:
        def offer(self, _item):
            raise RuntimeError("a bug")

    tell(station, main=StreamState.LIVE, sub=StreamState.LIVE)
    station.watch("gate", Broken())
    station._fanouts[SUB].offer(sample(run(), 0, is_key=True))
    said = station.component("gate")
    assert said.condition is Condition.DEGRADED
    assert said.detail == "receivers that failed and get nothing until a restart: 1"
    assert said.figures["subscribers_detached"] == 1


def test_a_camera_that_tears_its_pictures_is_well_but_that_is_said(station):
    tell(station, main=StreamState.LIVE, sub=StreamState.LIVE)
    own = station._openers[SUB]._own
    own._received = (Flaws(lost=9, torn=4, stray=12), None)
    said = station.component("gate")
    assert said.condition is Condition.OK
    assert said.detail == "the camera sends torn pictures: 4 since the start"
    figures = {"lost_packets": 9, "torn_units": 4, "stray_bytes": 12}
    assert figures.items() <= said.figures.items()


def test_a_connection_that_begins_in_the_middle_of_a_picture_is_no_wonder(station):
    class Connected:
        packets, connects = 100, 4

    tell(station, main=StreamState.LIVE, sub=StreamState.LIVE)
    station._workers = {SUB: Connected()}
    station._openers[SUB]._own._received = (Flaws(torn=4), None)
    assert station.component("gate").detail is None


def test_rows_that_the_index_refuses_are_shown_until_it_takes_them(station):
    def refuse():
        if refuses:
            raise StorageError("disk full")

    refuses = True
    tell(station, main=StreamState.LIVE, sub=StreamState.LIVE)
    ledger = station._recorders[MAIN]._ledger
    ledger.write(refuse)
    said = station.component("gate")
    assert said.condition is Condition.DEGRADED
    assert said.detail == "index entries that wait: 1"
    assert said.figures["recorder_unindexed"] == 1
    refuses = False
    ledger.settle()
    assert station.component("gate").condition is Condition.OK


def test_pictures_that_were_not_recorded_are_shown(station):
    tell(station, main=StreamState.LIVE, sub=StreamState.LIVE)
    station._recorders[MAIN].dropped = 3
    said = station.component("gate")
    assert said.condition is Condition.DEGRADED
    assert said.detail == "pictures not recorded since the start: 3"


def test_a_cameras_clock_is_what_its_main_else_its_sub_stream_says(station):
    since_1900 = T0 - timedelta(seconds=90) - datetime(1900, 1, 1, tzinfo=UTC)
    ntp = int(since_1900.total_seconds()) << 32
    assert station.clock_offset("gate") is None
    assert station.clock_offset("cellar") is None
    for stream, off_s in ((SUB, 7), (MAIN, 0)):
        heard = station._openers[stream]._own._sender_clock
        for number in range(FEWEST):
            ago_s = 5 * (FEWEST - 1 - number)
            heard.take(ntp + (off_s - ago_s << 32), -ago_s * 1_000_000_000)
        assert station.clock_offset("gate") == timedelta(seconds=off_s - 90)
