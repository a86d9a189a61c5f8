"""Recorded pictures decoded, changed, and encoded anew as H.264."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np

from edge.errors import MediaError
from edge.exports.film import Film
from edge.exports.job import PartSaid
from edge.exports.looks import Look, Picture
from edge.exports.order import MadePart, Shown, Used, most_bits_per_s
from edge.exports.parts import Part, Take
from edge.exports.reading import UnreadableError, poured
from edge.media.mp4 import SampleTable, room_for
from edge.media.parameters import ParameterCollector
from edge.media.sample import TICKS_PER_S, Codec, CodecParameters

#: Key frames every so many pictures: what a player has to decode before it shows a moment.
_KEY_EVERY = 50
_NOMINAL_FPS = 25
_CHUNK_SAMPLES = 25
_DECODERS = {Codec.H264: "h264", Codec.H265: "hevc"}


@dataclass(frozen=True, slots=True)
class Window:
    """Pictures from ``start`` on and before ``end`` are shown."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Shown:
    """A picture on its way: where it is on the part's time line, and the picture."""

    at_90k: int
    frame: av.VideoFrame


class Progress:
    """Counts the recorded bytes that are done, and tells ``tell`` the sum."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._done_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count so many more."""
        self._done_bytes += size_bytes
        self._tell(self._done_bytes)


