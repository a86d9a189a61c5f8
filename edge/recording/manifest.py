"""The lines that prove what was deleted, and the hash that runs over them. Pure (recording I9)."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

#: What the hash of a row begins from.
ORIGIN = "0" * 64

Key = tuple[str, str, str]
_TYPES = (str, str, str, str, str, int, int, int, int)


@dataclass(frozen=True, slots=True)
class Removal:
    """One file that is no longer kept. Its ``line`` is what is hashed.

    ``day`` is that of its start in the box's zone, ``path`` is below the recordings folder, times
    are microseconds since 1970. ``at_us``: when that was written down.
    """

    camera_id: str
    day: str
    reason: str
    path: str
    sha256: str
    start_us: int
    end_us: int
    size_bytes: int
    at_us: int

    @property
    def key(self) -> Key:
        """The row of the deletion table that it counts in."""
        return self.camera_id, self.day, self.reason

    @property
    def line(self) -> str:
        """The canonical line, without its line feed: a JSON array in the order of the fields."""
        fields = [getattr(self, name) for name in self.__slots__]
        return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def parse(cls, line: str) -> Self:
        """Return what a line says. Raises ValueError where it is not canonical."""
        fields = json.loads(line)
        if not isinstance(fields, list) or tuple(map(type, fields)) != _TYPES:
            raise ValueError("not the fields of a removal")
        removal = cls(*fields)
        if removal.line != line:
            raise ValueError("not canonical")
        return removal


def extended(manifest: str, line: str) -> str:
    """Return the hash after one more line: SHA-256 over the hash before, the line and its feed."""
    return hashlib.sha256(f"{manifest}{line}\n".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row of the deletion table says of its files."""

    segments: int
    size_bytes: int
    first_us: int
    last_us: int
    manifest: str

    @classmethod
    def of(cls, removals: Iterable[Removal]) -> Self | None:
        """Return what a row says of these, in order; None of none."""
        entry = None
        for removal in removals:
            entry = cls.after(entry, removal)
        return entry

    @classmethod
    def after(cls, before: "Entry | None", removal: Removal) -> Self:
        """Return what a row says once ``removal`` is one of its files too."""
        if before is None:
            manifest = extended(ORIGIN, removal.line)
            return cls(1, removal.size_bytes, removal.start_us, removal.end_us, manifest)
        return cls(
            before.segments + 1,
            before.size_bytes + removal.size_bytes,
            min(before.first_us, removal.start_us),
            max(before.last_us, removal.end_us),
            extended(before.manifest, removal.line),
        )
