"""Whether the box knows what time it is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.doctor.finding import Finding, Kind

#: Further off is worth a word: alerts and recordings can't be put in order with other boxes'.
WARN_OFFSET_S = 5.0
#: Further off, footage is no evidence of when something was, and certificates may be refused.
ALERT_OFFSET_S = 60.0
#: No box was made before: its clock began anew after a power cut.
EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What the system says of its clock; None is what it does not tell.

    ``synchronised`` is the kernel's word. ``rtc_offset_s`` is how far the battery's clock is ahead
    of the system's.
    """

    now: datetime
    synchronised: bool | None
    has_rtc: bool | None
    rtc_offset_s: float | None


def judge(facts: ClockFacts) -> Iterator[Finding]:
    """Yield what is to be said of the box's clock on its own."""
    said = {"now": facts.now.strftime("%Y-%m-%d %H:%M:%S UTC")}
    if facts.now < EARLIEST:
        yield Finding(Kind.CLOCK_IMPLAUSIBLE, values=said)
    elif facts.synchronised is False:
        yield Finding(Kind.CLOCK_UNSYNCHRONISED, values=said)
    elif facts.synchronised:
        yield Finding(Kind.CLOCK_FINE, values=said)
    if facts.has_rtc is False:
        yield Finding(Kind.CLOCK_NO_RTC)
    if facts.rtc_offset_s is not None and abs(facts.rtc_offset_s) > ALERT_OFFSET_S:
        yield Finding(Kind.CLOCK_RTC_OFF, values={"offset_s": round(facts.rtc_offset_s)})


def judge_offset(offset_s: float) -> Iterator[Finding]:
    """Yield what is to be said of a box's clock that is so far ahead of the centre's."""
    values = {"offset_s": round(offset_s)}
    if abs(offset_s) > ALERT_OFFSET_S:
        yield Finding(Kind.CLOCK_WRONG, values=values)
    elif abs(offset_s) > WARN_OFFSET_S:
        yield Finding(Kind.CLOCK_OFF, values=values)
