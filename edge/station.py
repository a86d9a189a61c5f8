"""The part of the box that must never stop: pull, record, show. It knows nothing of the rest."""

import logging
from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.config import CameraSection, EdgeConfig
from edge.db.database import Database
from edge.health import Component, Condition, StreamBoard
from edge.ingest.fanout import Fanout
from edge.ingest.rtsp import RtspOpener
from edge.ingest.worker import StreamWorker
from edge.live.hubs import LiveHubs
from edge.ports import StatusListener, StreamStatus, Subscriber
from edge.recording.census import Census
from edge.recording.claim import Claim
from edge.recording.doomed import Doomed
from edge.recording.index import RecordingIndex
from edge.recording.label import Label
from edge.recording.recovery import recover
from edge.recording.writer import Recorder
from protocol.clock import Clock
from protocol.messages import StreamState
from protocol.relay import StreamName

log = logging.getLogger(__name__)

StreamKey = tuple[str, StreamName]


class Station:
    """All cameras' streams, their recorders and their live hubs, over the box's database.

    ``start`` does what the last run of the process left, begins to record, and brings the index and
    all files into agreement beside it. Subscribers that come later may begin between two key
    frames.
    """

    def __init__(self, config: EdgeConfig, clock: Clock) -> None:
        config.box.data_dir.mkdir(parents=True, exist_ok=True)
        zone = ZoneInfo(config.box.time_zone)
        self._claim = Claim(config.box.data_dir)
        self.database = Database(config.box.data_dir / "box.db")
        folder = recordings_folder(config)
        self.label = Label(self.database, folder)
        self.doomed = Doomed(self.database, folder, self.label, zone, clock)
        self.index = RecordingIndex(self.database, folder)
        self._census = Census(self.index, self.doomed, self.label)
        self._cameras = tuple(camera for camera in config.cameras if camera.enabled)
        self._clock = clock
        keys = [key for camera in self._cameras for key in _streams(camera)]
        self.hubs = LiveHubs(keys)
        self.streams = StreamBoard(self.hubs.last_sample_at)
        self._recorders = {
            key: Recorder(
                *key,
                self.index,
                clock,
                config.recording.segment_s,
                config.recording.sync_s,
            )
            for camera in self._cameras
            if config.recording.enabled
            for key in _recorded(camera)
        }
        self._listeners: tuple[StatusListener, ...] = (self.streams, self.hubs)
        self._fanouts = {key: Fanout(f"{key[0]}/{key[1]}", *self._always(key)) for key in keys}
        self._workers: dict[StreamKey, StreamWorker] = {}

    def _always(self, key: StreamKey) -> Iterable[Subscriber]:
        if key in self._recorders:
            yield self._recorders[key]
        yield self.hubs.hub(*key)

    def listen(self, listener: StatusListener) -> None:
        """Tell ``listener`` how every stream is, and of every change from now on."""
        self._listeners = (*self._listeners, listener)
        for status in self.streams.statuses():
            listener.stream_changed(status)

    def stream_changed(self, status: StreamStatus) -> None:
        """Pass a stream's change on to all listeners; the promise of StatusListener."""
        for listener in self._listeners:
            listener.stream_changed(status)

    def watch(self, camera_id: str, subscriber: Subscriber) -> None:
        """Offer ``subscriber`` the camera's sub-stream, or its main stream where it has none."""
        key = (camera_id, StreamName.SUB)
        self._fanouts.get(key, self._fanouts[camera_id, StreamName.MAIN]).subscribe(subscriber)

    def start(self) -> None:
        """Record from now on. Blocks for the recovery.

        Raises StorageError, also where another box records into the same folder.
        """
        self._claim.take()
        self._workers = {
            key: self._worker(camera, key) for camera in self._cameras for key in _streams(camera)
        }
        # The cameras answer while the last run's open files are looked at; what they send meanwhile
        # waits in the recorders' queues.
        for worker in self._workers.values():
            worker.start()
        recover(self.index, self.doomed, self.label, self._recorders.keys(), self._clock.now())
        for recorder in self._recorders.values():
            recorder.start()
        self._census.start()

    def _worker(self, camera: CameraSection, key: StreamKey) -> StreamWorker:
        return StreamWorker(
            camera.id,
            key[1],
            RtspOpener.of_camera(camera, key[1], self._clock),
            self._fanouts[key],
            (self,),
            self._clock,
        )

    def close(self) -> None:
        """Stop pulling, write and index what came, and wait for it; idempotent.

        The database stays open: others write to it until the end.
        """
        self._census.close()
        for worker in self._workers.values():
            worker.stop()  # all first: waiting for one must not let the others run on
        for worker in self._workers.values():
            worker.close()
        for recorder in self._recorders.values():
            recorder.close()
        self._claim.close()

    def component(self, camera_id: str) -> Component:
        """Return how one camera is, for the health board."""
        statuses = [s for s in self.streams.statuses() if s.camera_id == camera_id]
        lost = [s for s in statuses if s.state is not StreamState.LIVE]
        recorders = [each for key, each in self._recorders.items() if key[0] == camera_id]
        workers = [worker for key, worker in self._workers.items() if key[0] == camera_id]
        stats = [hub for key, hub in self.hubs.stats().items() if key[0] == camera_id]
        figures = {
            "packets": sum(worker.packets for worker in workers),
            "connects": sum(worker.connects for worker in workers),
            "recorded_segments": sum(recorder.segments for recorder in recorders),
            "recorder_dropped": sum(recorder.dropped for recorder in recorders),
            "recorder_write_errors": sum(recorder.write_errors for recorder in recorders),
            "viewers": sum(hub.viewers for hub in stats),
            "viewer_dropped": sum(hub.dropped for hub in stats),
        }
        if len(lost) == len(statuses):
            return Component(Condition.DOWN, lost[0].error if lost else "no status yet", figures)
        degraded = bool(lost) or bool(figures["recorder_dropped"])
        condition = Condition.DEGRADED if degraded else Condition.OK
        return Component(condition, lost[0].error if lost else None, figures)


def recordings_folder(config: EdgeConfig) -> Path:
    """Return where the recordings are."""
    return config.box.data_dir / "recordings"


def _streams(camera: CameraSection) -> list[StreamKey]:
    """Return the streams of a camera that are pulled."""
    sub = [(camera.id, StreamName.SUB)] if camera.sub_url is not None else []
    return [(camera.id, StreamName.MAIN), *sub]


def _recorded(camera: CameraSection) -> list[StreamKey]:
    """Return the streams of a camera that are kept."""
    sub = [(camera.id, StreamName.SUB)] if camera.record_sub else []
    return [(camera.id, StreamName.MAIN), *sub]
