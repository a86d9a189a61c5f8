"""A camera's clock set right by the box's."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from edge.cameras.camera import Camera
from edge.cameras.camera_clock import CameraClock, ClockSource
from protocol.clock import Clock

#: It tells whole seconds, and an answer takes a moment.
RIGHT_WITHIN = timedelta(seconds=2)
#: Some cameras say yes and do nothing.
_TAKEN_WITHIN = timedelta(seconds=5)


class ClockOutcome(StrEnum):
    """What became of it."""

    RIGHT = "right"  # there was nothing to do
    SET = "set"
    KEPT_BY_NTP = "kept_by_ntp"  # nothing was done: to set it would end that
    NOT_TAKEN = "not_taken"  # it said yes, and its clock is off as before


@dataclass(frozen=True, slots=True)
class ClockCare:
    """The camera's clock before, and after; the same where nothing was done."""

    outcome: ClockOutcome
    before: CameraClock
    after: CameraClock


def set_right(camera: Camera, clock: Clock, *, ending_ntp: bool = False) -> ClockCare:
    """Set a camera's clock by ``clock`` where it is off. Blocks; raises CameraError.

    One that the camera keeps by NTP is left alone, unless ``ending_ntp``: setting it means that the
    camera asks its time server no more.
    """
    before = camera.clock()
    is_known = before.source is not ClockSource.UNKNOWN
    if is_known and abs(before.offset) <= RIGHT_WITHIN:
        return ClockCare(ClockOutcome.RIGHT, before, before)
    if before.by_ntp and not ending_ntp:
        return ClockCare(ClockOutcome.KEPT_BY_NTP, before, before)
    after = camera.set_clock(clock.now())
    is_set = after.source is not ClockSource.UNKNOWN and abs(after.offset) <= _TAKEN_WITHIN
    return ClockCare(ClockOutcome.SET if is_set else ClockOutcome.NOT_TAKEN, before, after)
