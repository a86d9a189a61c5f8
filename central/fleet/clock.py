"""How far a box's clock may be trusted: pure (protocol I17).

The offset is the box's clock minus the centre's, in milliseconds: positive where the box is ahead.
The way of a message counts as the box being behind by as much: tenths of a second.
"""

from datetime import datetime, timedelta

from protocol.messages import ClockQuality, ClockState

#: From here on a box's times mislead: footage is looked for at another moment.
OFF_MS = 5000
#: A heartbeat that is further from the others than this means that a clock was set.
_SET_MS = 2000
#: One of so many heartbeats is believed at a time.
_SMOOTHED_OVER = 8
#: The most that is kept: 68 years, and the column takes it.
_MOST_MS = 2**41


def offset_ms(known_ms: int | None, sent_at: datetime, received_at: datetime) -> int:
    """Return the offset after one more heartbeat; ``known_ms`` is what it was before."""
    exact_ms = (sent_at - received_at) / timedelta(milliseconds=1)
    heard_ms = round(max(-_MOST_MS, min(exact_ms, _MOST_MS)))
    if known_ms is None or abs(heard_ms - known_ms) > _SET_MS:
        return heard_ms
    return known_ms + round((heard_ms - known_ms) / _SMOOTHED_OVER)


def is_doubtful(
    said: ClockQuality | None,
    measured_ms: int | None,
    started_at: datetime,
    *,
    is_late: bool,
) -> bool:
    """Return whether an event's times are not to be relied on.

    ``said`` is the box's word as it wrote the event, ``measured_ms`` the offset now: of an event
    that comes late it says little of then.
    """
    if measured_ms is not None and abs(measured_ms) > OFF_MS:
        return True
    if said is None:
        return False
    if said.stepped_at is not None and said.stepped_at > started_at:
        return True
    return said.state is not ClockState.SYNCED and (is_late or measured_ms is None)
