"""A camera's JPEG pictures made into H.264, so that all behind it stays as it is.

At most ``MOST_FPS``: each picture costs some tens of milliseconds of the processor.
"""

from fractions import Fraction
from typing import Final

import av
import av.error
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from edge.errors import StreamError
from edge.ingest.source import Recoded
from edge.media import nal
from edge.media.sample import TICKS_PER_S, Packet
from protocol.clock import Clock

MOST_FPS: Final = 5
#: A recorded file, a viewer and the detector begin at a key frame.
_KEY_S: Final = 2
_MOST_WIDTH_PX: Final = 1920
#: What is decoded at all: a small file may claim to be a wall of a thousand metres.
_MOST_PIXELS: Final = 4096 * 2304
_OPTIONS: Final = {
    "preset": "superfast",
    "tune": "zerolatency",
    "crf": "25",
    "x264-params": "bframes=0:scenecut=0:repeat-headers=1",
}
_NS_PER_S: Final = 1_000_000_000
#: Where cameras' clocks are late by a little, every fifth picture of theirs is not to be lost.
_LEAST_STEP_NS: Final = round(0.9 * _NS_PER_S / MOST_FPS)


class Recoder:
    """One connection's pictures, in order. One thread uses it.

    A picture's time is when it came: cameras say none. ``recoded`` is told what it took.
    """

    def __init__(self, clock: Clock, recoded: Recoded) -> None:
        self._clock = clock
        self._recoded = recoded
        self._decoder = av.CodecContext.create("mjpeg", "r")
        self._decoder.options = {"max_pixels": str(_MOST_PIXELS)}
        self._decoder.thread_count = 1
        self._encoder: av.VideoCodecContext | None = None
        self._began_ns = 0
        self._last_ns: int | None = None
        self._key_ns = 0

    def take(self, jpeg: bytes) -> Packet | None:
        """Return a picture as a packet, None where it came too soon after the last one.

        Raises StreamError for what is no picture, or too large a one.
        """
        now_ns, now = self._clock.monotonic_ns(), self._clock.now()
        if self._last_ns is not None and now_ns - self._last_ns < _LEAST_STEP_NS:
            return None
        try:
            data = self._encoded(self._decoded(jpeg), now_ns)
        except (av.error.FFmpegError, ValueError) as error:
            words = getattr(error, "strerror", None) or type(error).__name__
            raise StreamError(f"the camera's picture can't be read: {words}") from None
        self._last_ns = now_ns
        self._recoded.pictures += 1
        self._recoded.busy_ns += self._clock.monotonic_ns() - now_ns
        ticks = (now_ns - self._began_ns) * TICKS_PER_S // _NS_PER_S
        is_key = self._key_ns == now_ns
        return Packet(ticks, ticks, is_key, tuple(nal.split(data)), now_ns, now)

    def _decoded(self, jpeg: bytes) -> av.VideoFrame:
        frames = self._decoder.decode(av.Packet(jpeg))
        if not frames or not isinstance(frames[0], av.VideoFrame):
            raise StreamError("the camera's picture can't be read: it has no end")
        frame = frames[0]
        shrink = max(1.0, frame.width / _MOST_WIDTH_PX)
        width, height = round(frame.width / shrink), round(frame.height / shrink)
        even = (max(2, width // 2 * 2), max(2, height // 2 * 2))
        return frame.reformat(*even, "yuv420p", dst_color_range=ColorRange.MPEG)

    def _encoded(self, frame: av.VideoFrame, now_ns: int) -> bytes:
        encoder = self._encoder
        if encoder is None or (encoder.width, encoder.height) != (frame.width, frame.height):
            encoder = self._encoder = _encoder(frame.width, frame.height)
            self._began_ns = self._began_ns or now_ns
            self._key_ns = 0
        is_key = now_ns - self._key_ns >= _KEY_S * _NS_PER_S
        frame.pict_type = PictureType.I if is_key else PictureType.NONE
        frame.pts = (now_ns - self._began_ns) * TICKS_PER_S // _NS_PER_S
        frame.time_base = Fraction(1, TICKS_PER_S)
        data = b"".join(bytes(packet) for packet in encoder.encode(frame))
        if is_key:
            self._key_ns = now_ns
        return data


def _encoder(width: int, height: int) -> av.VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, TICKS_PER_S)
    encoder.framerate = Fraction(MOST_FPS)
    encoder.thread_count = 1
    encoder.options = dict(_OPTIONS)
    return encoder
