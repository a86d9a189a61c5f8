"""The detector process as the box sees it: started, fed, watched, started again."""

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from edge.detect import wire
from edge.detect.feed import Feed, Looks, Task
from edge.detect.launch import Child, Launch, Models
from edge.media.sample import Run
from edge.ports import Box, Detections, PictureCondition, Sighting, Sightings
from protocol.clock import Clock
from protocol.messages import AlertKind

log = logging.getLogger(__name__)

#: Ten times what it needs; beyond that it leaks and is started again.
MAX_RSS_BYTES = 1536 * 1024 * 1024
#: Waits before the next start, doubling; a run of GOOD_RUN_S begins with the first again.
FIRST_WAIT_S, LAST_WAIT_S, GOOD_RUN_S = 0.5, 30.0, 60.0
_SEND_BYTES = 256 * 1024
_READ_BYTES = 64 * 1024
Told = TypeVar("Told", Detections, Sightings, PictureCondition)


class DetectorState(StrEnum):
    """How the detector is, in the words of the heartbeat."""

    OFF = "off"
    STARTING = "starting"
    LIVE = "live"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Counters:
    """What the detector has done since the box started; ``beat`` is the present process's own."""

    starts: int
    results: int
    stale_results: int
    dropped: int
    queued_bytes: int
    beat: wire.Beat | None


