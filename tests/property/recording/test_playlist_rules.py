"""Whatever was recorded, a player gets all of it, once, in order and at its true time."""

import re
from datetime import UTC, datetime, timedelta
from itertools import accumulate, groupby, pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.media.sample import Codec
from edge.recording.segment import KeyPoint, Segment
from edge.web.playlist import MIN_PIECE_90K, playlist
from protocol.relay import StreamName

START = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
INIT_BYTES = 700


@st.composite
def files(draw: st.DrawFn) -> list[Segment]:
    """Draw the files of some runs, as a recorder leaves them, some of them gone since."""
    found: list[Segment] = []
    for run in range(draw(st.integers(1, 3))):
        reached_90k = draw(st.integers(0, 10**9))
        for _ in range(draw(st.integers(1, 4))):
            lengths = draw(st.lists(st.integers(1, 400_000), min_size=1, max_size=8))
            sizes = [draw(st.integers(1, 9000)) for _ in lengths]
            times, places = accumulate(lengths, initial=0), accumulate(sizes, initial=INIT_BYTES)
            fragments = [KeyPoint(*each) for each in zip(times, places, strict=True)][:-1]
            keys = tuple(each for each in fragments if draw(st.booleans()))
            start = START + timedelta(hours=run, microseconds=reached_90k * 100 // 9)
            duration_90k = sum(lengths)
            if draw(st.integers(0, 4)):  # else retention, or a disk, has taken it
                found.append(_segment(len(found) + 1, str(run), start, reached_90k, duration_90k,
                                      INIT_BYTES + sum(sizes), keys))  # fmt: skip
            reached_90k += duration_90k
    return found


def _segment(number, run_id, start, start_dts_90k, duration_90k, size_bytes, keys):
    return Segment(
        id=number,
        camera_id="gate",
        stream=StreamName.MAIN,
        run_id=run_id,
        path=Path(f"/nowhere/{number}.mp4"),
        start=start,
        end=start + timedelta(microseconds=duration_90k * 100 // 9),
        start_dts_90k=start_dts_90k,
        duration_90k=duration_90k,
        wall_us=duration_90k * 100 // 9,
        size_bytes=size_bytes,
        init_bytes=INIT_BYTES,
        sha256="0" * 64,
        codec=Codec.H264,
        mime_codec="avc1.64001f",
        width=1920,
        height=1080,
        starts_key=bool(keys) and keys[0].after_90k == 0,
        keys=keys,
    )


def parts_of(text: str) -> list[tuple[int, int, int, int]]:
    """Return (file, offset, bytes, microseconds) of each media segment of a playlist."""
    found = re.findall(
        r"#EXTINF:(\d+)\.(\d{6}),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n\.\./\.\./segments/(\d+)\.mp4\n",
        text,
    )
    return [(int(f), int(o), int(n), int(s) * 1_000_000 + int(us)) for s, us, n, o, f in found]


@given(files().filter(bool))
def test_every_byte_of_every_file_is_offered_once_and_in_order(segments):
    parts = parts_of(playlist(segments))

    assert [number for number, _ in groupby(part[0] for part in parts)] == [s.id for s in segments]
    for segment in segments:
        mine = [(offset, size) for number, offset, size, _ in parts if number == segment.id]
        assert mine[0][0] == segment.init_bytes
        assert all(o + n == later for (o, n), (later, _) in pairwise(mine))
        assert sum(mine[-1]) == segment.size_bytes


@given(files().filter(bool))
def test_a_piece_begins_with_a_file_or_with_a_key_frame_of_it_and_is_not_short(segments):
    parts = parts_of(playlist(segments))

    for segment in segments:
        mine = [part for part in parts if part[0] == segment.id]
        assert {part[1] for part in mine[1:]} <= {key.offset for key in segment.keys}
        assert all(part[3] >= MIN_PIECE_90K * 100 // 9 - 1 for part in mine[:-1])


@given(files().filter(bool))
def test_durations_add_up_to_the_true_media_time_however_many_there_are(segments):
    text = playlist(segments)

    runs = text.split("#EXT-X-DISCONTINUITY\n")
    assert sum(len(parts_of(run)) for run in runs) == len(parts_of(text))
    for run in runs:
        parts = parts_of(run)
        numbers = {part[0] for part in parts}
        ticks = sum(segment.duration_90k for segment in segments if segment.id in numbers)
        assert sum(part[3] for part in parts) == ticks * 1_000_000 // 90_000


@given(files().filter(bool))
def test_there_is_a_discontinuity_and_a_map_exactly_where_media_time_does_not_go_on(segments):
    text = playlist(segments)

    breaks = [
        later.id
        for each, later in pairwise(segments)
        if (each.run_id, each.start_dts_90k + each.duration_90k)
        != (later.run_id, later.start_dts_90k)
    ]
    maps = [int(number) for number in re.findall(r'MAP:URI="\.\./\.\./segments/(\d+)', text)]
    assert maps == [segments[0].id, *breaks]
    assert text.count("#EXT-X-DISCONTINUITY") == len(breaks)
    dates = re.findall(r"#EXT-X-PROGRAM-DATE-TIME:(\S+)", text)
    assert [datetime.fromisoformat(date) for date in dates] == [s.start for s in segments]


@given(files().filter(bool))
def test_no_piece_is_longer_than_the_playlist_says(segments):
    text = playlist(segments)

    (target,) = re.findall(r"#EXT-X-TARGETDURATION:(\d+)", text)
    assert all(round(part[3] / 1_000_000) <= int(target) for part in parts_of(text))
