"""A box's HTTP interface on a real port, over a real index and real files, without cameras."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from edge.alerts.evidence_store import EvidenceStore
from edge.config import CameraSection
from edge.crowds.history import CrowdHistory
from edge.db.database import Database
from edge.exports.exporter import Exporter
from edge.exports.ordering import Village
from edge.exports.shelf import Shelf
from edge.health import HealthBoard, StreamBoard
from edge.live.hubs import LiveHubs
from edge.media.sample import Sample
from edge.previews.process import PictureProcess
from edge.previews.taker import PreviewTaker
from edge.recording.clipper import RecordedClips
from edge.recording.file import SegmentFile, new_path
from edge.recording.hold_desk import HoldDesk
from edge.recording.index import RecordingIndex
from edge.recording.retention import CameraPolicy, Disk, Policy
from edge.recording.segment import Segment
from edge.recording.stock import Stocktaker
from edge.rule_config import GatheringSection
from edge.settings.desk import SettingsDesk
from edge.settings.effective import ConfigFile, effective
from edge.settings.store import SettingsStore
from edge.snapshot import PictureTaker
from edge.web.app import create_app
from edge.web.routes import Collaborators
from edge.web.rules import RuleRoutes
from edge.web.server import HttpServer
from edge.web.settings import SettingsRoutes
from edge.web.storage import StorageRoutes
from protocol.clock import Clock, FakeClock
from protocol.relay import StreamName
from tests.support.tools import ROOT

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 2, 0, 0, tzinfo=UTC)

GATE = CameraSection(
    id="gate",
    name="村口",
    grid_code="330521100201001",
    place="村口牌坊",
    main_url="rtsp://10.0.0.9/main",
    sub_url="rtsp://10.0.0.9/sub",
    rules=(GatheringSection(id="crowd"),),
)
ROAD = CameraSection(
    id="road", name="老街", grid_code="330521100201002", main_url="rtsp://10.0.0.8/main"
)


#: 30 days of 10 GB a day, and what must stay free.
DISK = Disk(total_bytes=400_000_000_000, free_bytes=320_000_000_000, used_bytes=0)
POLICY = Policy(30, None, 0.05, {"gate": CameraPolicy(30), "road": CameraPolicy(90)})


@dataclass
class Box:
    """The parts of a box that its interface shows."""

    folder: Path
    clock: FakeClock
    database: Database
    index: RecordingIndex
    holds: HoldDesk
    hubs: LiveHubs
    streams: StreamBoard
    health: HealthBoard
    exporter: Exporter
    previews: PreviewTaker
    crowds: CrowdHistory
    app: FastAPI
    server: HttpServer

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    def record(self, samples: Sequence[Sample]) -> Segment:
        """Keep samples of one run as one recorded file, one fragment a sample."""
        file = write(self.index, samples)
        return self.index.add(file.close())


def write(index: RecordingIndex, samples: Sequence[Sample]) -> SegmentFile:
    """Return an open recorded file that holds the samples."""
    file = SegmentFile(new_path(index.root, samples[0]), samples[0])
    for sample in samples:
        file.append((sample,), (sample.duration_90k,))
    return file


def settings_desk(folder: Path, clock: Clock) -> SettingsDesk:
    """Return the settings of a box whose file says what the village's example does."""
    path = folder / "edge.toml"
    text = (ROOT / "configs/edge.village.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("/var/lib/tanshao", str(folder)), encoding="utf-8")
    file = ConfigFile.read(path)
    store = SettingsStore.of(file.config, clock)
    return SettingsDesk(file, store, effective(file, store))


@asynccontextmanager
async def running_box(folder: Path, now: datetime = NOW) -> AsyncIterator[Box]:
    clock = FakeClock(now)
    database = Database(folder / "box.db")
    index = RecordingIndex(database, folder / "recordings")
    hubs = LiveHubs(
        [("gate", StreamName.MAIN), ("gate", StreamName.SUB), ("road", StreamName.MAIN)]
    )
    holds = HoldDesk(database, index, ZONE, clock)
    previews = PreviewTaker(index, clock, PictureProcess())
    streams, health = StreamBoard(), HealthBoard(clock)
    village = Village("box-01", "下村", "Asia/Shanghai", {"gate": "村口", "road": "老街"})
    exporter = Exporter(Shelf(folder / "exports"), index, database, village, clock, 0.01)
    exporter.start()
    crowds = CrowdHistory(database, clock)
    crowds.start()
    app = create_app(
        Collaborators(
            cameras=(GATE, ROAD),
            index=index,
            holds=holds,
            clipper=RecordedClips(index),
            exporter=exporter,
            pictures=PictureTaker(hubs, 150_000),
            previews=previews,
            hubs=hubs,
            streams=streams,
            health=health,
            storage=StorageRoutes(
                stocktaker=Stocktaker(
                    database, index, lambda: DISK, POLICY, [GATE.id, ROAD.id], clock
                ),
                evidence=EvidenceStore(database),
                trouble=lambda: None,
                configured=frozenset({GATE.id, ROAD.id}),
            ),
            rules=RuleRoutes((GATE, ROAD), ZONE, crowds, clock),
            settings=SettingsRoutes(settings_desk(folder, clock)),
            scratch=folder / "scratch",
            zone=ZONE,
            clock=clock,
        )
    )
    server = HttpServer(app, "127.0.0.1", 0)
    await server.start()
    try:
        yield Box(
            folder,
            clock,
            database,
            index,
            holds,
            hubs,
            streams,
            health,
            exporter,
            previews,
            crowds,
            app,
            server,
        )
    finally:
        crowds.close()
        exporter.close()
        hubs.close()
        await server.aclose()
        previews.close()
        database.close()
