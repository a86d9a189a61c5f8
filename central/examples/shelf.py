"""The examples that are kept: files in one folder and rows that vouch for them.

A file is durable before its row is written, and goes after its row went: a crash between leaves a
file without a row, which the sweep takes away, and never a row that promises what is not there.
"""

import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, true
from sqlalchemy.orm import Session

from central.codes import ExampleAct, FalseReason
from central.db.engine import Database
from central.db.models import Alert, Example, ExampleCamera, ExampleDue, ExampleEntry
from central.db.upsert import insert_into
from central.errors import NotFoundError, StoreUnavailableError
from central.evidence.disk import FREE_FLOOR_BYTES, free_bytes
from central.examples.rule import Held, Leave
from protocol.clock import Clock
from protocol.messages import AlertKind

log = logging.getLogger(__name__)

_SUFFIX = ".jpg"
#: Rows a statement: far below the limit on variables of both databases.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Label:
    """All that is kept beside a picture. ``day`` is the village's."""

    kind: AlertKind
    reason: FalseReason
    model: str | None
    day: date


class ExampleShelf:
    """Takes examples in, gives them out and lets them go."""

    def __init__(self, database: Database, clock: Clock, folder: Path) -> None:
        self._database = database
        self._clock = clock
        self.folder = folder
        self._unvouched: frozenset[str] = frozenset()

    def keep(self, alert_id: UUID, camera_uid: str, label: Label, jpeg: bytes) -> None:
        """Keep the picture of an alert that is due; nothing where another replica did so before.

        Raises StoreUnavailableError, also where the disk is nearly full; the alert stays due.
        """
        name = self._write(jpeg)
        kept = False
        try:
            with self._database.write() as session:
                if not _settle(session, alert_id):
                    return
                session.add(
                    Example(
                        kind=label.kind,
                        reason=label.reason,
                        model=label.model,
                        camera=_number_of(session, camera_uid),
                        day=label.day.isoformat(),
                        path=name,
                        size_bytes=len(jpeg),
                    )
                )
            kept = True
        finally:
            if not kept:
                self._remove([name])

    def refuse(self, alert_id: UUID) -> None:
        """Let an alert go whose picture is none, and count it. Raises StoreUnavailableError."""
        with self._database.write() as session:
            if _settle(session, alert_id):
                self._enter(session, ExampleAct.REFUSED, 1)

    def forget_due(self, before: datetime) -> None:
        """Wait no longer for pictures of alerts that began before. Raises StoreUnavailableError."""
        old = select(Alert.id).where(Alert.started_at < before)
        with self._database.write() as session:
            session.execute(delete(ExampleDue).where(ExampleDue.alert_id.in_(old)))

    def held(self) -> list[Held]:
        """Return what is kept, in the order it came."""
        with self._database.read() as session:
            rows = session.execute(
                select(Example.id, Example.day, Example.size_bytes).order_by(Example.id)
            ).all()
        return [Held(key, date.fromisoformat(day), size) for key, day, size in rows]

    def let_go(self, leave: Leave) -> None:
        """Delete what has to go, and count it. Raises StoreUnavailableError."""
        for act, keys in ((ExampleAct.EXPIRED, leave.expired), (ExampleAct.DROPPED, leave.dropped)):
            for some in _batches(keys):
                self._delete(act, Example.id.in_(some))

    def delete(self, example_id: int, person_id: str) -> None:
        """Delete one, for a person. Raises NotFoundError, StoreUnavailableError."""
        if not self._delete(ExampleAct.DELETED, Example.id == example_id, person_id):
            raise NotFoundError(f"there is no example {example_id}")

    def delete_all(self, person_id: str) -> int:
        """Delete all, for a person; return how many. Raises StoreUnavailableError."""
        return self._delete(ExampleAct.DELETED, true(), person_id)

    def path_of(self, example_id: int) -> Path:
        """Return where a picture lies. Raises NotFoundError."""
        with self._database.read() as session:
            row = session.get(Example, example_id)
        if row is None:
            raise NotFoundError(f"there is no example {example_id}")
        path = self.folder / row.path
        if not path.is_file():
            log.error("examples.missing", extra={"path": row.path})
            raise NotFoundError("the file is gone")
        return path

    def for_export(self, person_id: str, reason: str) -> list[Example]:
        """Return all, oldest first, and enter who takes them away and what for (examples I6).

        Raises StoreUnavailableError.
        """
        with self._database.write() as session:
            found = list(session.scalars(select(Example).order_by(Example.id)))
            self._enter(session, ExampleAct.EXPORTED, len(found), person_id, reason)
        return found

    def sweep(self) -> int:
        """Remove files that no row vouches for, two sweeps in a row; return how many.

        The first time a file may be another replica's whose row is about to come.
        """
        if not self.folder.is_dir():
            return 0
        present = {path.name for path in self.folder.glob(f"*{_SUFFIX}*")}
        with self._database.read() as session:
            vouched = set(session.scalars(select(Example.path)))
        unvouched = frozenset(present - vouched)
        gone = self._remove(sorted(unvouched & self._unvouched))
        self._unvouched = unvouched
        return gone

    def _delete(
        self, act: ExampleAct, which: ColumnElement[bool], person_id: str | None = None
    ) -> int:
        with self._database.write() as session:
            names = list(session.scalars(delete(Example).where(which).returning(Example.path)))
            if names:
                self._enter(session, act, len(names), person_id)
        self._remove(names)
        return len(names)

    def _enter(
        self,
        session: Session,
        act: ExampleAct,
        pictures: int,
        person_id: str | None = None,
        reason: str = "",
    ) -> None:
        session.add(
            ExampleEntry(
                at=self._clock.now(),
                act=act,
                pictures=pictures,
                person_id=person_id,
                reason=reason,
            )
        )

    def _write(self, jpeg: bytes) -> str:
        """Make a picture durable under a name that says nothing; return the name."""
        name = secrets.token_hex(16) + _SUFFIX
        unfinished = self.folder / f"{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if free_bytes(self.folder) < FREE_FLOOR_BYTES:
                raise StoreUnavailableError("examples: the disk is nearly full")
            with unfinished.open("xb") as file:
                file.write(jpeg)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self.folder / name)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise StoreUnavailableError(f"examples: {error.strerror}") from error
        return name

    def _remove(self, names: Sequence[str]) -> int:
        """Remove files; one that can't be removed is said, and left to the sweep."""
        gone = 0
        for name in names:
            try:
                (self.folder / name).unlink(missing_ok=True)
                gone += 1
            except OSError as error:
                log.warning("examples.left_over", extra={"path": name, "error": str(error)})
        return gone


