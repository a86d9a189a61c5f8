from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from central.alerts.states import AlertAction, after, check_false, check_known
from central.codes import AlertState, FalseReason
from central.errors import ConflictError, InvalidError
from protocol.messages import AlertLevel
from tests.support.xiacun import DEADLINES

ALLOWED = {
    (AlertState.NEW, AlertAction.ACK): AlertState.ACKED,
    (AlertState.ACKED, AlertAction.CONFIRM): AlertState.CONFIRMED,
    (AlertState.ACKED, AlertAction.FALSE): AlertState.FALSE,
    (AlertState.ACKED, AlertAction.KNOWN): AlertState.KNOWN,
}


@pytest.mark.parametrize(("step", "to_state"), ALLOWED.items())
def test_an_allowed_step_leads_where_the_table_says(step, to_state):
    assert after(*step) is to_state


@pytest.mark.parametrize(
    "step", [step for step in product(AlertState, AlertAction) if step not in ALLOWED]
)
def test_every_other_step_is_a_conflict(step):
    with pytest.raises(ConflictError):
        after(*step)


def test_the_reason_other_needs_a_note():
    with pytest.raises(InvalidError, match="note"):
        check_false(FalseReason.OTHER, "  ")
    check_false(FalseReason.OTHER, "风筝")
    check_false(FalseReason.SUNSET, "")


def test_a_known_activity_needs_a_note():
    with pytest.raises(InvalidError, match="note"):
        check_known("")
    check_known("王家婚宴")


def test_deadlines_are_by_level():
    since = datetime(2026, 11, 22, tzinfo=UTC)
    assert [
        (DEADLINES.sign_by(level, since), DEADLINES.verify_by(level, since)) for level in AlertLevel
    ] == [
        (since + timedelta(minutes=30), since + timedelta(hours=8)),
        (since + timedelta(minutes=3), since + timedelta(minutes=10)),
        (since + timedelta(minutes=1), since + timedelta(minutes=3)),
    ]
    assert DEADLINES.handle_by(AlertLevel.EXTRA_URGENT, since) == since + timedelta(hours=2)
