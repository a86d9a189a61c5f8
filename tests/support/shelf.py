"""Segments to delete, without a database."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from edge.recording.coverage import Stretch
from edge.recording.segment import Segment


class Shelf:
    """The Holdings of segments in memory; ``read`` is what was looked at, in order."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._segments = sorted(segments, key=lambda segment: (segment.start, segment.id))
        self.read: list[int] = []

    def cameras(self) -> set[str]:
        return {segment.camera_id for segment in self._segments}

    def of_camera(
        self, camera_id: str, begun_by: datetime | None = None, passing: Sequence[Stretch] = ()
    ) -> Iterator[Segment]:
        for segment in self._segments:
            if segment.camera_id != camera_id or any(
                stretch.start <= segment.start < stretch.end for stretch in passing
            ):
                continue
            if begun_by is not None and segment.start > begun_by:
                return
            self.read.append(segment.id)
            yield segment

    def camera_bytes(self, camera_id: str) -> int:
        return sum(item.size_bytes for item in self._segments if item.camera_id == camera_id)
