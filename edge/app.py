"""The composition root of the edge: all but the station and its process is built here."""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from edge.alerts.budget import Budget
from edge.alerts.desk import Desk
from edge.alerts.event import EventWriter
from edge.alerts.evidence import EvidenceCourier
from edge.alerts.evidence_store import EvidenceStore
from edge.boot import Boot
from edge.box_alert import BoxAlert
from edge.bus.outbox import Outbox
from edge.commands.arming import ArmedDesk
from edge.commands.desk import CommandDesk
from edge.commands.masks import masks_component, masks_in
from edge.commands.timekeeper import timekeeper
from edge.config import EdgeConfig
from edge.crowds.history import CrowdHistory
from edge.exports.exporter import Exporter
from edge.exports.ordering import Village
from edge.exports.shelf import Shelf
from edge.health import Component, Condition, Figure, HealthBoard
from edge.lookout import Lookout
from edge.machine import machine_name
from edge.previews.process import PictureProcess
from edge.previews.taker import PreviewTaker
from edge.recording.clipper import RecordedClips
from edge.recording.forecast import Forecast
from edge.recording.hold_desk import HoldDesk
from edge.recording.janitor import Janitor
from edge.recording.retention import CameraPolicy, Policy
from edge.recording.stock import Stocktaker
from edge.settings.desk import SettingsDesk
from edge.settings.trial import names
from edge.snapshot import PictureTaker
from edge.station import Station
from edge.vitals import BoxVitals
from edge.web.app import create_app
from edge.web.routes import Collaborators
from edge.web.rules import RuleRoutes
from edge.web.server import HttpServer
from edge.web.settings import SettingsRoutes
from edge.web.setup import SetupRoutes
from edge.web.storage import StorageRoutes
from protocol.clock import Clock
from protocol.messages import AlertKind

if TYPE_CHECKING:
    from edge.reporting import Reporting

log = logging.getLogger(__name__)

_GB = 1_000_000_000
#: What is imported only where there is a centre.
_FOR_A_CENTRE = ("edge.reporting", "edge.alerts.upload")


def import_late_parts(config: EdgeConfig) -> None:
    """Import now what a box with this configuration imports late: its forks then have it."""
    if config.centre is not None:
        for name in _FOR_A_CENTRE:
            importlib.import_module(name)


