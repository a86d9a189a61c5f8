r"""Many small pictures of a stretch in one answer, for a slow uplink. Pure.

The body of a sheet is one line of JSON, then the JPEGs one behind the other, so that a browser can
cut it up with ``Blob.slice`` and nothing is encoded twice or swollen by base64::

    {"camera_id", "from", "to", "width", "complete", "pictures": [{"at", "bytes"}, …]}\n
    <JPEG><JPEG>…
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Preview:
    """A small JPEG and the wall time of what it shows."""

    jpeg: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of the stretch that gets one picture: that of its middle, if there is one."""

    start: datetime
    middle: datetime
    end: datetime


def slots(start: datetime, end: datetime, count: int) -> list[Slot]:
    """Return ``start`` to ``end`` in ``count`` parts of equal length."""
    edges = [start + (end - start) * number / count for number in range(count + 1)]
    return [Slot(left, left + (right - left) / 2, right) for left, right in pairwise(edges)]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The pictures of a stretch, each of another key frame, in the order of their slots.

    ``complete`` is False where there was no time for the last ones: asked again, there is.
    """

    camera_id: str
    start: datetime
    end: datetime
    width_px: int
    pictures: Sequence[Preview]
    complete: bool

    def body(self) -> bytes:
        """Return the sheet as it is sent."""
        index = {
            "camera_id": self.camera_id,
            "from": iso(self.start),
            "to": iso(self.end),
            "width": self.width_px,
            "complete": self.complete,
            "pictures": [{"at": iso(each.at), "bytes": len(each.jpeg)} for each in self.pictures],
        }
        line = json.dumps(index, separators=(",", ":")).encode()
        return b"".join([line, b"\n", *(each.jpeg for each in self.pictures)])


def iso(at: datetime) -> str:
    """Return a time as the interface says it: asked for just that, the same picture is given."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
