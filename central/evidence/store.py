"""Pictures and clips of alerts, as files below one folder and rows that vouch for them."""

import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from central.codes import FeedKind
from central.db.engine import Database
from central.db.models import Alert, BoxCommand, Evidence
from central.errors import ConflictError, NotFoundError, StoreUnavailableError, TooLongError
from central.evidence.leftover import Allowance
from central.evidence.partial import Partial, Partials
from central.wall.feed import publish
from protocol.clock import Clock
from protocol.ids import uuid7
from protocol.messages import AlertMode, EvidenceKind

log = logging.getLogger(__name__)

MEDIA_TYPES = {EvidenceKind.SNAPSHOT: "image/jpeg", EvidenceKind.CLIP: "video/mp4"}
_SUFFIXES = {EvidenceKind.SNAPSHOT: ".jpg", EvidenceKind.CLIP: ".mp4"}

#: Half-received files are here; no box is called so.
_PARTIAL = ".partial"


class Stored(StrEnum):
    """What became of a piece of evidence that a box sent."""

    NEW = "new"
    HAD_IT = "had_it"


@dataclass(frozen=True, slots=True)
class Piece:
    """What a box says it sends. ``alert_id`` is the command's where a person had it fetched."""

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


class EvidenceStore:
    """Keeps evidence. The file is durable before its row is written, so a row means a file.

    Its folder may be shared by several replicas.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        folder: Path,
        limit_bytes: int,
        allowance: Allowance,
    ) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self.limit_bytes = limit_bytes
        self._partials = Partials(folder / _PARTIAL, allowance, clock)

    def open(self) -> None:
        """Make the folders. Raises StoreUnavailableError."""
        try:
            self._partials.open()
        except OSError as error:
            raise StoreUnavailableError(f"evidence {self._folder}: {error.strerror}") from error

    def had(self, piece: Piece) -> int | None:
        """Return the length of exactly this where it is stored, else None.

        Raises NotFoundError where the alert is not known (yet), or is another box's;
        ConflictError where other bytes are stored.
        """
        with self._database.read() as session:
            if _whose(session, piece) != piece.box_id:
                raise NotFoundError("the alert is not known yet: try again later")
            row = session.scalars(_row(piece)).first()
        if row is None:
            return None
        if row.sha256 != piece.sha256:
            raise ConflictError("other bytes are stored for this alert")
        return row.size_bytes

    def offset(self, piece: Piece) -> int:
        """Return how much is here of a piece that is not stored.

        Raises StoreUnavailableError also where there is no room for the rest: so a box learns it
        before it sends.
        """
        return self._partials.offset(_partial_name(piece))

    def receive(self, piece: Piece, offset: int, length_bytes: int) -> Partial:
        """Return where the bytes from ``offset`` on go; it is for the caller to close.

        Raises TooLongError, OffsetError, StoreUnavailableError.
        """
        if length_bytes > self.limit_bytes:
            raise TooLongError(f"{length_bytes} bytes; at most {self.limit_bytes} are taken")
        return self._partials.begin(_partial_name(piece), offset, length_bytes)

    def keep(self, piece: Piece, partial: Partial) -> Stored:
        """Store a piece that is whole.

        Raises DamagedError where the hash is another: then nothing of it is kept; ConflictError,
        StoreUnavailableError.
        """
        partial.verify(piece.sha256)
        try:
            self._enter(piece, partial)
        except IntegrityError:
            # It came twice at once, to two replicas, and the other one was first.
            partial.discard()
            self.had(piece)
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

    def _enter(self, piece: Piece, partial: Partial) -> None:
        """Write the row, with the file under its name before the commit.

        Where the database is away the file stays what it was, in part or whole, and is not sent
        again.
        """
        now = self._clock.now()
        # The hash is part of the name: two different pieces never overwrite each other.
        name = f"{piece.alert_id}-{piece.kind}-{piece.sha256[:16]}{_SUFFIXES[piece.kind]}"
        path = Path(piece.box_id) / piece.start.strftime("%Y-%m") / name
        with self._database.write() as session:
            session.add(
                Evidence(
                    id=uuid7(now),
                    **_subject(session, piece),
                    kind=piece.kind,
                    start=piece.start,
                    end=piece.end,
                    path=str(path),
                    size_bytes=partial.size_bytes,
                    sha256=piece.sha256,
                    stored_at=now,
                )
            )
            session.flush()
            alert = session.get(Alert, piece.alert_id)
            if alert is not None and alert.mode is not AlertMode.TRIAL:
                publish(session, now, [(FeedKind.EVIDENCE, str(piece.alert_id))])
            session.flush()
            partial.place(self._folder / path)


def _row(piece: Piece) -> Select[Evidence]:
    is_of_it = or_(Evidence.alert_id == piece.alert_id, Evidence.command_id == piece.alert_id)
    return select(Evidence).where(is_of_it, Evidence.kind == piece.kind)


def _whose(session: Session, piece: Piece) -> str | None:
    """Return the box whose alert, or command, a piece is of; None: there is none such."""
    found = session.get(Alert, piece.alert_id) or session.get(BoxCommand, piece.alert_id)
    return None if found is None else found.box_id


def _subject(session: Session, piece: Piece) -> dict[str, UUID]:
    """Return the column that says what a piece is of, and its value."""
    is_alert = session.get(Alert, piece.alert_id) is not None
    return {"alert_id" if is_alert else "command_id": piece.alert_id}


def _partial_name(piece: Piece) -> str:
    """Return the name of a piece while it comes; it says whose bytes, and which."""
    return f"{piece.box_id}.{piece.alert_id}.{piece.kind}.{piece.sha256}"
