"""What a rule might say, made up from a seeded source."""

import random
from datetime import datetime

from edge.ports import Occurrence
from protocol.messages import AlertKind, AlertLevel, AlertMode, AlertOp

_MOST_PEOPLE = 80
_THRESHOLD = 15


def gathering(op: AlertOp, camera_id: str, at: datetime, chance: random.Random) -> Occurrence:
    """Return a gathering of any level at a camera that begins, goes on or ends."""
    return Occurrence(
        op=op,
        kind=AlertKind.GATHERING,
        level=chance.choice(list(AlertLevel)),
        mode=AlertMode.LIVE,
        camera_id=camera_id,
        rule_id="crowd",
        region_id="all",
        at=at,
        count=chance.randrange(_THRESHOLD, _MOST_PEOPLE),
        threshold=_THRESHOLD,
    )
