"""Points in the database: which are tried, and the system as a filing would tell it."""

from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.db.models import Camera, Filing, Point
from central.points.codes import DeviceType, PointState
from central.points.filing import Filed, InUse
from central.points.states import Papers

#: Why an alert that its box calls a real one is only logged, for its record.
TRIED_WORDS = "点位试运行"


def tried_among(session: Session, uids: Collection[str]) -> frozenset[str]:
    """Return which of these cameras' points are in trial; nothing is asked for none."""
    if not uids:
        return frozenset()
    tried = select(Point.uid).where(Point.uid.in_(uids), Point.state == PointState.TRIAL)
    return frozenset(session.scalars(tried))


def papers_of(point: Point) -> Papers:
    """Return what is there of a point's file."""
    return Papers(
        place_type=point.place_type,
        legal_basis=point.legal_basis,
        manager_unit=point.manager_unit,
        installed_on=date.fromisoformat(point.installed_on) if point.installed_on else None,
        is_clear=point.checklist is not None and all(point.checklist.values()),
        has_photo=point.photo_id is not None,
    )


def in_use(session: Session, zone: ZoneInfo) -> list[InUse]:
    """Return the cameras in use as a filing would tell of them, in the order of uids."""
    rows = session.execute(
        select(Point, Camera)
        .outerjoin(Camera, Camera.uid == Point.uid)
        .where(Point.state == PointState.IN_USE)
        .order_by(Point.uid)
    ).all()
    return [_in_use(point, camera, zone) for point, camera in rows]


def last_filing(session: Session, region_code: str, *, lock: bool = False) -> Filing | None:
    """Return the filing that counts."""
    query = select(Filing).where(Filing.region_code == region_code).order_by(Filing.id.desc())
    return session.scalars((query.with_for_update() if lock else query).limit(1)).first()


def filed_of(filing: Filing) -> tuple[Filed, ...]:
    """Return what a filing said."""
    return tuple(
        Filed(
            uid=each["uid"],
            place=each["place"],
            device_type=DeviceType(each["device_type"]),
            unit=each["unit"],
            retention_days=each["retention_days"],
        )
        for each in filing.facts["cameras"]
    )


def _in_use(point: Point, camera: Camera | None, zone: ZoneInfo) -> InUse:
    assert point.in_use_since is not None
    assert point.legal_basis is not None
    where = (camera.place or camera.name) if camera else point.uid
    return InUse(
        facts=Filed(
            uid=point.uid,
            place=where,
            device_type=point.device_type,
            unit=point.manager_unit,
            retention_days=camera.retention_days if camera else None,
        ),
        legal_basis=point.legal_basis,
        since=point.in_use_since.astimezone(zone).date(),
    )
