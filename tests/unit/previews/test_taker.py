"""Small pictures of what a real recorder left."""

from io import BytesIO

import av
import numpy as np
import pytest

from edge.errors import MediaError, NotFoundError
from edge.media.sample import Codec
from edge.previews.sheet import slots
from edge.previews.taker import MAX_BYTES, PreviewTaker
from edge.recording.retention import Deletion, Reason
from tests.support.packets import grey, moved, packets
from tests.support.recordings import Archive, at, ended, offer_all, recorded, timed, until


def decoded(jpeg: bytes) -> np.ndarray:
    with av.open(BytesIO(jpeg)) as container:
        return next(container.decode(video=0)).to_ndarray(format="gray")


def luma(jpeg: bytes) -> int:
    return int(np.median(decoded(jpeg)))


def seen(taker: PreviewTaker, second: float) -> tuple[int, float]:
    """Return the grey of the picture of a moment, and its true time."""
    made = taker.at("gate", at(second), 160)
    return luma(made.jpeg), (made.at - at(0)).total_seconds()


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_the_picture_of_a_moment_is_the_key_frame_before_it(archive, taker, codec):
    recorded(archive, ended(timed(packets(codec, 250, 25), codec)), segment_s=2)
    for asked, index in [(0.0, 0), (0.99, 0), (1.0, 25), (3.5, 75), (9.96, 225)]:
        shade, true_s = seen(taker, asked)
        assert true_s == pytest.approx(index / 25)
        assert shade == pytest.approx(grey(index), abs=6)


def test_the_true_time_is_when_the_frame_is_shown_where_there_are_b_frames(archive, taker):
    recorded(archive, ended(timed(packets(frames=100, gop=25, b_frames=2))), segment_s=2)
    shade, true_s = seen(taker, 2.5)
    assert shade == pytest.approx(grey(50), abs=6)
    assert true_s == pytest.approx(2.0, abs=0.13)


def test_the_growing_file_counts(archive, taker):
    recorder = archive.recorder(segment_s=60)
    recorder.start()
    offer_all(recorder, timed(packets(frames=150, gop=25)))
    until(lambda: (now := archive.index.growing("gate", "main")) and now.end > at(4.5))
    assert archive.segments() == []
    assert seen(taker, 4.2)[1] == pytest.approx(4.0)
    recorder.close()


@pytest.mark.parametrize(("width", "height"), [(160, 120), (320, 240)])
def test_a_picture_has_the_width_that_is_asked_for_and_keeps_its_shape(
    archive, taker, width, height
):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    jpeg = taker.at("gate", at(1), width).jpeg
    assert decoded(jpeg).shape == (height, width)
    assert len(jpeg) <= MAX_BYTES[width]


@pytest.mark.parametrize("moment", [-0.1, 4.0, 7.9, 13.0])
def test_a_gap_has_no_picture(archive, taker, moment):
    first = packets(frames=50, gop=25)
    second = [moved(each, media_s=8, wall_s=8) for each in packets(frames=50, gop=25)]
    recorded(archive, ended(timed(first)))
    recorded(archive, ended(timed(second)))
    with pytest.raises(NotFoundError):
        taker.at("gate", at(moment), 160)
    assert seen(taker, 9)[1] == pytest.approx(9.0)


def test_of_a_group_that_goes_on_over_files_the_key_frame_is_found_until_it_is_too_old(
    archive, taker
):
    # One key frame in 80 s: what the smart codecs of cameras do.
    recorded(archive, ended(timed(packets(frames=2000, gop=2000))), segment_s=2)
    assert [segment.starts_key for segment in archive.segments()].count(False) >= 1
    assert seen(taker, 59.9)[1] == 0.0
    with pytest.raises(NotFoundError):
        taker.at("gate", at(61), 160)


def test_another_camera_has_no_picture(archive, taker):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    with pytest.raises(NotFoundError):
        taker.at("road", at(1), 160)


def test_a_slot_shows_its_middle_or_what_is_nearest_to_it(archive, taker):
    recorded(archive, ended(timed(packets(frames=100, gop=25))), segment_s=2)  # 0 to 4 s
    shown = [taker.of_slot("gate", slot, 160) for slot in slots(at(-6), at(14), 4)]
    times = [None if each is None else (each.at - at(0)).total_seconds() for each in shown]
    assert times == [None, 1.0, None, None]  # of −1 to 4 s: 1.5 s
    (early,) = slots(at(-8), at(0.5), 1)
    assert taker.of_slot("gate", early, 160).at == at(0)
    (late,) = slots(at(3.5), at(20), 1)
    assert taker.of_slot("gate", late, 160).at == at(3)


def test_what_was_made_is_not_made_again(archive, taker, process):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    first = taker.at("gate", at(1.2), 160)
    assert taker.at("gate", at(1.9), 160) == first
    assert process.made == 1
    taker.at("gate", at(1.2), 320)
    assert process.made == 2


def condemn(archive: Archive) -> None:
    archive.doomed.condemn(
        [Deletion(segment, Reason.AGE) for segment in archive.segments()], at(100)
    )


@pytest.mark.parametrize("how", ["row", "file"])
def test_a_preview_does_not_outlive_its_footage(archive, taker, how):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    taker.at("gate", at(1), 160)
    assert taker.cached() == 1
    if how == "row":
        condemn(archive)  # the file may resist for a while: it is gone all the same
        assert archive.files() != []
    else:
        archive.files()[0].unlink()
    with pytest.raises(NotFoundError):
        taker.at("gate", at(1), 160)
    (slot,) = slots(at(0), at(2), 1)
    if how == "row":
        assert taker.of_slot("gate", slot, 160) is None


def test_pictures_of_deleted_files_leave_the_memory_while_it_is_used(archive, taker):
    recorded(archive, ended(timed(packets(frames=100, gop=25))), segment_s=2)
    for second in range(4):
        taker.at("gate", at(second), 160)
    assert taker.cached() == 4
    archive.files()[0].unlink()
    archive.clock.advance(61)
    taker.at("gate", at(3), 160)
    assert taker.cached() == 2


def test_nothing_is_left_of_pictures_that_are_forgotten(archive, taker):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    taker.at("gate", at(1), 160)
    taker.forget()
    assert taker.cached() == 0


def test_no_picture_is_ever_on_the_disk(archive, taker):
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    before = set(archive.root.parent.rglob("*"))
    taker.at("gate", at(1), 160)
    assert set(archive.root.parent.rglob("*")) == before


def test_a_damaged_file_is_an_error_and_the_next_one_has_its_picture(archive, taker):
    recorded(archive, ended(timed(packets(frames=100, gop=25))), segment_s=2)
    path = archive.segments()[0].path
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start : start + 400] = bytes(400)  # what a power cut leaves
    path.write_bytes(data)
    with pytest.raises(MediaError):
        taker.at("gate", at(0.5), 160)
    assert seen(taker, 2.5)[1] == pytest.approx(2.0)
