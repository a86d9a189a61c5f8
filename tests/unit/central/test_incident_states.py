from dataclasses import replace

import pytest

from central.codes import IncidentState
from central.errors import ConflictError, InvalidError
from central.incidents.states import IncidentAction, Standing, after

ACCEPTED = Standing(IncidentState.ACCEPTED, "li")
HANDLING = Standing(IncidentState.HANDLING, "wang", "wang", handled_by=frozenset({"wang"}))
FEEDBACK = replace(HANDLING, state=IncidentState.FEEDBACK)
CLOSED = replace(FEEDBACK, state=IncidentState.CLOSED, checker_id="li")


def handling(handler: str, *handled_by: str, rework_count: int = 0) -> Standing:
    return Standing(
        IncidentState.HANDLING,
        handler,
        handler,
        rework_count=rework_count,
        handled_by=frozenset(handled_by),
    )


@pytest.mark.parametrize(
    ("now", "action", "actor", "note", "handler", "expected"),
    [
        # who takes it handles and owns it
        (ACCEPTED, "handle", "li", "", None, handling("li", "li")),
        # sent to a grid worker
        (ACCEPTED, "handle", "li", "", "wang", HANDLING),
        # given to somebody else
        (HANDLING, "handle", "li", "", "zhang", handling("zhang", "wang", "zhang")),
        # the duty officer may write down what the handler said on the telephone
        (HANDLING, "feedback", "li", "已扑灭", None, FEEDBACK),
        (FEEDBACK, "close", "li", "", None, CLOSED),
        (FEEDBACK, "rework", "li", "仍有烟", None, handling("wang", "wang", rework_count=1)),
        (
            FEEDBACK,
            "rework",
            "li",
            "换人",
            "zhang",
            handling("zhang", "wang", "zhang", rework_count=1),
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


@pytest.mark.parametrize("check", ["close", "rework"])
def test_who_handled_it_once_never_checks_it_however_often_it_was_handed_on(check):
    taken = after(ACCEPTED, IncidentAction.HANDLE, "zhang", "", None)
    handed_on = after(taken, IncidentAction.HANDLE, "zhang", "", "wang")
    done = after(handed_on, IncidentAction.FEEDBACK, "wang", "已扑灭", None)
    again = after(done, IncidentAction.REWORK, "li", "仍有烟", "zhao")
    done_again = after(again, IncidentAction.FEEDBACK, "zhao", "已扑灭", None)
    for handler in ("zhang", "wang", "zhao"):
        with pytest.raises(ConflictError):
            after(done_again, IncidentAction(check), handler, "现场已查", None)
    after(done_again, IncidentAction(check), "li", "现场已查", None)


def test_a_dispatcher_who_only_handed_it_on_may_check_it():
    handed_on = after(ACCEPTED, IncidentAction.HANDLE, "zhang", "", "wang")
    done = after(handed_on, IncidentAction.FEEDBACK, "zhang", "王强电话: 已扑灭", None)
    assert after(done, IncidentAction.CLOSE, "zhang", "", None).checker_id == "zhang"
