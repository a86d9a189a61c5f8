"""HLS over byte ranges of the recorded files, as text. Source: RFC 8216; measured in facts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from edge.media.sample import TICKS_PER_S
from edge.recording.segment import KeyPoint, Segment

#: A file is offered in pieces that begin with a key frame, so that a player who looks for a moment
#: loads one of them and not all of it: a village's uplink is slow. Shorter pieces would make the
#: list longer than what they save.
MIN_PIECE_90K = TICKS_PER_S * 3 // 2


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a file, from one key frame to another one."""

    duration_90k: int
    offset: int
    size_bytes: int


def playlist(segments: Sequence[Segment]) -> str:
    """Return a playlist of complete files (at least one), in the order in which they are given.

    Each file is one media segment or several, cut at key frames, behind its initialisation segment.
    Media time goes on from file to file inside a run, so they play without a seam; where it does
    not go on (another run, or a file that is no longer there) stands a discontinuity with its own
    map. Between two discontinuities the durations add up to the true media time within a
    microsecond, however many there are. URIs are relative to ``/v1/cameras/<id>/playlist.m3u8``.
    """
    pieces = [_pieces(segment) for segment in segments]
    longest_90k = max(piece.duration_90k for of_file in pieces for piece in of_file)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, round(longest_90k / TICKS_PER_S))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    if all(segment.starts_key for segment in segments):
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    seams = [True, *(not _goes_on(before, after) for before, after in pairwise(segments))]
    reached_90k = 0
    for index, (segment, seam) in enumerate(zip(segments, seams, strict=True)):
        uri = f"../../segments/{segment.id}.mp4"
        if seam:
            reached_90k = 0
            if index:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f'#EXT-X-MAP:URI="{uri}",BYTERANGE="{segment.init_bytes}@0"')
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_timestamp(segment.start)}")
        for piece in pieces[index]:
            lines.append(f"#EXTINF:{_seconds(reached_90k, piece.duration_90k)},")
            lines.append(f"#EXT-X-BYTERANGE:{piece.size_bytes}@{piece.offset}")
            lines.append(uri)
            reached_90k += piece.duration_90k
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _pieces(segment: Segment) -> list[_Piece]:
    begins = [*_begins(segment), KeyPoint(segment.duration_90k, segment.size_bytes)]
    return [
        _Piece(later.after_90k - begin.after_90k, begin.offset, later.offset - begin.offset)
        for begin, later in pairwise(begins)
    ]


def _begins(segment: Segment) -> Iterator[KeyPoint]:
    """Yield where the pieces of a file begin: the head's end, and key frames far enough apart."""
    last = KeyPoint(0, segment.init_bytes)
    yield last
    for key in segment.keys:
        is_within = key.after_90k < segment.duration_90k and key.offset < segment.size_bytes
        if is_within and key.after_90k - last.after_90k >= MIN_PIECE_90K:
            yield key
            last = key


def _seconds(from_90k: int, duration_90k: int) -> str:
    """Return a duration with six digits, so rounded that the sum of all so far is right."""
    length_us = _us(from_90k + duration_90k) - _us(from_90k)
    return f"{length_us // 1_000_000}.{length_us % 1_000_000:06}"


def _us(ticks_90k: int) -> int:
    return ticks_90k * 1_000_000 // TICKS_PER_S


def _goes_on(before: Segment, after: Segment) -> bool:
    return (
        before.run_id == after.run_id
        and before.start_dts_90k + before.duration_90k == after.start_dts_90k
    )


def _timestamp(at: datetime) -> str:
    """Return a time to the microsecond: of which picture it is may hang on it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
