"""Decoding one run of a camera, no further than somebody wants to look."""

from typing import NamedTuple

import av

from edge.detect import wire
from edge.detect.pending import Pending, Want
from edge.detect.schedule import Due

#: How often a camera's own health is judged, and how much later while nothing is odd and a key
#: frame comes by then.
_HEALTH_FPS, _HEALTH_PATIENCE_S = 1.0, 2.5
_LOW_DELAY = av.codec.context.Flags.low_delay


class Wanted(NamedTuple):
    """What a frame is to be looked at for; ``within_s`` the next such frame comes."""

    people: bool
    fire: bool
    within_s: float


class Decoder:
    """One camera's run: samples in, due frames out. Not thread-safe.

    ``decoded`` counts the units that were decoded; many never are (edge.detect.pending).
    """

    def __init__(self, stream: wire.Stream) -> None:
        self.run = stream.run
        self.decoded = 0
        self._stream = stream
        people_fps, fire_fps = stream.rate.people_fps, stream.rate.fire_fps
        self._people_due = Due(people_fps) if people_fps else None
        self._fire_due = Due(fire_fps) if fire_fps else None
        self._health = Want(Due(_HEALTH_FPS), 0.0) if stream.health else None
        wants = [Want(due) for due in (self._people_due, self._fire_due) if due is not None]
        self._pending = Pending(wants if self._health is None else [*wants, self._health])
        self._reorders = False
        self._context = self._open()
        self._needs_key = True
        self._keyed = False

    def _open(self) -> av.VideoCodecContext:
        name = {"h264": "h264", "h265": "hevc"}.get(self._stream.codec, self._stream.codec)
        context = av.CodecContext.create(name, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.extradata = self._stream.extradata
        context.thread_count = 1
        if not self._reorders:
            # None waits for pictures that are shown before it: there are none.
            context.flags |= _LOW_DELAY
        return context

    def pace(self, rate: wire.Rate) -> None:
        """Look at so many frames a second from now on."""
        if self._people_due is not None and rate.people_fps:
            self._people_due.pace(rate.people_fps)
        if self._fire_due is not None and rate.fire_fps:
            self._fire_due.pace(rate.fire_fps)

    def wants(self, pts_90k: int) -> Wanted:
        """Return what is to be looked for in this frame, and how soon."""
        people = self._people_due is not None and self._people_due.is_due(pts_90k)
        fire = self._fire_due is not None and self._fire_due.is_due(pts_90k)
        dues = ((people, self._people_due), (fire, self._fire_due))
        within_s = min((due.interval_s for is_due, due in dues if is_due and due), default=0.0)
        return Wanted(people, fire, within_s)

    def keyed(self) -> bool:
        """Return whether a key frame was decoded since this was last asked."""
        keyed, self._keyed = self._keyed, False
        return keyed

    def is_judged(self, pts_90k: int) -> bool:
        """Return whether the camera's health is to be judged by this frame."""
        return self._health is not None and self._health.due.is_due(pts_90k)

    def ease(self, *, is_at_ease: bool) -> None:
        """Take whether the camera's health may be judged less often for a while."""
        if self._health is not None:
            self._health.patience_s = _HEALTH_PATIENCE_S if is_at_ease else 0.0

    def take(self, unit: wire.Unit) -> list[av.VideoFrame]:
        """Take the next unit and return the frames that it completes, where one may be wanted.

        Raises av.FFmpegError for what can't be decoded; then nothing comes until a key frame.
        """
        if self._needs_key and not unit.is_key:
            return []
        self._reorders |= unit.pts_90k != unit.dts_90k
        if unit.is_key and self._reorders and self._context.flags & _LOW_DELAY:
            self._context = self._open()
        try:
            frames: list[av.VideoFrame] = []
            for each in self._pending.take(unit):
                frames = self._decode(each)
                if not frames and not self._reorders:
                    self._pending.hurry()  # a decoder that holds pictures back gets them at once
        except av.FFmpegError:
            self._context = self._open()
            self._pending.clear()
            self._needs_key = True
            raise
        return [frame for frame in frames if frame.pts is not None]

    def _decode(self, unit: wire.Unit) -> list[av.VideoFrame]:
        packet = av.Packet(unit.data)
        packet.pts, packet.dts = unit.pts_90k, unit.dts_90k
        frames = self._context.decode(packet)
        self._needs_key = False
        self._keyed |= unit.is_key
        self.decoded += 1
        return frames
