import pytest

from central.codes import IncidentState
from central.errors import ConflictError, InvalidError
from central.incidents.states import IncidentAction, Standing, after

ACCEPTED = Standing(IncidentState.ACCEPTED, "li")
HANDLING = Standing(IncidentState.HANDLING, "wang", "wang")
FEEDBACK = Standing(IncidentState.FEEDBACK, "wang", "wang")
CLOSED = Standing(IncidentState.CLOSED, "wang", "wang", "li")


@pytest.mark.parametrize(
    ("now", "action", "actor", "note", "handler", "expected"),
    [
        # who takes it handles and owns it
        (ACCEPTED, "handle", "li", "", None, Standing(IncidentState.HANDLING, "li", "li")),
        # sent to a grid worker
        (ACCEPTED, "handle", "li", "", "wang", HANDLING),
        # given to somebody else
        (HANDLING, "handle", "li", "", "zhang", Standing(IncidentState.HANDLING, "zhang", "zhang")),
        # the duty officer may write down what the handler said on the telephone
        (HANDLING, "feedback", "li", "已扑灭", None, FEEDBACK),
        (FEEDBACK, "close", "li", "", None, CLOSED),
        (
            FEEDBACK,
            "rework",
            "li",
            "仍有烟",
            None,
            Standing(IncidentState.HANDLING, "wang", "wang", None, 1),
        ),
        (
            FEEDBACK,
            "rework",
            "li",
            "换人",
            "zhang",
            Standing(IncidentState.HANDLING, "zhang", "zhang", None, 1),
        ),
        (ACCEPTED, "note", "li", "已打电话", None, ACCEPTED),
        (FEEDBACK, "note", "wang", "补充照片", None, FEEDBACK),
    ],
)
def test_an_allowed_step_leads_where_the_table_says(now, action, actor, note, handler, expected):
    assert after(now, IncidentAction(action), actor, note, handler) == expected


@pytest.mark.parametrize(
    ("now", "action", "actor"),
    [
        (CLOSED, "note", "li"),  # closed is closed
        (CLOSED, "handle", "li"),
        (ACCEPTED, "feedback", "li"),  # nobody has handled it
        (ACCEPTED, "close", "li"),
        (HANDLING, "close", "li"),  # nobody said it is done
        (ACCEPTED, "rework", "li"),
        (FEEDBACK, "handle", "zhang"),  # it waits for its check
        (HANDLING, "handle", "wang"),  # has it already
        (FEEDBACK, "close", "wang"),  # incident I6: handler is not checker
        (FEEDBACK, "rework", "wang"),
    ],
)
def test_every_other_step_is_a_conflict(now, action, actor):
    with pytest.raises(ConflictError):
        after(now, IncidentAction(action), actor, "说明", None)


@pytest.mark.parametrize(
    ("now", "action", "note", "handler"),
    [
        (HANDLING, "feedback", " ", None),
        (FEEDBACK, "rework", "", None),
        (ACCEPTED, "note", "", None),
        (HANDLING, "feedback", "已扑灭", "zhang"),  # feedback names no handler
        (FEEDBACK, "close", "", "zhang"),
        (ACCEPTED, "note", "x", "zhang"),
    ],
)
def test_what_is_missing_or_too_much_is_invalid(now, action, note, handler):
    with pytest.raises(InvalidError):
        after(now, IncidentAction(action), "li", note, handler)
