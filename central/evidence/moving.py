"""Moving evidence from one storage to the other, while the centre serves and boxes send."""

import contextlib
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from sqlalchemy import select, update

from central.codes import EvidencePlace
from central.db.engine import Database
from central.db.models import Evidence, SignPhoto
from central.errors import ConfigError, NotFoundError
from central.evidence.span import Span
from central.evidence.storage import EvidenceStorage, Storages, in_batches

log = logging.getLogger(__name__)

_READ_BYTES = 256 * 1024
#: Rows that are looked at together, and keys a statement.
_BATCH = 200
#: What lies there, by the table that vouches for it.
_TABLES = (Evidence, SignPhoto)


@dataclass(slots=True)
class Moved:
    """What came of a move.

    ``pieces`` went, of so many ``bytes``; ``gone``: there is a row and no file; ``damaged``: the
    file has another hash, and stays; ``tidied``: copies that an earlier move had left behind.
    """

    pieces: int = 0
    bytes: int = 0
    gone: int = 0
    damaged: int = 0
    tidied: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found missing or damaged."""
        return not (self.gone or self.damaged)


class EvidenceMover:
    """Moves every piece that does not lie at ``to``: copy, check, row, and only then away.

    Photos of notice signs are pieces, too. It may be ended at any moment, and begun again: what has
    moved stays moved. ``work`` is a folder for the piece that is being moved, which is made where
    there is none.
    """

    def __init__(
        self, database: Database, storages: Storages, to: EvidencePlace, work: Path
    ) -> None:
        if to is not storages.target:
            raise ConfigError(f"evidence.store: must be '{to}' first, so that new pieces go there")
        self._database = database
        self._storages = storages
        self._to = to
        self._work = work

    def move(self) -> Iterator[Moved]:
        """Yield how far it is, after each batch and at the end: always the same object.

        Raises EvidenceAwayError, StoreUnavailableError; OSError where ``work`` has no room.
        """
        self._work.mkdir(parents=True, exist_ok=True)
        done = Moved()
        for table in _TABLES:
            after = UUID(int=0)
            while rows := self._batch(table, after):
                for row in rows:
                    self._move(row, done)
                after = rows[-1].id
                yield done
        for place, storage in self._storages.by_place.items():
            if place is not self._to:
                done.tidied += self._tidy(storage)
        yield done

    def _batch(
        self, table: type[Evidence | SignPhoto], after: UUID
    ) -> Sequence[Evidence | SignPhoto]:
        with self._database.read() as session:
            rows: Sequence[Any] = session.scalars(
                select(table)
                .where(table.place != self._to, table.id > after)
                .order_by(table.id)
                .limit(_BATCH)
            ).all()
            return rows

    def _move(self, row: Evidence | SignPhoto, done: Moved) -> None:
        source, target = self._storages.at(row.place), self._storages.at(self._to)
        target.check()
        with tempfile.NamedTemporaryFile(dir=self._work, prefix="moving-") as file:
            found = _copy(source, row, file)
            if found is None:
                done.gone += 1
                log.error("evidence.missing", extra={"path": row.path, "place": row.place})
                return
            if found != row.sha256:
                done.damaged += 1
                log.error("evidence.damaged", extra={"path": row.path, "place": row.place})
                return
            target.put(row.path, Path(file.name), row.sha256)
        with self._database.write() as session:
            table = type(row)
            session.execute(update(table).where(table.id == row.id).values(place=self._to))
        source.delete(row.path)
        done.pieces += 1
        done.bytes += row.size_bytes

    def _tidy(self, storage: EvidenceStorage) -> int:
        """Remove what has its row at the target: a move was ended between row and removal."""
        tidied = 0
        for some in in_batches(storage.kept(), _BATCH):
            keys = [kept.key for kept in some]
            with self._database.read() as session:
                moved = [
                    path
                    for table in _TABLES
                    for path in session.scalars(
                        select(table.path).where(table.path.in_(keys), table.place == self._to)
                    )
                ]
            for key in moved:
                storage.delete(key)
            tidied += len(moved)
        return tidied


def _copy(source: EvidenceStorage, row: Evidence | SignPhoto, file: IO[bytes]) -> str | None:
    """Write a piece to a file, durably; return its hash, None where it is not there."""
    digest = hashlib.sha256()
    try:
        content = source.open(row.path, Span(0, row.size_bytes - 1))
    except NotFoundError:
        return None
    with contextlib.closing(content):
        while some := content.read(_READ_BYTES):
            file.write(some)
            digest.update(some)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest()
