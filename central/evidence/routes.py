"""Evidence: boxes bring it in parts, people look at it."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import anyio
from anyio import CapacityLimiter
from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from central.errors import InvalidError, OffsetError, SignInError, SpanError, TooLongError
from central.evidence.partial import Partial
from central.evidence.span import Span, span_of
from central.evidence.storage import Content
from central.evidence.store import Piece, Stored
from central.http.access import ANY, allow, allow_boxes
from central.http.centre import Centre, CentreDep
from central.http.given import Moment
from central.http.problems import problem_of
from protocol.messages import EvidenceKind

router = APIRouter(prefix="/api/v1", tags=["evidence"])

_SHA256 = re.compile(r"^[0-9a-f]{64}$")

_STORED = {"upload-complete": "?1"}  # a boolean of structured fields (RFC 8941)
_UNDER_WAY = {"upload-complete": "?0"}

#: Bytes that are handed to the writing thread at once, or taken from the reading one.
_CHUNK_BYTES = 256 * 1024


def admitted_box(
    box_id: str, centre: CentreDep, authorization: Annotated[str, Header()] = ""
) -> str:
    """Return the box whose token was given. Raises SignInError."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not centre.boxes.admits(box_id, token.strip()):
        raise SignInError("not this box's token")
    return box_id


def brought(
    box_id: str,
    alert_id: UUID,
    kind: EvidenceKind,
    centre: CentreDep,
    x_content_sha256: Annotated[str, Header()],
    x_evidence_start: Annotated[Moment, Header()],
    x_evidence_end: Annotated[Moment, Header()],
    authorization: Annotated[str, Header()] = "",
) -> Piece:
    """Return what a box speaks of. Raises SignInError, InvalidError."""
    admitted_box(box_id, centre, authorization)
    if not _SHA256.match(x_content_sha256):
        raise InvalidError("X-Content-SHA256: 64 hexadecimal digits, in small letters")
    if x_evidence_end < x_evidence_start:
        raise InvalidError("X-Evidence-End: is before its start")
    bounds = x_evidence_start, x_evidence_end
    return Piece(box_id, alert_id, kind, *bounds, x_content_sha256)


@dataclass(frozen=True, slots=True)
class _Part:
    """Which bytes a box sends: those from ``offset`` on, of ``length_bytes``."""

    offset: int
    length_bytes: int


@router.head("/boxes/{box_id}/evidence/{alert_id}/{kind}", **allow_boxes())
def head_evidence(piece: Annotated[Piece, Depends(brought)], centre: CentreDep) -> Response:
    """Say how much of a picture or clip is here (``Upload-Offset``), and whether it is stored."""
    stored_bytes = centre.evidence.had(piece)
    if stored_bytes is None:
        headers = {"upload-offset": str(centre.evidence.offset(piece))} | _UNDER_WAY
    else:
        headers = {"upload-offset": str(stored_bytes)} | _STORED
    return Response(headers=headers | _limit(centre))


@router.patch("/boxes/{box_id}/evidence/{alert_id}/{kind}", **allow_boxes())
async def patch_evidence(
    piece: Annotated[Piece, Depends(brought)],
    request: Request,
    centre: CentreDep,
    upload_offset: Annotated[int, Header(ge=0)],
    upload_length: Annotated[int, Header(ge=1)],
) -> Response:
    """Add bytes to a picture or clip.

    201 that was the last of it and it is stored, 200 had it, 204 more is to come; 409 with
    ``Upload-Offset``: go on from there; 413 with ``Upload-Limit``: too long; 503 no room, taken
    over, or another replica receives it. What came before a connection broke stays.
    """
    part = _Part(upload_offset, upload_length)
    try:
        async with centre.uploads.only(piece):
            if await _had(centre, piece):
                return Response(status_code=200, headers=_STORED)
            return await _receive(centre, piece, part, request)
    except OffsetError as error:
        if await _had(centre, piece):  # another replica finished it between the two
            return Response(status_code=200, headers=_STORED)
        answer = problem_of(error)
        answer.headers["upload-offset"] = str(error.offset)
        return answer
    except TooLongError as error:
        answer = problem_of(error)
        answer.headers.update(_limit(centre))
        return answer
    except (ClientDisconnect, TimeoutError):
        return Response(status_code=408)  # in the first case nobody reads it


