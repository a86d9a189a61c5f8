"""Small pictures of recorded moments, out of the index and the files."""

import threading
from datetime import datetime, timedelta
from pathlib import Path

from edge.media.sample import CodecParameters
from edge.previews.cache import Place, PreviewCache
from edge.previews.key_frame import JOINT, KeyFrame, key_frame
from edge.previews.process import PictureProcess
from edge.previews.sheet import Preview, Slot
from edge.previews.wire import Question
from edge.recording.index import RecordingIndex
from protocol.clock import Clock
from protocol.relay import StreamName

#: The widths there are, and how large their JPEGs are to be: 60 of the small ones are 144 KB,
#: three seconds of a bad uplink.
MAX_BYTES = {160: 2400, 320: 8000}

#: Some 3500 small pictures.
CACHE_BYTES = 8 * 1024 * 1024

#: How often the cache is held against the files while it is in use.
_LOOK_AGAIN_NS = 60_000_000_000
_INSTANT = timedelta(microseconds=1)


class PreviewTaker:
    """Pictures of the main stream's footage; blocking, one at a time.

    Whatever is in the cache, a picture is given only when its footage has just been found in the
    index and its file opened: a preview never outlives its footage (recording I18). The cache is in
    memory alone; ``forget`` empties it, and a picture whose file is gone leaves it within a minute
    of use.
    """

    def __init__(self, index: RecordingIndex, clock: Clock, process: PictureProcess) -> None:
        self._index = index
        self._clock = clock
        self._process = process
        self._lock = threading.Lock()
        self._cache = PreviewCache(CACHE_BYTES)
        self._looked_ns = clock.monotonic_ns()

    def at(self, camera_id: str, at: datetime, width_px: int) -> Preview:
        """Return the picture of a moment: its key frame, at most 60 s older than ``at``.

        Raises NotFoundError where nothing is recorded, MediaError where the footage is damaged,
        StorageError where the index refuses.
        """
        return self._made(self._key_frame(camera_id, at), width_px)

    def of_slot(self, camera_id: str, slot: Slot, width_px: int) -> Preview | None:
        """Return the picture of the slot's middle, else of what is recorded nearest to it.

        None where nothing of the slot is recorded. Raises as ``at`` does.
        """
        moment = self._nearest(camera_id, slot)
        return None if moment is None else self.at(camera_id, moment, width_px)

    def forget(self) -> None:
        """Empty the cache."""
        with self._lock:
            self._cache.clear()

    def cached(self) -> int:
        """Return how many pictures are in the cache."""
        with self._lock:
            return len(self._cache)

    def close(self) -> None:
        """End the picture process and empty the cache. Idempotent."""
        self._process.close()
        self.forget()

    def _key_frame(self, camera_id: str, at: datetime) -> KeyFrame:
        # A little before too: the footage may have a seam, or its newest second be in hand.
        footage = self._index.footage(camera_id, StreamName.MAIN, at - JOINT, at + _INSTANT)
        return key_frame(footage, at)

    def _nearest(self, camera_id: str, slot: Slot) -> datetime | None:
        of = (camera_id, StreamName.MAIN)
        if self._index.stretches(*of, slot.middle, slot.middle + _INSTANT):
            return slot.middle
        recorded = [
            (max(found.start, slot.start), min(found.end - _INSTANT, slot.end - _INSTANT))
            for found in self._index.stretches(*of, slot.start, slot.end)
        ]
        moments = [min(max(slot.middle, first), last) for first, last in recorded]
        return min(moments, key=lambda moment: abs(moment - slot.middle), default=None)

    def _made(self, frame: KeyFrame, width_px: int) -> Preview:
        place = Place(frame.path, frame.offset, width_px)
        with self._lock:
            self._look_again()
            jpeg = self._cache.get(place)
        if jpeg is None:
            jpeg = self._process.picture(_question(frame, width_px))
            with self._lock:
                self._cache.put(place, jpeg)
        return Preview(jpeg, frame.at)

    def _look_again(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._looked_ns >= _LOOK_AGAIN_NS:
            self._looked_ns = now_ns
            self._cache.keep_only(Path.is_file)


def _question(frame: KeyFrame, width_px: int) -> Question:
    parameters = frame.parameters
    return Question(
        parameters.codec,
        width_px,
        _height_px(parameters, width_px),
        MAX_BYTES[width_px],
        parameters.extradata,
        frame.read(),
    )


def _height_px(parameters: CodecParameters, width_px: int) -> int:
    """Return an even height in the picture's proportions, however odd those are."""
    height_px = round(width_px * parameters.height / max(1, parameters.width) / 2) * 2
    return min(max(2, height_px), 4 * width_px)
