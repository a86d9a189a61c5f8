"""Points (点位档案) and the filing of the village's system (备案)."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import Field

from central.errors import NotFoundError
from central.evidence.storage import Content
from central.http.access import ADMIN, DUTY, ActorDep, allow
from central.http.centre import Centre, CentreDep
from central.http.given import Body
from central.http.labels import CodeView, code_views
from central.people.views import View
from central.points import codes
from central.points.codes import DeviceType, Item, PlaceType, PointState
from central.points.desk import Terms
from central.points.picture import clean
from central.points.views import (
    DueView,
    FilingView,
    PointDetail,
    PointView,
    due_view,
    filing_view,
    point_ledger,
    point_views,
)
from protocol.messages import LegalBasis

router = APIRouter(prefix="/api/v1", tags=["points"])

#: ``box.camera``, as its box will call it.
Uid = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{1,30}[a-z0-9]\.[a-z0-9][a-z0-9_-]{0,31}$")]
#: Words that say why.
Why = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]

_CHUNK_BYTES = 256 * 1024


class PutPoint(Body):
    """What a point is. Without ``device_type`` and ``manager_phone`` they stay what they were."""

    place_type: PlaceType
    legal_basis: LegalBasis
    manager_unit: str = Field(min_length=1, max_length=60, pattern=r"\S")
    installed_on: date | None = None
    note: str = Field(default="", max_length=200)
    device_type: DeviceType | None = None
    manager_phone: str | None = Field(default=None, max_length=30)


class Signed(Body):
    """The answers to every item of the checklist: true confirms it."""

    answers: dict[Item, bool]
    note: str = Field(default="", max_length=200)


class Step(Body):
    """Where a point goes, and why."""

    state: PointState
    reason: Why


class Looked(Body):
    """What somebody found of a notice sign."""

    whole: bool
    note: str = Field(default="", max_length=200)


class NewFiling(Body):
    """On which day the system was filed, and under which number."""

    filed_on: date
    number: str = Field(min_length=1, max_length=60, pattern=r"\S")


class PointCodes(View):
    """Every code of points and filings."""

    states: list[CodeView]
    place_types: list[CodeView]
    legal_bases: list[CodeView]
    device_types: list[CodeView]
    checklist: list[CodeView]
    lacks: list[CodeView]
    filing_states: list[CodeView]
    facts: list[CodeView]


@router.get("/points", **allow(*DUTY))
def points(centre: CentreDep) -> list[PointView]:
    """List every camera's file, and the cameras that have none."""
    with centre.database.read() as session:
        return point_views(session, centre.clock.now())


@router.get("/points/codes", **allow(*DUTY))
def point_codes() -> PointCodes:
    """Return the codes in Chinese and English."""
    return PointCodes(
        states=code_views(codes.POINT_STATES),
        place_types=code_views(codes.PLACE_TYPES),
        legal_bases=code_views(codes.LEGAL_BASES),
        device_types=code_views(codes.DEVICE_TYPES),
        checklist=code_views(codes.CHECKLIST),
        lacks=code_views(codes.LACKS),
        filing_states=code_views(codes.FILING_STATES),
        facts=code_views(codes.FACTS),
    )


@router.get("/points/due", **allow(*DUTY))
def due(centre: CentreDep) -> DueView:
    """Return what somebody is to see to."""
    village = centre.config.village
    with centre.database.read() as session:
        return due_view(session, village.region_code, village.zone, centre.clock.now())


@router.get("/points/{uid}", **allow(*DUTY))
def point(uid: Uid, centre: CentreDep) -> PointDetail:
    """Return one camera's file with its history."""
    return _detail(centre, uid)


@router.put("/points/{uid}", **allow(*ADMIN))
def put_point(uid: Uid, body: PutPoint, actor: ActorDep, centre: CentreDep) -> PointDetail:
    """Write down what a point is; its camera may not have been heard of yet."""
    terms = Terms(
        place_type=body.place_type,
        legal_basis=body.legal_basis,
        manager_unit=body.manager_unit.strip(),
        installed_on=body.installed_on,
        note=body.note.strip(),
        device_type=body.device_type,
        manager_phone=None if body.manager_phone is None else body.manager_phone.strip(),
    )
    centre.points.put(uid, terms, actor.id)
    return _detail(centre, uid)


@router.post("/points/{uid}/checklist", **allow(*ADMIN))
def sign_checklist(uid: Uid, body: Signed, actor: ActorDep, centre: CentreDep) -> PointDetail:
    """Sign the checklist of forbidden places in the name of the account's person."""
    centre.points.sign(uid, body.answers, body.note.strip(), actor.id)
    return _detail(centre, uid)


@router.post("/points/{uid}/state", **allow(*ADMIN))
def step(uid: Uid, body: Step, actor: ActorDep, centre: CentreDep) -> PointDetail:
    """Begin or end a trial run, take a point in use, retire it, or begin anew."""
    centre.points.step(uid, body.state, body.reason.strip(), actor.id)
    return _detail(centre, uid)


@router.post("/points/{uid}/sign-check", **allow(*DUTY))
def check_sign(uid: Uid, body: Looked, actor: ActorDep, centre: CentreDep) -> PointDetail:
    """Enter that somebody looked at the notice sign, once a month (article 13)."""
    centre.points.look(uid, body.note.strip(), actor.id, is_whole=body.whole)
    return _detail(centre, uid)


@router.put("/points/{uid}/sign-photo", **allow(*ADMIN))
async def put_photo(uid: Uid, request: Request, actor: ActorDep, centre: CentreDep) -> PointDetail:
    """Keep the photo of the notice sign: a JPEG or PNG as the body, of at most 5 MB."""
    data = await request.body()
    return await run_in_threadpool(_keep_photo, centre, uid, data, actor.id)


@router.get("/points/{uid}/sign-photo", response_class=StreamingResponse, **allow(*DUTY))
def photo(uid: Uid, centre: CentreDep) -> Response:
    """Return the photo of the notice sign."""
    found = centre.photos.find(uid)
    headers = {
        "content-length": str(found.size_bytes),
        "etag": f'"{found.sha256}"',
        "cache-control": "private, no-cache",
    }
    content = centre.photos.content(found)
    return StreamingResponse(_read(content), headers=headers, media_type=found.media_type)


@router.get("/filing", **allow(*DUTY))
def filing(centre: CentreDep) -> FilingView:
    """Return where the village's system stands with its filing."""
    return _filing(centre)


@router.post("/filing", status_code=201, **allow(*ADMIN))
def file(body: NewFiling, actor: ActorDep, centre: CentreDep) -> FilingView:
    """Enter that the system, or what changed of it, was filed."""
    centre.filing.file(body.filed_on, body.number.strip(), actor.id)
    return _filing(centre)


def _detail(centre: Centre, uid: str) -> PointDetail:
    with centre.database.read() as session:
        found = point_views(session, centre.clock.now(), uid)
        if not found:
            raise NotFoundError(f"there is no point {uid}")
        return PointDetail(**dict(found[0]), ledger=point_ledger(session, uid))


def _filing(centre: Centre) -> FilingView:
    village = centre.config.village
    with centre.database.read() as session:
        return filing_view(session, village.region_code, village.zone, centre.clock.now())


def _keep_photo(centre: Centre, uid: str, data: bytes, actor_id: str) -> PointDetail:
    centre.points.hang(centre.photos.keep(uid, clean(data), actor_id), actor_id)
    return _detail(centre, uid)


def _read(content: Content) -> Iterator[bytes]:
    with closing(content):
        while some := content.read(_CHUNK_BYTES):
            yield some