@router.get("/evidence/{evidence_id}", response_class=StreamingResponse, **allow(*ANY))
async def get_evidence(
    evidence_id: UUID,
    centre: CentreDep,
    wanted: Annotated[str, Header(alias="range")] = "",
    if_range: Annotated[str, Header()] = "",
) -> Response:
    """Return a picture or clip from wherever it lies; a ``Range`` is honoured."""
    store, limiter = centre.evidence, centre.evidence_reads
    found = await anyio.to_thread.run_sync(store.find, evidence_id)
    etag = f'"{found.sha256}"'
    headers = {
        "cache-control": "private, max-age=86400, immutable",
        "etag": etag,
        "accept-ranges": "bytes",
    }
    try:
        span = span_of(wanted if if_range in {"", etag} else "", found.size_bytes)
    except SpanError as error:
        answer = problem_of(error)
        answer.headers["content-range"] = f"bytes */{error.size_bytes}"
        return answer
    if span is not None:
        headers["content-range"] = f"bytes {span.first}-{span.last}/{found.size_bytes}"
    status, span = (206, span) if span else (200, Span(0, found.size_bytes - 1))
    headers["content-length"] = str(span.length)
    content = await anyio.to_thread.run_sync(store.content, found, span, limiter=limiter)
    body = _read(content, span.length, limiter)
    return StreamingResponse(body, status, headers, media_type=found.media_type)


async def _had(centre: Centre, piece: Piece) -> bool:
    return await anyio.to_thread.run_sync(centre.evidence.had, piece) is not None


async def _receive(centre: Centre, piece: Piece, part: _Part, request: Request) -> Response:
    """Add the body to what is here, and store the piece once it is whole."""
    store = centre.evidence
    partial = await anyio.to_thread.run_sync(store.receive, piece, part.offset, part.length_bytes)
    try:
        await _write(partial, request, centre.uploads.idle_s)
        if not partial.is_whole:
            headers = {"upload-offset": str(partial.size_bytes)} | _UNDER_WAY
            return Response(status_code=204, headers=headers)
        with anyio.CancelScope(shield=True):  # whoever takes over now finds it stored
            stored = await anyio.to_thread.run_sync(
                store.keep, piece, partial, limiter=centre.uploads.storing
            )
        return Response(status_code=201 if stored is Stored.NEW else 200, headers=_STORED)
    finally:
        with anyio.CancelScope(shield=True):  # closing may wait for the disk
            await anyio.to_thread.run_sync(partial.close)


async def _write(partial: Partial, request: Request, idle_s: float) -> None:
    """Write the body to disk as it comes; what came before it broke off is written as well.

    Raises ClientDisconnect, and TimeoutError where nothing comes for ``idle_s``.
    """
    waiting = bytearray()
    stream = request.stream()
    try:
        while True:
            with anyio.fail_after(idle_s):
                chunk = await anext(stream, None)
            if chunk is None:
                break
            waiting += chunk
            if len(waiting) >= _CHUNK_BYTES:
                whole, waiting = bytes(waiting), bytearray()
                await anyio.to_thread.run_sync(partial.write, whole)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(partial.write, bytes(waiting))


async def _read(
    content: Content, length_bytes: int, limiter: CapacityLimiter
) -> AsyncIterator[bytes]:
    """Yield so many bytes, then let go of the file. It breaks off where they end before."""
    try:
        while length_bytes:
            size = min(_CHUNK_BYTES, length_bytes)
            some = await anyio.to_thread.run_sync(content.read, size, limiter=limiter)
            if not some:
                return
            length_bytes -= len(some)
            yield some
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(content.close)


def _limit(centre: Centre) -> dict[str, str]:
    return {"upload-limit": f"max-size={centre.evidence.limit_bytes}"}
