"""Clips of alerts, cut from what is recorded."""

from datetime import datetime
from pathlib import Path

from edge.recording.export import cut
from edge.recording.index import RecordingIndex
from protocol.relay import StreamName


class RecordedClips:
    """The Clipper over the recording index; the file that is still growing counts."""

    def __init__(self, index: RecordingIndex, stream: StreamName = StreamName.MAIN) -> None:
        self._index = index
        self._stream = stream

    def clip(
        self, camera_id: str, start: datetime, end: datetime, target: Path
    ) -> tuple[datetime, datetime]:
        """Write the MP4 and return its true bounds; see the port."""
        footage = self._index.footage(camera_id, self._stream, start, end)
        made = cut(footage, start, end, target)
        return made.start, made.end
