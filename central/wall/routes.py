"""The snapshot, the live feed, the words, and how the service is."""

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Header, Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event

from central.delivery.health import ConsumerView, consumer_views
from central.errors import SignInError, StoreUnavailableError
from central.http.access import ANY, COOKIE, allow, allow_anyone
from central.http.centre import Centre, CentreDep
from central.http.labels import CodesView, codes_view
from central.people.views import View
from central.wall.feed import Cursor
from central.wall.pump import Event, Subscription
from central.wall.views import WallView, wall_view

router = APIRouter(prefix="/api/v1", tags=["wall"])

#: So often a comment goes out, so that nothing on the way cuts the connection, and the session is
#: looked at: who was signed out sees nothing more.
PING_S = 15.0


class HealthView(View):
    """What works; ``status`` is ok where the database and a consumer do, else degraded."""

    status: str
    database: bool
    evidence: bool
    browsers: int
    consumers: list[ConsumerView]


@router.get("/wall", **allow(*ANY))
def wall(centre: CentreDep) -> WallView:
    """Return everything a wall shows, and the cursor from which the feed goes on."""
    with centre.database.read() as session:
        return wall_view(session, centre.clock.now(), centre.village)


# Not with response_class: FastAPI would take the function for the generator of the events itself.
@router.get(
    "/feed",
    response_model=None,
    responses={200: {"content": {"text/event-stream": {}}}},
    **allow(*ANY),
)
async def feed(
    request: Request,
    centre: CentreDep,
    cursor: str = "",
    last_event_id: Annotated[str, Header()] = "",
) -> EventSourceResponse:
    """Send what changes, from a cursor on, for as long as the browser stays."""
    token = request.cookies.get(COOKIE, "")
    events = _events(centre, Cursor.parse(last_event_id or cursor), token)
    return EventSourceResponse(events, headers={"x-accel-buffering": "no"})


@router.get("/codes", **allow(*ANY))
def codes() -> CodesView:
    """Return every code with its words."""
    return codes_view()


@router.get("/health", **allow_anyone())
def health(centre: CentreDep) -> HealthView:
    """Say what works."""
    try:
        with centre.database.read() as session:
            consumers = consumer_views(session, centre.clock.now())
    except StoreUnavailableError:
        return HealthView(
            status="degraded",
            database=False,
            evidence=centre.evidence.works,
            browsers=centre.pump.browsers,
            consumers=[],
        )
    works = centre.evidence.works and any(each.works for each in consumers)
    return HealthView(
        status="ok" if works else "degraded",
        database=True,
        evidence=centre.evidence.works,
        browsers=centre.pump.browsers,
        consumers=consumers,
    )


async def _events(centre: Centre, cursor: Cursor | None, token: str) -> AsyncIterator[bytes]:
    """Yield the backlog, then what comes, each change once and in order."""
    pump = centre.pump
    subscription = pump.subscribe()  # before the backlog is read: nothing falls between
    try:
        at, anew = await anyio.to_thread.run_sync(pump.where, cursor)
        if anew:
            yield format_sse_event(event="reset", data_str="{}", id=str(at))
        else:
            yield b": go on\n\n"
        more = True
        while more:
            events, at, more = await anyio.to_thread.run_sync(pump.backlog, at)
            for event in events:
                yield event.data
        async for came in _following(subscription):
            if came is None:
                await anyio.to_thread.run_sync(centre.sessions.find, token)
                yield KEEPALIVE_COMMENT
            elif came.cursor > at:
                at = came.cursor
                yield came.data
    except (SignInError, StoreUnavailableError):
        return  # the browser comes again, and is told then
    finally:
        pump.unsubscribe(subscription)


async def _following(subscription: Subscription) -> AsyncIterator[Event | None]:
    """Yield what comes until the subscription ends, and None every PING_S, whatever comes."""
    due = anyio.current_time() + PING_S
    while True:
        left = due - anyio.current_time()
        if left <= 0:
            due += PING_S - left
            yield None
            continue
        try:
            came = await subscription.next(left)
        except TimeoutError:
            continue
        if came is None:
            return
        yield came