class Edge:
    """The whole box around a station that records already, and goes on when this one has ended."""

    def __init__(
        self,
        config: EdgeConfig,
        station: Station,
        settings: SettingsDesk,
        boot: Boot,
        clock: Clock,
    ) -> None:
        self._config = config
        self._clock = clock
        self._station = station
        self._settings = settings
        self._boot = boot
        self._database = station.database
        self._heard: Callable[[], bool] | None = None

    def hears(self) -> bool:
        """Return whether the centre was heard since the start, or there is none; at once."""
        return self._config.centre is None or (self._heard is not None and self._heard())

    async def run(self, until: Callable[[], Awaitable[None]]) -> None:
        """Do everything else until ``until`` returns, then stop all in order and return.

        ``until`` is called once all has begun. Raises ConfigError where a secret is missing, and
        StorageError.
        """
        board = HealthBoard(self._clock, self._boot.started_at)
        board.add("settings", self._settings.component)
        for camera in self._config.cameras:
            if camera.enabled:
                board.add(f"camera.{camera.id}", partial(self._station.component, camera.id))
        async with contextlib.AsyncExitStack() as stack:  # closed last to first
            pictures = PictureTaker(self._station.hubs, self._config.evidence.snapshot_max_bytes)
            clips = RecordedClips(self._station.index)
            crowds = CrowdHistory(self._database, self._clock)
            crowds.start()
            board.add("crowds", crowds.component)
            stack.push_async_callback(asyncio.to_thread, crowds.close)
            masks = partial(masks_in, self._database)
            lookout = Lookout(self._config, self._station, self._clock, crowds.counted, masks)
            board.add("masks", lambda: masks_component(masks(), self._config))
            board.add("detector", lookout.component)
            reporting = self._reporting(stack, board)
            desk = self._start_alerts(stack, board, lookout, pictures, clips, reporting)
            storage = self._start_janitor(stack, board, desk)
            exporter = self._start_exports(stack, board)
            zone = ZoneInfo(self._config.box.time_zone)
            rules = RuleRoutes(self._config.cameras, zone, crowds, self._clock)
            server = await self._start_web(stack, board, pictures, clips, storage, exporter, rules)
            if reporting is not None:
                await reporting.start_uplink(lambda: server.url)
            log.info("edge.ready", extra={"box_id": self._config.box.id, "url": server.url})
            await until()

    def _start_alerts(
        self,
        stack: contextlib.AsyncExitStack,
        board: HealthBoard,
        lookout: Lookout,
        pictures: PictureTaker,
        clips: RecordedClips,
        reporting: "Reporting | None",
    ) -> Desk:
        """Start evidence and bus, and return the desk that wakes them."""
        config, clock = self._config, self._clock
        boot = self._boot
        outbox = Outbox(self._database, clock, config.outbox.limits())
        machine = machine_name()
        if machine is not None and outbox.settle_on(machine):
            log.warning("outbox.begun_anew", extra={"why": "the disk is from another machine"})
        store = EvidenceStore(self._database)
        wakes: list[Callable[[], None]] = []
        budget: Budget | None = None
        commands = CommandDesk(
            config,
            self._database,
            outbox,
            clock,
            boot_id=boot.boot_id,
            timekeeper=timekeeper(config.commands, boot.watch.quality),
            tuner=self._settings.tuner(lambda: names(self._station.streams.live())),
            on_commit=wakes,
        )
        if reporting is not None:
            wake, budget = reporting.start_bus(
                outbox,
                commands,
                self._vitals(lookout),
                boot=boot,
                evidence_pending=store.pending,
            )
            wakes.append(wake)
            self._heard = reporting.hears
        courier = EvidenceCourier(
            config, store, pictures, clips, clock, budget=budget, on_settled=commands.wake
        )
        wakes.append(courier.wake)
        if reporting is not None:
            board.add("evidence", courier.component)
        courier.start()
        stack.push_async_callback(asyncio.to_thread, courier.close)
        desk = Desk(
            config,
            self._database,
            outbox,
            clock,
            EventWriter(config, boot.boot_id, boot.watch.quality),
            model_of=lookout.model_of,
            on_commit=wakes,
        )
        desk.end_orphans()
        if reporting is not None:
            reporting.follow(desk, outbox)
        armed = ArmedDesk(desk, self._database, clock)
        commands.start(armed, lookout.mask)
        stack.push_async_callback(asyncio.to_thread, commands.close)
        lookout.start(armed)
        stack.push_async_callback(asyncio.to_thread, lookout.close)
        return desk

    def _start_janitor(
        self, stack: contextlib.AsyncExitStack, board: HealthBoard, desk: Desk
    ) -> StorageRoutes:
        policy = retention_policy(self._config)
        janitor = Janitor(
            self._database,
            self._station.index,
            self._station.doomed,
            self._station.label,
            policy,
            self._clock,
            BoxAlert(AlertKind.STORAGE, desk, self._clock),
        )
        janitor.spare(self._spared)
        cameras = [camera.id for camera in self._config.cameras]
        stocktaker = Stocktaker(
            self._database, self._station.index, janitor.disk, policy, cameras, self._clock
        )
        board.add("storage", partial(_storage_component, janitor, stocktaker))
        janitor.start()
        stack.push_async_callback(asyncio.to_thread, janitor.close)
        evidence = EvidenceStore(self._database)
        return StorageRoutes(stocktaker, evidence, lambda: janitor.trouble, frozenset(cameras))

    def _spared(self) -> Policy | None:
        """Return what nothing is deleted of for now: what is tried may be taken back."""
        before = self._settings.before_trial()
        return None if before is None else retention_policy(before)

    def _start_exports(self, stack: contextlib.AsyncExitStack, board: HealthBoard) -> Exporter:
        box = self._config.box
        places = {camera.id: camera.name for camera in self._config.cameras}
        exporter = Exporter(
            Shelf(box.data_dir / "exports"),
            self._station.index,
            self._database,
            Village(box.id, box.name, box.time_zone, places),
            self._clock,
            self._config.recording.min_free_fraction,
        )
        exporter.start()
        board.add("exports", exporter.component)
        stack.push_async_callback(asyncio.to_thread, exporter.close)
        return exporter

    async def _start_web(
        self,
        stack: contextlib.AsyncExitStack,
        board: HealthBoard,
        pictures: PictureTaker,
        clips: RecordedClips,
        storage: StorageRoutes,
        exporter: Exporter,
        rules: RuleRoutes,
    ) -> HttpServer:
        http = self._config.http
        zone = ZoneInfo(self._config.box.time_zone)
        holds = HoldDesk(self._database, self._station.index, zone, self._clock)
        board.add("holds", holds.component)
        previews = PreviewTaker(self._station.index, self._clock, PictureProcess())
        stack.callback(previews.close)
        collaborators = Collaborators(
            cameras=self._config.cameras,
            index=self._station.index,
            holds=holds,
            clipper=clips,
            exporter=exporter,
            pictures=pictures,
            previews=previews,
            hubs=self._station.hubs,
            streams=self._station.streams,
            health=board,
            storage=storage,
            rules=rules,
            settings=SettingsRoutes(self._settings),
            scratch=self._config.box.data_dir / "scratch",
            zone=zone,
            clock=self._clock,
            setup=SetupRoutes(
                self._boot.enroller, self._station.streams, self._settings.changed_cameras
            ),
        )
        app = create_app(collaborators, http.host)
        self._station.hubs.reopen()
        server = HttpServer(app, http.host, http.port, self._boot.door)
        await server.start()
        stack.push_async_callback(server.aclose)
        stack.callback(self._station.hubs.close)
        return server

    def _reporting(
        self, stack: contextlib.AsyncExitStack, board: HealthBoard
    ) -> "Reporting | None":
        centre = self._config.centre
        if centre is None:
            return None
        # house: late import - what talks to a centre costs 8 MB, and not every box has one
        from edge.reporting import Reporting  # noqa: PLC0415

        return Reporting(self._config, centre, self._station, self._clock, stack, board)

    def _vitals(self, lookout: Lookout) -> BoxVitals:
        return BoxVitals(
            self._config,
            self._station.streams,
            self._station.index,
            self._clock,
            lookout.detector_state,
        )


