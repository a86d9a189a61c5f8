"""The part of the box that watches: detector, rules, and what they report."""

import logging
from collections.abc import Container, Sequence
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from edge.alarm.picture import PictureRule
from edge.alarm.scene import Counted, Scene
from edge.alarm.watch import Watch
from edge.alarm.watched import judged, watched
from edge.config import CameraSection, EdgeConfig
from edge.detect.feed import KEY_FRAMES, Rates
from edge.detect.process import Detector, DetectorState, Launch
from edge.health import Component, Condition, Figure
from edge.ports import AlertDesk, Detections, OpenAlert
from edge.station import Station
from edge.vitals import DetectorState as DetectorWord
from models.errors import ModelError
from models.store import ModelStore, Selection
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: Sightings weaker than the configured score by this factor only prolong a presence.
WEAK_SHARE = 0.5

_CONDITIONS = {
    DetectorState.OFF: Condition.OK,
    DetectorState.STARTING: Condition.DEGRADED,
    DetectorState.LIVE: Condition.OK,
    DetectorState.DOWN: Condition.DOWN,
}


class Lookout:
    """Feeds the cameras to the detector, and their rules with what it sees.

    Without a usable model nothing is counted, the box says so, and it becomes an alert when it
    lasts; lost cameras and broken pictures are noticed all the same. Recording knows nothing of any
    of this. What the rules count is told to ``counted``, in the detector's thread.
    """

    def __init__(
        self, config: EdgeConfig, station: Station, clock: Clock, counted: Counted | None = None
    ) -> None:
        self._config = config
        self._counted = counted
        self._station = station
        self._clock = clock
        self._watch: Watch | None = None
        self._detector: Detector | None = None
        self._selection: Selection | None = None
        self._refusal: str | None = None

    def start(self, desk: AlertDesk) -> None:
        """Choose the model and begin to watch; returns at once. Raises ConfigError."""
        open_alerts = desk.open_alerts()
        cameras = [camera for camera in self._config.cameras if camera.enabled]
        looked_at = watched(self._config)
        if looked_at:
            self._select()
        scenes = {camera.id: self._scene(camera, open_alerts) for camera in looked_at}
        zone = ZoneInfo(self._config.box.time_zone)
        pictures = {
            camera.id: PictureRule(camera.id, zone, open_alerts) for camera in judged(self._config)
        }
        watch = Watch(cameras, scenes, desk, self._clock, pictures)
        watch.start(open_alerts)
        self._station.listen(watch)
        self._watch = watch
        if self._selection is not None or pictures:
            self._detect(looked_at if self._selection is not None else (), pictures, watch)
        if looked_at and self._selection is None:
            watch.detector_works(works=False)

    @property
    def _min_score(self) -> float:
        """The configuration's, else the chosen model's own; any where there is no model."""
        configured = self._config.detect.min_score
        if configured is not None or self._selection is None:
            return configured or 1.0
        return self._selection.entry.min_score

    def _select(self) -> None:
        detect = self._config.detect
        try:
            self._selection = ModelStore(detect.model_dirs).select(detect.model)
        except ModelError as error:
            self._refusal = str(error)
            log.warning("detector.no_model", extra={"error": str(error)})
            return
        self._log_choice(self._selection)

    def _scene(self, camera: CameraSection, open_alerts: Sequence[OpenAlert]) -> Scene:
        detect = self._config.detect
        return Scene(
            camera,
            min_score=self._min_score,
            interval_s=1 / min(detect.fps, detect.calm_fps),
            open_alerts=open_alerts,
            calendar=self._config.box.calendar(),
            counted=self._counted,
        )

    def _detect(
        self, cameras: Sequence[CameraSection], pictures: Container[str], watch: Watch
    ) -> None:
        """Have people looked for in ``cameras``, and all whose id is in ``pictures`` judged."""
        detect = self._config.detect
        rates = Rates(detect.fps, min(detect.fps, detect.calm_fps))
        self._detector = Detector(
            self._selection,
            rates=rates,
            weak_score=self._min_score * WEAK_SHARE,
            clock=self._clock,
            on_detections=self._seen,
            on_picture=watch.picture,
            on_state=partial(_tell, watch) if self._refusal is None else lambda _: None,
            launch=Launch(runtime=detect.runtime),
        )
        for camera in cameras:
            of_camera = replace(rates, health=camera.id in pictures)
            self._station.watch(camera.id, self._detector.feed(camera.id, of_camera))
        looked_at = {camera.id for camera in cameras}
        for camera in self._config.cameras:
            if camera.id in pictures and camera.id not in looked_at:
                self._station.watch(camera.id, self._detector.feed(camera.id, KEY_FRAMES))
        self._detector.start()

    def _seen(self, detections: Detections) -> None:
        assert self._watch is not None
        assert self._detector is not None
        busy = self._watch.seen(detections)
        self._detector.attend(detections.camera_id, busy=busy)

    def close(self) -> None:
        """Stop the detector, report what the rules still have to say; idempotent."""
        if self._detector is not None:
            self._detector.close()
        if self._watch is not None:
            self._watch.close()

    def _log_choice(self, selection: Selection) -> None:
        write = log.warning if selection.fallback else log.info
        write("detector.model", extra={"model": selection.entry.name, "why": selection.reason})

    # -- what others ask ---------------------------------------------------------------------------

    def detector_state(self) -> tuple[DetectorWord, str | None]:
        """Return the detector's state in the heartbeat's words, and the model it runs."""
        if self._refusal is not None:
            return "down", None
        if self._detector is None:
            return "off", None
        return ("down" if self._blind() else self._detector.state.value), self.model()

    def _blind(self) -> tuple[str, ...]:
        return () if self._watch is None else self._watch.blind()

    def model(self) -> str | None:
        """Return the model's name and version, for the record of an alert."""
        if self._selection is None:
            return None
        return f"{self._selection.entry.name}/{self._selection.entry.version}"

    def component(self) -> Component:
        """Return how watching is, for the health board."""
        if self._refusal is not None:
            return Component(Condition.DOWN, self._refusal)
        if self._detector is None:
            return Component(Condition.OK, "nothing to watch")
        fallback = self._selection if self._selection and self._selection.fallback else None
        counters = self._detector.counters()
        figures: dict[str, Figure] = {
            "state": self._detector.state.value,
            "pid": self._detector.pid,
            "model": self.model(),
            "starts": counters.starts,
            "results": counters.results,
            "dropped": counters.dropped,
            "queued_bytes": counters.queued_bytes,
            "unreported_dropped": 0 if self._watch is None else self._watch.dropped,
        }
        detail = self._detector.reason
        if detail is None and fallback is not None:
            detail = fallback.reason
        condition = _CONDITIONS[self._detector.state]
        if blind := self._blind():
            condition = Condition.DOWN
            detail = f"looks too seldom, or not at all, at: {', '.join(blind)}"
        if condition is Condition.OK and fallback is not None:
            condition = Condition.DEGRADED
        return Component(condition, detail, figures)


def _tell(watch: Watch, state: DetectorState) -> None:
    """Tell the rules of a detector that is ready or has ended; nothing is known while it starts."""
    if state in (DetectorState.LIVE, DetectorState.DOWN):
        watch.detector_works(works=state is DetectorState.LIVE)
