"""Flame and smoke as the real detector process finds them, with the model that is shipped."""

from fractions import Fraction

import av
import pytest

from edge.alarm.scene import Scene
from edge.config import CameraSection, DetectSection
from edge.detect.choice import choose
from edge.detect.feed import Looks, Rates, Task
from edge.media.parameters import ParameterCollector
from edge.media.sample import TICKS_PER_S, Codec, Sample
from edge.rule_config import FireSection
from protocol.messages import AlertKind, AlertOp
from tests.support.detector import EAGER, Player, Told, clip, detector
from tests.support.footage import STARTED, run
from tests.support.tools import require_asset

CAMERA = CameraSection(
    id="gate",
    name="村口",
    grid_code="330521100201001",
    main_url="rtsp://10.0.0.9/main",
    rules=(FireSection(id="fire"),),
)
FPS = 2
WIDTH, HEIGHT = 640, 360


def looked_at(path):
    """Return two pictures a second of a video, as a sub-stream of them would come."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.bit_rate = Fraction(1, FPS), 500_000
    encoder.options = {"preset": "veryfast", "tune": "zerolatency", "x264-params": "keyint=2"}
    collector, units, due_s = ParameterCollector(Codec.H264), [], 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            if frame.time is None or frame.time < due_s:
                continue
            due_s += 1 / FPS
            small = frame.reformat(WIDTH, HEIGHT, format="yuv420p")
            small.pts, small.pict_type = len(units), av.video.frame.PictureType.NONE
            units += [collector.absorb(bytes(packet)) for packet in encoder.encode(small)]
    assert collector.parameters is not None
    of, step = run(parameters=collector.parameters), TICKS_PER_S // FPS
    return [
        Sample(of, index * step, index * step, step, unit.is_key, unit.data, 0)
        for index, unit in enumerate(units)
    ]


def started(samples):
    """Return when flame and smoke were called, in seconds, by the real model and the real rule."""
    choice = choose(DetectSection(), [CAMERA])
    scene = Scene(CAMERA, min_score=1.0, fire_scores=choice.fire_scores())
    told = Told()
    made = detector(told, looks=False, fire=choice.get(Task.FIRE))
    feed = made.feed("gate", Looks({Task.FIRE: Rates(25, 25)}))
    made.start()
    try:
        told.wait(lambda: made.state.value == "live")
        for index, sample in enumerate(samples):
            feed.offer(sample)
            told.wait(lambda index=index: len(told.sightings) > index)
    finally:
        made.close()
    return {
        said.kind: (said.at - STARTED).total_seconds()
        for seen in told.sightings
        for said in scene.see_fire(seen)
        if said.op is AlertOp.START
    }


def test_one_process_looks_for_people_and_for_fire_in_the_same_pictures():
    told = Told()
    choice = choose(DetectSection(), [CAMERA])
    made = detector(told, fire=choice.get(Task.FIRE))
    feeds = [
        made.feed("gate", Looks({Task.PEOPLE: Rates(25, 25), Task.FIRE: Rates(25, 25)})),
        made.feed("yard", Looks({Task.FIRE: Rates(25, 25)})),
        made.feed("square", EAGER),
    ]
    player = Player(feeds, clip(), fps=25)
    try:
        made.start()
        player.start()
        told.wait(lambda: len(told.detections) >= 8 and len(told.sightings) >= 8)
    finally:
        player.close()
        made.close()
    assert {each.camera_id for each in told.detections} == {"gate", "square"}
    assert {each.camera_id for each in told.sightings} == {"gate", "yard"}
    # Plain grey: there is nothing in it that would count.
    scores = choice.fire_scores()
    assert scores is not None
    assert all(one.score < scores[one.kind] for each in told.sightings for one in each.seen)


@pytest.mark.assets
def test_a_fire_in_a_factory_is_called_within_ten_seconds_and_not_before_it_burns():
    called = started(looked_at(require_asset("videos/fire_TP3_factory_cctv.mp4")))
    assert 4.5 < called[AlertKind.FLAME] <= 14.5


@pytest.mark.assets
def test_a_low_sun_on_water_is_no_fire():
    assert started(looked_at(require_asset("videos/neg_FP3_sun_reflection.mp4"))) == {}
