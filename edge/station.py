"""The part of the box that must never stop: pull, record, show. It knows nothing of the rest."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from edge.config import CameraSection, EdgeConfig, Secret
from edge.db.examination import Examination
from edge.health import Component, Condition, StreamBoard
from edge.ingest.choice import ChosenOpener
from edge.ingest.fanout import Fanout
from edge.ingest.reader import Reader
from edge.ingest.worker import StreamWorker
from edge.live.hubs import LiveHubs
from edge.media.sample import GapReason
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
_Part = TypeVar("_Part")


class Station:
    """All cameras' streams, their recorders and their live hubs, over the box's database.

    A damaged database is made anew first. ``start`` does what the last run of the process left,
    begins to record, and brings the index and all files into agreement beside it. Subscribers that
    come later may begin between two key frames. ``claim`` is the data folder's, where it is taken
    already; it is given back with the rest.
    """

    def __init__(self, config: EdgeConfig, clock: Clock, claim: Claim | None = None) -> None:
        config.check_place()
        config.box.data_dir.mkdir(parents=True, exist_ok=True)
        zone = ZoneInfo(config.box.time_zone)
        self._claim = claim or Claim(config.box.data_dir)
        self.database = open_database(config, clock, claim)
        self._examination = Examination(self.database)
        folder = config.recordings_folder()
        self.label = Label(self.database, folder)
        self.doomed = Doomed(self.database, folder, self.label, zone, clock)
        self.index = RecordingIndex(self.database, folder)
        rebuild = Rebuild(self.database, self.index, clock)
        self._rebuild = rebuild if rebuild.is_pending() else None
        self._census = Census(self.index, self.doomed, self.label, self._rebuild)
        self._clock = clock
        self.hubs = LiveHubs(())
        self.streams = StreamBoard(self.hubs.last_sample_at)
        self._stopped = _stopped(config)
        self._listeners: tuple[StatusListener, ...] = (self.streams, self.hubs)
        self._reader = Reader(clock)
        self._pulls: Mapping[StreamKey, _Pull] = {}
        self._recorders: Mapping[StreamKey, Recorder] = {}
        self._fanouts: Mapping[StreamKey, Fanout] = {}
        self._openers: Mapping[StreamKey, ChosenOpener] = {}
        self._workers: Mapping[StreamKey, StreamWorker] = {}
        for key, pull in _pulls(config).items():
            self._build(key, pull)

    def _build(self, key: StreamKey, pull: "_Pull") -> None:
        """Make the parts of one stream; none of them runs."""
        always: list[Subscriber] = [self.hubs.add(key)]
        if pull.files is not None:
            recorder = Recorder(*key, self.index, self._clock, *pull.files)
            self._recorders = {**self._recorders, key: recorder}
            always.insert(0, recorder)
        opener = ChosenOpener.of_camera(pull.camera, key[1], self._reader, self._clock)
        self._openers = {**self._openers, key: opener}
        self._fanouts = {**self._fanouts, key: Fanout(f"{key[0]}/{key[1]}", *always)}
        self._pulls = {**self._pulls, key: pull}

    @property
    def pulled(self) -> Collection[StreamKey]:
        """The streams that are to come by the configuration that it goes by."""
        return self._pulls.keys()

    def listen(self, listener: StatusListener) -> None:
        """Tell ``listener`` how every stream is, and of every change from now on."""
        self._listeners = (*self._listeners, listener)
        for status in self.streams.statuses():
            listener.stream_changed(status)

    def unlisten(self, listener: StatusListener) -> None:
        """Tell ``listener`` nothing more, but for a change being told just now. Idempotent."""
        self._listeners = tuple(each for each in self._listeners if each is not listener)

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
        self._watched(camera_id).subscribe(subscriber)

    def unwatch(self, camera_id: str, subscriber: Subscriber) -> None:
        """Offer ``subscriber`` nothing more of the camera. Idempotent."""
        self._watched(camera_id).unsubscribe(subscriber)

    def _watched(self, camera_id: str) -> Fanout:
        main = self._fanouts[camera_id, StreamName.MAIN]
        return self._fanouts.get((camera_id, StreamName.SUB), main)

    def start(self) -> None:
        """Record from now on. Blocks for the recovery.

        Raises StorageError, also where another box records into the same folder.
        """
        self._claim.take()
        self._workers = {key: self._worker(key) for key in self._pulls}
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
            stopped=self._stopped,
            reads_back=self._rebuild is None,
        )
        for recorder in self._recorders.values():
            recorder.start()
        self._census.start()
        self._examination.start()

    def _worker(self, key: StreamKey) -> StreamWorker:
        return StreamWorker(*key, self._openers[key], self._fanouts[key], (self,), self._clock)

    def apply(self, config: EdgeConfig) -> None:
        """Pull and record what another configuration says, from now on (settings S5).

        Streams that it pulls and records just the same go on untouched; others end, with a gap of
        reason CONFIG, or OPERATOR where a person switched them off, and new ones begin. The box's
        folders are those it was made with. Nobody may watch, listen or view meanwhile. Blocks, for
        seconds where a camera or the disk is slow. Raises StorageError; to go back is then to apply
        the configuration before.
        """
        wanted = _pulls(config)
        self._stopped = _stopped(config)
        self._end([key for key, pull in self._pulls.items() if wanted.get(key) != pull])
        self.doomed.go_by(ZoneInfo(config.box.time_zone))
        for key in [key for key in wanted if key not in self._pulls]:
            self._begin(key, wanted[key])

    def _begin(self, key: StreamKey, pull: "_Pull") -> None:
        try:
            self._build(key, pull)
            if key in self._recorders:
                self._recorders[key].start()
            worker = self._worker(key)
            worker.start()
        except BaseException:
            self._forget(key)
            raise
        self._workers = {**self._workers, key: worker}
        log.info("stream.begun", extra={"camera_id": key[0], "stream": key[1].value})

    def _end(self, keys: Collection[StreamKey]) -> None:
        reasons = {
            key: GapReason.OPERATOR if key in self._stopped else GapReason.CONFIG for key in keys
        }
        for key in keys:
            self._workers[key].stop(reasons[key])
        for key in keys:
            self._workers[key].close()
            if key in self._recorders:
                self._recorders[key].close(reason=reasons[key])
            self._forget(key)
            log.info("stream.ended", extra={"camera_id": key[0], "stream": key[1].value})

    def _forget(self, key: StreamKey) -> None:
        self._pulls = _without(self._pulls, key)
        self._recorders = _without(self._recorders, key)
        self._fanouts = _without(self._fanouts, key)
        self._openers = _without(self._openers, key)
        self._workers = _without(self._workers, key)
        self.hubs.drop(key)
        self.streams.forget(*key)

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

    def clock_offset(self, camera_id: str) -> timedelta | None:
        """Return a camera's clock less the box's by what its main, else its sub-stream says.

        None where neither says it (ChosenOpener.clock_offset); from any thread.
        """
        for stream in (StreamName.MAIN, StreamName.SUB):
            opener = self._openers.get((camera_id, stream))
            offset = None if opener is None else opener.clock_offset()
            if offset is not None:
                return offset
        return None

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
            "packets": sum(worker.packets for worker in workers),
            "connects": sum(worker.connects for worker in workers),
            "read_by_ffmpeg": sum(opener.is_ffmpeg for opener in openers),
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


@dataclass(frozen=True, slots=True)
class _Pull:
    """What a stream's coming and its files depend on: where two are equal, nothing has changed.

    ``files`` is the length of a file and how often it is synced, in seconds; None: none are kept.
    """

    camera: CameraSection = field(compare=False)
    url: str
    login: tuple[str | None, Secret | None]
    reader: tuple[str, str]
    files: tuple[float, float] | None


def _pulls(config: EdgeConfig) -> dict[StreamKey, _Pull]:
    """Return what is pulled of the cameras that are enabled, in their order."""
    recording = config.recording
    files = (recording.segment_s, recording.sync_s) if recording.enabled else None
    return {
        (camera.id, stream): _Pull(
            camera,
            camera.url(stream),
            (camera.username, camera.password),
            (camera.transport, camera.reader),
            files if stream is StreamName.MAIN or camera.record_sub else None,
        )
        for camera in config.cameras
        if camera.enabled
        for stream in _streams(camera)
    }


def _stopped(config: EdgeConfig) -> frozenset[StreamKey]:
    """Return the streams that would be kept, had nobody switched the camera or recording off."""
    return frozenset(
        (camera.id, stream)
        for camera in config.cameras
        if not (camera.enabled and config.recording.enabled)
        for stream in _streams(camera)
        if stream is StreamName.MAIN or camera.record_sub
    )


def _streams(camera: CameraSection) -> Sequence[StreamName]:
    """Return the streams of a camera that are pulled."""
    if camera.sub_url is None:
        return (StreamName.MAIN,)
    return StreamName.MAIN, StreamName.SUB


def _without(parts: Mapping[StreamKey, _Part], key: StreamKey) -> dict[StreamKey, _Part]:
    return {each: part for each, part in parts.items() if each != key}
