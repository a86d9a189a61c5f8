"""What people may do with an incident.

::

    from                action    to        needs
    ACCEPTED            handle    HANDLING  a handler (the actor, where none is named)
    HANDLING            handle    HANDLING  another handler than now (reassigned)
    HANDLING            feedback  FEEDBACK  a note: what was done
    FEEDBACK            close     CLOSED    a checker who never handled it
    FEEDBACK            rework    HANDLING  a note, a checker who never handled it
    any but CLOSED      note      the same  a note

The handler owns the incident from the moment it is handled; before that its owner is who was
responsible when it was opened. So it has an owner at every moment (incident I5), and who checked
never handled it (incident I6). The deadline never moves: rework goes on with the first one.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from central.codes import IncidentState
from central.errors import ConflictError, InvalidError


class IncidentAction(StrEnum):
    """What a person does with an incident."""

    HANDLE = "handle"
    FEEDBACK = "feedback"
    CLOSE = "close"
    REWORK = "rework"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an incident stands, and with whom. People are ids.

    ``handled_by`` has everyone who ever was its handler; who only handed it on is not in it.
    """

    state: IncidentState
    owner_id: str
    handler_id: str | None = None
    checker_id: str | None = None
    rework_count: int = 0
    handled_by: frozenset[str] = frozenset()


def after(
    now: Standing, action: IncidentAction, actor_id: str, note: str, handler_id: str | None
) -> Standing:
    """Return where the incident stands after ``actor_id`` did ``action``.

    ``handler_id`` names who is to handle it, for ``handle`` and ``rework``. Raises ConflictError
    where the state or the actor does not allow it, InvalidError where something is missing.
    """
    if now.state is IncidentState.CLOSED:
        raise ConflictError("the incident is closed")
    if handler_id is not None and action not in (IncidentAction.HANDLE, IncidentAction.REWORK):
        raise InvalidError(f"'{action}' takes no owner_id")
    if action is not IncidentAction.HANDLE and action is not IncidentAction.CLOSE:
        _require(note, action)
    match action:
        case IncidentAction.NOTE:
            return now
        case IncidentAction.HANDLE:
            return _handled(now, handler_id or actor_id)
        case IncidentAction.FEEDBACK:
            _expect(now, IncidentState.HANDLING, action)
            return replace(now, state=IncidentState.FEEDBACK)
        case IncidentAction.CLOSE:
            _expect(now, IncidentState.FEEDBACK, action)
            _another(now, actor_id)
            return replace(now, state=IncidentState.CLOSED, checker_id=actor_id)
        case IncidentAction.REWORK:
            _expect(now, IncidentState.FEEDBACK, action)
            _another(now, actor_id)
            again = replace(now, state=IncidentState.HANDLING, rework_count=now.rework_count + 1)
            if handler_id is None:
                return again
            return _given(again, handler_id)


def _handled(now: Standing, handler_id: str) -> Standing:
    if now.state is IncidentState.HANDLING and handler_id == now.handler_id:
        raise ConflictError("that person handles the incident already")
    if now.state is IncidentState.FEEDBACK:
        raise ConflictError("the incident waits for its check: close it or send it back")
    return _given(replace(now, state=IncidentState.HANDLING), handler_id)


def _given(now: Standing, handler_id: str) -> Standing:
    handled_by = now.handled_by | {handler_id}
    return replace(now, owner_id=handler_id, handler_id=handler_id, handled_by=handled_by)


def _require(note: str, action: IncidentAction) -> None:
    if not note.strip():
        raise InvalidError(f"'{action}' needs a note")


def _expect(now: Standing, state: IncidentState, action: IncidentAction) -> None:
    if now.state is not state:
        raise ConflictError(f"an incident that is {now.state} does not take '{action}'")


def _another(now: Standing, actor_id: str) -> None:
    if actor_id in now.handled_by:
        raise ConflictError("who handled the incident may not check it")
