"""Pictures and clips of alerts: files in a storage, and rows that vouch for them."""

import contextlib
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from central.codes import EvidencePlace, FeedKind
from central.db.engine import Database
from central.db.models import Alert, BoxCommand, Evidence
from central.errors import (
    ConflictError,
    EvidenceAwayError,
    NotFoundError,
    StoreUnavailableError,
    TooLongError,
)
from central.evidence.naming import MEDIA_TYPES, key_of
from central.evidence.partial import Partial, Partials
from central.evidence.span import Span
from central.evidence.storage import Content, Storages
from central.wall.feed import publish
from protocol.clock import Clock
from protocol.ids import uuid7
from protocol.messages import AlertMode, EvidenceKind

log = logging.getLogger(__name__)

#: So many files that wait for their row are known; of more, the row's next try puts them again.
_WAITING_AT_MOST = 10_000
#: Long before the caretaker takes away what no row names.
_WAITING_AT_LONGEST = timedelta(days=1)


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
class _Lying:
    """A file that lies in the storage and waits for its row."""

    evidence_id: UUID
    key: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A piece that has a row: where it lies, and what it is."""

    id: UUID
    place: EvidencePlace
    key: str
    media_type: str
    size_bytes: int
    sha256: str


class EvidenceStore:
    """Keeps evidence. The file is durable before its row is written, so a row means a file.

    What comes lies in ``partials`` until it is whole, whatever the storage. Several replicas may
    share both.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        partials: Partials,
        storages: Storages,
        limit_bytes: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._partials = partials
        self._storages = storages
        self._waiting: dict[str, _Lying] = {}
        self.limit_bytes = limit_bytes

    def open(self) -> None:
        """Make the folders. Raises StoreUnavailableError."""
        folder = self._partials.folder
        try:
            self._partials.open()
        except OSError as error:
            raise StoreUnavailableError(f"evidence {folder}: {error.strerror}") from error

    @property
    def works(self) -> bool:
        """Whether the storage that new pieces go to answered when it was last asked."""
        return self._storages.newest.works

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

        Raises EvidenceAwayError also where there is no room for the rest, or the storage is known
        to be away: so a box learns it before it sends.
        """
        self._storages.newest.check()
        return self._partials.offset(_partial_name(piece))

    def receive(self, piece: Piece, offset: int, length_bytes: int) -> Partial:
        """Return where the bytes from ``offset`` on go; it is for the caller to close.

        Raises TooLongError, OffsetError, EvidenceAwayError.
        """
        if length_bytes > self.limit_bytes:
            raise TooLongError(f"{length_bytes} bytes; at most {self.limit_bytes} are taken")
        self._storages.newest.check()
        return self._partials.begin(_partial_name(piece), offset, length_bytes)

    def keep(self, piece: Piece, partial: Partial) -> Stored:
        """Store a piece that is whole. Takes as long as the storage does.

        Raises DamagedError where the hash is another: then nothing of it is kept; ConflictError,
        EvidenceAwayError and StoreUnavailableError: then it stays what it was, whole but without
        a row, and is not sent again.
        """
        partial.verify(piece.sha256)
        name = _partial_name(piece)
        lying = self._waiting.get(name)
        if lying is None or self._clock.now() - lying.since > _WAITING_AT_LONGEST:
            lying = self._put(piece, partial)
        if len(self._waiting) < _WAITING_AT_MOST:
            self._waiting[name] = lying
        try:
            self._enter(piece, partial.size_bytes, lying)
        except IntegrityError:
            # It came twice at once, to two replicas, and the other one was first.
            self._waiting.pop(name, None)
            with contextlib.suppress(EvidenceAwayError):
                self._storages.newest.delete(lying.key)
            partial.discard()
            self.had(piece)
            return Stored.HAD_IT
        self._waiting.pop(name, None)
        partial.discard()
        return Stored.NEW

    def find(self, evidence_id: UUID) -> Found:
        """Return a stored piece. Raises NotFoundError, StoreUnavailableError."""
        with self._database.read() as session:
            row = session.get(Evidence, evidence_id)
        if row is None:
            raise NotFoundError(f"there is no evidence {evidence_id}")
        media_type = MEDIA_TYPES[row.kind]
        return Found(row.id, row.place, row.path, media_type, row.size_bytes, row.sha256)

    def content(self, found: Found, span: Span | None = None) -> Content:
        """Return its bytes, or those of a span; they are for the caller to close.

        Raises NotFoundError where the file is gone, EvidenceAwayError.
        """
        span = span or Span(0, found.size_bytes - 1)
        with contextlib.suppress(NotFoundError):
            return self._storages.at(found.place).open(found.key, span)
        moved = self.find(found.id)  # it may have been moved between the two
        if moved.place is found.place:
            log.error("evidence.missing", extra={"path": found.key, "place": found.place})
            raise NotFoundError("the file is gone")
        return self._storages.at(moved.place).open(moved.key, span)

    def read(self, evidence_id: UUID) -> bytes:
        """Return the bytes of a stored piece, which should be a picture: all are in memory.

        Raises NotFoundError, EvidenceAwayError, StoreUnavailableError, OSError.
        """
        found = self.find(evidence_id)
        with contextlib.closing(self.content(found)) as content:
            return b"".join(iter(lambda: content.read(found.size_bytes), b""))

    def _put(self, piece: Piece, partial: Partial) -> _Lying:
        """Put a whole file into the storage, under a key that was never used before.

        So a sweep, which knows only keys, never takes away what is just being stored.
        """
        now = self._clock.now()
        evidence_id = uuid7(now)
        key = key_of(piece.box_id, piece.start, piece.alert_id, piece.kind, evidence_id)
        self._storages.newest.put(key, partial.path, piece.sha256)
        return _Lying(evidence_id, key, now)

    def _enter(self, piece: Piece, size_bytes: int, lying: _Lying) -> None:
        """Write the row of a file that lies in the storage."""
        now = self._clock.now()
        with self._database.write() as session:
            session.add(
                Evidence(
                    id=lying.evidence_id,
                    **_subject(session, piece),
                    kind=piece.kind,
                    start=piece.start,
                    end=piece.end,
                    place=self._storages.target,
                    path=lying.key,
                    size_bytes=size_bytes,
                    sha256=piece.sha256,
                    stored_at=now,
                )
            )
            session.flush()
            alert = session.get(Alert, piece.alert_id)
            if alert is not None and alert.mode is not AlertMode.TRIAL:
                publish(session, now, [(FeedKind.EVIDENCE, str(piece.alert_id))])


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