def _batches(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for at in range(0, len(keys), _BATCH):
        yield keys[at : at + _BATCH]


def counted(session: Session) -> dict[ExampleAct, int]:
    """Return by act how many pictures it was about, in all."""
    rows = session.execute(
        select(ExampleEntry.act, func.sum(ExampleEntry.pictures)).group_by(ExampleEntry.act)
    ).all()
    return dict.fromkeys(ExampleAct, 0) | {act: int(pictures) for act, pictures in rows}


def _settle(session: Session, alert_id: UUID) -> bool:
    """Take an alert off what is due; return whether it still was."""
    settled = session.execute(
        delete(ExampleDue).where(ExampleDue.alert_id == alert_id).returning(ExampleDue.alert_id)
    ).all()
    return bool(settled)


def _number_of(session: Session, camera_uid: str) -> str:
    """Return the number that stands for a camera, drawn by chance the first time."""
    drawn = {"camera_uid": camera_uid, "number": secrets.token_hex(4)}
    session.execute(
        insert_into(session, ExampleCamera)
        .values(drawn)
        .on_conflict_do_nothing(index_elements=[ExampleCamera.camera_uid])
    )
    return session.execute(
        select(ExampleCamera.number).where(ExampleCamera.camera_uid == camera_uid)
    ).scalar_one()
