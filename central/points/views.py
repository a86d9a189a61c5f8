"""Points and filings as the interface sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.alerts.views import LedgerView, ledger_views
from central.codes import CameraShown
from central.db.models import Camera, Filing, Person, Point, PointLedger, SignPhoto
from central.people.views import PersonView, View, person_view, person_views
from central.points.book import filed_of, in_use, last_filing, papers_of
from central.points.codes import (
    DeviceType,
    Fact,
    FilingState,
    Item,
    Lack,
    PlaceType,
    PointState,
)
from central.points.filing import Filed, needs_filing, standing, to_file
from central.points.states import lacks, sign_due_at, trial_is_long
from central.sites.views import PlaceName, grid_names
from protocol.messages import LegalBasis


class ChecklistView(View):
    """A signed checklist; true confirms an item, ``clear`` is whether all are confirmed."""

    answers: dict[Item, bool]
    clear: bool
    note: str
    by: PersonView
    at: datetime


class SignView(View):
    """The notice sign; its photo is at ``/points/{uid}/sign-photo``.

    ``due_at`` is when it is to be looked at again; null where the point is not in use.
    """

    photo_sha256: str
    width: int
    height: int
    stored_at: datetime
    stored_by: PersonView
    checked_at: datetime
    whole: bool
    due_at: datetime | None
    is_due: bool


class PointView(View):
    """A camera's file. ``unregistered``: the camera is there and nobody has made it one.

    ``present`` is whether its box has such a camera now, ``known`` whether it ever had.
    ``box_legal_basis`` and ``retention_days`` are its box's words. ``lacks`` is what is missing for
    use. ``trial_is_long``: it is tried for 30 days or more.
    """

    uid: str
    box_id: str
    camera_id: str
    name: str
    grid: PlaceName
    place: str
    known: bool
    present: bool
    camera_state: CameraShown | None
    retention_days: int | None
    box_legal_basis: LegalBasis | None
    state: PointState
    state_since: datetime | None
    in_use_since: datetime | None
    trial_is_long: bool
    place_type: PlaceType | None
    legal_basis: LegalBasis | None
    device_type: DeviceType
    manager_unit: str
    manager_phone: str
    installed_on: date | None
    note: str
    checklist: ChecklistView | None
    sign: SignView | None
    lacks: list[Lack]


class PointDetail(PointView):
    """A point with its history."""

    ledger: list[LedgerView]


class DueView(View):
    """What somebody is to see to; nothing of it is an alarm."""

    filing: FilingState
    filing_days_left: int | None
    unregistered: int
    trials_long: int
    signs_due: int


class FiledView(View):
    """What a filing says of one camera."""

    uid: str
    name: str
    place: str
    device_type: DeviceType
    unit: str
    retention_days: int | None


class ChangeView(View):
    """What is not as it was filed."""

    fact: Fact
    uid: str
    name: str
    before: str
    now: str


class LastFilingView(View):
    """What the police was last told, when, and who entered it."""

    filed_on: date
    number: str
    entered_by: PersonView
    entered_at: datetime
    cameras: list[FiledView]


class FilingView(View):
    """Where the village's system stands.

    ``cameras`` is what a filing would say now; ``exempt`` cameras are in use without needing one
    (articles 9 and 33), ``unregistered`` ones have no file yet. ``changed_since`` is when the
    system was first seen to be otherwise than filed, ``changed_days`` how many days ago.
    """

    state: FilingState
    due_on: date | None
    days_left: int | None
    changes: list[ChangeView]
    changed_since: datetime | None
    changed_days: int | None
    last: LastFilingView | None
    cameras: list[FiledView]
    exempt: int
    unregistered: int
    ledger: list[LedgerView]


@dataclass(frozen=True, slots=True)
class _Around:
    """What of points is in other tables."""

    grids: Mapping[str, str]
    people: Mapping[str, PersonView]
    photos: Mapping[UUID, SignPhoto]
    now: datetime


def point_views(session: Session, now: datetime, uid: str | None = None) -> list[PointView]:
    """Return the points and the cameras without one, in the order of uids; or that of ``uid``."""
    points_query, cameras_query = select(Point), select(Camera)
    if uid is not None:
        points_query = points_query.where(Point.uid == uid)
        cameras_query = cameras_query.where(Camera.uid == uid)
    points = {point.uid: point for point in session.scalars(points_query)}
    cameras = {camera.uid: camera for camera in session.scalars(cameras_query)}
    photo_ids = [point.photo_id for point in points.values() if point.photo_id is not None]
    photos = {
        photo.id: photo
        for photo in session.scalars(select(SignPhoto).where(SignPhoto.id.in_(photo_ids)))
    }
    signers = [point.checklist_by for point in points.values()]
    people = person_views(session, signers + [photo.stored_by for photo in photos.values()])
    around = _Around(grid_names(session), people, photos, now)
    shown = points.keys() | {uid for uid, camera in cameras.items() if camera.present}
    return [_whole(each, points.get(each), cameras.get(each), around) for each in sorted(shown)]


def point_ledger(session: Session, subject: str) -> list[LedgerView]:
    """Return what happened to a point, or to the filing of a region."""
    entries = session.scalars(
        select(PointLedger).where(PointLedger.subject == subject).order_by(PointLedger.position)
    ).all()
    return ledger_views(session, entries)


def filing_view(session: Session, region_code: str, zone: ZoneInfo, now: datetime) -> FilingView:
    """Return where a village's system stands with its filing."""
    used = in_use(session, zone)
    filing = last_filing(session, region_code)
    filed = filed_of(filing) if filing else None
    found = standing(used, filed, now.astimezone(zone).date())
    names = dict(session.execute(select(Camera.uid, Camera.name)).all())
    since = filing.changed_since if filing else None
    if found.changes and since is None:
        since = now
    return FilingView(
        state=found.state,
        due_on=found.due_on,
        days_left=found.days_left,
        changes=[
            ChangeView(
                fact=each.fact,
                uid=each.uid,
                name=names.get(each.uid, ""),
                before=each.before,
                now=each.now,
            )
            for each in found.changes
        ],
        changed_since=since if found.changes else None,
        changed_days=(now - since).days if since and found.changes else None,
        last=_last(session, filing, filed, names) if filing and filed is not None else None,
        cameras=_filed(to_file(used), names),
        exempt=sum(not needs_filing(each.legal_basis) for each in used),
        unregistered=len(_without_file(session)),
        ledger=point_ledger(session, region_code),
    )


