"""From an alert on the box to the message the centre gets."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from edge.alerts.standing import Standing
from edge.bus.outbox import Place
from edge.config import EdgeConfig
from protocol.ids import uuid7
from protocol.messages import (
    AlertData,
    AlertMessage,
    AlertOp,
    ClockQuality,
    gb_code,
    gb_priority,
    source_of_box,
)

#: The serial of the village as a whole where an alert belongs to no one grid.
WHOLE_VILLAGE = "000"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing to tell of an alert: what, when on the camera's time, and when we noticed."""

    op: AlertOp
    standing: Standing
    at: datetime
    noticed_at: datetime
    model: str | None


class EventWriter:
    """Turns happenings into messages of one box, with its cameras' names and grids.

    An alert whose camera is not configured is about the box itself: it bears the box's name and
    the whole village's grid. ``quality`` says how good the box's clock is as a message is written.
    """

    def __init__(
        self,
        config: EdgeConfig,
        boot_id: UUID,
        quality: Callable[[], ClockQuality | None] = lambda: None,
    ) -> None:
        self._quality = quality
        self._source = source_of_box(config.box.id)
        self._boot_id = boot_id
        self._places = {camera.id: (camera.name, camera.grid_code) for camera in config.cameras}
        self._elsewhere = (config.box.name, config.box.region_code + WHOLE_VILLAGE)

    def message(self, happening: Happening, place: Place) -> AlertMessage:
        """Return the message that has that place in the outbox."""
        return AlertMessage(
            id=uuid7(happening.noticed_at),
            source=self._source,
            time=happening.noticed_at,
            subject=happening.standing.camera_id,
            sequence=place.sequence,
            bootid=self._boot_id,
            outboxid=place.outbox_id,
            prevhash=place.prevhash,
            data=self._data(happening),
        )

    def _data(self, happening: Happening) -> AlertData:
        standing = happening.standing
        name, grid_code = self._places.get(standing.camera_id, self._elsewhere)
        gb_method, gb_type = gb_code(standing.kind)
        return AlertData(
            alert_id=standing.alert_id,
            op=happening.op,
            kind=standing.kind,
            level=standing.level,
            mode=standing.mode,
            camera_id=standing.camera_id,
            camera_name=name,
            grid_code=grid_code,
            rule_id=standing.rule_id,
            region_id=standing.region_id,
            started_at=standing.started_at,
            at=happening.at,
            ended_at=happening.at if happening.op is AlertOp.END else None,
            count=standing.count,
            threshold=standing.threshold,
            peak=standing.peak,
            confidence=standing.confidence,
            model=happening.model,
            gb_method=gb_method,
            gb_type=gb_type,
            gb_priority=gb_priority(standing.level),
            curve=None if happening.op is AlertOp.START else standing.curve.told(),
            clock=self._quality(),
        )
