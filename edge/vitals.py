"""How the box is, for its heartbeat."""

import shutil
from collections.abc import Callable
from typing import Literal

from edge.config import CameraSection, EdgeConfig
from edge.health import StreamBoard
from edge.ports import Vitals
from edge.recording.index import RecordingIndex
from protocol.clock import Clock
from protocol.messages import CameraState, StreamState
from protocol.relay import StreamName

DetectorState = Literal["off", "starting", "live", "down"]


class BoxVitals:
    """The VitalsSource over the parts that know: streams, index, disk and detector."""

    def __init__(
        self,
        config: EdgeConfig,
        streams: StreamBoard,
        index: RecordingIndex,
        clock: Clock,
        detector: Callable[[], tuple[DetectorState, str | None]],
    ) -> None:
        self._cameras = tuple(camera for camera in config.cameras if camera.enabled)
        self._retention_days = config.recording.retention_days
        self._streams = streams
        self._index = index
        self._folder = config.box.data_dir
        self._started_at = clock.now()
        self._detector = detector

    def vitals(self) -> Vitals:
        """Return the box's present state; see the port."""
        state, model = self._detector()
        return Vitals(
            disk_free_bytes=shutil.disk_usage(self._folder).free,
            recording_bytes=self._index.size_bytes(),
            detector=state,
            detector_model=model,
            cameras=tuple(self._camera(camera) for camera in self._cameras),
        )

    def _camera(self, camera: CameraSection) -> CameraState:
        status = self._streams.status(camera.id, StreamName.MAIN)
        return CameraState(
            camera_id=camera.id,
            name=camera.name,
            grid_code=camera.grid_code,
            place=camera.place,
            has_sub=camera.sub_url is not None,
            state=StreamState.CONNECTING if status is None else status.state,
            since=self._started_at if status is None else status.since,
            last_packet_at=None if status is None else status.last_packet_at,
            retention_days=camera.retention_days or self._retention_days,
            legal_basis=camera.legal_basis,
        )
