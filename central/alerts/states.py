"""What people may do with an alert, and by when.

::

    from   action    to          needs                     who (checked by the routes)
    NEW    ack       ACKED       a device                  wall operator, duty
    ACKED  confirm   CONFIRMED   an incident, new or old   wall operator, duty; of no trial alert
    ACKED  false     FALSE       a reason; a note if other wall operator, duty
    ACKED  known     KNOWN       a note, or the activity   wall operator, duty
    NEW    –         KNOWN       a planned event is on     the system (central.activities)
    KNOWN  –         NEW         it left that event        the system, once for each reason

CONFIRMED and FALSE are final, and so is KNOWN without a planned event. That the box says the alert
has ended changes no state: an alert that nobody signed stays to be signed (incident I1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from central.codes import AlertState, FalseReason
from central.errors import ConflictError, InvalidError
from protocol.messages import AlertLevel, AlertMode


class AlertAction(StrEnum):
    """What a person does with an alert."""

    ACK = "ack"
    CONFIRM = "confirm"
    FALSE = "false"
    KNOWN = "known"


_TABLE = {
    (AlertState.NEW, AlertAction.ACK): AlertState.ACKED,
    (AlertState.ACKED, AlertAction.CONFIRM): AlertState.CONFIRMED,
    (AlertState.ACKED, AlertAction.FALSE): AlertState.FALSE,
    (AlertState.ACKED, AlertAction.KNOWN): AlertState.KNOWN,
}

#: States in which nobody has yet said what the alert is.
UNDECIDED = (AlertState.NEW, AlertState.ACKED)


def after(state: AlertState, action: AlertAction) -> AlertState:
    """Return the state that ``action`` leads to. Raises ConflictError where it may not be done."""
    try:
        return _TABLE[state, action]
    except KeyError:
        raise ConflictError(f"an alert that is {state} does not take '{action}'") from None


def check_confirm(mode: AlertMode) -> None:
    """Raise ConflictError for an alert of a rule that is tried: it becomes no incident."""
    if mode is AlertMode.TRIAL:
        raise ConflictError("an alert of a trial run becomes no incident (incident I12)")


def check_false(reason: FalseReason, note: str) -> None:
    """Raise InvalidError unless ``reason`` says enough."""
    if reason is FalseReason.OTHER and not note.strip():
        raise InvalidError("reason 'other' needs a note")


def check_known(note: str, *, is_filed: bool = False) -> None:
    """Raise InvalidError unless ``note`` says which activity it is; a filed one says it itself."""
    if not note.strip() and not is_filed:
        raise InvalidError("a known activity needs a note")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By level, how long each step may take (domain 3.4)."""

    sign_s: Mapping[AlertLevel, float]
    verify_s: Mapping[AlertLevel, float]
    handle_s: Mapping[AlertLevel, float]

    def sign_by(self, level: AlertLevel, since: datetime) -> datetime:
        """Return by when an alert that people got at ``since`` is to be signed."""
        return since + timedelta(seconds=self.sign_s[level])

    def verify_by(self, level: AlertLevel, since: datetime) -> datetime:
        """Return by when it is to be verified."""
        return since + timedelta(seconds=self.verify_s[level])

    def handle_by(self, level: AlertLevel, since: datetime) -> datetime:
        """Return by when an incident opened at ``since`` is to be dealt with."""
        return since + timedelta(seconds=self.handle_s[level])
