"""A detector process fed with clips, and what it said."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from edge.detect.feed import Looks, Rates, Task
from edge.detect.launch import Launch, Models
from edge.detect.process import Detector, DetectorState
from edge.lookout import WEAK_SHARE
from edge.media.sample import Run, Sample
from edge.ports import Detections, PictureCondition, Sightings
from models.runtime import Runtime
from models.store import ModelStore, Selection
from protocol.clock import SystemClock
from tests.support.footage import encoded

#: People are looked for as often as there is time.
EAGER = Looks({Task.PEOPLE: Rates(25, 25)})
PATIENCE_S = 60.0  # loading and inferring on a machine that does other things too


class Told:
    """What a detector said, and waiting for it."""

    def __init__(self) -> None:
        self.detections: list[Detections] = []
        self.states: list[DetectorState] = []
        self.pictures: list[PictureCondition] = []
        self.sightings: list[Sightings] = []
        self._changed = threading.Condition()

    def seen(self, detections: Detections) -> None:
        with self._changed:
            self.detections.append(detections)
            self._changed.notify_all()

    def seen_fire(self, sightings: Sightings) -> None:
        with self._changed:
            self.sightings.append(sightings)
            self._changed.notify_all()

    def picture(self, condition: PictureCondition) -> None:
        with self._changed:
            self.pictures.append(condition)
            self._changed.notify_all()

    def state(self, state: DetectorState) -> None:
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    def wait(self, condition: Callable[[], object], within_s: float = PATIENCE_S) -> None:
        """Return once the condition holds; it is looked at whenever something was said."""
        with self._changed:
            assert self._changed.wait_for(condition, within_s), f"not within {within_s:g} s"


class Player(threading.Thread):
    """Offers samples to feeds over and over, as a camera would, until stopped."""

    def __init__(self, feeds: Iterable[object], samples: Iterable[Sample], fps: float) -> None:
        super().__init__(daemon=True)
        self._feeds = tuple(feeds)
        self._samples = tuple(samples)
        self._interval_s = 1 / fps
        self._stopping = threading.Event()

    def run(self) -> None:
        length_90k = self._samples[-1].dts_90k + self._samples[-1].duration_90k
        turn = 0
        while not self._stopping.is_set():
            for sample in self._samples:
                moved = replace(
                    sample,
                    dts_90k=sample.dts_90k + turn * length_90k,
                    pts_90k=sample.pts_90k + turn * length_90k,
                )
                for feed in self._feeds:
                    feed.offer(moved)  # type: ignore[attr-defined]
                if self._stopping.wait(self._interval_s):
                    return
            turn += 1

    def close(self) -> None:
        self._stopping.set()
        self.join()


def fallback() -> Selection:
    """Return the model that comes with the program."""
    return ModelStore(environ={}).select("ssdlite-mobilenetv2-person")


def detector(
    told: Told,
    launch: Launch | None = None,
    selection: Selection | None = None,
    *,
    looks: bool = True,
    fire: Selection | None = None,
    runtime: Runtime = Runtime.ONNXRUNTIME,
) -> Detector:
    """Return one with the fallback model where no other is given; it may be told to have none."""
    return Detector(
        Models((selection or fallback()) if looks else None, fire, 0.2, WEAK_SHARE, runtime),
        clock=SystemClock(),
        on_detections=told.seen,
        on_sightings=told.seen_fire,
        on_picture=told.picture,
        on_state=told.state,
        launch=launch or Launch(),
    )


def clip() -> tuple[Sample, ...]:
    """Return two seconds of a small square picture: few tiles, quickly looked at."""
    return encoded(frames=50, gop=5, width=96, height=96)


def clip_run() -> Run:
    return clip()[0].run