def retention_policy(config: EdgeConfig) -> Policy:
    """Return what the configuration says of how long and how much is kept."""
    recording = config.recording
    return Policy(
        recording.retention_days,
        _bytes(recording.quota_gb),
        recording.min_free_fraction,
        {
            camera.id: CameraPolicy(
                camera.retention_days or recording.retention_days, _bytes(camera.quota_gb)
            )
            for camera in config.cameras
        },
    )


def _bytes(gb: float | None) -> int | None:
    return None if gb is None else round(gb * _GB)


def _storage_component(janitor: Janitor, stocktaker: Stocktaker) -> Component:
    ahead = stocktaker.forecast()
    figures: dict[str, Figure] = {
        "deleted": janitor.deleted,
        "fits_days": min(
            (each.fits_days for each in ahead.cameras if each.fits_days), default=None
        ),
        "full_in_days": ahead.full_in_days,
    }
    trouble = janitor.trouble or _shortage(ahead)
    return Component(Condition.OK if trouble is None else Condition.DEGRADED, trouble, figures)


def _shortage(ahead: Forecast) -> str | None:
    """Return what can't be kept for as long as was promised, if anything."""
    short = [each for each in ahead.cameras if each.is_short]
    if not short:
        return None
    worst = min(short, key=lambda each: (each.fits_days or 0.0) / each.days)
    return (
        f"at today's rate the disk holds {worst.fits_days:.1f} days of camera {worst.camera_id}, "
        f"{worst.days} are promised"
    )
