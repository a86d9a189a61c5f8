"""The set-up interface of a box, through the relay, for the administrator alone.

These routes stand before the relay's own, which let duty staff at the rest of a box's interface.
"""

import json
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import JsonValue

from central.enrolment.deeds import Act, deed_of
from central.enrolment.desk import Asked, EnrolmentEntryView, Outcome, newest_entries
from central.errors import BoxTooOldError, BoxUnreachableError, BoxUnsureError
from central.http.access import ADMIN, ActorDep, SignedDep, allow
from central.http.centre import Centre, CentreDep
from central.relay.passing import RelayedResponse, asked_path, json_body, passed_on
from central.relay.transfer import Answer
from protocol.actor import actor_words
from protocol.ids import LOCAL_ID
from protocol.relay import AskMethod

router = APIRouter(prefix="/api/v1/boxes/{box_id}", tags=["cameras"])

#: A camera's document is far shorter.
_MOST_ANSWER_BYTES = 64 * 1024
_REFUSED_FROM = 400


@router.get("/enrolments", **allow(*ADMIN))
def enrolments(box_id: str, centre: CentreDep) -> list[EnrolmentEntryView]:
    """Return what people last did with the cameras of a box, newest first."""
    with centre.database.read() as session:
        return newest_entries(session, box_id)


@router.get("/edge/v1/setup/{path:path}", **allow(*ADMIN))
async def look(request: Request, box_id: str, path: str, centre: CentreDep) -> Response:
    """Look at the set-up of a box."""
    return RelayedResponse(await centre.hub.get(box_id, asked_path(request, f"setup/{path}")))


async def change(
    request: Request,
    box_id: str,
    path: str,
    signed: SignedDep,
    actor: ActorDep,
    centre: CentreDep,
) -> Response:
    """Have a box look for, add, change or remove a camera; who does what is entered first."""
    body = await json_body(request)
    document: Mapping[str, JsonValue] = json.loads(body) if body else {}
    deed = deed_of(request.method, path, request.query_params, document)
    asked = None if deed is None else Asked(box_id, deed, actor.id)
    if asked is not None:
        await run_in_threadpool(centre.enrolments.asked, asked)
    try:
        answer = await centre.hub.ask(
            box_id,
            AskMethod(request.method),
            asked_path(request, f"setup/{path}"),
            body,
            actor_words(actor.name, signed.username),
        )
        if asked is None:
            return RelayedResponse(answer)
        text = await _whole(answer)
    except BoxUnsureError:
        await _ended(centre, asked, Outcome.UNSURE)
        raise
    except (BoxUnreachableError, BoxTooOldError):
        await _ended(centre, asked, Outcome.NOT_GIVEN)
        raise
    if answer.status >= _REFUSED_FROM:
        await _ended(centre, asked, Outcome.REFUSED)
    else:
        await _ended(centre, asked, Outcome.DONE, _made(asked, text))
    return Response(text, answer.status, passed_on(answer.headers))


for method in AskMethod:  # a route each: an OpenAPI operation has one method
    router.add_api_route(
        "/edge/v1/setup/{path:path}", change, methods=[method.value], **allow(*ADMIN)
    )


async def _ended(
    centre: Centre, asked: Asked | None, outcome: Outcome, camera_id: str = ""
) -> None:
    if asked is not None:
        await run_in_threadpool(centre.enrolments.ended, asked, outcome, camera_id)


async def _whole(answer: Answer) -> bytes:
    """Return the answer's body. Raises BoxUnsureError where it does not come whole, or is endless.

    The box has done it or refused it by then; only its words are missing.
    """
    parts = bytearray()
    try:
        async for part in answer.body:
            parts += part
            if len(parts) > _MOST_ANSWER_BYTES:
                break
    except BoxUnreachableError as error:
        raise BoxUnsureError(f"{error}; look before you ask again") from error
    finally:
        answer.body.close()
    if len(parts) > _MOST_ANSWER_BYTES:
        raise BoxUnsureError("the box's answer is too long")
    return bytes(parts)


def _made(asked: Asked, text: bytes) -> str:
    """Return the id of the camera that the box says it has made."""
    if asked.deed.act is not Act.ADD:
        return ""
    try:
        camera_id = json.loads(text)["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return camera_id if isinstance(camera_id, str) and LOCAL_ID.match(camera_id) else ""
