"""The whole way on real footage: sub-stream, detector process, rule. Needs the assets folder."""

from datetime import timedelta

import av
import pytest

from edge.alarm.scene import Scene
from edge.config import CameraSection
from edge.media.parameters import ParameterCollector
from edge.media.sample import TICKS_PER_S, Codec, Sample
from models.store import ModelStore
from protocol.messages import AlertOp
from tests.support.detector import EAGER, Told, detector
from tests.support.footage import STARTED, run
from tests.support.tools import require_asset
from village import demo
from village.footage import FPS, SUB_PX, _Encoder, pictures

pytestmark = pytest.mark.assets

FRAMES = 260  # from before the first meeting until it has cleared


@pytest.fixture(scope="module")
def substream():
    video = require_asset("videos/people_vtest_PETS09-S2L1.avi")
    encoder, collector = _Encoder(SUB_PX, 600_000), ParameterCollector(Codec.H264)
    units = [
        collector.absorb(encoder.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        for picture in pictures(video, 0, FRAMES)
    ]
    assert collector.parameters is not None
    of = run(parameters=collector.parameters)
    step_90k = TICKS_PER_S // FPS
    return [
        Sample(of, index * step_90k, index * step_90k, step_90k, unit.is_key, unit.data, 0)
        for index, unit in enumerate(units)
    ]


def test_the_first_meeting_is_raised_once_and_ends(substream):
    camera = CameraSection.model_validate(
        {
            "id": "gate",
            "name": "村口",
            "grid_code": "330521100201001",
            "main_url": "rtsp://10.0.0.9/main",
            "ground": demo.ground(),
            "rules": [demo.gathering_close()],
        }
    )
    chosen = ModelStore().select("rtmdet-nano-person")
    scene = Scene(camera, min_score=chosen.entry.min_score)
    told = Told()
    made = detector(told, selection=chosen)
    feed = made.feed("gate", EAGER)
    made.start()
    try:
        told.wait(lambda: made.state.value == "live")
        for index, sample in enumerate(substream):
            feed.offer(sample)
            # Every frame is looked at, however slow the machine: the next one waits for it.
            told.wait(lambda index=index: len(told.detections) > index)
    finally:
        made.close()
    said = [occurrence for seen in told.detections for occurrence in scene.see(seen)]
    changes = [each for each in said if each.op is not AlertOp.UPDATE]
    assert [each.op for each in changes] == [AlertOp.START, AlertOp.END]
    # In the truth three people are within 2 m of the next from frame 31 on (counted from 0).
    satisfied = STARTED + timedelta(seconds=31 / FPS + 5)
    assert abs((changes[0].at - satisfied).total_seconds()) <= 2
    assert changes[0].count >= 3
    assert changes[0].threshold == 3
