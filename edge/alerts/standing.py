"""An open alert as the desk judges it: pure, no clock and no database.

::

    nothing ── START ──▶ standing ── START, UPDATE ──▶ standing ── END ──▶ nothing
    nothing ── UPDATE, END ──▶ nothing
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from edge.alerts.curve import Curve
from edge.ports import Occurrence, OpenAlert
from protocol.messages import AlertKind, AlertLevel, AlertMode

#: An update comes at most this often, unless the level rises: a crowd's count changes with every
#: frame, a link in a village carries a few messages a second, and staff read slower than that.
UPDATE_EVERY_NS = 5_000_000_000

_RANK = {level: rank for rank, level in enumerate(AlertLevel)}

Key = tuple[str, str, str]


def key_of(occurrence: Occurrence) -> Key:
    """Return camera, rule and region: at most one alert of a key is open (alert I1)."""
    return occurrence.camera_id, occurrence.rule_id, occurrence.region_id


@dataclass(frozen=True, slots=True)
class Sent:
    """What the centre was last told of an alert, and when by the monotonic clock."""

    level: AlertLevel
    count: int
    threshold: int
    peak: int
    at_mono_ns: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert that has begun and not ended. ``sent`` is None where this process sent nothing."""

    alert_id: UUID
    camera_id: str
    rule_id: str
    region_id: str
    kind: AlertKind
    level: AlertLevel
    mode: AlertMode
    started_at: datetime
    count: int
    threshold: int
    peak: int
    confidence: float | None
    curve: Curve = field(default_factory=Curve)  # of what is counted; else it stays empty
    sent: Sent | None = None

    @classmethod
    def begun(cls, occurrence: Occurrence, alert_id: UUID) -> "Standing":
        """Return the alert that a START opens."""
        return cls(
            alert_id=alert_id,
            camera_id=occurrence.camera_id,
            rule_id=occurrence.rule_id,
            region_id=occurrence.region_id,
            kind=occurrence.kind,
            level=occurrence.level,
            mode=occurrence.mode,
            started_at=occurrence.at,
            count=occurrence.count,
            threshold=occurrence.threshold,
            peak=max(occurrence.count, occurrence.peak),
            confidence=occurrence.confidence,
            curve=_drawn(Curve(), occurrence, occurrence.at),
        )

    @property
    def key(self) -> Key:
        """Camera, rule and region."""
        return self.camera_id, self.rule_id, self.region_id

    def after(self, occurrence: Occurrence) -> "Standing":
        """Return the alert after a later occurrence of its key.

        Level and peak never fall while it is open, and it stays the kind and mode it began as:
        people were called for those (alert I5).
        """
        return replace(
            self,
            level=max(self.level, occurrence.level, key=_RANK.__getitem__),
            count=occurrence.count,
            threshold=occurrence.threshold,
            peak=max(self.peak, occurrence.count, occurrence.peak),
            confidence=occurrence.confidence,
            curve=_drawn(self.curve, occurrence, self.started_at),
        )

    def told(self, now_mono_ns: int) -> "Standing":
        """Return the alert with its present state as what the centre knows."""
        return replace(
            self, sent=Sent(self.level, self.count, self.threshold, self.peak, now_mono_ns)
        )

    @property
    def has_risen(self) -> bool:
        """Whether it is graver than the centre was last told, or than anybody knows it was told."""
        return self.sent is None or _RANK[self.level] > _RANK[self.sent.level]

    def is_news(self, now_mono_ns: int) -> bool:
        """Return whether the centre should be told now: something changed, and not too soon."""
        if self.sent is None or self.has_risen:
            return True
        known = self.sent
        changed = (self.level, self.count, self.threshold, self.peak) != (
            known.level,
            known.count,
            known.threshold,
            known.peak,
        )
        return changed and now_mono_ns - known.at_mono_ns >= UPDATE_EVERY_NS

    def as_open(self) -> OpenAlert:
        """Return what a restarted rule needs of it."""
        return OpenAlert(
            camera_id=self.camera_id,
            rule_id=self.rule_id,
            region_id=self.region_id,
            kind=self.kind,
            level=self.level,
            started_at=self.started_at,
            peak=self.peak,
            mode=self.mode,
        )


def _drawn(curve: Curve, occurrence: Occurrence, started_at: datetime) -> Curve:
    """Return the curve with what an occurrence counted, and the peak that it brings along."""
    if occurrence.threshold == 0:
        return curve
    offset_s = (occurrence.at - started_at).total_seconds()
    return curve.plus(offset_s, max(occurrence.count, occurrence.peak))
