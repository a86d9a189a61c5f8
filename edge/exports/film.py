"""A video of an export on the disk: its samples, then the index before them, then its hash."""

import hashlib
import os
import zlib
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.exports.job import Piece
from edge.media.mp4 import SampleTable, head
from edge.media.sample import CodecParameters

#: So much at most waits for the disk: one large flush at the end would hold the recorder's up.
_FLUSH_BYTES = 32_000_000
_BLOCK_BYTES = 1 << 20


class Film:
    """Writes one file; used as a context, it removes the file where that ends in an error.

    ``copied``: the head is known before the samples are, so the hash is taken on the way.
    ``encoded``: room is left for the head, which is written at the end, and the file is read again.
    All of it raises OSError.
    """

    def __init__(self, path: Path, first: bytes, *, hashes: bool) -> None:
        self._path = path
        self._file = path.open("xb")
        self._sha = hashlib.sha256()
        self._crc = 0
        self._hashes = hashes
        self._size_bytes = 0
        self._unflushed = 0
        self._room_bytes = len(first)
        self.write(first)

    @classmethod
    def copied(
        cls, path: Path, parameters: CodecParameters, table: SampleTable, began: datetime
    ) -> Self:
        """Begin a file whose samples are as ``table`` says."""
        return cls(path, head(parameters, table, began), hashes=True)

    @classmethod
    def encoded(cls, path: Path, room_bytes: int) -> Self:
        """Begin a file whose head will need ``room_bytes`` at most."""
        return cls(path, bytes(room_bytes), hashes=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if error is not None:
            self._path.unlink(missing_ok=True)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self._file.write(data)
        if self._hashes:
            self._sha.update(data)
            self._crc = zlib.crc32(data, self._crc)
        self._size_bytes += len(data)
        self._unflushed += len(data)
        if self._unflushed >= _FLUSH_BYTES:
            self._settle()

    def put_head(self, parameters: CodecParameters, table: SampleTable, began: datetime) -> None:
        """Write the head into the room that was left for it."""
        self._file.seek(0)
        self._file.write(head(parameters, table, began, self._room_bytes))

    def finish(self) -> Piece:
        """Bring all onto the disk and return what it is."""
        self._settle()
        if not self._hashes:
            self._read_again()
        return Piece(
            name=self._path.name,
            size_bytes=self._size_bytes,
            sha256=self._sha.hexdigest(),
            crc32=self._crc,
        )

    def _settle(self) -> None:
        self._file.flush()
        os.fdatasync(self._file.fileno())
        self._unflushed = 0

    def _read_again(self) -> None:
        with self._path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                self._sha.update(block)
                self._crc = zlib.crc32(block, self._crc)
