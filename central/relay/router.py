"""The relay's routes: boxes dial in, viewers and reviewers ask through it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import Response
from starlette.requests import HTTPConnection

from central.errors import BoxUnreachableError, NotFoundError
from central.relay.hub import RelayHub
from central.relay.passing import RelayedResponse, asked_path, json_body
from protocol.ids import BOX_ID
from protocol.messages import StreamState
from protocol.relay import (
    SPEAKS_ASK,
    SPEAKS_HEADER,
    AskMethod,
    StreamName,
)
from protocol.viewer import Ended, StateChanged, wire
from protocol.viewing import Viewer, serve_viewer

#: ``await authenticate_box(box_id, token)`` says whether that is the box's token.
AuthenticateBox = Callable[[str, str], Awaitable[bool]]

#: A FastAPI dependency that raises where the person may not; its value is not used. The viewer's is
#: asked for a WebSocket, so it takes a ``starlette.requests.HTTPConnection``, not a ``Request``.
Requirement = Callable[..., Any]

#: A FastAPI dependency that gives the Actor who may have boxes do things, and raises for others.
ActingPerson = Callable[..., str | Awaitable[str]]

#: ``await is_still_viewer(connection)`` says whether that person may still watch.
StillAllowed = Callable[[HTTPConnection], Awaitable[bool]]

#: So long at most somebody who was signed out goes on watching.
CHECK_S = 15.0


def create_relay_router(
    hub: RelayHub,
    authenticate_box: AuthenticateBox,
    require_viewer: Requirement,
    is_still_viewer: StillAllowed,
    require_reviewer: Requirement,
    acting_person: ActingPerson,
) -> APIRouter:
    """Return the routes, to be mounted at the root of the application.

    The CentralErrors of RelayHub's methods are left to the application's own error handlers.
    """
    router = APIRouter(prefix="/api/v1")

    @router.websocket("/relay")
    async def relay(socket: WebSocket) -> None:
        box_id = socket.headers.get("x-box-id", "")
        scheme, _, token = socket.headers.get("authorization", "").partition(" ")
        known = (
            scheme.lower() == "bearer"
            and BOX_ID.match(box_id) is not None
            and await authenticate_box(box_id, token.strip())
        )
        if not known:
            await socket.close()  # before it is accepted: the box sees a 403
            return
        await socket.accept()
        words = socket.headers.get(SPEAKS_HEADER, "").split(",")
        await hub.serve(box_id, socket, asks=SPEAKS_ASK in (word.strip() for word in words))
        await _close(socket)

    @router.websocket("/live/{uid}/{stream}", dependencies=[Depends(require_viewer)])
    async def live(socket: WebSocket, uid: str, stream: StreamName) -> None:
        box_id, _, camera_id = uid.partition(".")
        await socket.accept()
        try:
            try:
                viewer = await hub.open_live(box_id, camera_id, stream)
            except (BoxUnreachableError, NotFoundError) as error:
                # A browser can't read why a WebSocket was refused: say it inside.
                unreachable = isinstance(error, BoxUnreachableError)
                reason = Ended("box_unreachable" if unreachable else "no_such_camera")
                for item in (StateChanged(StreamState.LOST), reason):
                    await socket.send_text(str(wire(item)[0]))
                await socket.close()
                return
            checks = asyncio.create_task(_end_with_permission(socket, viewer, is_still_viewer))
            try:
                await serve_viewer(socket, viewer)
            finally:
                checks.cancel()
        except WebSocketDisconnect:
            return

    @router.get("/boxes/{box_id}/edge/v1/{path:path}", dependencies=[Depends(require_reviewer)])
    async def edge(request: Request, box_id: str, path: str) -> Response:
        answer = await hub.get(box_id, asked_path(request, path), request.headers.get("range"))
        return RelayedResponse(answer)

    async def ask(
        request: Request,
        box_id: str,
        path: str,
        actor: Annotated[str, Depends(acting_person)],
    ) -> Response:
        body = await json_body(request)
        method = AskMethod(request.method)
        return RelayedResponse(
            await hub.ask(box_id, method, asked_path(request, path), body, actor)
        )

    for method in AskMethod:  # a route each: an OpenAPI operation has one method
        router.add_api_route("/boxes/{box_id}/edge/v1/{path:path}", ask, methods=[method.value])
    return router


async def _end_with_permission(
    socket: WebSocket, viewer: Viewer, is_still_viewer: StillAllowed
) -> None:
    """Wait until the person may no longer watch, then end their video at once."""
    while True:
        await asyncio.sleep(CHECK_S)
        if not await is_still_viewer(socket):
            break
    viewer.queue.offer(Ended("signed_out"))
    viewer.queue.skip_to_key()  # what is queued is not sent any more


async def _close(socket: WebSocket) -> None:
    """Close a WebSocket that the peer may have closed already."""
    try:
        await socket.close()
    except (RuntimeError, WebSocketDisconnect):
        return
