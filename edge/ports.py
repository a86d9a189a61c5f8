"""The seams of the edge: what one component may ask of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import SecretStr

from edge.detect.fault import PictureFault
from edge.media.sample import StreamItem
from edge.recording.fitting import Fit
from protocol.messages import (
    AlertKind,
    AlertLevel,
    AlertMode,
    AlertOp,
    CameraState,
    CommandMessage,
    StreamState,
)
from protocol.relay import StreamName

if TYPE_CHECKING:
    from edge.config import CameraSection


class Subscriber(Protocol):
    """Someone who wants a stream's samples: the recorder, the live hub, the detector's feed."""

    def offer(self, item: StreamItem) -> None:
        """Take an item. Called in the ingest thread: returns at once, never blocks, never raises.

        A subscriber that can't keep up drops by its own stated policy and counts what it dropped.
        """


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A stream as its supervisor judges it. ``since`` is when the state began."""

    camera_id: str
    stream: StreamName
    state: StreamState
    since: datetime
    last_packet_at: datetime | None
    error: str | None = None  # redacted


class StatusListener(Protocol):
    """Someone who wants to know when a stream comes or goes."""

    def stream_changed(self, status: StreamStatus) -> None:
        """Take a change. Called in the ingest thread, under the rules of Subscriber.offer."""


@dataclass(frozen=True, slots=True)
class Box:
    """A person's place in the picture, normalised to 0–1, for the length of one rule update.

    It has no identity, is never stored and never leaves the process (design: what it never does).
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float


@dataclass(frozen=True, slots=True)
class Detections:
    """What the detector saw in one frame. ``at`` is the frame's wall time on its run.

    ``aspect`` is the picture's width over its height: with it distances between boxes can be had
    in the picture's own proportions.
    """

    camera_id: str
    run_id: str
    pts_90k: int
    at: datetime
    boxes: tuple[Box, ...]
    aspect: float = 4 / 3


#: left, top, right, bottom, each 0-1.
Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One box of a look: flame or smoke, where (0-1), how sure, and how much moves in it.

    ``motion`` is the mean change of its pixels since the look before, in grey levels of 255.
    """

    kind: AlertKind
    box: Rectangle
    score: float
    motion: float


@dataclass(frozen=True, slots=True)
class Sightings:
    """What looked like flame or smoke in one frame; ``at`` is its wall time on its run."""

    camera_id: str
    at: datetime
    seen: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True)
class PictureCondition:
    """What is wrong with a camera's picture at ``at``, the frame's wall time on its run.

    Not ``is_sure``: it can't be told at present, and ``faults`` are those known before.
    """

    camera_id: str
    at: datetime
    faults: frozenset[PictureFault]
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What a rule says: something began, changed or ended, at ``at`` on the camera's own time.

    ``count`` against ``threshold`` for rules that count, else both 0; ``peak`` is the highest count
    since the last thing said of it, where that was higher.
    """

    op: AlertOp
    kind: AlertKind
    level: AlertLevel
    mode: AlertMode
    camera_id: str
    rule_id: str
    region_id: str
    at: datetime
    count: int = 0
    threshold: int = 0
    confidence: float | None = None
    peak: int = 0


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert that has begun and not ended, as a restarted rule needs it."""

    camera_id: str
    rule_id: str
    region_id: str
    kind: AlertKind
    level: AlertLevel
    started_at: datetime
    peak: int
    mode: AlertMode = AlertMode.LIVE


class AlertDesk(Protocol):
    """Where rules report. It keeps one open alert per camera, rule and region (alert I1)."""

    def report(self, occurrence: Occurrence) -> None:
        """Record an occurrence durably and queue it for the centre.

        A START where one is open already counts as an UPDATE; an UPDATE or END with none open is
        ignored. Blocks for one SQLite commit. Raises StorageError where the disk refuses.
        """

    def open_alerts(self) -> Sequence[OpenAlert]:
        """Return what is open, so that a rule goes on where it stopped."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a heartbeat says of the box beside its outbox and its evidence.

    ``recording_bytes`` is the size of all recorded files; ``cameras`` are the configured ones that
    are enabled, in the configuration's order.
    """

    disk_free_bytes: int
    recording_bytes: int
    detector: Literal["off", "starting", "live", "down"]
    detector_model: str | None
    cameras: tuple[CameraState, ...]


class VitalsSource(Protocol):
    """Someone who knows how the box is."""

    def vitals(self) -> Vitals:
        """Return the box's present state. Called in the bus's thread: returns at once."""


class CommandTaker(Protocol):
    """Who does what a person at the centre has the box do."""

    def hear(self, message: CommandMessage) -> None:
        """Do it, or begin to, unless it was heard before; its result goes to the outbox.

        Called in the bus's thread: blocks for one SQLite commit. Raises StorageError with nothing
        done.
        """


class Snapshotter(Protocol):
    """Where an alert's picture comes from."""

    def picture(self, camera_id: str, at: datetime) -> tuple[bytes, datetime]:
        """Return a JPEG as near to ``at`` as there is, privacy masks applied, and its true time.

        Blocks for as long as it takes. Raises NotFoundError where there is no picture (yet), and
        StreamError, MediaError or StorageError for what may be tried again.
        """


class Clipper(Protocol):
    """Where an alert's clip comes from: the recorded stream."""

    def clip(
        self,
        camera_id: str,
        start: datetime,
        end: datetime,
        target: Path,
        stream: StreamName = StreamName.MAIN,
        fit: Fit | None = None,
    ) -> tuple[datetime, datetime]:
        """Write an MP4 of ``start`` to ``end`` to the new file ``target``; return its true bounds.

        Cut at key frames, so the bounds may be wider; narrower where video is missing, or where
        ``fit`` wants it. A clip that can't be shortened to what fits is longer. Blocks.
        Raises NotFoundError where nothing is recorded there (yet), MediaError or StorageError for
        what may be tried again; what is at ``target`` then is for the caller to remove.
        """


class CameraBook(Protocol):
    """The box's cameras as they are configured now, and how one is added, changed or removed.

    Any thread may ask; a change reads and writes files, and waits for one that is under way.
    """

    def cameras(self) -> "tuple[CameraSection, ...]":
        """Return them as they are now: what the file says, and what was changed since over it.

        Raises ConfigError where that is not valid any more, StorageError where it can't be read.
        """

    def save(
        self,
        camera: Mapping[str, Any],
        password: SecretStr | None,
        *,
        actor: str,
        reason: str,
    ) -> "CameraSection":
        """Add a camera, or put it in the place of the one with its id, and return it.

        ``camera`` is the whole table as in the configuration file, but for the password. That is
        kept in a file of its own; None keeps the one that the camera has. All is validated together
        with the rest of the configuration, and is on the disk on return; the box takes it within
        seconds, and goes on recording the cameras that are not concerned.
        Raises ConfigError that names key, rule and value, and StorageError; then nothing changed.
        """

    def remove(self, camera_id: str, *, actor: str, reason: str) -> None:
        """Take a camera out. Its recordings stay until their time is over.

        Raises NotFoundError where there is none, ConfigError and StorageError.
        """

    def version(self) -> int:
        """Return the number of the newest change; it only ever grows. Raises StorageError."""

    def running(self) -> int:
        """Return the number of the change that the box runs with."""
