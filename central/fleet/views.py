"""The boxes (主机) as those see them who look after them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central.codes import BoxState, CameraShown, UpgradeRing
from central.db.models import Box, BoxOutbox, Camera, Quarantine
from central.fleet.rule import BoxFacts, BoxWarning, OutboxFacts, box_warnings
from central.people.views import View
from central.sites.liveness import box_state
from protocol.messages import (
    CameraClockState,
    ClockQuality,
    Message,
    OutboxFill,
    UplinkFigures,
)

_Told = TypeVar("_Told", bound=Message)


class CameraClockView(View):
    """A camera whose clock is off; ``offset_ms`` is its clock minus its box's."""

    camera_id: str
    name: str
    state: CameraClockState
    offset_ms: int


class FleetBoxView(View):
    """A box with all it says of itself, and what is wrong with it, gravest first.

    Bytes are null until its first heartbeat. ``cameras_live`` is 0 while the box is lost.
    ``clock_offset_ms`` is its clock minus ours; ``clock``, ``uplink`` and ``outbox`` are its own
    words, null where it is older than they are. ``target_version`` is what it is to run instead of
    ``software``; empty: that. ``camera_clocks`` are those that are off; none while it is lost.
    """

    box_id: str
    name: str
    region_code: str
    state: BoxState
    last_seen_at: datetime | None
    started_at: datetime | None
    software: str
    outbox_rows: int
    outbox_oldest_at: datetime | None
    evidence_pending: int
    disk_free_bytes: int | None
    recording_bytes: int | None
    detector: str
    detector_model: str | None
    cameras: int
    cameras_live: int
    camera_clocks: list[CameraClockView]
    quarantined: int
    upgrade_ring: UpgradeRing
    target_version: str
    clock_offset_ms: int | None
    clock: ClockQuality | None
    uplink: UplinkFigures | None
    outbox: OutboxFill | None
    warnings: list[BoxWarning]


def fleet_views(session: Session, now: datetime) -> list[FleetBoxView]:
    """Return all boxes in the order of their ids."""
    outboxes: defaultdict[str, list[OutboxFacts]] = defaultdict(list)
    for row in session.scalars(select(BoxOutbox)):
        outboxes[row.box_id].append(
            OutboxFacts(row.first_at, row.told_at, row.broken_at, row.missing_since)
        )
    cameras: defaultdict[str, list[Camera]] = defaultdict(list)
    for camera in session.scalars(select(Camera).where(Camera.present).order_by(Camera.uid)):
        cameras[camera.box_id].append(camera)
    kept = _quarantined(session, is_doubled=False)
    doubled = _quarantined(session, is_doubled=True)
    views = []
    for box in session.scalars(select(Box).order_by(Box.id)):
        state = box_state(box.last_seen_at, now, online=box.online)
        fill = _read(OutboxFill, box.outbox)
        count, _ = kept.get(box.id, (0, None))
        facts = BoxFacts(
            state=state,
            detector=box.detector,
            outbox_oldest_at=box.outbox_oldest_at,
            evidence_pending=box.evidence_pending,
            quarantined=count,
            doubled_at=doubled.get(box.id, (0, None))[1],
            clock=_read(ClockQuality, box.clock),
            clock_offset_ms=box.clock_offset_ms,
            full_percent=0 if fill is None else fill.full_percent,
            cameras_clock_off=len(_clocks_off(cameras[box.id])),
            outboxes=outboxes[box.id],
        )
        views.append(_view(box, state, cameras[box.id], count, box_warnings(facts, now)))
    return views


def _quarantined(session: Session, *, is_doubled: bool) -> dict[str, tuple[int, datetime | None]]:
    """Return how many messages of each box are in quarantine, and when one last came."""
    rows = session.execute(
        select(Quarantine.box_id, func.count(), func.max(Quarantine.last_at))
        .where(
            Quarantine.box_id.is_not(None),
            Quarantine.let_go_at.is_(None),
            Quarantine.is_doubled.is_(is_doubled),
        )
        .group_by(Quarantine.box_id)
    )
    return {box_id: (count, last_at) for box_id, count, last_at in rows if box_id}


def _clocks_off(cameras: Sequence[Camera]) -> list[CameraClockView]:
    """Return the cameras whose clocks are off, by their ids."""
    return [
        CameraClockView(
            camera_id=camera.camera_id,
            name=camera.name,
            state=camera.clock_state,
            offset_ms=camera.clock_offset_ms,
        )
        for camera in cameras
        if camera.clock_offset_ms is not None
        and camera.clock_state in (CameraClockState.OFF, CameraClockState.WRONG)
    ]


def _read(kind: type[_Told], document: dict[str, Any] | None) -> _Told | None:
    return None if document is None else kind.model_validate(document)


def _view(
    box: Box,
    state: BoxState,
    cameras: Sequence[Camera],
    quarantined: int,
    warnings: list[BoxWarning],
) -> FleetBoxView:
    is_there = state is not BoxState.LOST
    return FleetBoxView(
        box_id=box.id,
        name=box.name,
        region_code=box.region_code,
        state=state,
        last_seen_at=box.last_seen_at,
        started_at=box.started_at,
        software=box.software,
        outbox_rows=box.outbox_rows,
        outbox_oldest_at=box.outbox_oldest_at,
        evidence_pending=box.evidence_pending,
        disk_free_bytes=box.disk_free_bytes,
        recording_bytes=box.recording_bytes,
        detector=box.detector,
        detector_model=box.detector_model,
        cameras=len(cameras),
        cameras_live=[each.state for each in cameras].count(CameraShown.LIVE) if is_there else 0,
        camera_clocks=_clocks_off(cameras) if is_there else [],
        quarantined=quarantined,
        upgrade_ring=box.upgrade_ring,
        target_version=box.target_version,
        clock_offset_ms=box.clock_offset_ms,
        clock=_read(ClockQuality, box.clock),
        uplink=_read(UplinkFigures, box.uplink),
        outbox=_read(OutboxFill, box.outbox),
        warnings=warnings,
    )
