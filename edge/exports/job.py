"""An export as it is asked for, as it goes on, and as it ended. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from edge.media.sample import Codec
from protocol.relay import StreamName

Point = tuple[Annotated[float, Field(ge=0, le=1)], Annotated[float, Field(ge=0, le=1)]]
Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=20)]

#: So often a job is begun again after its process died with it; then it has failed.
MAX_ATTEMPTS = 3


class Kind(StrEnum):
    """What is made of the recording."""

    COPY = "copy"  # as the camera sent it, nothing encoded anew
    MARKED = "marked"  # with camera, wall time, box and a text burned in
    BLURRED = "blurred"  # for publication: coarse blocks, everywhere or in regions
    PLAYABLE = "playable"  # H.264, for who can't play what was recorded


class State(StrEnum):
    """How far a job is.

    ::

        QUEUED  -- its turn ---------------------> RUNNING
        RUNNING -- all files are there ----------> DONE
        RUNNING -- can't be made ----------------> FAILED
        RUNNING -- the box ended ----------------> QUEUED, at the third time FAILED
        QUEUED, RUNNING -- cancelled ------------> CANCELLED
    """

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: A job in one of these is not worked on any more.
ENDED = frozenset({State.DONE, State.FAILED, State.CANCELLED})


class Failure(StrEnum):
    """Why a job failed."""

    NO_FOOTAGE = "no_footage"  # nothing is recorded there (any more)
    NO_ROOM = "no_room"  # the disk has not enough room, or none any more
    DISK = "disk"  # the disk refused a write
    SOURCE_CHANGED = "source_changed"  # a recorded file changed while it was copied
    TOO_MANY_PARTS = "too_many_parts"
    INTERRUPTED = "interrupted"  # the box ended during each attempt
    CRASHED = "crashed"  # the process that works ended without a word


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Ask(_Record):
    """What is asked for. ``by`` is who asked and ``reason`` what for, in their words.

    ``mark`` is burned in beside camera, time and box; ``regions`` are polygons in parts of the
    picture (0 to 1), and none of them means the whole picture.
    """

    camera_id: str
    stream: StreamName = StreamName.MAIN
    start: datetime
    end: datetime
    kind: Kind
    reason: str
    by: str
    mark: str = ""
    regions: tuple[Polygon, ...] = ()


class Piece(_Record):
    """One file of the result; ``crc32`` is for the archive that all are sent in."""

    name: str
    size_bytes: int
    sha256: str
    crc32: int


class PartSaid(_Record):
    """One video of the result, and what it truly shows."""

    name: str
    start: datetime
    end: datetime
    codec: Codec
    width: int
    height: int


class Job(_Record):
    """One export. ``done_bytes`` of ``total_bytes`` recorded bytes are read; 0 of 0 before that.

    ``files`` and ``parts`` are there once it is done. ``detail`` is for the log's readers.
    """

    id: str
    created_at: datetime
    ask: Ask
    state: State = State.QUEUED
    attempts: int = 0
    began_at: datetime | None = None
    ended_at: datetime | None = None
    done_bytes: int = 0
    total_bytes: int = 0
    failure: Failure | None = None
    detail: str = ""
    files: tuple[Piece, ...] = ()
    parts: tuple[PartSaid, ...] = ()

    @property
    def progress(self) -> float:
        """How far it is, from 0 to 1."""
        if self.state is State.DONE:
            return 1.0
        return self.done_bytes / self.total_bytes if self.total_bytes else 0.0

    @property
    def size_bytes(self) -> int:
        """How much its result takes."""
        return sum(each.size_bytes for each in self.files)

    def begun(self, at: datetime) -> "Job":
        """Return it as it is when its turn comes, at ``at``."""
        fresh = {"began_at": at, "attempts": self.attempts + 1, "done_bytes": 0, "total_bytes": 0}
        return self.model_copy(update={"state": State.RUNNING, **fresh})

    def reached(self, done_bytes: int, total_bytes: int) -> "Job":
        """Return it with its progress."""
        return self.model_copy(update={"done_bytes": done_bytes, "total_bytes": total_bytes})

    def done(self, at: datetime, files: tuple[Piece, ...], parts: tuple[PartSaid, ...]) -> "Job":
        """Return it with its result."""
        end = {"state": State.DONE, "ended_at": at, "done_bytes": self.total_bytes}
        return self.model_copy(update={**end, "files": files, "parts": parts})

    def failed(self, at: datetime, failure: Failure, detail: str = "") -> "Job":
        """Return it with why it could not be made."""
        end = {"state": State.FAILED, "ended_at": at}
        return self.model_copy(update={**end, "failure": failure, "detail": detail})

    def cancelled(self, at: datetime) -> "Job":
        """Return it as somebody no longer wants it."""
        return self.model_copy(update={"state": State.CANCELLED, "ended_at": at})

    def put_back(self) -> "Job":
        """Return a job that runs as one that waits: the box stops, which is no failed attempt."""
        fresh = {"attempts": self.attempts - 1, "done_bytes": 0, "total_bytes": 0}
        return self.model_copy(update={"state": State.QUEUED, **fresh})

    def found_again(self, at: datetime) -> "Job":
        """Return it as a box that starts goes on with it: a job that ran is begun anew."""
        if self.state is not State.RUNNING:
            return self
        if self.attempts >= MAX_ATTEMPTS:
            return self.failed(at, Failure.INTERRUPTED)
        return self.model_copy(update={"state": State.QUEUED, "done_bytes": 0, "total_bytes": 0})
