"""The part of the box that must never stop: pull, record, show. It knows nothing of the rest."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

from edge.config import CameraSection, EdgeConfig
from edge.db.examination import Examination
from edge.health import Component, Condition, StreamBoard
from edge.ingest.choice import ChosenOpener
from edge.ingest.fanout import Fanout
from edge.ingest.reader import Reader
from edge.ingest.worker import StreamWorker
from edge.live.hubs import LiveHubs
from edge.ports import StatusListener, StreamStatus, Subscriber
from edge.recording.census import Census
from edge.recording.claim import Claim
from edge.recording.doomed import Doomed
from edge.recording.index import RecordingIndex
from edge.recording.label import Label
from edge.recording.rebuild import Rebuild
from edge.recording.recovery import recover
from edge.recording.writer import Recorder
from edge.rescue import open_database
from edge.rtsp.flaws import Flaws
from protocol.clock import Clock
from protocol.messages import StreamState
from protocol.relay import StreamName

log = logging.getLogger(__name__)

StreamKey = tuple[str, StreamName]


class Station:
    """All cameras' streams, their recorders and their live hubs, over the box's database.

    A damaged database is made anew first. ``start`` does what the last run of the process left,
    begins to record, and brings the index and all files into agreement beside it. Subscribers that
    come later may begin between two key frames.
    """

    def __init__(self, config: EdgeConfig, clock: Clock) -> None:
        config.check_place()
        config.box.data_dir.mkdir(parents=True, exist_ok=True)
        zone = ZoneInfo(config.box.time_zone)
        self._claim = Claim(config.box.data_dir)
        self.database = open_database(config, clock)
        self._examination = Examination(self.database)
        folder = config.recordings_folder()
        self.label = Label(self.database, folder)
        self.doomed = Doomed(self.database, folder, self.label, zone, clock)
        self.index = RecordingIndex(self.database, folder)
        rebuild = Rebuild(self.database, self.index, clock)
        self._rebuild = rebuild if rebuild.is_pending() else None
        self._census = Census(self.index, self.doomed, self.label, self._rebuild)
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
        self._reader = Reader(clock)
        self._openers = {
            key: ChosenOpener.of_camera(camera, key[1], self._reader, clock)
            for camera in self._cameras
            for key in _streams(camera)
        }
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
        """Offer ``subscriber`` the camera's sub-stream, or its main stream where it has none.

        What is seen in it is told a moment later, when another group of pictures may have begun:
        for that picture the groups before the newest are kept.
        """
        for stream in StreamName:
            self.hubs.hub(camera_id, stream).keep_previous()
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
        recover(
            self.index,
            self.doomed,
            self.label,
            self._recorders.keys(),
            self._clock.now(),
            reads_back=self._rebuild is None,
        )
        for recorder in self._recorders.values():
            recorder.start()
        self._census.start()
        self._examination.start()

    def _worker(self, camera: CameraSection, key: StreamKey) -> StreamWorker:
        return StreamWorker(
            camera.id,
            key[1],
            self._openers[key],
            self._fanouts[key],
            (self,),
            self._clock,
        )

    def close(self) -> None:
        """Stop pulling, write and index what came, and wait for it; idempotent.

        The database stays open: others write to it until the end.
        """
        self._examination.close()
        self._census.close()
        for worker in self._workers.values():
            worker.stop()  # all first: waiting for one must not let the others run on
        for worker in self._workers.values():
            worker.close()
        self._reader.close()
        for recorder in self._recorders.values():
            recorder.close()
        self._claim.close()

    def component(self, camera_id: str) -> Component:
        """Return how one camera is, for the health board."""
        statuses = [s for s in self.streams.statuses() if s.camera_id == camera_id]
        recorders = [each for key, each in self._recorders.items() if key[0] == camera_id]
        fanouts = [fanout for key, fanout in self._fanouts.items() if key[0] == camera_id]
        workers = [worker for key, worker in self._workers.items() if key[0] == camera_id]
        stats = [hub for key, hub in self.hubs.stats().items() if key[0] == camera_id]
        openers = [opener for key, opener in self._openers.items() if key[0] == camera_id]
        flaws = sum((opener.flaws for opener in openers), Flaws())
        figures = {
            "without_sub": int((camera_id, StreamName.SUB) not in self._openers),
            "packets": sum(worker.packets for worker in workers),
            "connects": sum(worker.connects for worker in workers),
            "read_by_ffmpeg": sum(opener.is_ffmpeg for opener in openers),
            "only_by_udp": sum(opener.is_only_udp for opener in openers),
            "recoded_pictures": sum(opener.recoded.pictures for opener in openers),
            "lost_packets": flaws.lost,
            "torn_units": flaws.torn,
            "stray_bytes": flaws.stray,
            "recorded_segments": sum(recorder.segments for recorder in recorders),
            "recorder_dropped": sum(recorder.dropped for recorder in recorders),
            "recorder_write_errors": sum(recorder.write_errors for recorder in recorders),
            "recorder_unindexed": sum(recorder.unindexed for recorder in recorders),
            "recorder_unwritten": sum(recorder.unwritten for recorder in recorders),
            "subscribers_detached": sum(fanout.detached for fanout in fanouts),
            "viewers": sum(hub.viewers for hub in stats),
            "viewer_dropped": sum(hub.dropped for hub in stats),
        }
        if not statuses:
            return Component(Condition.DOWN, "no status yet", figures)
        lost = [status for status in statuses if status.state is not StreamState.LIVE]
        troubles = [*map(_told, lost), *_troubles(figures)]
        condition = Condition.DEGRADED if troubles else Condition.OK
        if len(lost) == len(statuses):
            condition = Condition.DOWN
        return Component(condition, "; ".join([*troubles, *_notes(figures)]) or None, figures)


def _told(status: StreamStatus) -> str:
    """Return in words which stream does not come, and why."""
    why = "" if status.error is None else f": {status.error}"
    return f"{status.stream} stream {status.state}{why}"


def _troubles(figures: Mapping[str, int]) -> Iterator[str]:
    """Yield in words what of a camera that sends is lost or late."""
    if detached := figures["subscribers_detached"]:
        yield f"receivers that failed and get nothing until a restart: {detached}"
    if unindexed := figures["recorder_unindexed"]:
        yield f"index entries that wait: {unindexed}"
    if unwritten := figures["recorder_unwritten"]:
        yield f"index entries given up since the start: {unwritten}"
    if dropped := figures["recorder_dropped"]:
        yield f"pictures not recorded since the start: {dropped}"


def _notes(figures: Mapping[str, int]) -> Iterator[str]:
    """Yield in words what a camera does badly all by itself, and still does well enough.

    A connection may begin in the middle of a picture: one torn unit each is no wonder.
    """
    torn = figures["torn_units"]
    if torn > figures["connects"]:
        yield f"the camera sends torn pictures: {torn} since the start"
    if figures["without_sub"]:
        yield "no sub-stream: live view and detector take the main one, the latter its key frames"
    if figures["recoded_pictures"]:
        yield "the camera sends single pictures: the box makes video of them, which costs it time"
    if figures["only_by_udp"]:
        yield "the camera sends by UDP only: what the network loses is missing in its pictures"


def _streams(camera: CameraSection) -> list[StreamKey]:
    """Return the streams of a camera that are pulled."""
    sub = [(camera.id, StreamName.SUB)] if camera.sub_url is not None else []
    return [(camera.id, StreamName.MAIN), *sub]


def _recorded(camera: CameraSection) -> list[StreamKey]:
    """Return the streams of a camera that are kept."""
    sub = [(camera.id, StreamName.SUB)] if camera.record_sub else []
    return [(camera.id, StreamName.MAIN), *sub]
