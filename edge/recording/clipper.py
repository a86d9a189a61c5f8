"""Clips of alerts, cut from what is recorded."""

from datetime import datetime
from pathlib import Path

from edge.recording.export import cut
from edge.recording.fitting import Fit
from edge.recording.index import RecordingIndex
from protocol.relay import StreamName


class RecordedClips:
    """The Clipper over the recording index; the file that is still growing counts."""

    def __init__(self, index: RecordingIndex) -> None:
        self._index = index

    def clip(
        self,
        camera_id: str,
        start: datetime,
        end: datetime,
        target: Path,
        stream: StreamName = StreamName.MAIN,
        fit: Fit | None = None,
    ) -> tuple[datetime, datetime]:
        """Write the MP4 and return its true bounds; see the port."""
        footage = self._index.footage(camera_id, stream, start, end)
        made = cut(footage, start, end, target, fit)
        return made.start, made.end