def due_view(session: Session, region_code: str, zone: ZoneInfo, now: datetime) -> DueView:
    """Return what somebody is to see to."""
    filing = last_filing(session, region_code)
    filed = filed_of(filing) if filing else None
    found = standing(in_use(session, zone), filed, now.astimezone(zone).date())
    points = session.scalars(select(Point)).all()
    return DueView(
        filing=found.state,
        filing_days_left=found.days_left,
        unregistered=len(_without_file(session)),
        trials_long=sum(trial_is_long(each.state, each.state_since, now) for each in points),
        signs_due=sum(_is_due(_sign_due_at(each), now) for each in points),
    )


def _without_file(session: Session) -> Sequence[str]:
    """Return the uids of cameras that are there and have no file."""
    filed = select(Point.uid)
    return session.scalars(
        select(Camera.uid).where(Camera.present, Camera.uid.not_in(filed)).order_by(Camera.uid)
    ).all()


def _sign_due_at(point: Point) -> datetime | None:
    return sign_due_at(
        point.state, point.state_since, point.sign_checked_at, is_whole=point.sign_whole
    )


def _is_due(due_at: datetime | None, now: datetime) -> bool:
    return due_at is not None and due_at <= now


def _whole(uid: str, point: Point | None, camera: Camera | None, around: _Around) -> PointView:
    box_id, _, camera_id = uid.partition(".")
    grid_code = camera.grid_code if camera else ""
    papers = papers_of(point) if point else None
    return PointView(
        uid=uid,
        box_id=box_id,
        camera_id=camera_id,
        name=camera.name if camera else "",
        grid=PlaceName(code=grid_code, name=around.grids.get(grid_code, "")),
        place=camera.place if camera else "",
        known=camera is not None,
        present=camera is not None and camera.present,
        camera_state=camera.state if camera else None,
        retention_days=camera.retention_days if camera else None,
        box_legal_basis=camera.legal_basis if camera else None,
        state=point.state if point else PointState.UNREGISTERED,
        state_since=point.state_since if point else None,
        in_use_since=point.in_use_since if point else None,
        trial_is_long=bool(point and trial_is_long(point.state, point.state_since, around.now)),
        place_type=papers.place_type if papers else None,
        legal_basis=papers.legal_basis if papers else None,
        device_type=point.device_type if point else DeviceType.FIXED,
        manager_unit=papers.manager_unit if papers else "",
        manager_phone=point.manager_phone if point else "",
        installed_on=papers.installed_on if papers else None,
        note=point.note if point else "",
        checklist=_checklist(point, around) if point else None,
        sign=_sign(point, around) if point else None,
        lacks=list(lacks(papers, PointState.IN_USE)) if papers else list(Lack),
    )


def _checklist(point: Point, around: _Around) -> ChecklistView | None:
    if point.checklist is None or point.checklist_by is None or point.checklist_at is None:
        return None
    return ChecklistView(
        answers={Item(item): answer for item, answer in point.checklist.items()},
        clear=all(point.checklist.values()),
        note=point.checklist_note,
        by=around.people[point.checklist_by],
        at=point.checklist_at,
    )


def _sign(point: Point, around: _Around) -> SignView | None:
    if point.photo_id is None or point.sign_checked_at is None:
        return None
    photo = around.photos[point.photo_id]
    due_at = _sign_due_at(point)
    return SignView(
        photo_sha256=photo.sha256,
        width=photo.width,
        height=photo.height,
        stored_at=photo.stored_at,
        stored_by=around.people[photo.stored_by],
        checked_at=point.sign_checked_at,
        whole=point.sign_whole,
        due_at=due_at,
        is_due=_is_due(due_at, around.now),
    )


def _last(
    session: Session, filing: Filing, filed: Sequence[Filed], names: Mapping[str, str]
) -> LastFilingView:
    return LastFilingView(
        filed_on=date.fromisoformat(filing.filed_on),
        number=filing.number,
        entered_by=person_view(session.get_one(Person, filing.entered_by)),
        entered_at=filing.entered_at,
        cameras=_filed(filed, names),
    )


def _filed(facts: Sequence[Filed], names: Mapping[str, str]) -> list[FiledView]:
    return [
        FiledView(
            uid=each.uid,
            name=names.get(each.uid, ""),
            place=each.place,
            device_type=each.device_type,
            unit=each.unit,
            retention_days=each.retention_days,
        )
        for each in facts
    ]
