"""The part of the box that watches: detector, rules, and what they report."""

import logging
import threading
from collections import deque

from edge.alarm.scene import Scene
from edge.config import CameraSection, EdgeConfig
from edge.detect.process import Detector, DetectorState
from edge.errors import StorageError
from edge.faultlog import FaultLog
from edge.health import Component, Condition, Figure
from edge.ports import AlertDesk, Detections, Occurrence
from edge.station import Station
from edge.vitals import DetectorState as DetectorWord
from models.errors import ModelError
from models.store import ModelStore, Selection
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: Sightings weaker than the configured score by this factor only prolong a presence.
WEAK_SHARE = 0.5

#: What rules say while the disk refuses. Beyond it the oldest is dropped: by then the disk has
#: refused for minutes, and the health page has said so for as long.
MAX_UNSTORED = 512

_CONDITIONS = {
    DetectorState.OFF: Condition.OK,
    DetectorState.STARTING: Condition.DEGRADED,
    DetectorState.LIVE: Condition.OK,
    DetectorState.DOWN: Condition.DOWN,
}


class Lookout:
    """Feeds the cameras that have rules to the detector, and the rules with what it sees.

    Without a usable model nothing is watched, and the box says so; recording knows nothing of it.
    """

    def __init__(self, config: EdgeConfig, station: Station, clock: Clock) -> None:
        self._config = config
        self._station = station
        self._faults = FaultLog(log, clock)
        self._clock = clock
        self._lock = threading.Lock()  # rules are fed by the detector's thread and by the tick
        self._scenes: dict[str, Scene] = {}
        self._unstored: deque[Occurrence] = deque(maxlen=MAX_UNSTORED)
        self._desk: AlertDesk | None = None
        self._detector: Detector | None = None
        self._selection: Selection | None = None
        self._refusal: str | None = None

    def start(self, desk: AlertDesk) -> None:
        """Choose the model and begin to watch; returns at once. Raises ConfigError."""
        self._desk = desk
        watched = [camera for camera in self._config.cameras if camera.enabled and camera.rules]
        if not (self._config.detect.enabled and watched):
            return
        store = ModelStore(self._config.detect.model_dirs)
        try:
            self._selection = store.select(self._config.detect.model)
        except ModelError as error:
            self._refusal = str(error)
            log.warning("detector.no_model", extra={"error": str(error)})
            return
        self._log_choice(self._selection)
        self._watch(self._selection, watched, desk)

    def _watch(self, selection: Selection, cameras: list[CameraSection], desk: AlertDesk) -> None:
        detect = self._config.detect
        open_alerts = desk.open_alerts()
        self._scenes = {
            camera.id: Scene(
                camera,
                min_score=detect.min_score,
                interval_s=1 / detect.fps,
                open_alerts=open_alerts,
            )
            for camera in cameras
        }
        self._detector = Detector(
            selection,
            fps=detect.fps,
            weak_score=detect.min_score * WEAK_SHARE,
            clock=self._clock,
            on_detections=self._see,
        )
        for camera in cameras:
            self._station.watch(camera.id, self._detector.feed(camera.id))
        self._detector.start()

    def tick(self) -> None:
        """Let the rules notice that nothing is seen; call it every few seconds. Blocks briefly."""
        with self._lock:
            for scene in self._scenes.values():
                self._report(scene.lapse(self._clock.now()))

    def close(self) -> None:
        """Stop the detector and wait for it; idempotent."""
        if self._detector is not None:
            self._detector.close()

    def _see(self, detections: Detections) -> None:
        with self._lock:
            self._report(self._scenes[detections.camera_id].see(detections))

    def _report(self, occurrences: list[Occurrence]) -> None:
        """Report in order; what the disk refuses waits for the next time."""
        assert self._desk is not None
        self._unstored.extend(occurrences)
        while self._unstored:
            try:
                self._desk.report(self._unstored[0])
            except StorageError as error:
                self._faults.report("alert.not_stored", str(error), {"waiting": "yes"})
                return
            self._unstored.popleft()

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
        return self._detector.state.value, self.model()

    def model(self) -> str | None:
        """Return the model's name and version, for the record of an alert."""
        if self._selection is None:
            return None
        return f"{self._selection.entry.name}/{self._selection.entry.version}"

    def component(self) -> Component:
        """Return how watching is, for the health board."""
        if self._refusal is not None:
            return Component(Condition.DOWN, self._refusal)
        if self._detector is None or self._selection is None:
            return Component(Condition.OK, "nothing to watch")
        counters = self._detector.counters()
        figures: dict[str, Figure] = {
            "state": self._detector.state.value,
            "pid": self._detector.pid,
            "model": self.model(),
            "starts": counters.starts,
            "results": counters.results,
            "dropped": counters.dropped,
            "queued_bytes": counters.queued_bytes,
        }
        detail = self._detector.reason
        if detail is None and self._selection.fallback:
            detail = self._selection.reason
        condition = _CONDITIONS[self._detector.state]
        if condition is Condition.OK and self._selection.fallback:
            condition = Condition.DEGRADED
        return Component(condition, detail, figures)
