"""Who acts at the box's own interface."""

from typing import Annotated

from fastapi import Depends, Request

from edge.web.problem import invalid
from protocol.actor import ACTOR_HEADER, from_header

#: Who has no name here: a person at the box itself.
LOCAL = "local"


def acting(request: Request) -> str:
    """Return who acts, in words (an Actor): whom the centre named, or LOCAL.

    The interface listens on loopback and has no password: it believes what it is told, as it
    believes everything from there. Raises Problem (422) where the header is no Actor.
    """
    value = request.headers.get(ACTOR_HEADER)
    if value is None:
        return LOCAL
    try:
        return from_header(value)
    except ValueError as error:
        raise invalid(f"'{ACTOR_HEADER}': {error}", "操作人信息不正确") from None


ActorDep = Annotated[str, Depends(acting)]
