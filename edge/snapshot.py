"""Still pictures from the live hubs' cached video: for the page, and for an alert."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from edge.errors import MediaError, NotFoundError
from edge.live.hubs import LiveHubs
from edge.media.sample import TICKS_PER_S, Codec, Sample
from protocol.relay import StreamName

if TYPE_CHECKING:
    import numpy as np
    from av.packet import Packet

_DECODERS = {Codec.H264: "h264", Codec.H265: "hevc"}
_TIME_BASE = Fraction(1, TICKS_PER_S)

#: Tried in turn until the picture is small enough. Under 45 blocks show: then it gets smaller.
_QUALITIES = (85, 70, 55, 45)
_SHRINK = 0.75
_MIN_WIDTH_PX = 64
_MAX_WIDTH_PX = 1920


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG and the wall time of what it shows."""

    jpeg: bytes
    at: datetime


class PictureTaker:
    """Pictures of the cameras; a ``Snapshotter``. Blocking: call it in a worker thread.

    One picture is made at a time: a burst of alerts may not take the processor from the recorder.
    The main stream is preferred, the sub-stream serves where the main one has shown nothing yet.
    """

    def __init__(self, hubs: LiveHubs, max_bytes: int) -> None:
        self._hubs = hubs
        self._max_bytes = max_bytes
        self._turn = threading.Lock()

    def newest(self, camera_id: str) -> Picture:
        """Return the newest picture. Raises NotFoundError, or MediaError where none decodes."""
        groups = self._groups(camera_id)
        with self._turn:
            return self._made(groups[-1], None)

    def picture(self, camera_id: str, at: datetime) -> tuple[bytes, datetime]:
        """Return the picture at ``at``, or the nearest before it, or else the oldest there is.

        The promise of Snapshotter.picture.
        """
        groups = self._groups(camera_id)
        before = [group for group in groups if _utc(group[0], group[0].pts_90k) <= at]
        group = before[-1] if before else groups[0]
        with self._turn:
            made = self._made(group, at)
        return made.jpeg, made.at

    def _groups(self, camera_id: str) -> tuple[tuple[Sample, ...], ...]:
        for stream in (StreamName.MAIN, StreamName.SUB):
            groups = self._hubs.hub(camera_id, stream).recent()
            if groups:
                return groups
        raise NotFoundError(f"camera {camera_id}: no picture yet")

    def _made(self, group: Sequence[Sample], at: datetime | None) -> Picture:
        """Return the last picture of a group, or its last at or before ``at``, or its first."""
        chosen: Any = None
        for frame in _decoded(group):
            if chosen is not None and at is not None and _utc(group[0], frame.pts) > at:
                break
            chosen = frame
        if chosen is None:
            raise MediaError("no picture in the cached video can be decoded")
        jpeg = shrunk_jpeg(chosen.to_ndarray(format="bgr24"), self._max_bytes)
        return Picture(jpeg, _utc(group[0], chosen.pts))


def shrunk_jpeg(image: "np.ndarray", max_bytes: int) -> bytes:
    """Return a BGR image as a JPEG of at most ``max_bytes``: lower quality first, then smaller.

    The smallest size tried is 64 pixels wide; that is returned whatever its length.
    """
    import cv2  # noqa: PLC0415 - it and NumPy are 25 MB; not before a picture is made

    height_px, width_px = image.shape[:2]
    scale = min(1.0, _MAX_WIDTH_PX / width_px)
    while True:
        size_px = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
        resized = image if scale == 1 else cv2.resize(image, size_px, interpolation=cv2.INTER_AREA)
        for quality in _QUALITIES:
            done, encoded = cv2.imencode(".jpg", resized, (cv2.IMWRITE_JPEG_QUALITY, quality))
            if not done:
                raise MediaError("the picture can't be encoded")
            if encoded.size <= max_bytes:
                return bytes(encoded)
        if size_px[0] <= _MIN_WIDTH_PX:
            return bytes(encoded)
        scale *= _SHRINK


def _decoded(group: Sequence[Sample]) -> Iterator[Any]:
    """Yield a group's frames in the order in which they are shown; pts are the run's.

    A sample that does not decode costs its own picture. Raises MediaError where none does.
    """
    import av  # noqa: PLC0415 - 20 MB; not before a picture is made
    from av.error import FFmpegError  # noqa: PLC0415

    parameters = group[0].run.parameters
    decoder: Any = av.CodecContext.create(_DECODERS[parameters.codec], "r")
    decoder.extradata = parameters.extradata
    decoder.thread_count = 1
    fault: FFmpegError | None = None
    shown = False
    for sample in (*group, None):  # None: what the decoder still holds back
        try:
            frames = decoder.decode(sample and _packet(sample))
        except FFmpegError as error:
            fault = error
            continue
        shown = shown or bool(frames)
        yield from frames
    if fault is not None and not shown:
        raise MediaError(f"the cached video does not decode: {fault.strerror}") from fault


def _packet(sample: Sample) -> "Packet[Any]":
    from av.packet import Packet  # noqa: PLC0415 - see _decoded

    packet: Packet[Any] = Packet(sample.data)
    packet.pts, packet.dts, packet.time_base = sample.pts_90k, sample.dts_90k, _TIME_BASE
    return packet


def _utc(sample: Sample, pts_90k: int) -> datetime:
    return sample.run.utc_at(pts_90k)
