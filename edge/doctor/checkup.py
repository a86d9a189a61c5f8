"""``python -m edge doctor``: everything that is looked at, of one configuration."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Semaphore
from zoneinfo import ZoneInfo

from edge.config import CameraSection, CentreSection, EdgeConfig, Secret
from edge.doctor import box, broker, camera, centre, clock, disk, model, network
from edge.doctor.box import SettingsFacts
from edge.doctor.camera import Room, StreamFacts, room_of
from edge.doctor.disk import Limits, Use
from edge.doctor.examination import Patient, examine_all
from edge.doctor.finding import Finding, Kind
from edge.doctor.probes import box as box_probe
from edge.doctor.probes import broker as broker_probe
from edge.doctor.probes import camera as camera_probe
from edge.doctor.probes import centre as centre_probe
from edge.doctor.probes import clock as clock_probe
from edge.doctor.probes import disk as disk_probe
from edge.doctor.probes import model as model_probe
from edge.doctor.probes import network as network_probe
from edge.doctor.probes.box import RunningBox
from edge.doctor.redaction import Redaction
from edge.doctor.report import Head, Report
from edge.errors import ConfigError, NotFoundError
from edge.settings.effective import Effective, counts
from models.store import ModelStore
from protocol.clock import Clock
from protocol.relay import StreamName

#: Where the configuration can't be read.
_ZONE = ZoneInfo("Asia/Shanghai")
#: Cameras that are read at a time.
_READERS = 8
_QUICK_S = 10.0
_LINE_S = 25.0
_DISK_S = 30.0
_ROOM_S = 5.0
_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Checkup:
    """One look at a box, be it running or not. Changes nothing.

    ``write`` allows a test file on the disks. ``only`` limits it to cameras of these ids.
    """

    path: Path
    clock: Clock
    write: bool = False
    only: frozenset[str] = frozenset()

    def run(self) -> tuple[Report, ZoneInfo]:
        """Look at everything side by side; return the report and the zone to tell its time in.

        Raises NotFoundError where ``only`` names a camera that is not configured.
        """
        try:
            found = counts(self.path, self.clock)
        except ConfigError as error:
            return self._of_machine(str(error)), _ZONE
        config = found.config
        if unknown := self.only - {each.id for each in config.cameras}:
            raise NotFoundError(f"no camera {', '.join(sorted(unknown))}")
        running = box_probe.ask(config.http)
        room: Future[Room | None] = Future()
        patients = [
            Patient("settings", _QUICK_S, lambda: box.judge_settings(_settings(found))),
            *self._box(config, running, room),
            *self._line(config, running),
        ]
        asked = [each for each in config.cameras if not self.only or each.id in self.only]
        readers = Semaphore(_READERS)
        rounds = -(-len(asked) // _READERS)
        patients += [self._camera(each, room, readers, rounds) for each in asked]
        names = {each.id: each.name for each in config.cameras}
        head = Head(config.box.id, box_probe.software(), self.clock.now(), names)
        findings = examine_all(patients, self.clock)
        return Report(head, findings, Redaction(_secrets(config))), ZoneInfo(config.box.time_zone)

    def _of_machine(self, problem: str) -> Report:
        """Return what can be said without a configuration."""
        patients = [
            Patient("config", _QUICK_S, lambda: box.judge_config(problem, ())),
            Patient("machine", _QUICK_S, lambda: box.judge_machine(box_probe.machine())),
            Patient("clock", _QUICK_S, lambda: clock.judge(clock_probe.look_at(self.clock))),
            Patient("network", _QUICK_S, lambda: network.judge(network_probe.route(), None)),
        ]
        head = Head("", box_probe.software(), self.clock.now())
        return Report(head, examine_all(patients, self.clock), Redaction(()))

    def _box(
        self, config: EdgeConfig, running: RunningBox, room: Future[Room | None]
    ) -> Iterator[Patient]:
        """Yield what is in the box itself."""
        yield Patient("config", _QUICK_S, lambda: box.judge_config(None, _unreadable(config)))
        yield Patient(
            "program",
            _QUICK_S,
            lambda: box.judge_program(box_probe.program(config, running)),
        )
        yield Patient("machine", _QUICK_S, lambda: box.judge_machine(box_probe.machine()))
        yield Patient(
            str(config.recordings_folder()),
            _DISK_S,
            lambda: self._disks(config, running, room),
            late=Kind.DISK_HANGS,
        )
        yield Patient("clock", _QUICK_S, lambda: clock.judge(clock_probe.look_at(self.clock)))
        yield Patient("model", _DISK_S, lambda: _models(config))

    def _line(self, config: EdgeConfig, running: RunningBox) -> Iterator[Patient]:
        """Yield what is between the box and its centre."""
        if config.centre is None:
            yield Patient("centre", _QUICK_S, lambda: [Finding(Kind.CENTRE_ABSENT)])
            yield Patient("network", _QUICK_S, lambda: network.judge(network_probe.route(), None))
            return
        section = config.centre
        yield Patient("network", _LINE_S, lambda: self._network(section))
        yield Patient("broker", _LINE_S, lambda: self._broker(config, section, running))
        yield Patient(
            "centre",
            _LINE_S,
            lambda: centre.judge(
                centre_probe.look_at(config.box.id, section, self.clock), self.clock.now()
            ),
        )

    def _network(self, section: CentreSection) -> Iterator[Finding]:
        trip = network_probe.trip(*centre_probe.address(section), self.clock)
        yield from network.judge(network_probe.route(), trip)

    def _broker(
        self, config: EdgeConfig, section: CentreSection, running: RunningBox
    ) -> Iterator[Finding]:
        is_running = running.parts is not None or box_probe.lock_holder(config) is not None
        facts = broker_probe.look_at(
            config.box,
            section,
            is_connected=running.is_connected,
            may_log_in=running.is_connected is False or not is_running,
            waiting=running.waiting,
        )
        yield from broker.judge(facts, self.clock.now())

    def _disks(
        self, config: EdgeConfig, running: RunningBox, room: Future[Room | None]
    ) -> Iterator[Finding]:
        recordings = disk_probe.look_at(
            Use.RECORDINGS,
            config.recordings_folder(),
            self.clock,
            is_made=config.recording.folder is None,
            write=self.write,
        )
        quota = config.recording.quota_gb
        limits = Limits(
            config.recording.min_free_fraction, None if quota is None else round(quota * _GB)
        )
        sharing = sum(each.enabled for each in config.cameras)
        foreseen = {each.camera_id for each in running.expected}
        promised = {
            each.id: each.retention_days or config.recording.retention_days
            for each in config.cameras
            if each.id not in foreseen
        }
        room.set_result(room_of(recordings, limits, running.used_bytes, sharing, promised))
        data = disk_probe.look_at(
            Use.DATABASE, config.box.data_dir, self.clock, is_made=True, write=False
        )
        yield from disk.judge([recordings, data], limits, running.expected)

    def _camera(
        self, section: CameraSection, room: Future[Room | None], readers: Semaphore, rounds: int
    ) -> Patient:
        if not section.enabled:
            return Patient(section.id, _QUICK_S, lambda: [Finding(Kind.CAMERA_OFF, section.id)])
        streams = 1 if section.sub_url is None else 2
        limit_s = rounds * streams * camera_probe.STREAM_LIMIT_S
        return Patient(section.id, limit_s, partial(self._streams, section, room, readers))

    def _streams(
        self, section: CameraSection, room: Future[Room | None], readers: Semaphore
    ) -> Iterator[Finding]:
        main = self._looked_at(section, StreamName.MAIN, readers)
        sub = None
        # The same password would be wrong twice, and some cameras lock the account.
        if section.sub_url is not None and not main.is_login_refused:
            sub = self._looked_at(section, StreamName.SUB, readers)
        yield from camera.judge(section.id, main, sub, _known(room))

    def _looked_at(
        self, section: CameraSection, stream: StreamName, readers: Semaphore
    ) -> StreamFacts:
        target = camera_probe.Target.of_camera(section, stream, self.clock)
        return camera_probe.look_at(target, readers, self.clock)


def _known(room: Future[Room | None]) -> Room | None:
    """Return the room; None where the disk does not say it in time, as one that hangs."""
    try:
        return room.result(_ROOM_S)
    except TimeoutError:
        return None


def _models(config: EdgeConfig) -> Iterator[Finding]:
    if not config.detect.enabled:
        yield Finding(Kind.MODEL_OFF)
        return
    store = ModelStore(config.detect.model_dirs)
    facts = model_probe.look_at(config.detect, store)
    yield from model.judge(facts, store.problems, model_probe.missing_runtime(config.detect))


def _settings(found: Effective) -> SettingsFacts:
    version = found.version
    undone = version.reason if version.undoes is not None else None
    return SettingsFacts(version.number, version.actor, found.trouble, undone)


def _unreadable(config: EdgeConfig) -> list[str]:
    try:
        config.check_secrets()
    except ConfigError as error:
        return [str(error)]
    return []


def _secrets(config: EdgeConfig) -> Iterator[str]:
    """Yield every secret of the configuration that can be read, to be kept out of the report."""
    sections: list[Secret | None] = [each.password for each in config.cameras]
    sections.append(None if config.centre is None else config.centre.token)
    for section in sections:
        if section is None:
            continue
        try:
            yield section.read().get_secret_value()
        except ConfigError:
            continue  # what can't be read can't be told
