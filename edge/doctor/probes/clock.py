"""Reading what the kernel says of the clocks, without a program's help."""

import os
from pathlib import Path

from edge.clock_watch import kernel_time
from edge.doctor.clock import ClockFacts
from protocol.clock import Clock

_RTC = Path("/sys/class/rtc")


def look_at(clock: Clock) -> ClockFacts:
    """Return what the system says of its clock; what it does not tell is None."""
    now = clock.now()
    battery_s, kernel = _rtc_s(), kernel_time()
    return ClockFacts(
        now=now,
        synchronised=None if kernel is None else kernel.is_synced,
        has_rtc=_has_rtc(),
        rtc_offset_s=None if battery_s is None else battery_s - now.timestamp(),
    )


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
