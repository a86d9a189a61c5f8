"""Evidence on a disk: one folder, which several replicas may share."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from central.errors import EvidenceAwayError, NotFoundError
from central.evidence.disk import require_room, sync_folder
from central.evidence.partial import PARTIAL
from central.evidence.span import Span
from central.evidence.storage import Content, Kept

#: The folder of the piece that is being moved, below that of evidence.
MOVING = ".moving"
_NOT_KEPT = {PARTIAL, MOVING}


class FolderStorage:
    """Files below a folder. A put costs no copy where the file system knows hard links."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self) -> None:
        """Raise EvidenceAwayError where the disk is full, or nearly."""
        require_room(self._folder)

    def probe(self) -> None:
        """Do as :meth:`check` does: a disk is asked at no cost."""
        self.check()

    @property
    def works(self) -> bool:
        """Whether the disk answers and has room."""
        try:
            self.check()
        except EvidenceAwayError:
            return False
        return True

    def put(self, key: str, source: Path, sha256: str) -> None:  # noqa: ARG002 - it is verified
        """Give a durable, verified file a second name. Raises EvidenceAwayError."""
        target = self._folder / key
        unfinished = target.with_name(f".{target.name}.part")
        with _refusing():
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished.unlink(missing_ok=True)
            _link(source, unfinished)
            unfinished.replace(target)
            unfinished.unlink(missing_ok=True)  # it stays where both were the same file already
            sync_folder(target.parent)

    def open(self, key: str, span: Span) -> Content:
        """Return the bytes of a file from the span's first on."""
        with _refusing():
            try:
                file: BinaryIO = (self._folder / key).open("rb")
            except FileNotFoundError as error:
                raise NotFoundError("the file is gone") from error
            file.seek(span.first)
            return file

    def delete(self, key: str) -> None:
        """Remove a file, where there is one."""
        with _refusing():
            (self._folder / key).unlink(missing_ok=True)

    def kept(self) -> Iterator[Kept]:
        """Yield every file but those that are here in part or being moved."""
        with _refusing():
            for folder, names, files in os.walk(self._folder):
                names[:] = [name for name in names if name not in _NOT_KEPT]
                for name in files:
                    path = Path(folder, name)
                    with contextlib.suppress(FileNotFoundError):
                        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                        yield Kept(str(path.relative_to(self._folder)), since)

    def end_unfinished(self, before: datetime) -> int:
        """Remove what a put or a move that was killed before then had not finished."""
        ended = 0
        with _refusing():
            for path in (*self._folder.glob("*/*/.*.part"), *self._folder.glob(f"{MOVING}/*")):
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < before.timestamp():
                        path.unlink()
                        ended += 1
        return ended


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it durably where that can't be. Raises OSError."""
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that knows no hard links
        shutil.copyfile(source, target)
        with target.open("rb+") as file:
            os.fsync(file.fileno())


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvidenceAwayError(f"evidence: {error.strerror}") from error
