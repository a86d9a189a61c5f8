"""Decoding times out of presentation times, which are all that RTP carries. Pure.

A stream in which pictures are shown in another order than they are coded in (B-frames) has a depth:
how many pictures may be shown later and yet be coded before. A picture is decoded at the latest
when the first one that is shown after it must be: at the smallest of the depth + 1 largest
presentation times seen. So the first ``depth`` pictures have no known time.
"""

from bisect import insort

from edge.errors import MediaError
from edge.media import nal
from edge.media.sample import TICKS_PER_S, Codec

#: The standards allow no more (H.264 A.3.1, H.265 A.4.2).
MAX_DEPTH = 16
#: A longer step is the camera's clock being set, not another order.
_MAX_STEP_90K = 2 * TICKS_PER_S


class DecodingTimes:
    """The decoding times of one stream, in the order of arrival.

    The depth is the one that the sequence parameter set says; where it says none, none is taken for
    granted and it grows with the first picture that proves it (that one's time is put right).
    """

    def __init__(self) -> None:
        self._depth = 0
        self._recent: list[int] = []
        self._last_90k: int | None = None

    def announce(self, codec: Codec, sequence_set: bytes) -> None:
        """Take a sequence parameter set that is new; one that can't be read says nothing."""
        try:
            depth = nal.picture(codec, sequence_set).reordered
        except MediaError:
            return
        self._depth = min(depth or 0, MAX_DEPTH)
        del self._recent[: -self._depth - 1]

    def read(self, pts_90k: int) -> int | None:
        """Return the decoding time of the picture shown at ``pts_90k``; None where unknown yet."""
        recent = self._recent
        if recent and abs(pts_90k - recent[-1]) > _MAX_STEP_90K:
            recent.clear()
            self._last_90k = None
        if len(recent) > self._depth and pts_90k < recent[0]:
            self._depth = min(self._depth + 1, MAX_DEPTH)
        insort(recent, pts_90k)
        del recent[: -self._depth - 1]
        if len(recent) <= self._depth:
            return None
        if self._last_90k is None or recent[0] > self._last_90k:
            self._last_90k = recent[0]
        return self._last_90k
