"""An alert about the box itself: its disk, its outbox."""

from edge.ports import AlertDesk, Occurrence
from protocol.clock import Clock
from protocol.messages import BOX_SUBJECT, AlertKind, AlertLevel, AlertMode, AlertOp

STORAGE_RULE = "storage"
OUTBOX_RULE = "outbox"

_RULES = {AlertKind.STORAGE: STORAGE_RULE, AlertKind.OUTBOX: OUTBOX_RULE}


class BoxAlert:
    """An alert of the box itself on the desk, which alone remembers; the janitor's StorageAlarm."""

    def __init__(self, kind: AlertKind, desk: AlertDesk, clock: Clock) -> None:
        self._kind = kind
        self._rule_id = _RULES[kind]
        self._desk = desk
        self._clock = clock

    def stands(self) -> bool:
        """Say whether it is open, be it since before this process began."""
        return any(alert.kind is self._kind for alert in self._desk.open_alerts())

    def begin(self) -> None:
        """Report its start. Raises StorageError."""
        self._report(AlertOp.START)

    def end(self) -> None:
        """Report its end. Raises StorageError."""
        self._report(AlertOp.END)

    def _report(self, op: AlertOp) -> None:
        self._desk.report(
            Occurrence(
                op=op,
                kind=self._kind,
                level=AlertLevel.URGENT,
                mode=AlertMode.LIVE,
                camera_id=BOX_SUBJECT,
                rule_id=self._rule_id,
                region_id="all",
                at=self._clock.now(),
            )
        )
