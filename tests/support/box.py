"""A box's HTTP interface on a real port, over a real index and real files, without cameras."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from edge.config import CameraSection, GatheringSection
from edge.db.database import Database
from edge.health import HealthBoard, StreamBoard
from edge.live.hubs import LiveHubs
from edge.media.sample import Sample
from edge.recording.export import cut
from edge.recording.file import SegmentFile, new_path
from edge.recording.hold_desk import HoldDesk
from edge.recording.index import RecordingIndex
from edge.recording.segment import Segment
from edge.snapshot import PictureTaker
from edge.web.app import create_app
from edge.web.routes import Collaborators
from edge.web.server import HttpServer
from protocol.clock import FakeClock
from protocol.relay import StreamName

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


class IndexClipper:
    """The Clipper over an index."""

    def __init__(self, index: RecordingIndex) -> None:
        self._index = index

    def clip(
        self, camera_id: str, start: datetime, end: datetime, target: Path
    ) -> tuple[datetime, datetime]:
        made = cut(self._index.footage(camera_id, StreamName.MAIN, start, end), start, end, target)
        return made.start, made.end


@dataclass
class Box:
    """The parts of a box that its interface shows."""

    folder: Path
    clock: FakeClock
    database: Database
    index: RecordingIndex
    hubs: LiveHubs
    streams: StreamBoard
    health: HealthBoard
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


@asynccontextmanager
async def running_box(folder: Path) -> AsyncIterator[Box]:
    clock = FakeClock(NOW)
    database = Database(folder / "box.db")
    index = RecordingIndex(database, folder / "recordings")
    hubs = LiveHubs(
        [("gate", StreamName.MAIN), ("gate", StreamName.SUB), ("road", StreamName.MAIN)]
    )
    streams, health = StreamBoard(), HealthBoard(clock)
    app = create_app(
        Collaborators(
            cameras=(GATE, ROAD),
            index=index,
            holds=HoldDesk(database, index, ZONE, clock),
            clipper=IndexClipper(index),
            pictures=PictureTaker(hubs, 150_000),
            hubs=hubs,
            streams=streams,
            health=health,
            scratch=folder / "scratch",
            zone=ZONE,
            clock=clock,
        )
    )
    server = HttpServer(app, "127.0.0.1", 0)
    await server.start()
    try:
        yield Box(folder, clock, database, index, hubs, streams, health, app, server)
    finally:
        hubs.close()
        await server.aclose()
        database.close()
