"""Taking in what boxes say of themselves and their cameras."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.codes import BoxState, FeedKind
from central.db.models import Box, Camera
from central.fleet.clock import offset_ms
from central.ingest.parse import Understood
from central.sites.liveness import box_state, camera_shown
from protocol.messages import CameraState, HeartbeatMessage, StateData, StateMessage

#: What of a box the interface shows; its other columns change with every heartbeat.
_BOX_SHOWN = (
    "name",
    "state",
    "outbox_rows",
    "evidence_pending",
    "detector",
    "detector_model",
    "software",
)
_CAMERA_SHOWN = ("name", "grid_code", "place", "has_sub", "state", "since", "present")


@dataclass(slots=True)
class SiteIntake:
    """Takes a batch's births, wills and heartbeats inside the caller's transaction, in order.

    ``changes`` are the feed's: only what the interface shows otherwise than before.
    """

    session: Session
    boxes: Mapping[str, Box]
    now: datetime
    changes: list[tuple[FeedKind, str]] = field(default_factory=list)

    def take(self, items: Sequence[Understood]) -> None:
        """Bring boxes and cameras up to date."""
        speaking = {
            item.topic.box_id
            for item in items
            if isinstance(item.message, StateMessage | HeartbeatMessage)
        }
        cameras = {
            camera.uid: camera
            for camera in self.session.scalars(select(Camera).where(Camera.box_id.in_(speaking)))
        }
        boxes_before = {box_id: _shown(self.boxes[box_id], _BOX_SHOWN) for box_id in speaking}
        states_before = {box_id: self.boxes[box_id].state for box_id in speaking}
        before = {uid: _shown(camera, _CAMERA_SHOWN) for uid, camera in cameras.items()}
        for item in items:
            box = self.boxes[item.topic.box_id]
            if isinstance(item.message, StateMessage):
                self._state(box, item.message, item.received.received_at, cameras)
            elif isinstance(item.message, HeartbeatMessage):
                self._heartbeat(box, item.message, item.received.received_at, cameras)
        for box_id in sorted(speaking):
            box = self.boxes[box_id]
            box.state = box_state(box.last_seen_at, self.now, online=box.online)
            if _shown(box, _BOX_SHOWN) != boxes_before[box_id]:
                self.changes.append((FeedKind.BOX, box_id))
        for uid, camera in sorted(cameras.items()):
            lost = BoxState.LOST in (states_before[camera.box_id], self.boxes[camera.box_id].state)
            flipped = states_before[camera.box_id] is not self.boxes[camera.box_id].state
            if _shown(camera, _CAMERA_SHOWN) != before.get(uid) or (lost and flipped):
                self.changes.append((FeedKind.CAMERA, uid))

    def _state(
        self, box: Box, message: StateMessage, received_at: datetime, cameras: dict[str, Camera]
    ) -> None:
        data: StateData = message.data
        if not data.online:
            # The will of a connection that is over says nothing of the one that came after it.
            if data.connection_id in (None, box.connection_id):
                box.online = False
            return
        box.online, box.connection_id = True, data.connection_id
        # A birth is retained: it may be an old one of a box that is long gone.
        seen = min(message.time, received_at)
        box.last_seen_at = max(box.last_seen_at or seen, seen)
        box.name = data.box_name or box.name
        box.software = data.software
        box.boot_id, box.started_at = data.boot_id, data.started_at
        for camera in cameras.values():
            if camera.box_id == box.id:
                camera.present = False
        self._cameras(box, data.cameras, cameras)

    def _heartbeat(
        self, box: Box, message: HeartbeatMessage, received_at: datetime, cameras: dict[str, Camera]
    ) -> None:
        data = message.data
        box.online = True
        box.last_seen_at = max(box.last_seen_at or received_at, received_at)
        box.boot_id, box.last_sequence = data.boot_id, data.last_sequence
        box.outbox_rows, box.outbox_oldest_at = data.outbox_rows, data.outbox_oldest_at
        box.evidence_pending = data.evidence_pending
        box.disk_free_bytes, box.recording_bytes = data.disk_free_bytes, data.recording_bytes
        box.detector, box.detector_model = data.detector, data.detector_model
        box.clock, box.uplink, box.outbox = map(_document, (data.clock, data.uplink, data.outbox))
        box.clock_offset_ms = offset_ms(box.clock_offset_ms, message.time, received_at)
        self._cameras(box, data.cameras, cameras)

    def _cameras(self, box: Box, states: Sequence[CameraState], cameras: dict[str, Camera]) -> None:
        for state in states:
            uid = f"{box.id}.{state.camera_id}"
            camera = cameras.get(uid)
            if camera is None:
                camera = Camera(uid=uid, box_id=box.id, camera_id=state.camera_id)
                cameras[uid] = camera
                self.session.add(camera)
            camera.name, camera.grid_code = state.name, state.grid_code
            camera.place, camera.has_sub = state.place, state.has_sub
            camera.state, camera.since = camera_shown(state.state), state.since
            camera.last_packet_at = state.last_packet_at
            camera.retention_days = state.retention_days
            camera.legal_basis = state.legal_basis
            camera.present = True


def _document(told: BaseModel | None) -> dict[str, Any] | None:
    return None if told is None else told.model_dump(mode="json", exclude_none=True)


def _shown(row: Box | Camera, columns: Sequence[str]) -> tuple[object, ...]:
    return tuple(getattr(row, column) for column in columns)
