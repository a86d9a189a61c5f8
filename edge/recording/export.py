"""Cutting a clip out of recorded footage without encoding anything anew."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from io import BytesIO
from itertools import groupby
from pathlib import Path

from edge.db.instant import to_us
from edge.errors import MediaError, NotFoundError, StorageError
from edge.media.boxes import Head, SampleEntry, fragments, read_head
from edge.media.sample import TICKS_PER_S
from edge.recording.fitting import Fit, Frame, fitting
from edge.recording.segment import Footage


@dataclass(frozen=True, slots=True)
class Cut:
    """A clip that was made, and what it truly shows.

    Its own time is wall time minus ``start``: a gap in the footage is a picture that stands still.
    """

    start: datetime
    end: datetime
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Source:
    footage: Footage
    head: Head
    init: bytes


@dataclass(frozen=True, slots=True)
class _Shot:
    """One sample of the clip: where its bytes are, and its wall time as 90 kHz ticks of 1970."""

    source: int
    entry: SampleEntry
    at_90k: int


def cut(
    footage: Sequence[Footage],
    start: datetime,
    end: datetime,
    target: Path,
    fit: Fit | None = None,
) -> Cut:
    """Write ``start`` to ``end`` of one stream's footage to ``target`` as a progressive MP4.

    It begins at the key frame at or before ``start``, else at the first one after. Give it what
    ``RecordingIndex.footage`` returns, the growing file included. Where the parameters change in
    between, the longest stretch with the same ones is cut. With ``fit`` it is shortened to what
    fits, as far as it can be. Blocks for the reading and writing of the clip. Raises NotFoundError
    where there is no picture, MediaError and StorageError.
    """
    sources = _same_parameters([_opened(item) for item in footage], start, end)
    shots = _shots(sources, start, end)
    if not shots:
        raise NotFoundError(f"no picture between {start} and {end}")
    if fit is not None:
        shots = _fitted(shots, fit)
    unfinished = target.with_name(f"{target.name}.part")
    try:
        _mux(sources, shots, unfinished)
        digest = _settle(unfinished)
        size_bytes = unfinished.stat().st_size
        unfinished.replace(target)
    except OSError as error:
        raise StorageError(f"clip {target.name}: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return Cut(*_shown(sources, shots), size_bytes, digest)


def _opened(footage: Footage) -> _Source:
    try:
        with footage.path.open("rb") as file:
            head = read_head(file, footage.size_bytes)
            file.seek(0)
            return _Source(footage, head, file.read(head.init_bytes))
    except OSError as error:
        raise NotFoundError(f"recorded file {footage.path.name}: {error.strerror}") from error


def _same_parameters(sources: list[_Source], start: datetime, end: datetime) -> list[_Source]:
    """Return the stretch of neighbours with equal parameters that covers most of the time."""
    stretches: list[list[_Source]] = []
    for source in sources:
        if stretches and stretches[-1][-1].head.parameters == source.head.parameters:
            stretches[-1].append(source)
        else:
            stretches.append([source])

    def covered(stretch: list[_Source]) -> timedelta:
        parts = (min(item.footage.end, end) - max(item.footage.start, start) for item in stretch)
        return sum((max(part, timedelta()) for part in parts), timedelta())

    return max(stretches, key=covered, default=[])


def _shots(sources: list[_Source], start: datetime, end: datetime) -> list[_Shot]:
    """Return the samples of the clip in order; those before its key frame fall away again."""
    start_90k, end_90k = _ticks(start), _ticks(end)
    shots: list[_Shot] = []
    reached_90k = 0
    previous: Footage | None = None
    decodable = False
    for number, source in enumerate(sources):
        footage = source.footage
        base_90k = reached_90k
        if previous is None or not _follows(previous, footage):
            decodable = False
            # Runs may overlap where a clock was set; the clip's own time never goes back.
            base_90k = max(reached_90k, _ticks(footage.start))
        for entry in _entries(source):
            at_90k = base_90k + entry.dts_90k - footage.start_dts_90k
            reached_90k = at_90k + entry.duration_90k
            if at_90k >= end_90k:
                return shots
            decodable = decodable or entry.is_key
            if entry.is_key and at_90k <= start_90k:
                shots = []
            if decodable:
                shots.append(_Shot(number, entry, at_90k))
        previous = footage
    return shots


def _fitted(shots: list[_Shot], fit: Fit) -> list[_Shot]:
    frames = [Frame(shot.at_90k, shot.entry.size_bytes, shot.entry.is_key) for shot in shots]
    return shots[fitting(frames, fit.max_bytes, _ticks(fit.around))]


def _follows(previous: Footage, footage: Footage) -> bool:
    return (
        previous.run_id == footage.run_id
        and previous.start_dts_90k + previous.duration_90k == footage.start_dts_90k
    )


def _entries(source: _Source) -> Iterator[SampleEntry]:
    try:
        with source.footage.path.open("rb") as file:
            for fragment in fragments(file, source.head.init_bytes, source.footage.size_bytes):
                yield from fragment.samples
    except OSError as error:
        raise NotFoundError(f"{source.footage.path.name}: {error.strerror}") from error


def _mux(sources: list[_Source], shots: list[_Shot], target: Path) -> None:
    """Write the samples as an MP4 whose index is at the front."""
    import av  # noqa: PLC0415 - 20 MB; not before a clip is cut
    import av.error  # noqa: PLC0415

    first_90k = shots[0].at_90k
    options = {"movflags": "+faststart"}
    try:
        with (
            av.open(BytesIO(sources[shots[0].source].init)) as template,
            av.open(str(target), "w", format="mp4", options=options) as output,
        ):
            video = template.streams.video[0]
            stream = output.add_stream_from_template(video)
            # Apple's players and browsers want "hvc1", the muxer's own choice is "hev1".
            stream.codec_context.codec_tag = video.codec_context.codec_tag
            for shot, data in _read(sources, shots):
                packet = av.Packet(data)
                packet.stream = stream
                packet.time_base = Fraction(1, TICKS_PER_S)
                packet.dts = shot.at_90k - first_90k
                packet.pts = packet.dts + shot.entry.cts_90k
                packet.duration = shot.entry.duration_90k
                packet.is_keyframe = shot.entry.is_key
                output.mux(packet)
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise MediaError(f"clip can't be written: {error.strerror}") from error


def _read(sources: list[_Source], shots: list[_Shot]) -> Iterator[tuple[_Shot, bytes]]:
    for number, group in groupby(shots, key=lambda shot: shot.source):
        with sources[number].footage.path.open("rb") as file:
            for shot in group:
                file.seek(shot.entry.offset)
                yield shot, file.read(shot.entry.size_bytes)


def _settle(path: Path) -> str:
    """Bring a file onto the disk and return its SHA-256."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shown(sources: list[_Source], shots: list[_Shot]) -> tuple[datetime, datetime]:
    """Return the wall times of the clip's first and last instant."""
    first, last = shots[0], shots[-1]
    footage = sources[first.source].footage
    start = footage.start + _span(first.entry.dts_90k - footage.start_dts_90k)
    return start, start + _span(last.at_90k + last.entry.duration_90k - first.at_90k)


def _ticks(at: datetime) -> int:
    return to_us(at) * TICKS_PER_S // 1_000_000


def _span(ticks_90k: int) -> timedelta:
    return timedelta(microseconds=ticks_90k * 1_000_000 // TICKS_PER_S)
