"""Reading what the kernel says of the clocks, without a program's help."""

import ctypes
import os
from pathlib import Path

from edge.doctor.clock import ClockFacts
from protocol.clock import Clock

_RTC = Path("/sys/class/rtc")
#: Of adjtimex(2): the state that says that nothing disciplines the clock.
_TIME_ERROR = 5
#: struct timex has 208 bytes on 64-bit machines; its first field says what to change: nothing.
_TIMEX_BYTES = 256


def look_at(clock: Clock) -> ClockFacts:
    """Return what the system says of its clock; what it does not tell is None."""
    now = clock.now()
    battery_s = _rtc_s()
    return ClockFacts(
        now=now,
        synchronised=_synchronised(),
        has_rtc=_has_rtc(),
        rtc_offset_s=None if battery_s is None else battery_s - now.timestamp(),
    )


def _synchronised() -> bool | None:
    """Return the kernel's word, whichever program it is that sets the clock."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(
            ctypes.create_string_buffer(_TIMEX_BYTES)
        )
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def _has_rtc() -> bool | None:
    """Return whether there is a clock with a battery; in a container nobody can say."""
    if not os.access("/sys/class", os.R_OK) or Path("/run/.containerenv").exists():
        return None
    if Path("/.dockerenv").exists():
        return None
    return any(_RTC.glob("rtc*"))


def _rtc_s() -> float | None:
    try:
        return float((_RTC / "rtc0" / "since_epoch").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
