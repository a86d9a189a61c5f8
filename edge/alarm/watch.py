"""All rules of the box at work: what is seen and heard goes in, the desk is told what it means."""

import logging
import threading
from collections.abc import Mapping, Sequence

from edge.alarm.absence import Absence
from edge.alarm.picture import PictureRule
from edge.alarm.scene import Scene
from edge.alarm.sight import Sight
from edge.alarm.unreported import Unreported
from edge.config import CameraSection
from edge.errors import StorageError
from edge.faultlog import FaultLog
from edge.ports import (
    AlertDesk,
    Detections,
    Occurrence,
    OpenAlert,
    PictureCondition,
    Sightings,
    StreamStatus,
)
from protocol.clock import Clock
from protocol.messages import BOX_SUBJECT, AlertKind, AlertLevel, AlertMode, StreamState
from protocol.relay import StreamName
from protocol.shapes import Exclusions

log = logging.getLogger(__name__)

LOST_RULE, DETECTOR_RULE = "camera-lost", "detector-down"
#: A detector that is down for longer than a restart takes.
DETECTOR_DOWN_S = 30.0
#: A camera or detector that is back for less than this was not back.
STEADY_S = 5.0
TICK_S = 1.0
#: Hours of a full disk; then some of what could not be reported is lost, and counted.
MAX_UNREPORTED = 1000


