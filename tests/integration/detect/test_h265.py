"""A camera that has H.265 alone: recorded, looked at and photographed all the same."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from edge.config import EdgeConfig
from edge.detect.feed import Looks, Rates, Task
from edge.media.sample import Codec
from edge.snapshot import PictureTaker
from edge.station import Station
from models.store import ModelStore
from protocol.clock import SystemClock
from protocol.relay import StreamName
from tests.support.detector import Told, detector
from tests.support.recordings import until
from tests.support.rtsp import TestCamera, make_clip
from tests.support.tools import require_asset

FPS, GOP = 10, 10
LOOKS = Looks({Task.PEOPLE: Rates(2.0, 2.0)}, large=True)


def walkers(video: Path) -> Callable[[int, int, int], np.ndarray]:
    """Return real pictures of people, for a clip."""
    with av.open(str(video)) as film:
        frames = [
            frame.to_ndarray(format="bgr24") for frame in itertools.islice(film.decode(video=0), 40)
        ]

    def draw(index: int, width: int, height: int) -> np.ndarray:
        return np.asarray(cv2.resize(frames[index], (width, height)), np.uint8)

    return draw


@pytest.mark.assets
def test_people_are_seen_recorded_and_photographed_in_h265(tmp_path):
    draw = walkers(require_asset("videos/people_vtest_PETS09-S2L1.avi"))
    clip = make_clip(
        tmp_path / "cam.h265", frames=40, fps=FPS, gop=GOP, width=768, height=576, draw=draw
    )
    clock, told = SystemClock(), Told()
    with TestCamera({"/cam": (clip, FPS)}) as camera:
        gate = {
            "id": "gate",
            "name": "村口",
            "grid_code": "533102105203001",
            "main_url": camera.url("/cam"),
        }
        box = {
            "id": "box-1",
            "name": "下村",
            "region_code": "533102105203",
            "data_dir": tmp_path / "box",
        }
        document = {"box": box, "recording": {"segment_s": 2}, "cameras": [gate]}
        station = Station(EdgeConfig.model_validate(document), clock)
        looking = detector(told, selection=ModelStore().select("rtmdet-nano-person"))
        station.watch("gate", looking.feed("gate", LOOKS))
        began = clock.now()
        station.start()
        looking.start()
        try:
            told.wait(lambda: any(len(each.boxes) >= 3 for each in told.detections))
            until(lambda: station.component("gate").figures["recorded_segments"])
            around = (began, began + timedelta(hours=1))
            (segment, *_) = station.index.segments("gate", StreamName.MAIN, *around)
            picture = PictureTaker(station.hubs, 200_000).newest("gate")
        finally:
            looking.close()
            station.close()
            station.database.close()
    assert segment.codec is Codec.H265
    assert segment.mime_codec.startswith("hvc1.")
    decoded = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (576, 768, 3)
