"""HLS over byte ranges of the recorded files, as text. Source: RFC 8216; measured in facts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from edge.media.sample import TICKS_PER_S
from edge.recording.segment import Segment


def playlist(segments: Sequence[Segment]) -> str:
    """Return a playlist of complete files (at least one), in the order in which they are given.

    Each file is one media segment: all of it behind its initialisation segment. Media time goes on
    from file to file inside a run, so they play without a seam; where it does not go on (another
    run, or a file that is no longer there) stands a discontinuity with its own map. URIs are
    relative to ``/v1/cameras/<id>/playlist.m3u8``.
    """
    target_s = max(round(segment.duration_90k / TICKS_PER_S) for segment in segments)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, target_s)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]
    if all(segment.starts_key for segment in segments):
        lines.append("#EXT-X-INDEPENDENT-SEGMENTS")
    seams = [True, *(not _goes_on(before, after) for before, after in pairwise(segments))]
    for index, (segment, seam) in enumerate(zip(segments, seams, strict=True)):
        uri = f"../../segments/{segment.id}.mp4"
        if seam:
            if index:
                lines.append("#EXT-X-DISCONTINUITY")
            lines.append(f'#EXT-X-MAP:URI="{uri}",BYTERANGE="{segment.init_bytes}@0"')
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{_timestamp(segment.start)}",
            f"#EXTINF:{segment.duration_90k / TICKS_PER_S:.6f},",
            f"#EXT-X-BYTERANGE:{segment.size_bytes - segment.init_bytes}@{segment.init_bytes}",
            uri,
        ]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def _goes_on(before: Segment, after: Segment) -> bool:
    return (
        before.run_id == after.run_id
        and before.start_dts_90k + before.duration_90k == after.start_dts_90k
    )


def _timestamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