class Encoder:
    """Makes one file of a part: every picture inside the window, at its own time.

    No B-frames: each picture's time in the file is exactly the recorded one. ``used`` are the
    recorded files that were read.
    """

    def __init__(self, part: Part, window: Window, looks: Sequence[Look]) -> None:
        self._part = part
        self._window = window
        self._looks = looks
        self.used: list[Used] = []
        self._undecodable = 0
        self._collector = ParameterCollector(Codec.H264)
        self._table = SampleTable()
        self._encoder: av.VideoCodecContext | None = None
        self._first_90k: int | None = None
        self._last_90k = 0
        self._walls: list[datetime] = []  # the earliest and the latest picture's
        self._pending: tuple[bytes, int, bool] | None = None

    def make(self, path: Path, *, progress: Progress) -> MadePart | None:
        """Write the file and return it; None where no picture is inside the window.

        Raises OSError, UnreadableError and MediaError, with no file left.
        """
        samples = len(self._part.table)
        room_bytes = room_for(samples, samples // _CHUNK_SAMPLES + 1)
        with Film.encoded(path, room_bytes) as film:
            for shown in self._pictures(progress):
                self._encode(film, shown)
            self._drain(film)
            parameters, first_90k = self._collector.parameters, self._first_90k
            if parameters is None or first_90k is None:
                path.unlink()
                return None
            start = self._wall(first_90k)
            film.put_head(parameters, self._table, start)
            file = film.finish()
        last_lasts = _span(first_90k + self._table.duration_90k - self._last_90k)
        low, high = self._walls
        end = max(high, self._wall(self._last_90k) + last_lasts)
        said = PartSaid(
            name=path.name,
            start=start,
            end=end,
            codec=Codec.H264,
            width=parameters.width,
            height=parameters.height,
        )
        return MadePart(
            said=said,
            file=file,
            shown=tuple(
                Shown(start=max(each.start, low), end=min(each.end, end))
                for each in self._part.shown
                if each.end > low and each.start < end
            ),
            undecodable=self._undecodable,
        )

    # -- in ----------------------------------------------------------------------------------------

    def _pictures(self, progress: Progress) -> Iterator[_Shown]:
        """Decode all; what can't be decoded is counted and left out."""
        decoder = _decoder(self._part.parameters)
        rows = self._part.table.rows()
        last_90k = -1
        for take in self._part.takes:
            for data in _samples(take, rows):
                packet = av.Packet(data.data)
                packet.dts, packet.pts = data.at_90k, data.at_90k + data.cts_90k
                try:
                    frames = decoder.decode(packet)
                except av.error.FFmpegError:
                    self._undecodable += 1
                    continue
                for frame in frames:
                    last_90k = yield from self._inside(frame, last_90k)
            self.used.append(poured(take, _ignore))
            progress.add(take.source.size_bytes)
        try:
            frames = decoder.decode(None)
        except av.error.FFmpegError:
            frames = []
        for frame in frames:
            last_90k = yield from self._inside(frame, last_90k)

    def _inside(self, frame: av.VideoFrame, last_90k: int) -> Generator[_Shown, None, int]:
        """Yield a picture that belongs into the file, and return how far the part is."""
        at_90k = frame.pts
        if at_90k is None or at_90k <= last_90k:
            return last_90k
        wall = self._wall(at_90k)
        if self._window.start <= wall < self._window.end:
            self._walls = [min([wall, *self._walls]), max([wall, *self._walls])]
            yield _Shown(at_90k, frame)
        return at_90k

    def _wall(self, at_90k: int) -> datetime:
        return self._part.wall(at_90k - self._part.table.first_cts_90k)

    # -- out ---------------------------------------------------------------------------------------

    def _encode(self, film: Film, shown: _Shown) -> None:
        frame = shown.frame
        width, height = frame.width & ~1, frame.height & ~1
        if self._encoder is None:
            self._encoder = _encoder(width, height)
            self._first_90k = shown.at_90k
        assert self._first_90k is not None
        self._last_90k = shown.at_90k
        width, height = self._encoder.width, self._encoder.height
        picture = frame.reformat(width=width, height=height, format="yuv420p")
        if self._looks:
            data = np.asarray(picture.to_ndarray(), np.uint8)
            planes = Picture.of(data, width, height)
            for look in self._looks:
                look.apply(planes, self._wall(shown.at_90k))
            picture = av.VideoFrame.from_ndarray(data, format="yuv420p")
        picture.pts = shown.at_90k - self._first_90k
        picture.time_base = Fraction(1, TICKS_PER_S)
        picture.pict_type = av.video.frame.PictureType.NONE  # the encoder's own choice
        for packet in self._encoder.encode(picture):
            self._take(film, packet)

    def _drain(self, film: Film) -> None:
        if self._encoder is None:
            return
        for packet in self._encoder.encode(None):
            self._take(film, packet)
        if self._pending is not None:
            self._add(film, *self._pending, self._last_duration_90k())

    def _take(self, film: Film, packet: "av.Packet[Any]") -> None:
        """Write the packet before, now that it is known how long it lasts."""
        assert packet.pts is not None
        unit = self._collector.absorb(bytes(packet))
        if self._pending is not None:
            self._add(film, *self._pending, packet.pts - self._pending[1])
        self._pending = unit.data, packet.pts, unit.is_key

    def _add(self, film: Film, data: bytes, at_90k: int, is_key: bool, duration_90k: int) -> None:
        film.write(data)
        self._table.add(
            len(data),
            at_90k,
            duration_90k,
            0,
            is_key=is_key,
            begins_chunk=len(self._table) % _CHUNK_SAMPLES == 0,
        )

    def _last_duration_90k(self) -> int:
        assert self._pending is not None
        assert self._first_90k is not None
        end_90k = self._part.table.duration_90k + self._part.table.first_cts_90k
        left_90k = end_90k - self._first_90k - self._pending[1]
        return min(max(left_90k, 1), TICKS_PER_S // _NOMINAL_FPS)


@dataclass(frozen=True, slots=True)
class _Data:
    data: bytes
    at_90k: int
    cts_90k: int


def _samples(take: Take, rows: Iterator[tuple[int, int, int]]) -> Iterator[_Data]:
    """Yield the samples of one recorded file with their times; ``rows`` go on with the next."""
    try:
        with Path(take.source.path).open("rb") as file:
            for offset, size_bytes in take.ranges:
                file.seek(offset)
                while size_bytes > 0:
                    length, at_90k, cts_90k = next(rows)
                    data = file.read(length)
                    if len(data) < length:
                        raise UnreadableError(take.source, "shorter than it was")
                    yield _Data(data, at_90k, cts_90k)
                    size_bytes -= length  # noqa: PLW2901
    except OSError as error:
        raise UnreadableError(take.source, error.strerror or repr(error)) from error


def _ignore(_: memoryview) -> None:
    """Read for the hash alone."""


def _decoder(parameters: CodecParameters) -> av.VideoCodecContext:
    context = av.CodecContext.create(_DECODERS[parameters.codec], "r")
    assert isinstance(context, av.VideoCodecContext)
    context.extradata = parameters.extradata
    context.thread_count = 1
    return context


def _encoder(width: int, height: int) -> av.VideoCodecContext:
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, TICKS_PER_S)
    context.framerate = Fraction(_NOMINAL_FPS)
    context.thread_count = max(1, (os.cpu_count() or 1) // 2)
    most = most_bits_per_s(width, height)
    context.options = {
        "preset": "veryfast",
        "crf": "23",
        "maxrate": str(most),
        "bufsize": str(most),
        "x264-params": f"keyint={_KEY_EVERY}:bframes=0:repeat-headers=1",
    }
    try:
        context.open()
    except av.error.FFmpegError as error:
        raise MediaError(f"the encoder does not open: {error.strerror}") from error
    return context


def _span(ticks_90k: int) -> timedelta:
    return timedelta(microseconds=ticks_90k * 1_000_000 // TICKS_PER_S)
