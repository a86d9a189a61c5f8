from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.media.sample import Codec
from edge.recording.segment import KeyPoint, Segment
from edge.web.playlist import playlist
from protocol.relay import StreamName

START = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)


def segment(
    segment_id: int,
    *,
    start_dts_90k: int = 0,
    duration_90k: int = 900_000,
    run_id: str = "a",
    size_bytes: int = 5000,
    init_bytes: int = 700,
    starts_key: bool = True,
    keys: tuple[KeyPoint, ...] = (),
) -> Segment:
    start = START + timedelta(seconds=start_dts_90k / 90_000)
    return Segment(
        id=segment_id,
        camera_id="gate",
        stream=StreamName.MAIN,
        run_id=run_id,
        path=Path(f"/nowhere/{segment_id}.mp4"),
        start=start,
        end=start + timedelta(seconds=duration_90k / 90_000),
        start_dts_90k=start_dts_90k,
        duration_90k=duration_90k,
        wall_us=duration_90k * 100 // 9,
        size_bytes=size_bytes,
        init_bytes=init_bytes,
        sha256="0" * 64,
        codec=Codec.H264,
        mime_codec="avc1.64001f",
        width=1920,
        height=1080,
        starts_key=starts_key,
        keys=keys,
    )


def test_files_of_one_run_follow_one_another_behind_one_map():
    segments = [
        segment(7, size_bytes=5000),
        segment(8, start_dts_90k=900_000, duration_90k=904_500, size_bytes=6123),
    ]
    assert playlist(segments) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:10\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MAP:URI="../../segments/7.mp4",BYTERANGE="700@0"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:02:03.456789Z\n"
        "#EXTINF:10.000000,\n"
        "#EXT-X-BYTERANGE:4300@700\n"
        "../../segments/7.mp4\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:02:13.456789Z\n"
        "#EXTINF:10.050000,\n"
        "#EXT-X-BYTERANGE:5423@700\n"
        "../../segments/8.mp4\n"
        "#EXT-X-ENDLIST\n"
    )


def test_another_run_stands_behind_a_discontinuity_with_its_own_map():
    text = playlist(
        [segment(7), segment(9, run_id="b", duration_90k=90_000, init_bytes=650, size_bytes=900)]
    )
    assert text == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:10\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MAP:URI="../../segments/7.mp4",BYTERANGE="700@0"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:02:03.456789Z\n"
        "#EXTINF:10.000000,\n"
        "#EXT-X-BYTERANGE:4300@700\n"
        "../../segments/7.mp4\n"
        "#EXT-X-DISCONTINUITY\n"
        '#EXT-X-MAP:URI="../../segments/9.mp4",BYTERANGE="650@0"\n'
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:02:03.456789Z\n"
        "#EXTINF:1.000000,\n"
        "#EXT-X-BYTERANGE:250@650\n"
        "../../segments/9.mp4\n"
        "#EXT-X-ENDLIST\n"
    )


def test_a_file_that_is_no_longer_there_leaves_a_discontinuity_in_its_run():
    lines = playlist([segment(7), segment(9, start_dts_90k=1_800_000)]).splitlines()
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    assert lines.index("#EXT-X-DISCONTINUITY") == lines.index("../../segments/7.mp4") + 1


def test_a_file_that_begins_inside_a_group_is_not_called_independent():
    lines = playlist([segment(7), segment(8, start_dts_90k=900_000, starts_key=False)]).splitlines()
    assert "#EXT-X-INDEPENDENT-SEGMENTS" not in lines


def test_the_target_duration_is_the_longest_rounded_as_the_rfc_rounds():
    assert "#EXT-X-TARGETDURATION:1" in playlist([segment(1, duration_90k=9_000)]).splitlines()
    longest = [segment(1), segment(2, start_dts_90k=900_000, duration_90k=12 * 90_000 + 45_001)]
    assert "#EXT-X-TARGETDURATION:13" in playlist(longest).splitlines()


def test_a_file_is_offered_in_pieces_that_begin_with_its_key_frames():
    keys = tuple(KeyPoint(second * 90_000, 700 + second * 400) for second in (0, 4, 8))

    assert playlist([segment(7, keys=keys)]).splitlines()[7:] == [
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T01:02:03.456789Z",
        "#EXTINF:4.000000,",
        "#EXT-X-BYTERANGE:1600@700",
        "../../segments/7.mp4",
        "#EXTINF:4.000000,",
        "#EXT-X-BYTERANGE:1600@2300",
        "../../segments/7.mp4",
        "#EXTINF:2.000000,",
        "#EXT-X-BYTERANGE:1100@3900",
        "../../segments/7.mp4",
        "#EXT-X-ENDLIST",
    ]


def test_key_frames_that_come_often_do_not_make_the_list_long():
    keys = tuple(KeyPoint(half * 45_000, 700 + half * 200) for half in range(20))

    lines = playlist([segment(7, keys=keys)]).splitlines()

    assert [line for line in lines if "EXTINF" in line] == [
        *["#EXTINF:1.500000,"] * 6,
        "#EXTINF:1.000000,",
    ]


def test_what_comes_before_the_first_key_frame_of_a_file_is_a_piece_too():
    lines = playlist([segment(7, starts_key=False, keys=(KeyPoint(300_000, 2000),))]).splitlines()

    assert [line for line in lines if "BYTERANGE:" in line] == [
        "#EXT-X-BYTERANGE:1300@700",
        "#EXT-X-BYTERANGE:3000@2000",
    ]
