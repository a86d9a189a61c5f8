"""The alert that the recordings' disk is short of room, missing or broken."""

from edge.ports import AlertDesk, Occurrence
from protocol.clock import Clock
from protocol.messages import BOX_SUBJECT, AlertKind, AlertLevel, AlertMode, AlertOp

STORAGE_RULE = "storage"


class StorageAlert:
    """The janitor's StorageAlarm: an alert of the box itself on the desk, which alone remembers."""

    def __init__(self, desk: AlertDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    def stands(self) -> bool:
        """Say whether it is open, be it since before this process began."""
        return any(alert.kind is AlertKind.STORAGE for alert in self._desk.open_alerts())

    def begin(self) -> None:
        """Report its start; see the port."""
        self._report(AlertOp.START)

    def end(self) -> None:
        """Report its end; see the port."""
        self._report(AlertOp.END)

    def _report(self, op: AlertOp) -> None:
        self._desk.report(
            Occurrence(
                op=op,
                kind=AlertKind.STORAGE,
                level=AlertLevel.URGENT,
                mode=AlertMode.LIVE,
                camera_id=BOX_SUBJECT,
                rule_id=STORAGE_RULE,
                region_id="all",
                at=self._clock.now(),
            )
        )
