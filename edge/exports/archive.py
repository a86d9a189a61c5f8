"""All files of an export as one zip that is never on the disk: stored, of a length known before.

Source: APPNOTE 6.3.10. As hashes and lengths are known, any range of it can be sent: a download
that broke goes on where it was.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.exports.job import Piece

_FAR = 0xFFFF_FFFF
_UTF8 = 0x0800
_VERSION = 45  # of those who know zip64
_FIRST_YEAR = 1980


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes of the archive: ``data``, or where it is None those of the file ``name`` whole."""

    size_bytes: int
    data: bytes | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Slice:
    """What is to be sent next: bytes, or ``size_bytes`` of the file ``name`` from ``offset``."""

    data: bytes = b""
    name: str = ""
    offset: int = 0
    size_bytes: int = 0


def layout(files: Sequence[Piece], at: datetime) -> list[Run]:
    """Return what a zip of these files consists of, in order; ``at`` is their time, local.

    No file is of 4 GiB or more (export E4), so only places may lie beyond; a name is ASCII.
    """
    runs: list[Run] = []
    directory = b""
    position = 0
    for file in files:
        local = _entry(b"PK\3\4", file, at, b"") + file.name.encode()
        runs += [Run(len(local), local), Run(file.size_bytes, None, file.name)]
        far = position >= _FAR
        extra = struct.pack("<HHQ", 1, 8, position) if far else b""
        place = struct.pack("<HHHII", 0, 0, 0, 0, _FAR if far else position)
        # A central entry says first by whom it was made; then it is as the local one.
        entry = b"PK\1\2" + struct.pack("<H", _VERSION) + _entry(b"", file, at, extra)
        directory += entry + place + file.name.encode() + extra
        position += len(local) + file.size_bytes
    end = _end(len(files), len(directory), position)
    return [*runs, Run(len(directory) + len(end), directory + end)]


def size_of(runs: Sequence[Run]) -> int:
    """Return the archive's length in bytes."""
    return sum(run.size_bytes for run in runs)


def slices(runs: Sequence[Run], start: int, end: int) -> Iterator[Slice]:
    """Yield what lies from byte ``start`` to ``end`` (excluded)."""
    position = 0
    for run in runs:
        first, last = max(start - position, 0), min(end - position, run.size_bytes)
        if first < last:
            if run.data is None:
                yield Slice(name=run.name, offset=first, size_bytes=last - first)
            else:
                yield Slice(data=run.data[first:last])
        position += run.size_bytes


def _entry(sign: bytes, file: Piece, at: datetime, extra: bytes) -> bytes:
    date = (max(at.year, _FIRST_YEAR) - _FIRST_YEAR) << 9 | at.month << 5 | at.day
    time = at.hour << 11 | at.minute << 5 | at.second // 2
    sizes = (file.crc32, file.size_bytes, file.size_bytes, len(file.name), len(extra))
    return sign + struct.pack("<HHHHHIIIHH", _VERSION, _UTF8, 0, time, date, *sizes)


def _end(count: int, directory_bytes: int, position: int) -> bytes:
    far = b""
    if position >= _FAR:
        body = struct.pack(
            "<HHIIQQQQ",
            _VERSION,
            _VERSION,
            0,
            0,
            count,
            count,
            directory_bytes,
            position,
        )
        far = b"PK\6\6" + struct.pack("<Q", len(body)) + body
        far += b"PK\6\7" + struct.pack("<IQI", 0, position + directory_bytes, 1)
    return far + struct.pack(
        "<4sHHHHIIH",
        b"PK\5\6",
        0,
        0,
        count,
        count,
        directory_bytes,
        min(position, _FAR),
        0,
    )
