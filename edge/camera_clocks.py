"""Watches the cameras' clocks: how far each is off, and an alert where that is no evidence."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from edge.alarm.camera_clock import CLOCK_RULE, ClockRule
from edge.errors import StorageError
from edge.faultlog import FaultLog
from edge.health import Component, Condition, Figure
from edge.ports import AlertDesk, Occurrence
from protocol.clock import Clock
from protocol.messages import (
    AlertKind,
    AlertLevel,
    AlertMode,
    AlertOp,
    CameraClock,
    CameraClockState,
    ClockQuality,
    ClockState,
)

log = logging.getLogger(__name__)

_EVERY_S = 10.0
#: States that are worth a word.
_SAID = frozenset({CameraClockState.OFF, CameraClockState.WRONG})


class CameraClocks:
    """Looks every 10 s in a thread of its own (time I9, I10).

    ``offset`` is what a camera's clock is less the box's, None where it does not say; ``quality``
    how good the box's own is: while no time service steers that, no camera is judged by it. The
    desk alone remembers what is said, so what it refuses is said at the next look.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        offset: Callable[[str], timedelta | None],
        quality: Callable[[], ClockQuality],
        clock: Clock,
    ) -> None:
        self._cameras = tuple(cameras)
        self._offset = offset
        self._quality = quality
        self._clock = clock
        self._desk: AlertDesk | None = None
        self._rules: dict[str, ClockRule] = {}
        self._known: dict[str, CameraClock] = {}
        self._off: dict[str, CameraClockState] = {}
        self._faults = FaultLog(log, clock)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-clocks", daemon=True)

    def start(self, desk: AlertDesk) -> None:
        """Go on from what is open at the desk, and begin to look. Raises StorageError."""
        self.begin(desk)
        self._thread.start()

    def begin(self, desk: AlertDesk) -> None:
        """Take what is open at the desk, without looking yet. Raises StorageError."""
        self._desk = desk
        wrong = self._told(desk)
        self._rules = {each: ClockRule(is_wrong=each in wrong) for each in self._cameras}

    def close(self) -> None:
        """Stop and wait; call it once, after :meth:`start`."""
        self._closing.set()
        self._thread.join()

    def clock_of(self, camera_id: str) -> CameraClock | None:
        """Return how a camera's clock is, None where that is not known; from any thread."""
        return self._known.get(camera_id)

    def component(self) -> Component:
        """Return how the clocks are, for the health board: seconds that each is off."""
        known = dict(self._known)
        figures: dict[str, Figure] = {
            each: round(clock.offset_ms / 1000, 1) for each, clock in known.items()
        }
        off = self._off
        if not off:
            return Component(Condition.OK, None, figures)
        words = (
            f"{each} {known[each].offset_ms / 1000:+.0f} s" if each in known else f"{each} (was)"
            for each in off
        )
        is_wrong = CameraClockState.WRONG in off.values()
        condition = Condition.DEGRADED if is_wrong else Condition.OK
        return Component(condition, f"clocks that are off: {', '.join(words)}", figures)

    def look(self) -> None:
        """Judge every camera, and begin and end alerts. Raises StorageError."""
        assert self._desk is not None
        is_sure = self._quality().state is ClockState.SYNCED
        told = self._told(self._desk)
        known = {}
        for camera_id, rule in self._rules.items():
            offset = self._offset(camera_id) if is_sure else None
            rule.see(offset, self._clock.monotonic_ns())
            state = rule.state
            if offset is not None and state is not None:
                known[camera_id] = CameraClock(
                    state=state, offset_ms=round(offset / timedelta(milliseconds=1))
                )
        self._known = known
        states = ((each, rule.state) for each, rule in self._rules.items())
        self._off = {each: state for each, state in states if state in _SAID}
        for camera_id, rule in self._rules.items():
            is_wrong = rule.state is CameraClockState.WRONG
            if is_wrong is not (camera_id in told):
                self._say(camera_id, AlertOp.START if is_wrong else AlertOp.END)

    def _told(self, desk: AlertDesk) -> frozenset[str]:
        kind = AlertKind.CAMERA_CLOCK
        return frozenset(each.camera_id for each in desk.open_alerts() if each.kind is kind)

    def _say(self, camera_id: str, op: AlertOp) -> None:
        assert self._desk is not None
        self._desk.report(
            Occurrence(
                op=op,
                kind=AlertKind.CAMERA_CLOCK,
                level=AlertLevel.ORDINARY,
                mode=AlertMode.LIVE,
                camera_id=camera_id,
                rule_id=CLOCK_RULE,
                region_id="all",
                at=self._clock.now(),
            )
        )

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.look()
            except StorageError as error:
                self._faults.report("camera_clocks.unreported", str(error), {})
            except Exception as error:  # noqa: BLE001 - logged; the next look may do
                self._faults.bug("camera_clocks.failed", error, {})
            self._closing.wait(_EVERY_S)