class Watch:
    """The rules of every camera, those of their pictures, camera-lost and detector-down.

    A detector that runs but does not look at a camera whose stream is live does not work either.
    ``seen…``, ``picture``, ``stream_changed`` and ``detector_works`` may be called from any thread.
    They and the tick judge; only one thread of its own reports to the desk, in order, so that a
    disk that makes a commit wait never makes a camera or the detector wait. What the desk refuses
    is kept, in order and up to MAX_UNREPORTED (see Unreported for what then goes), and tried again
    every tick.
    """

    def __init__(
        self,
        cameras: Sequence[CameraSection],
        scenes: Mapping[str, Scene],
        desk: AlertDesk,
        clock: Clock,
        pictures: Mapping[str, PictureRule] | None = None,
    ) -> None:
        self._scenes = dict(scenes)
        self._pictures = dict(pictures or {})
        self._desk = desk
        self._clock = clock
        self._lost = {
            camera.id: Absence(camera.lost_after_s, STEADY_S)
            for camera in cameras
            if camera.enabled
        }
        # The stream that the detector sees, of each camera that has rules.
        self._looked_at = {
            camera.id: StreamName.MAIN if camera.sub_url is None else StreamName.SUB
            for camera in cameras
            if camera.id in self._scenes
        }
        self._sights = {camera_id: Sight(clock.monotonic_ns()) for camera_id in self._scenes}
        self._detector = Absence(DETECTOR_DOWN_S, STEADY_S)
        self._detector_runs: bool | None = None
        self._faults = FaultLog(log, clock)
        self._lock = threading.Lock()
        self._unreported = Unreported(MAX_UNREPORTED)
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    @property
    def dropped(self) -> int:
        """How many occurrences the desk never got: there were too many (Unreported)."""
        return self._unreported.dropped

    def start(self, open_alerts: Sequence[OpenAlert] = ()) -> None:
        """Begin, going on from what was open; returns at once.

        The scenes were given theirs when they were made.
        """
        for alert in open_alerts:
            if alert.kind is AlertKind.CAMERA_LOST and alert.camera_id in self._lost:
                self._lost[alert.camera_id].resume()
            elif alert.kind is AlertKind.DETECTOR_DOWN:
                self._detector.resume()
        self._thread.start()

    def close(self) -> None:
        """Report what is left and stop. Idempotent."""
        self._stopping.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()

    # -- what comes in -----------------------------------------------------------------------------

    def seen(self, detections: Detections) -> bool:
        """Take who was seen in a frame; return whether to look for people often (Scene)."""
        scene = self._scenes.get(detections.camera_id)
        if scene is None:
            return False
        with self._lock:
            self._looked(detections.camera_id)
            self._say(scene.see(detections))
            return scene.is_crowded

    def seen_fire(self, sightings: Sightings) -> bool:
        """Take what looked like fire in a frame; return whether to look for it often (Scene)."""
        scene = self._scenes.get(sightings.camera_id)
        if scene is None:
            return False
        with self._lock:
            self._looked(sightings.camera_id)
            self._say(scene.see_fire(sightings))
            return scene.is_burning

    def mask(self, masks: Mapping[tuple[str, str], Exclusions]) -> None:
        """Have rules, by camera and id, look past these areas; all others past their own."""
        with self._lock:
            for camera_id, scene in self._scenes.items():
                scene.mask({rule: areas for (of, rule), areas in masks.items() if of == camera_id})

    def _looked(self, camera_id: str) -> None:
        """Note a look at a camera; with the lock held."""
        self._lapse(camera_id)
        self._sights[camera_id].look(self._clock.monotonic_ns())

    def picture(self, condition: PictureCondition) -> None:
        """Take how a camera's picture is."""
        rule = self._pictures.get(condition.camera_id)
        if rule is not None:
            with self._lock:
                self._say(rule.see(condition))

    def stream_changed(self, status: StreamStatus) -> None:
        """Take a stream's new state: a camera is lost when its main stream is."""
        is_live = status.state is StreamState.LIVE
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            if status.stream is self._looked_at.get(status.camera_id):
                self._sights[status.camera_id].stream(now_ns, live=is_live)
            if status.stream is StreamName.MAIN and status.camera_id in self._lost:
                self._lost[status.camera_id].here(now_ns, present=is_live)

    def detector_works(self, *, works: bool) -> None:
        """Take that the detector is ready, or that it has ended; not that it is still starting."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            self._detector_runs = works
            for sight in self._sights.values():
                sight.expect(now_ns)
            self._look_after_detector(now_ns)

    def blind(self) -> tuple[str, ...]:
        """Return the cameras that the detector, though it runs, does not look at often enough."""
        with self._lock:
            return self._blind(self._clock.monotonic_ns())

    def _blind(self, now_ns: int) -> tuple[str, ...]:
        if not self._detector_runs:
            return ()
        return tuple(each for each, sight in self._sights.items() if sight.is_blind(now_ns))

    def _look_after_detector(self, now_ns: int) -> None:
        """Tell the detector's rule whether it is there: it must run, and look; with the lock."""
        if self._detector_runs is not None:
            present = self._detector_runs and not self._blind(now_ns)
            self._detector.here(now_ns, present=present)

    def tick(self) -> None:
        """Judge what only time decides. The own thread calls it every TICK_S."""
        mono_ns = self._clock.monotonic_ns()
        with self._lock:
            for camera_id in self._scenes:
                self._lapse(camera_id)
            self._look_after_detector(mono_ns)
            for camera_id, absence in self._lost.items():
                self._judge(absence, mono_ns, camera_id, LOST_RULE, AlertKind.CAMERA_LOST)
            self._judge(
                self._detector, mono_ns, BOX_SUBJECT, DETECTOR_RULE, AlertKind.DETECTOR_DOWN
            )

    def _lapse(self, camera_id: str) -> None:
        """End what a camera that has long shown nothing can't end itself; with the lock held."""
        unseen_s = self._sights[camera_id].unseen_s(self._clock.monotonic_ns())
        self._say(self._scenes[camera_id].lapse(self._clock.now(), unseen_s))

    def _judge(
        self, absence: Absence, mono_ns: int, camera_id: str, rule_id: str, kind: AlertKind
    ) -> None:
        op = absence.tick(mono_ns)
        if op is None:
            return
        occurrence = Occurrence(
            op=op,
            kind=kind,
            level=AlertLevel.ORDINARY,
            mode=AlertMode.LIVE,
            camera_id=camera_id,
            rule_id=rule_id,
            region_id="all",
            at=self._clock.now(),
        )
        self._say([occurrence])

    # -- what goes out -----------------------------------------------------------------------------

    def _say(self, occurrences: Sequence[Occurrence]) -> None:
        """Queue for the desk; with the lock held."""
        for occurrence in occurrences:
            self._unreported.add(occurrence)
        if occurrences:
            self._news.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._news.wait(TICK_S)
            self._news.clear()
            try:
                self.tick()
                self.report()
            except Exception as error:  # noqa: BLE001 - logged, but not at every tick
                # The supervising loop: a rule that fails must not silence the others.
                self._faults.bug("watch.failed", error, {})
                self._stopping.wait(TICK_S)
        self.report()

    def report(self) -> None:
        """Tell the desk what waits, oldest first; the own thread calls it."""
        while True:
            with self._lock:
                occurrence = self._unreported.first()
            if occurrence is None:
                return
            try:
                self._desk.report(occurrence)
            except StorageError as error:
                self._faults.report("watch.unreported", str(error), {})
                self._stopping.wait(TICK_S)
                return
            with self._lock:
                self._unreported.done(occurrence)
