"""The part of the box that watches: detector, rules, and what they report."""

import threading
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from edge.alarm.fire_rule import FIRE_KINDS
from edge.alarm.picture import PictureRule
from edge.alarm.scene import Counted, Scene
from edge.alarm.watch import Watch
from edge.alarm.watched import judged, watched
from edge.commands.masks import RuleMask, exclusions
from edge.config import CameraSection, EdgeConfig
from edge.detect.choice import Choice, choose
from edge.detect.feed import Feed, Looks, Rates, Task
from edge.detect.launch import Models
from edge.detect.process import Detector, DetectorState
from edge.health import Component, Condition, Figure
from edge.ports import AlertDesk, Detections, OpenAlert, Sightings
from edge.station import Station
from edge.vitals import DetectorState as DetectorWord
from protocol.clock import Clock
from protocol.messages import AlertKind

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

    Without a usable model for a task it is not looked for, the box says so, and it becomes an alert
    when it lasts; lost cameras and broken pictures are noticed all the same. Recording knows
    nothing of any of this. What the rules count is told to ``counted``, in the detector's thread.
    ``masks`` are what rules look past in place of what the configuration says.
    """

    def __init__(
        self,
        config: EdgeConfig,
        station: Station,
        clock: Clock,
        counted: Counted | None = None,
        masks: Callable[[], Sequence[RuleMask]] = tuple,
    ) -> None:
        self._config = config
        self._counted = counted
        self._masks = masks
        self._masking = threading.Lock()
        self._station = station
        self._clock = clock
        self._watch: Watch | None = None
        self._detector: Detector | None = None
        self._feeds: dict[str, Feed] = {}
        self._choice = Choice({}, {})

    def start(self, desk: AlertDesk) -> None:
        """Choose the models and begin to watch; returns at once.

        Raises ConfigError and StorageError.
        """
        open_alerts = desk.open_alerts()
        cameras = [camera for camera in self._config.cameras if camera.enabled]
        looked_at = watched(self._config)
        self._choice = choose(self._config.detect, looked_at)
        scenes = {camera.id: self._scene(camera, open_alerts) for camera in looked_at}
        zone = ZoneInfo(self._config.box.time_zone)
        pictures = {
            camera.id: PictureRule(camera.id, zone, open_alerts) for camera in judged(self._config)
        }
        watch = Watch(cameras, scenes, desk, self._clock, pictures)
        watch.start(open_alerts)
        self._station.listen(watch)
        self._watch = watch
        self.mask()
        looks = {camera.id: self._looks(camera, pictures) for camera in cameras}
        if any(each.rates or each.health for each in looks.values()):
            self._detect(looks, watch)
        if self._choice.refusals:
            watch.detector_works(works=False)

    @property
    def _min_score(self) -> float:
        """The configuration's, else the chosen model's own; any where there is no model."""
        configured = self._config.detect.min_score
        selection = self._choice.get(Task.PEOPLE)
        if configured is not None or selection is None:
            return configured or 1.0
        return selection.entry.min_score

    def _scene(self, camera: CameraSection, open_alerts: Sequence[OpenAlert]) -> Scene:
        detect = self._config.detect
        return Scene(
            camera,
            min_score=self._min_score,
            fire_scores=self._choice.fire_scores(),
            interval_s=1 / min(detect.fps, detect.calm_fps),
            open_alerts=open_alerts,
            calendar=self._config.box.calendar(),
            counted=self._counted,
        )

    def _looks(self, camera: CameraSection, pictures: Container[str]) -> Looks:
        """Return what a camera is looked at for: what its rules need and there is a model of."""
        detect = self._config.detect
        rules = {Task.PEOPLE: camera.gatherings, Task.FIRE: camera.fires}
        rates = Rates(detect.fps, min(detect.fps, detect.calm_fps))
        tasks = [task for task, those in rules.items() if those and self._choice.get(task)]
        return Looks(dict.fromkeys(tasks, rates), health=camera.id in pictures)

    def _detect(self, looks: Mapping[str, Looks], watch: Watch) -> None:
        """Start a detector that looks at the cameras."""
        self._detector = Detector(
            Models(
                self._choice.get(Task.PEOPLE),
                self._choice.get(Task.FIRE),
                self._min_score * WEAK_SHARE,
                WEAK_SHARE,
                self._config.detect.runtime,
            ),
            clock=self._clock,
            on_detections=self._seen,
            on_sightings=self._seen_fire,
            on_picture=watch.picture,
            on_state=(lambda _: None) if self._choice.refusals else partial(_tell, watch),
        )
        for camera_id, each in looks.items():
            if each.rates or each.health:
                feed = self._feeds[camera_id] = self._detector.feed(camera_id, each)
                self._station.watch(camera_id, feed)
        self._detector.start()

    def _seen(self, detections: Detections) -> None:
        assert self._watch is not None
        assert self._detector is not None
        busy = self._watch.seen(detections)
        self._detector.attend(detections.camera_id, Task.PEOPLE, busy=busy)

    def _seen_fire(self, sightings: Sightings) -> None:
        assert self._watch is not None
        assert self._detector is not None
        busy = self._watch.seen_fire(sightings)
        self._detector.attend(sightings.camera_id, Task.FIRE, busy=busy)

    def mask(self) -> None:
        """Have the rules look past what masks say now; from any thread. Raises StorageError."""
        with self._masking:  # who read first must not be the last to tell
            if self._watch is not None:
                self._watch.mask(exclusions(self._masks()))

    def close(self) -> None:
        """Stop the detector, report what the rules still have to say; idempotent.

        The station is left as if nobody had watched.
        """
        for camera_id, feed in self._feeds.items():
            self._station.unwatch(camera_id, feed)
        if self._detector is not None:
            self._detector.close()
        if self._watch is not None:
            self._station.unlisten(self._watch)
            self._watch.close()

    # -- what others ask ---------------------------------------------------------------------------

    def detector_state(self) -> tuple[DetectorWord, str | None]:
        """Return the detector's state in the heartbeat's words, and the models it runs."""
        if self._choice.refusals:
            return "down", self._choice.names
        if self._detector is None:
            return "off", None
        return "down" if self._blind() else self._detector.state.value, self._choice.names

    def _blind(self) -> tuple[str, ...]:
        return () if self._watch is None else self._watch.blind()

    def model_of(self, kind: AlertKind) -> str | None:
        """Return the name and version of the model that finds it, for the record of an alert."""
        if kind is AlertKind.GATHERING:
            return self._choice.name(Task.PEOPLE)
        return self._choice.name(Task.FIRE) if kind in FIRE_KINDS else None

    def component(self) -> Component:
        """Return how watching is, for the health board."""
        refusal, fallback = self._choice.refusal, self._choice.fallback
        if self._detector is None:
            if refusal is not None:
                return Component(Condition.DOWN, refusal)
            return Component(Condition.OK, "nothing to watch")
        counters = self._detector.counters()
        beat = counters.beat
        figures: dict[str, Figure] = {
            "state": self._detector.state.value,
            "pid": self._detector.pid,
            "model": self._choice.names,
            "starts": counters.starts,
            "results": counters.results,
            "looks": None if beat is None else beat.inferred + beat.repeated,
            "looks_at_the_same": None if beat is None else beat.repeated,
            "dropped": counters.dropped,
            "queued_bytes": counters.queued_bytes,
            "unreported_dropped": 0 if self._watch is None else self._watch.dropped,
        }
        condition = _CONDITIONS[self._detector.state]
        detail = self._detector.reason or fallback
        if blind := self._blind():
            condition = Condition.DOWN
            detail = f"looks too seldom, or not at all, at: {', '.join(blind)}"
        if refusal is not None:
            condition, detail = Condition.DOWN, refusal
        if condition is Condition.OK and fallback is not None:
            condition = Condition.DEGRADED
        return Component(condition, detail, figures)


def _tell(watch: Watch, state: DetectorState) -> None:
    """Tell the rules of a detector that is ready or has ended; nothing is known while it starts."""
    if state in (DetectorState.LIVE, DetectorState.DOWN):
        watch.detector_works(works=state is DetectorState.LIVE)
