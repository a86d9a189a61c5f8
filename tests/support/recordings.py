"""A recordings folder with its index, and what a recorder left in it."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import av

from edge.db.database import Database
from edge.media.sample import TICKS_PER_S, Codec, GapReason, Packet, Run, RunEnded, StreamItem
from edge.media.timeline import Timeline
from edge.recording.census import Census, Tally
from edge.recording.coverage import Coverage, coverage
from edge.recording.doomed import Doomed
from edge.recording.index import RecordingIndex
from edge.recording.label import Label
from edge.recording.orphans import Outcome
from edge.recording.recovery import recover
from edge.recording.segment import ClosedFile, Segment
from edge.recording.writer import Recorder
from protocol.clock import Clock, FakeClock
from protocol.relay import StreamName
from tests.support.packets import BEGAN

MAIN = StreamName.MAIN
LONG_AGO = datetime(2000, 1, 1, tzinfo=BEGAN.tzinfo)
FAR_AHEAD = datetime(2100, 1, 1, tzinfo=BEGAN.tzinfo)


class Archive:
    """A database and a recordings folder below ``folder``; open it again for a restart."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        self.clock = clock or FakeClock(BEGAN)
        folder.mkdir(parents=True, exist_ok=True)
        self.database = Database(folder / "box.db")
        self.root = folder / "recordings"
        self.index = RecordingIndex(self.database, self.root)
        self.label = Label(self.database, self.root)
        zone = ZoneInfo("Asia/Shanghai")
        self.doomed = Doomed(self.database, self.root, self.label, zone, self.clock)

    def recorder(self, camera_id: str = "gate", **changes: object) -> Recorder:
        settings: dict = {"segment_s": 4.0, "sync_s": 5.0} | changes
        return Recorder(camera_id, MAIN, self.index, self.clock, **settings)

    def recover(
        self,
        *cameras: str,
        now: datetime | None = None,
        stopped: Collection[tuple[str, StreamName]] = (),
    ) -> Tally:
        """Do all that is done at a start, the census included, and return what was found."""
        first = self.recover_first(*cameras, now=now, stopped=stopped)
        rest = self.census().take()
        assert rest is not None
        return replace(
            rest,
            recovered=rest.recovered + first[Outcome.RECOVERED],
            removed=rest.removed + first[Outcome.REMOVED],
        )

    def recover_first(
        self,
        *cameras: str,
        now: datetime | None = None,
        stopped: Collection[tuple[str, StreamName]] = (),
    ) -> Counter[Outcome]:
        """Do what is done before the recorders run."""
        enabled = [(camera_id, MAIN) for camera_id in cameras]
        now = now or self.clock.now()
        return recover(self.index, self.doomed, self.label, enabled, now, stopped=stopped)

    def census(self) -> Census:
        return Census(self.index, self.doomed, self.label)

    def segments(self, camera_id: str = "gate") -> list[Segment]:
        return self.index.segments(camera_id, MAIN, LONG_AGO, FAR_AHEAD)

    def gaps(self, camera_id: str = "gate") -> list[tuple[datetime, datetime | None, GapReason]]:
        found = self.index.gaps(camera_id, MAIN, LONG_AGO, FAR_AHEAD)
        return [(gap.start, gap.end, gap.reason) for gap in found]

    def coverage(self, start: datetime, end: datetime, camera_id: str = "gate") -> Coverage:
        return coverage(
            self.index.footage(camera_id, MAIN, start, end),
            self.index.gaps(camera_id, MAIN, start, end),
            start,
            end,
        )

    def files(self) -> list[Path]:
        return sorted(self.root.rglob("*.mp4"))

    def close(self) -> None:
        self.database.close()


def timed(packets: Iterable[Packet], codec: Codec = Codec.H264) -> list[StreamItem]:
    """Return what a timeline of the camera "gate" makes of packets."""
    line = Timeline("gate", MAIN, codec)
    return [item for packet in packets for item in line.feed(packet)]


def ended(items: list[StreamItem], reason: GapReason = GapReason.NETWORK) -> list[StreamItem]:
    """Return the items with the end of the last run behind them."""
    run: Run = items[-1].run
    return [*items, RunEnded(run, reason, BEGAN)]


def offer_all(recorder: Recorder, items: Iterable[StreamItem]) -> None:
    for item in items:
        recorder.offer(item)


def recorded(archive: Archive, items: Iterable[StreamItem], **settings: object) -> Recorder:
    """Record items from the start of the recorder to its end."""
    recorder = archive.recorder(**settings)
    recorder.start()
    offer_all(recorder, items)
    recorder.close()
    return recorder


def pictures(path: Path) -> list[tuple[int, int]]:
    """Decode a file from end to end; return pts in ticks and the grey of each picture."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        scale = stream.time_base * TICKS_PER_S
        return [
            (round(frame.pts * scale), int(frame.to_ndarray(format="gray")[60, 80]))
            for frame in container.decode(stream)
        ]


def assert_sound(segment: ClosedFile) -> None:
    """Check recording I1: the file is there, of that size and that hash."""
    data = segment.path.read_bytes()
    assert len(data) == segment.size_bytes
    assert hashlib.sha256(data).hexdigest() == segment.sha256


def at(seconds: float) -> datetime:
    """Return a wall time after BEGAN."""
    return BEGAN + timedelta(seconds=seconds)


def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Return once ``condition`` holds; fail after ``within_s``."""
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.01)


def closed_file(
    archive: Archive,
    start_s: float,
    length_s: float = 10.0,
    *,
    camera_id: str = "gate",
    size_bytes: int = 1000,
    run_id: str = "0" * 32,
    starts_key: bool = True,
    on_disk: bool = True,
) -> ClosedFile:
    """Return a made-up complete file, start_s after BEGAN, of a run that began at BEGAN."""
    start = at(start_s)
    name = f"{start:%H%M%S}-{abs(hash((camera_id, start_s))):032x}.mp4"
    path = archive.root / camera_id / "main" / f"{start:%Y%m%d}" / name
    if on_disk:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size_bytes))
    return ClosedFile(
        camera_id=camera_id,
        stream=MAIN,
        run_id=run_id,
        path=path,
        start=start,
        end=at(start_s + length_s),
        start_dts_90k=round(start_s * TICKS_PER_S),
        duration_90k=round(length_s * TICKS_PER_S),
        size_bytes=size_bytes,
        init_bytes=500,
        codec=Codec.H264,
        mime_codec="avc1.64001f",
        width=640,
        height=360,
        starts_key=starts_key,
        wall_us=round(length_s * 1_000_000),
        sha256="0" * 64,
    )
