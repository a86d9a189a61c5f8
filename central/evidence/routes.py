"""Evidence: boxes bring it, people look at it."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

import anyio
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse
from starlette.requests import ClientDisconnect

from central.errors import InvalidError, SignInError
from central.evidence.store import Piece, Stored
from central.http.access import ANY, allow, allow_boxes
from central.http.centre import Centre, CentreDep
from central.http.given import Moment
from protocol.messages import EvidenceKind

router = APIRouter(prefix="/api/v1", tags=["evidence"])

_SHA256 = re.compile(r"^[0-9a-f]{64}$")

#: Bytes that are handed to the writing thread at once.
_CHUNK_BYTES = 256 * 1024


@router.put("/boxes/{box_id}/evidence/{alert_id}/{kind}", status_code=201, **allow_boxes())
async def put_evidence(  # noqa: PLR0913, PLR0917 - a header each
    box_id: str,
    alert_id: UUID,
    kind: EvidenceKind,
    request: Request,
    centre: CentreDep,
    x_content_sha256: Annotated[str, Header()],
    x_evidence_start: Annotated[Moment, Header()],
    x_evidence_end: Annotated[Moment, Header()],
    authorization: Annotated[str, Header()] = "",
) -> Response:
    """Take a picture or clip from its box: 201 stored, 200 had it, 503 no room or taken over."""
    scheme, _, token = authorization.partition(" ")
    admits = centre.boxes.admits
    if scheme.lower() != "bearer" or not await anyio.to_thread.run_sync(
        admits, box_id, token.strip()
    ):
        raise SignInError("not this box's token")
    piece = _piece(box_id, alert_id, kind, (x_evidence_start, x_evidence_end), x_content_sha256)
    if await anyio.to_thread.run_sync(centre.evidence.had, piece):
        return Response(status_code=200)
    try:
        stored = await _receive(centre, piece, request)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    return Response(status_code=201 if stored is Stored.NEW else 200)


@router.get("/evidence/{evidence_id}", response_class=FileResponse, **allow(*ANY))
def get_evidence(evidence_id: UUID, centre: CentreDep) -> FileResponse:
    """Return a picture or clip; ``Range`` is honoured."""
    found = centre.evidence.find(evidence_id)
    headers = {"cache-control": "private, max-age=86400, immutable", "etag": f'"{found.sha256}"'}
    return FileResponse(found.path, media_type=found.media_type, headers=headers)


async def _receive(centre: Centre, piece: Piece, request: Request) -> Stored:
    """Write the body to disk as it comes, then keep it."""
    store = centre.evidence
    incoming = await anyio.to_thread.run_sync(store.receive)
    try:
        with centre.uploads.only(piece):
            waiting = bytearray()
            async for chunk in request.stream():
                waiting += chunk
                if len(waiting) >= _CHUNK_BYTES:
                    await anyio.to_thread.run_sync(incoming.write, bytes(waiting))
                    waiting.clear()
            await anyio.to_thread.run_sync(incoming.write, bytes(waiting))
        return await anyio.to_thread.run_sync(store.keep, piece, incoming)
    finally:
        with anyio.CancelScope(shield=True):  # closing may wait for the disk: not in the loop
            await anyio.to_thread.run_sync(incoming.close)


def _piece(
    box_id: str,
    alert_id: UUID,
    kind: EvidenceKind,
    bounds: tuple[datetime, datetime],
    sha256: str,
) -> Piece:
    start, end = bounds
    if not _SHA256.match(sha256):
        raise InvalidError("X-Content-SHA256: 64 hexadecimal digits, in small letters")
    if end < start:
        raise InvalidError("X-Evidence-End: is before its start")
    return Piece(box_id, alert_id, kind, start, end, sha256)
