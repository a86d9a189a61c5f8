"""Where a command stands (protocol I21). Pure."""

from collections.abc import Mapping
from datetime import timedelta

from central.codes import CommandState, Role
from protocol.commands import CommandKind
from protocol.messages import Outcome

#: Those of which something is still to come, or to be done.
OPEN = frozenset({CommandState.QUEUED, CommandState.SENT, CommandState.ACCEPTED})
#: Those that the box has to be given.
TO_GIVE = frozenset({CommandState.QUEUED, CommandState.SENT})

#: So long after the deadline a result is waited for: the box gives up by then, and says so.
GRACE = timedelta(minutes=2)
#: Given again after so long without a word, then after twice that, and so on to the cap.
_AGAIN_FIRST_S, _AGAIN_CAP_S = 10.0, 300.0

_SAID: Mapping[Outcome, CommandState] = {
    Outcome.ACCEPTED: CommandState.ACCEPTED,
    Outcome.DONE: CommandState.DONE,
    Outcome.REFUSED: CommandState.REFUSED,
    Outcome.FAILED: CommandState.FAILED,
    Outcome.EXPIRED: CommandState.EXPIRED,
}

#: Who may have a box do what (domain 3.6): whoever is on duty fetches what they may look at
#: anyhow; what changes how the village is watched is for its information administrator.
_DUTY = frozenset({Role.DUTY, Role.ADMIN})
_ADMIN = frozenset({Role.ADMIN})
ALLOWED: Mapping[CommandKind, frozenset[Role]] = {
    CommandKind.SNAPSHOT: _DUTY,
    CommandKind.CLIP: _DUTY,
    CommandKind.DISARM: _ADMIN,
    CommandKind.ARM: _ADMIN,
    CommandKind.SYNC_CLOCK: _ADMIN,
    CommandKind.MASK: _ADMIN,
    CommandKind.CONFIGURE: _ADMIN,
    CommandKind.CAMERA_CLOCK: _ADMIN,
}


def after(state: CommandState, outcome: Outcome) -> CommandState:
    """Return the state after its box said ``outcome``, whatever came before and in which order.

    A box's own last word stands. The centre's (``unanswered``, and ``expired`` for what was never
    given) is overruled by it.
    """
    if outcome is Outcome.ACCEPTED:
        is_news = state in TO_GIVE or state is CommandState.UNANSWERED
        return CommandState.ACCEPTED if is_news else state
    if state in OPEN or state is CommandState.UNANSWERED:
        return _SAID[outcome]
    return state


def given_up(state: CommandState) -> CommandState:
    """Return the state once the deadline has passed without a result.

    What was never given was not done. Of what was given nobody knows.
    """
    if state is CommandState.QUEUED:
        return CommandState.EXPIRED
    return CommandState.UNANSWERED if state in OPEN else state


def again_after(times: int) -> timedelta:
    """Return how long to wait for a word on what was given so many times."""
    return timedelta(seconds=min(_AGAIN_FIRST_S * 2.0 ** min(times - 1, 30), _AGAIN_CAP_S))