class Detector:
    """Keeps one detector process running and hands it the feeds' samples.

    ::

        OFF      -- start ---------------------------------------> STARTING
        STARTING -- the process says it is ready ----------------> LIVE
        any      -- it ends, hangs, leaks or can't start --------> DOWN
        DOWN     -- started again after a wait, and ready -------> LIVE
        any      -- close ---------------------------------------> OFF

    ``on_…`` are called in this component's one thread; while they work, the feeds queue and drop,
    and nobody else waits. ``feed`` is called before ``start``. Where ``models`` has none of
    a task, that is not looked for; without any it looks after the cameras' own health.
    """

    def __init__(
        self,
        models: Models,
        *,
        clock: Clock,
        on_detections: Callable[[Detections], None],
        on_sightings: Callable[[Sightings], None] = lambda _: None,
        on_picture: Callable[[PictureCondition], None] = lambda _: None,
        on_state: Callable[[DetectorState], None] = lambda _: None,
        launch: Launch | None = None,
    ) -> None:
        self._setup = models.setup()
        self._clock = clock
        self._on_detections = on_detections
        self._on_sightings = on_sightings
        self._on_picture = on_picture
        self._on_state = on_state
        self._launch = launch or Launch()
        self._feeds: list[Feed] = []
        self._turn = 0
        self._state = DetectorState.OFF
        self._reason: str | None = None
        self._child: Child | None = None
        self._beat: wire.Beat | None = None
        self._starts = self._results = self._stale = 0
        self._wait_s = FIRST_WAIT_S
        self._stopping = threading.Event()
        self._awake, self._waker = socket.socketpair()
        for end in (self._awake, self._waker):
            end.settimeout(0)
        self._thread = threading.Thread(target=self._run, name="detector", daemon=True)

    # -- what others ask ---------------------------------------------------------------------------

    @property
    def state(self) -> DetectorState:
        """How the detector is."""
        return self._state

    @property
    def reason(self) -> str | None:
        """Why it is down, or None."""
        return self._reason

    @property
    def pid(self) -> int | None:
        """The detector process, or None while there is none."""
        child = self._child
        return None if child is None else child.process.pid

    def counters(self) -> Counters:
        """Return what it has done."""
        return Counters(
            starts=self._starts,
            results=self._results,
            stale_results=self._stale,
            dropped=sum(feed.dropped for feed in self._feeds),
            queued_bytes=sum(feed.queued_bytes for feed in self._feeds),
            beat=self._beat,
        )

    def feed(self, camera_id: str, looks: Looks) -> Feed:
        """Return the Subscriber for a camera's stream; each camera once, before ``start``."""
        feed = Feed(camera_id, len(self._feeds), looks, self._wake)
        self._feeds.append(feed)
        return feed

    def attend(self, camera_id: str, task: Task, *, busy: bool) -> None:
        """Look at a camera at the task's busy rate, or at the calm one; all begin as busy."""
        for feed in self._feeds:
            if feed.camera_id == camera_id:
                feed.attend(task, busy=busy)

    # -- life --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin; returns at once."""
        self._change(DetectorState.STARTING, None)
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Kill the process and wait for it. Idempotent."""
        self._stopping.set()
        self._wake()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)
        for end in (self._awake, self._waker):
            end.close()

    def _wake(self) -> None:
        try:
            self._waker.send(b"\0")
        except BlockingIOError:
            return  # it is awake already
        except OSError:
            return  # it has closed

    def _run(self) -> None:
        while not self._stopping.is_set():
            began_ns = self._clock.monotonic_ns()
            try:
                reason = self._serve()
            except Exception:
                # The supervising loop: whatever happened costs this start, no more.
                log.exception("detector.failed")
                reason = "internal error"
            if self._stopping.is_set():
                break
            self._change(DetectorState.DOWN, reason)
            log.warning("detector.down", extra={"reason": reason, "again_in_s": self._wait_s})
            if self._clock.monotonic_ns() - began_ns >= GOOD_RUN_S * 1e9:
                self._wait_s = FIRST_WAIT_S
            self._stopping.wait(self._wait_s)
            self._wait_s = min(self._wait_s * 2, LAST_WAIT_S)
        self._change(DetectorState.OFF, None)

    def _serve(self) -> str:
        """Run one process to its end and return why it ended."""
        child = self._spawn()
        self._child = child
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(child.link, selectors.EVENT_READ)
                selector.register(self._awake, selectors.EVENT_READ)
                while child.ended is None and not self._stopping.is_set():
                    self._step(child, selector)
        finally:
            for feed in self._feeds:
                feed.listen(listening=False)
            self._child = None
            child.end()
        return child.ended or "closed"

    def _spawn(self) -> Child:
        child = Child.spawn(self._launch.command, self._setup, self._clock.monotonic_ns())
        self._starts += 1
        self._beat = None
        models = " ".join(filter(None, (self._setup.model, self._setup.fire_model)))
        log.info("detector.started", extra={"pid": child.process.pid, "model": models})
        return child

    # -- one turn of the loop ----------------------------------------------------------------------

    def _step(self, child: Child, selector: selectors.BaseSelector) -> None:
        self._fill(child)
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if child.unsent else 0)
        selector.modify(child.link, wanted)
        heard = False
        for key, events in selector.select(wire.BEAT_S / 2):
            if key.fileobj is self._awake:
                self._awake.recv(_READ_BYTES)
                continue
            if events & selectors.EVENT_WRITE:
                self._send(child)
            if events & selectors.EVENT_READ:
                heard = True
                self._read(child)
        if not heard and child.ended is None:
            self._judge(child)

    def _fill(self, child: Child) -> None:
        """Take what to send next, from each feed in turn."""
        if not child.ready:
            return
        for _ in self._feeds:
            if child.unsent:
                return
            self._turn = (self._turn + 1) % len(self._feeds)
            child.unsent = self._feeds[self._turn].take(_SEND_BYTES)

    def _send(self, child: Child) -> None:
        try:
            sent = child.link.send(child.unsent)
        except BlockingIOError:
            return
        except OSError as error:
            child.ended = child.told_end(error.strerror or "socket broke")
            return
        child.unsent = child.unsent[sent:]

    def _read(self, child: Child) -> None:
        try:
            data = child.link.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            child.ended = child.told_end(error.strerror or "socket broke")
            return
        if not data:
            child.ended = child.told_end("it closed the socket")
            return
        child.heard_ns = self._clock.monotonic_ns()
        try:
            for kind, payload in child.deframer.feed(data):
                self._take(child, kind, payload)
        except wire.WireError as error:
            child.ended = f"it sent nonsense: {error}"

    def _take(self, child: Child, kind: wire.Kind, payload: bytes) -> None:
        if kind is wire.Kind.READY:
            child.ready = True
            for feed in self._feeds:
                feed.listen(listening=True)
            self._change(DetectorState.LIVE, None)
        elif kind is wire.Kind.RESULT:
            self._result(wire.parse_result(payload))
        elif kind is wire.Kind.FIRE:
            self._fire(wire.parse_fire(payload))
        elif kind is wire.Kind.PICTURE:
            self._picture(wire.parse_picture(payload))
        elif kind is wire.Kind.BEAT:
            self._beat = wire.parse_beat(payload)
            if self._beat.rss_bytes > MAX_RSS_BYTES:
                child.ended = f"it grew to {self._beat.rss_bytes >> 20} MB"
        elif kind is wire.Kind.FAILED:
            child.ended = payload.decode("utf-8", "replace")
            self._wait_s = LAST_WAIT_S  # a missing or altered file is not mended in a second

    def _feed_and_run(self, camera: int, run_id: bytes) -> tuple[Feed, Run] | None:
        """Return whose that is, or None where the run has ended since."""
        if camera >= len(self._feeds):
            raise wire.WireError(f"result of camera {camera}")
        feed = self._feeds[camera]
        run = feed.run_of(run_id)
        if run is None:
            self._stale += 1
            return None
        return feed, run

    def _picture(self, state: wire.PictureState) -> None:
        found = self._feed_and_run(state.camera, state.run)
        if found is None:
            return
        feed, run = found
        at = run.utc_at(state.pts_90k)
        condition = PictureCondition(feed.camera_id, at, state.faults, state.is_sure)
        self._tell(self._on_picture, condition)

    def _result(self, result: wire.Result) -> None:
        found = self._feed_and_run(result.camera, result.run)
        if found is None:
            return
        feed, run = found
        self._results += 1
        detections = Detections(
            camera_id=feed.camera_id,
            run_id=run.run_id,
            pts_90k=result.pts_90k,
            at=run.utc_at(result.pts_90k),
            boxes=tuple(Box(*row) for row in result.boxes),
            aspect=result.aspect,
        )
        self._tell(self._on_detections, detections)

    def _fire(self, result: wire.FireResult) -> None:
        found = self._feed_and_run(result.camera, result.run)
        if found is None:
            return
        feed, run = found
        self._results += 1
        seen = tuple(map(sighting, result.sightings))
        at = run.utc_at(result.pts_90k)
        self._tell(self._on_sightings, Sightings(feed.camera_id, at, seen))

    def _tell(self, listener: Callable[[Told], None], what: Told) -> None:
        try:
            listener(what)
        except Exception:
            # A rule's failure is not the detector's: it goes on looking.
            log.exception("detector.listener_failed", extra={"camera_id": what.camera_id})

    def _judge(self, child: Child) -> None:
        """Say that a process has ended or hangs; called where there was nothing to read."""
        now_ns = self._clock.monotonic_ns()
        if child.process.poll() is not None:
            child.ended = child.told_end("it ended")
        elif not child.ready:
            if now_ns - child.started_ns > self._launch.start_s * 1e9:
                child.ended = f"not ready within {self._launch.start_s:g} s"
        elif now_ns - child.heard_ns > self._launch.hang_s * 1e9:
            child.ended = f"silent for {self._launch.hang_s:g} s"

    def _change(self, state: DetectorState, reason: str | None) -> None:
        self._reason = reason
        if state is self._state:
            return
        self._state = state
        log.info("detector.state", extra={"state": state.value, "reason": reason})
        try:
            self._on_state(state)
        except Exception:
            log.exception("detector.listener_failed", extra={"state": state.value})


def sighting(row: wire.FireRow) -> Sighting:
    """Return what a fire rule takes of a row."""
    is_smoke, left, top, right, bottom, score, motion = row
    kind = AlertKind.SMOKE if is_smoke else AlertKind.FLAME
    return Sighting(kind, (left, top, right, bottom), score, motion)
