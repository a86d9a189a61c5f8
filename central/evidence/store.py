"""Pictures and clips of alerts, as files below one folder and rows that vouch for them."""

import contextlib
import hashlib
import logging
import os
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from central.codes import FeedKind
from central.db.engine import Database
from central.db.models import Alert, Evidence
from central.errors import ConflictError, InvalidError, NotFoundError, StoreUnavailableError
from central.wall.feed import publish
from protocol.clock import Clock
from protocol.ids import uuid7
from protocol.messages import AlertMode, EvidenceKind

log = logging.getLogger(__name__)

MEDIA_TYPES = {EvidenceKind.SNAPSHOT: "image/jpeg", EvidenceKind.CLIP: "video/mp4"}
_SUFFIXES = {EvidenceKind.SNAPSHOT: ".jpg", EvidenceKind.CLIP: ".mp4"}

#: So much of the disk is left alone. The database is often on the same one, and an alert without
#: its clip is better than a centre that takes no alerts. A village's database of a year is smaller.
FREE_FLOOR_BYTES = 2_000_000_000


class Stored(StrEnum):
    """What became of a piece of evidence that a box sent."""

    NEW = "new"
    HAD_IT = "had_it"


@dataclass(frozen=True, slots=True)
class Piece:
    """What a box says it sends."""

    box_id: str
    alert_id: UUID
    kind: EvidenceKind
    start: datetime
    end: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class Found:
    """A piece that is there."""

    path: Path
    media_type: str
    sha256: str


class Incoming:
    """A file while it comes in: hashed as it is written, gone again unless it is kept.

    Holds at most ``limit_bytes``; one byte more raises InvalidError. Raises StoreUnavailableError
    where the disk is full, or nearly.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        _require_room(folder)
        self.path = folder / f"incoming-{secrets.token_hex(8)}"
        self.size_bytes = 0
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256()
        self._file: IO[bytes] = self.path.open("xb")

    def write(self, chunk: bytes) -> None:
        """Add bytes. Raises InvalidError, StoreUnavailableError."""
        self.size_bytes += len(chunk)
        if self.size_bytes > self._limit_bytes:
            raise InvalidError(f"longer than {self._limit_bytes} bytes")
        self._hash.update(chunk)
        _require_room(self._folder)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise StoreUnavailableError(f"evidence: {error.strerror}") from error

    def keep(self, target: Path, sha256: str) -> None:
        """Make the file durable under its name. Raises InvalidError where the hash differs."""
        if self._hash.hexdigest() != sha256:
            raise InvalidError("the bytes do not have the SHA-256 that was named")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            self.path.replace(target)
            _sync_folder(target.parent)
        except OSError as error:
            raise StoreUnavailableError(f"evidence: {error.strerror}") from error

    def close(self) -> None:
        """Let go of the file; what was not kept is removed. May be called again; raises nothing."""
        # On a full disk closing fails, as it writes first; the file has to go all the more.
        with contextlib.suppress(OSError):
            self._file.close()
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("evidence.left_over", extra={"path": str(self.path), "error": str(error)})


class EvidenceStore:
    """Keeps evidence. The file is durable before its row is written, so a row means a file."""

    def __init__(self, database: Database, clock: Clock, folder: Path, limit_bytes: int) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self._limit_bytes = limit_bytes

    def open(self) -> None:
        """Make the folder, and remove what a crash left half received."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for left in self._folder.glob("incoming-*"):
                left.unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailableError(f"evidence {self._folder}: {error.strerror}") from error

    def had(self, piece: Piece) -> bool:
        """Return whether exactly this is stored.

        Raises NotFoundError where the alert is not known (yet), or is another box's;
        ConflictError where other bytes are stored.
        """
        with self._database.read() as session:
            alert = session.get(Alert, piece.alert_id)
            if alert is None or alert.box_id != piece.box_id:
                raise NotFoundError("the alert is not known yet: try again later")
            row = session.scalars(_row(piece)).first()
        if row is None:
            return False
        if row.sha256 != piece.sha256:
            raise ConflictError("other bytes are stored for this alert")
        return True

    def receive(self) -> Incoming:
        """Return where the bytes go. Raises StoreUnavailableError."""
        try:
            return Incoming(self._folder, self._limit_bytes)
        except OSError as error:
            raise StoreUnavailableError(f"evidence: {error.strerror}") from error

    def keep(self, piece: Piece, incoming: Incoming) -> Stored:
        """Store what came in. Raises InvalidError, ConflictError, StoreUnavailableError."""
        # The hash is part of the name: two different pieces never overwrite each other.
        name = f"{piece.alert_id}-{piece.kind}-{piece.sha256[:16]}{_SUFFIXES[piece.kind]}"
        path = Path(piece.box_id) / piece.start.strftime("%Y-%m") / name
        incoming.keep(self._folder / path, piece.sha256)
        try:
            self._enter(piece, path, incoming.size_bytes)
        except IntegrityError:
            # It came twice at once, and the other one was first.
            try:
                self.had(piece)
            except ConflictError:
                (self._folder / path).unlink(missing_ok=True)
                raise
            return Stored.HAD_IT
        return Stored.NEW

    def find(self, evidence_id: UUID) -> Found:
        """Return a stored piece. Raises NotFoundError."""
        with self._database.read() as session:
            row = session.get(Evidence, evidence_id)
        if row is None:
            raise NotFoundError(f"there is no evidence {evidence_id}")
        path = self._folder / row.path
        if not path.is_file():
            log.error("evidence.missing", extra={"path": row.path})
            raise NotFoundError("the file is gone")
        return Found(path, MEDIA_TYPES[row.kind], row.sha256)

    def _enter(self, piece: Piece, path: Path, size_bytes: int) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            session.add(
                Evidence(
                    id=uuid7(now),
                    alert_id=piece.alert_id,
                    kind=piece.kind,
                    start=piece.start,
                    end=piece.end,
                    path=str(path),
                    size_bytes=size_bytes,
                    sha256=piece.sha256,
                    stored_at=now,
                )
            )
            session.flush()
            alert = session.get_one(Alert, piece.alert_id)
            if alert.mode is not AlertMode.TRIAL:
                publish(session, now, [(FeedKind.EVIDENCE, str(piece.alert_id))])


def _row(piece: Piece) -> Select[Evidence]:
    return select(Evidence).where(Evidence.alert_id == piece.alert_id, Evidence.kind == piece.kind)


def free_bytes(folder: Path) -> int:
    """Return how many bytes may be written to the disk of ``folder``. Raises OSError."""
    return shutil.disk_usage(folder).free


def _require_room(folder: Path) -> None:
    try:
        free = free_bytes(folder)
    except OSError as error:
        raise StoreUnavailableError(f"evidence: {error.strerror}") from error
    if free < FREE_FLOOR_BYTES:
        raise StoreUnavailableError(f"evidence: the disk has only {free} bytes left")


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
