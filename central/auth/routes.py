"""Signing in and out, and standing at a wall."""

from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from central.auth.sessions import Signed
from central.codes import Role
from central.errors import TooManyTriesError
from central.http.access import ANY, COOKIE, WALL, SignedDep, allow, allow_anyone, signed_in
from central.http.centre import Centre, CentreDep
from central.http.given import Body
from central.people.views import PersonView, View
from central.wall.views import VillageView

router = APIRouter(prefix="/api/v1/session", tags=["session"])

#: Browsers may keep the cookie longer than the server keeps the session.
_COOKIE_S = 400 * 86400

#: Sign-ins that may wait for one of the two cores that check passwords.
_WAITING_MAX = 32


class UserView(View):
    """The account that is signed in."""

    username: str
    name: str
    role: Role


class SessionView(View):
    """Who is signed in, whose name acts bear (null at a wall without a PIN), who stands there."""

    user: UserView
    person: PersonView | None
    operator: PersonView | None
    village: VillageView
    server_time: datetime
    version: str


class Credentials(Body):
    """A name and a password."""

    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)


class Pin(Body):
    """A PIN."""

    pin: str = Field(pattern=r"^[0-9]{4,8}$")


def program_version() -> str:
    """Return this program's version; ``0`` where it runs from a folder that is not installed."""
    try:
        return version("tanshao")
    except PackageNotFoundError:
        return "0"


@router.post("", **allow_anyone())
async def sign_in(
    credentials: Credentials, request: Request, response: Response, centre: CentreDep
) -> SessionView:
    """Sign in; the cookie is the session."""
    address = request.client.host if request.client else ""
    token = await _checked(
        centre,
        lambda: centre.sessions.sign_in(credentials.username, credentials.password, address),
    )
    signed = await anyio.to_thread.run_sync(centre.sessions.find, token)
    response.set_cookie(
        COOKIE,
        token,
        max_age=_COOKIE_S,
        path="/",
        secure=centre.config.http.is_https,
        httponly=True,
        samesite="lax",
    )
    return _view(centre, signed)


@router.get("", **allow(*ANY))
def session(signed: SignedDep, centre: CentreDep) -> SessionView:
    """Say who is signed in."""
    return _view(centre, signed)


@router.delete("", status_code=204, **allow(*ANY))
def sign_out(signed: SignedDep, centre: CentreDep, response: Response) -> None:
    """Sign out; the session ends on the server."""
    centre.sessions.sign_out(signed)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")


@router.post("/operator", **allow(*WALL))
async def operator_in(
    pin: Pin,
    request: Request,
    centre: CentreDep,
    signed: Annotated[Signed, Depends(signed_in)],
) -> SessionView:
    """Stand at the wall, until the shift ends."""
    await _checked(centre, lambda: centre.sessions.operator_in(signed, pin.pin))
    token = request.cookies[COOKIE]
    return _view(centre, await anyio.to_thread.run_sync(centre.sessions.find, token))


@router.delete("/operator", status_code=204, **allow(*WALL))
def operator_out(signed: SignedDep, centre: CentreDep) -> None:
    """Leave the wall."""
    centre.sessions.operator_out(signed)


async def _checked(centre: Centre, work: Any) -> Any:  # noqa: ANN401 - any result
    """Run what checks a password off the event loop, a few at a time."""
    if centre.password_checks.statistics().tasks_waiting >= _WAITING_MAX:
        raise TooManyTriesError("too many people sign in at once; try again")
    return await anyio.to_thread.run_sync(work, limiter=centre.password_checks)


def _view(centre: Centre, signed: Signed) -> SessionView:
    return SessionView(
        user=UserView(username=signed.username, name=signed.name, role=signed.role),
        person=signed.person,
        operator=signed.operator,
        village=centre.village,
        server_time=centre.clock.now(),
        version=program_version(),
    )
