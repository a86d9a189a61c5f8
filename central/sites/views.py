"""Regions, grids, boxes and cameras as the interface sees them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.codes import BoxState, CameraShown
from central.commands.disarmed import disarmed_until
from central.db.models import Box, Camera, Grid, Region
from central.people.views import View
from central.sites.liveness import box_state
from protocol.messages import CameraClockState


class PlaceName(View):
    """A region or a grid; the name is empty where nobody has entered it."""

    code: str
    name: str


class CameraView(View):
    """A camera; its state is unknown while its box is lost.

    ``disarmed_until``: until then rules of it raise no alert (撤防); null where all are armed.
    ``clock_state`` is how far its clock is off (时间偏差), ``clock_offset_ms`` its clock minus the
    box's; null where the box does not know, and while that is lost.
    """

    uid: str
    box_id: str
    camera_id: str
    name: str
    grid_code: str
    grid_name: str
    place: str
    has_sub: bool
    state: CameraShown
    since: datetime
    last_packet_at: datetime | None
    disarmed_until: datetime | None
    clock_state: CameraClockState | None
    clock_offset_ms: int | None


class BoxView(View):
    """A box; ``disk_free_bytes`` is null until its first heartbeat."""

    box_id: str
    name: str
    state: BoxState
    last_seen_at: datetime | None
    outbox_rows: int
    evidence_pending: int
    disk_free_bytes: int | None
    detector: str
    detector_model: str | None
    software: str


class SitesView(View):
    """Everything that stands somewhere."""

    regions: list[PlaceName]
    grids: list[PlaceName]
    boxes: list[BoxView]
    cameras: list[CameraView]


def grid_names(session: Session) -> dict[str, str]:
    """Return the names of all grids by code."""
    return dict(session.execute(select(Grid.code, Grid.name)).all())


def box_view(box: Box, now: datetime) -> BoxView:
    """Return a box as it is at ``now``."""
    return BoxView(
        box_id=box.id,
        name=box.name,
        state=box_state(box.last_seen_at, now, online=box.online),
        last_seen_at=box.last_seen_at,
        outbox_rows=box.outbox_rows,
        evidence_pending=box.evidence_pending,
        disk_free_bytes=box.disk_free_bytes,
        detector=box.detector,
        detector_model=box.detector_model,
        software=box.software,
    )


def box_views(session: Session, now: datetime, ids: Sequence[str] | None = None) -> list[BoxView]:
    """Return boxes in the order of their ids; all of them where none are named."""
    query = select(Box).order_by(Box.id)
    if ids is not None:
        query = query.where(Box.id.in_(ids))
    return [box_view(box, now) for box in session.scalars(query)]


def camera_views(
    session: Session, now: datetime, uids: Sequence[str] | None = None
) -> list[CameraView]:
    """Return the cameras that are present, box by box; all of them where none are named."""
    query = select(Camera).where(Camera.present).order_by(Camera.box_id, Camera.camera_id)
    if uids is not None:
        query = query.where(Camera.uid.in_(uids))
    cameras = list(session.scalars(query))
    grids = grid_names(session)
    lost = {
        box.id
        for box in session.scalars(select(Box))
        if box_state(box.last_seen_at, now, online=box.online) is BoxState.LOST
    }
    disarmed = disarmed_until(session, now)
    return [
        CameraView(
            uid=camera.uid,
            box_id=camera.box_id,
            camera_id=camera.camera_id,
            name=camera.name,
            grid_code=camera.grid_code,
            grid_name=grids.get(camera.grid_code, ""),
            place=camera.place,
            has_sub=camera.has_sub,
            state=CameraShown.UNKNOWN if camera.box_id in lost else camera.state,
            since=camera.since,
            last_packet_at=camera.last_packet_at,
            disarmed_until=disarmed.get(camera.uid),
            clock_state=None if camera.box_id in lost else camera.clock_state,
            clock_offset_ms=None if camera.box_id in lost else camera.clock_offset_ms,
        )
        for camera in cameras
    ]


def sites_view(session: Session, now: datetime) -> SitesView:
    """Return everything that stands somewhere."""
    regions = session.execute(select(Region.code, Region.name).order_by(Region.code))
    return SitesView(
        regions=[PlaceName(code=code, name=name) for code, name in regions],
        grids=[
            PlaceName(code=code, name=name) for code, name in sorted(grid_names(session).items())
        ],
        boxes=box_views(session, now),
        cameras=camera_views(session, now),
    )
