"""Whether a box is there, and so whether what it said of its cameras still counts. Pure."""

from datetime import datetime

from central.codes import BoxState, CameraShown
from protocol.messages import StreamState

#: A heartbeat every 60 s: one may be lost on the way before we say so …
LATE_AFTER_S = 90.0
#: … and three before the box is gone (GB/T 28181's own rhythm).
LOST_AFTER_S = 180.0


def box_state(last_seen_at: datetime | None, now: datetime, *, online: bool) -> BoxState:
    """Return a box's state; ``online`` is false from its last will to its next sign of life."""
    if last_seen_at is None or not online:
        return BoxState.LOST
    age_s = (now - last_seen_at).total_seconds()
    if age_s > LOST_AFTER_S:
        return BoxState.LOST
    return BoxState.LATE if age_s > LATE_AFTER_S else BoxState.ONLINE


def camera_shown(state: StreamState) -> CameraShown:
    """Return a camera's state as its box says it."""
    return CameraShown(state.value)
