"""Who may call what. Every route says it, in its OpenAPI entry too (``x-roles``)."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection, Request

from central.auth.sessions import Signed
from central.codes import Role
from central.errors import ForbiddenError, SignInError
from central.http.centre import CentreDep
from central.people.views import PersonView
from protocol.actor import actor_words

COOKIE = "tanshao_session"

ANY = (Role.WALL, Role.DUTY, Role.ADMIN)
WALL = (Role.WALL,)
DUTY = (Role.DUTY, Role.ADMIN)  # the administrator does everything the duty officer does
ADMIN = (Role.ADMIN,)


def signed_in(connection: HTTPConnection, centre: CentreDep) -> Signed:
    """Return who sent the request. Raises SignInError."""
    token = connection.cookies.get(COOKIE)
    if not token:
        raise SignInError("not signed in")
    return centre.sessions.find(token)


SignedDep = Annotated[Signed, Depends(signed_in)]


def acting_person(signed: SignedDep) -> PersonView:
    """Return the person who acts: the account's, or the wall's operator. Raises ForbiddenError."""
    if signed.person is None:
        raise ForbiddenError("sign in at the wall with your PIN first")
    return signed.person


ActorDep = Annotated[PersonView, Depends(acting_person)]


def allow(*roles: Role) -> dict[str, Any]:
    """Return a route's arguments that let only ``roles`` in."""
    return {"dependencies": [Depends(requires(roles))], "openapi_extra": _said(roles)}


def allow_anyone() -> dict[str, Any]:
    """Return a route's arguments that let in who is not signed in."""
    return {"openapi_extra": {"x-roles": ["anyone"]}}


def allow_boxes() -> dict[str, Any]:
    """Return a route's arguments that say that a box's token is asked for."""
    return {"openapi_extra": {"x-roles": ["box"]}}


def requires(roles: Iterable[Role]) -> Callable[[Signed], None]:
    """Return a dependency that raises SignInError or ForbiddenError for everyone else."""
    allowed = frozenset(roles)

    def check(signed: SignedDep) -> None:
        if signed.role not in allowed:
            raise ForbiddenError(f"not for the role '{signed.role}'")

    return check


def require_reviewer(request: Request, signed: SignedDep, centre: CentreDep) -> None:
    """Let duty staff to recorded video, and enter it in the register first."""
    requires(DUTY)(signed)
    parts = request.path_params
    centre.viewings.enter(signed, parts["box_id"], parts["path"], request.query_params)


async def require_asker(
    request: Request, signed: SignedDep, actor: ActorDep, centre: CentreDep
) -> str:
    """Let duty staff have boxes do things; return the Actor to write down there.

    An export is entered in the register before the box is asked for it.
    """
    requires(DUTY)(signed)
    parts = request.path_params
    if request.method == "POST" and parts["path"] == "exports":
        body = await request.body()
        await run_in_threadpool(centre.viewings.enter_export, signed, parts["box_id"], body)
    return actor_words(actor.name, signed.username)


def say_roles(router: APIRouter, *roles: Role) -> APIRouter:
    """Enter in the OpenAPI document what the routes of a colleague's router already require."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.openapi_extra = _said(roles)
    return router


def _said(roles: Iterable[Role]) -> dict[str, Any]:
    return {"x-roles": [role.value for role in roles]}
