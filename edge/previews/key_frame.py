"""The key frame of a moment: where it is in a recorded file, and its bytes.

Of a file only the boxes up to the moment and that one sample are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from edge.errors import MediaError, NotFoundError
from edge.media.boxes import SampleEntry, fragments, holds_nal_units, read_head
from edge.media.sample import TICKS_PER_S, CodecParameters
from edge.recording.segment import Footage

#: The picture of a moment is not older than this. A group of pictures keeps a file open for a
#: minute at most; what shows longer ago says nothing of the moment.
MAX_AGE = timedelta(seconds=60)

#: Between recorded files there may be so little that it is no gap to anybody.
JOINT = timedelta(seconds=1.5)

#: A picture of 4K at the best quality takes 3 MB.
_MAX_KEY_FRAME_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """One sample of a recorded file that is a picture by itself. ``at`` is its wall time."""

    path: Path
    offset: int
    size_bytes: int
    at: datetime
    parameters: CodecParameters

    def read(self) -> bytes:
        """Return its length-prefixed NAL units.

        Raises MediaError where they are damaged, NotFoundError where the file is gone.
        """
        if self.size_bytes > _MAX_KEY_FRAME_BYTES:
            raise MediaError(f"a key frame of {self.size_bytes} bytes")
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(self.size_bytes)
        except OSError as error:
            raise NotFoundError(f"recorded file {self.path.name}: {error.strerror}") from error
        if len(data) != self.size_bytes or not holds_nal_units(data):
            raise MediaError(f"recorded file {self.path.name}: a damaged key frame")
        return data


def key_frame(footage: Sequence[Footage], at: datetime) -> KeyFrame:
    """Return the key frame at or before ``at``, of the run that shows ``at``.

    Give it what ``RecordingIndex.footage`` returns for ``at``: where the file begins inside a group
    of pictures, the ones before it too. Raises NotFoundError where nothing of the run is
    recorded there or its key frame is older than MAX_AGE, MediaError where a file is not ours.
    """
    begun = [item for item in footage if item.start <= at]
    if not begun:
        raise NotFoundError(f"nothing is recorded at {at}")
    shown = max(begun, key=lambda item: item.start)
    if at - shown.end > JOINT:
        raise NotFoundError(f"nothing is recorded at {at}")
    before = [
        item
        for item in footage
        if item.run_id == shown.run_id and item.start_dts_90k <= shown.start_dts_90k
    ]
    for item in sorted(before, key=lambda item: item.start_dts_90k, reverse=True):
        found = _last_key(item, at)
        if found is not None and at - found.at <= MAX_AGE:
            return found
    raise NotFoundError(f"no key frame of the last {MAX_AGE.seconds} s before {at}")


def _last_key(footage: Footage, at: datetime) -> KeyFrame | None:
    """Return a file's last key frame that is decoded at or before ``at``."""
    limit_90k = footage.start_dts_90k + round((at - footage.start).total_seconds() * TICKS_PER_S)
    entry: SampleEntry | None = None
    try:
        with footage.path.open("rb") as file:
            head = read_head(file, footage.size_bytes)
            for fragment in fragments(file, head.init_bytes, footage.size_bytes):
                if fragment.dts_90k > limit_90k:
                    break
                for sample in fragment.samples:
                    if sample.is_key and sample.dts_90k <= limit_90k:
                        entry = sample
    except OSError as error:
        raise NotFoundError(f"recorded file {footage.path.name}: {error.strerror}") from error
    if entry is None:
        return None
    since_start_90k = entry.dts_90k + entry.cts_90k - footage.start_dts_90k
    shown_at = footage.start + timedelta(microseconds=since_start_90k * 1_000_000 // TICKS_PER_S)
    return KeyFrame(footage.path, entry.offset, entry.size_bytes, shown_at, head.parameters)
