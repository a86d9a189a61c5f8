import hashlib
from itertools import pairwise

import av
import pytest

from edge.errors import NotFoundError, StorageError
from edge.media.sample import Codec
from edge.recording.export import Cut, cut
from edge.recording.fitting import Fit
from tests.support.packets import FRAME_90K, grey, moved, packets
from tests.support.recordings import (
    MAIN,
    Archive,
    at,
    ended,
    offer_all,
    pictures,
    recorded,
    timed,
    until,
)


def clip(archive: Archive, start_s: float, end_s: float, name: str = "clip.mp4") -> Cut:
    footage = archive.index.footage("gate", MAIN, at(start_s), at(end_s))
    return cut(footage, at(start_s), at(end_s), archive.root.parent / name)


def shown(archive: Archive, name: str = "clip.mp4") -> list[tuple[int, int]]:
    return pictures(archive.root.parent / name)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_clip_over_several_files_is_every_picture_from_the_key_frame_on(archive, codec, b_frames):
    recorded(archive, ended(timed(packets(codec, 250, 25, b_frames=b_frames), codec)), segment_s=2)

    made = clip(archive, 3.5, 7.2)

    assert (made.start, made.end) == (at(3), at(7.2))
    seen = shown(archive)
    assert len(seen) == 105
    # The cut is in decoding order: with B-frames the last few are not the last to be shown.
    assert [b[0] - a[0] for a, b in pairwise(seen[:101])] == [FRAME_90K] * 100
    expected = [grey(75 + index) for index in range(105)]
    wrong = [i for i, (_, luma) in enumerate(seen[:100]) if abs(luma - expected[i]) > 8]
    assert wrong == []


def test_a_clip_is_a_progressive_file_with_its_index_in_front(archive):
    recorded(archive, ended(timed(packets(frames=100, gop=25))))

    made = clip(archive, 1, 3)

    path = archive.root.parent / "clip.mp4"
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert b"moof" not in data
    assert (made.size_bytes, made.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    with av.open(str(path)) as container:
        assert container.duration == 2_000_000
        assert container.streams.video[0].start_time == 0
    assert [each.name for each in path.parent.glob("*.part")] == []


def test_h265_keeps_the_tag_that_players_want(archive):
    recorded(archive, ended(timed(packets(Codec.H265, 25, 25), Codec.H265)))

    clip(archive, 0, 1)

    with av.open(str(archive.root.parent / "clip.mp4")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


def test_the_growing_file_is_cut_like_any_other(archive):
    recorder = archive.recorder(segment_s=4)
    recorder.start()
    offer_all(recorder, timed(packets(frames=180, gop=25)))
    until(lambda: (grows := archive.index.growing("gate", MAIN)) and grows.end == at(7))

    made = clip(archive, 2, 6.5)

    assert (made.start, made.end) == (at(2), at(6.52))
    assert [luma for _, luma in shown(archive)] == pytest.approx(
        [grey(index) for index in range(50, 163)], abs=8
    )
    recorder.close()


def test_over_a_gap_the_clips_time_stays_wall_time(archive):
    first = timed(packets(frames=50, gop=25))
    second = timed(packets(frames=50, gop=25, late_s=9.5))
    recorded(archive, [*ended(first), *ended(second)])

    made = clip(archive, 1, 10.5)

    assert (made.start, made.end) == (at(1), at(10.5))
    times = [pts for pts, _ in shown(archive)]
    assert times == [
        *(index * FRAME_90K for index in range(25)),
        *(round(8.5 * 90_000) + index * FRAME_90K for index in range(25)),
    ]


def test_where_a_clock_was_set_back_the_clips_time_still_goes_on(archive):
    first = timed(packets(frames=50, gop=25))
    second = timed([moved(each, wall_s=1) for each in packets(frames=50, gop=25)])
    recorded(archive, [*ended(first), *ended(second)])

    clip(archive, 0, 60)

    assert [pts for pts, _ in shown(archive)] == [index * FRAME_90K for index in range(100)]


def test_where_a_clock_was_set_back_no_run_is_shown_inside_another(archive):
    first = timed(packets(frames=100, gop=25))
    second = timed([moved(each, wall_s=1) for each in packets(frames=100, gop=25)])
    recorded(archive, [*ended(first), *ended(second)], segment_s=1)

    clip(archive, 0, 60)

    expected = [grey(index) for index in range(100)] * 2
    seen = [luma for _, luma in shown(archive)]
    assert [i for i, luma in enumerate(seen) if abs(luma - expected[i]) > 8] == []
    assert len(seen) == 200


def test_where_the_parameters_change_the_longer_stretch_is_cut(archive):
    small = packets(frames=25)
    large = [moved(each, media_s=1, wall_s=1) for each in packets(frames=75, width=320)]
    recorded(archive, ended(timed([*small, *large])))

    made = clip(archive, 0, 60)

    assert (made.start, made.end) == (at(1), at(4))
    with av.open(str(archive.root.parent / "clip.mp4")) as container:
        assert container.streams.video[0].width == 320


def test_a_clip_that_is_too_long_is_shortened_around_the_instant_that_matters(archive):
    recorded(archive, ended(timed(packets(frames=250, gop=25))), segment_s=2)
    whole = clip(archive, 0, 10)

    footage = archive.index.footage("gate", MAIN, at(0), at(10))
    target = archive.root.parent / "short.mp4"
    short = cut(footage, at(0), at(10), target, Fit(whole.size_bytes // 2, at(4)))

    assert target.stat().st_size <= whole.size_bytes // 2
    assert at(0) < short.start <= at(4) < short.end < at(10)
    seen = shown(archive, "short.mp4")
    assert len(seen) == round((short.end - short.start).total_seconds() * 25)
    assert abs(seen[0][1] - grey(round((short.start - at(0)).total_seconds() * 25))) <= 8


def test_a_start_before_the_first_picture_begins_with_it(archive):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))

    assert clip(archive, -30, 1).start == at(0)


def test_footage_that_begins_inside_a_group_begins_at_its_next_key_frame(archive):
    recorded(archive, ended(timed(packets(frames=100, gop=25))), segment_s=2)
    first, second = archive.segments()
    archive.index.forget(first)

    made = cut([second], at(2.5), at(3.6), archive.root.parent / "clip.mp4")

    assert made.start == at(2)


def test_no_footage_at_all_is_not_found(archive):
    with pytest.raises(NotFoundError):
        clip(archive, 0, 10)


def test_a_file_that_is_gone_is_not_found(archive):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    archive.segments()[0].path.unlink()

    with pytest.raises(NotFoundError):
        clip(archive, 0, 1)


def test_a_target_that_can_not_be_written_is_a_storage_error(archive):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    footage = archive.index.footage("gate", MAIN, at(0), at(1))

    with pytest.raises(StorageError):
        cut(footage, at(0), at(1), archive.root / "no" / "such" / "folder.mp4")
