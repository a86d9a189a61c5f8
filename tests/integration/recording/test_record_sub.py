"""A camera whose main stream browsers can't play: the station keeps its sub-stream beside it."""

from contextlib import closing
from pathlib import Path

from edge.config import BoxSection, CameraSection, DetectSection, EdgeConfig, RecordingSection
from edge.media.sample import Codec
from edge.station import Station
from protocol.clock import SystemClock
from protocol.relay import StreamName
from tests.support.recordings import FAR_AHEAD, LONG_AGO, assert_sound, until
from tests.support.rtsp import TestCamera, make_clip


def config(folder: Path, camera: TestCamera, *, record_sub: bool) -> EdgeConfig:
    gate = CameraSection(
        id="gate",
        name="村口",
        grid_code="330521100201001",
        main_url=camera.url("/main"),
        sub_url=camera.url("/sub"),
        record_sub=record_sub,
    )
    return EdgeConfig(
        box=BoxSection(id="box-1", name="box", region_code="330521100201", data_dir=folder),
        recording=RecordingSection(segment_s=2.0),
        detect=DetectSection(enabled=False),
        cameras=(gate,),
    )


def test_the_station_records_h265_and_the_h264_sub_stream_beside_it_where_told(tmp_path):
    main = make_clip(tmp_path / "main.h265", frames=100, gop=25)
    sub = make_clip(tmp_path / "sub.h264", frames=100, gop=25, width=256, height=144)
    with TestCamera({"/main": (main, 25), "/sub": (sub, 25)}) as camera:
        station = Station(config(tmp_path / "box", camera, record_sub=True), SystemClock())
        with closing(station.database):
            station.start()
            index = station.index
            until(
                lambda: all(
                    index.latest("gate", stream, FAR_AHEAD) is not None for stream in StreamName
                ),
                within_s=30,
            )
            figures = station.component("gate").figures
            station.close()
            codecs = {}
            for stream in StreamName:
                segments = index.segments("gate", stream, LONG_AGO, FAR_AHEAD)
                for segment in segments:
                    assert_sound(segment)
                codecs[stream] = {segment.codec for segment in segments}
                assert index.open_gaps()
            assert codecs == {StreamName.MAIN: {Codec.H265}, StreamName.SUB: {Codec.H264}}
            assert figures["recorded_segments"] >= 2

        again = Station(config(tmp_path / "box", camera, record_sub=False), SystemClock())
        with closing(again.database):
            again.start()
            gaps = {(gap.stream, gap.reason.value) for gap in again.index.open_gaps()}
            again.close()
    assert (StreamName.SUB, "config") in gaps
