from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest

from edge.errors import MediaError, NotFoundError
from edge.live.hubs import LiveHubs
from edge.media.sample import Codec
from edge.snapshot import PictureTaker, shrunk_jpeg
from protocol.relay import StreamName
from tests.support.footage import STARTED, brightness, encoded, run, samples

FRAME = timedelta(milliseconds=40)


@pytest.fixture
def hubs() -> LiveHubs:
    return LiveHubs([("gate", StreamName.MAIN), ("gate", StreamName.SUB)])


@pytest.fixture
def pictures(hubs) -> PictureTaker:
    return PictureTaker(hubs, max_bytes=150_000)


def show(hubs: LiveHubs, stream: StreamName, *frames) -> None:
    for frame in frames:
        hubs.hub("gate", stream).offer(frame)


def seen(jpeg: bytes) -> int:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    return round(float(image.mean()))


@pytest.mark.parametrize("codec", list(Codec))
def test_the_newest_picture_is_the_last_frame_with_its_own_time(hubs, pictures, codec):
    show(hubs, StreamName.MAIN, *encoded(frames=30, gop=20, codec=codec))
    picture = pictures.newest("gate")
    assert picture.at == STARTED + 29 * FRAME
    assert seen(picture.jpeg) == pytest.approx(brightness(29), abs=3)


@pytest.mark.parametrize(
    ("after", "index"),
    [
        pytest.param(FRAME * 12, 12, id="exactly then"),
        pytest.param(FRAME * 12.5, 12, id="the nearest before"),
        pytest.param(FRAME * 19, 19, id="the last of the group before"),
        pytest.param(FRAME * 500, 29, id="later than all: the newest"),
        pytest.param(-FRAME, 10, id="earlier than all: the oldest there is"),
    ],
)
def test_the_picture_of_a_time(hubs, pictures, after, index):
    hubs.hub("gate", StreamName.MAIN).keep_previous()
    show(hubs, StreamName.MAIN, *encoded(frames=30, gop=10))
    jpeg, at = pictures.picture("gate", STARTED + after)
    assert at == STARTED + index * FRAME
    assert seen(jpeg) == pytest.approx(brightness(index), abs=3)


def test_the_sub_stream_serves_where_the_main_one_has_shown_nothing(hubs, pictures):
    show(hubs, StreamName.SUB, *encoded(frames=3))
    assert pictures.newest("gate").at == STARTED + 2 * FRAME


def test_no_picture_yet_is_not_found(hubs, pictures):
    with pytest.raises(NotFoundError):
        pictures.newest("gate")
    with pytest.raises(NotFoundError):
        pictures.picture("nowhere", STARTED)


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("broken", [7, 9], ids=["one between", "the newest"])
def test_a_frame_that_does_not_decode_costs_none_before_it(hubs, pictures, codec, broken):
    frames = list(encoded(frames=10, gop=5, codec=codec))
    frames[broken] = replace(frames[broken], data=b"\x00\x00\x00\x04\xff\xff\xff\xff")
    show(hubs, StreamName.MAIN, *frames)
    assert pictures.newest("gate").at >= STARTED + (broken - 1) * FRAME


def test_bytes_that_are_no_video_are_a_media_error(hubs, pictures):
    show(hubs, StreamName.MAIN, *samples(run(), "Kd"))
    with pytest.raises(MediaError):
        pictures.newest("gate")


def noise(width_px: int, height_px: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)


def size_px(jpeg: bytes) -> tuple[int, int]:
    height_px, width_px = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2]
    return width_px, height_px


def test_an_easy_picture_keeps_its_size():
    assert size_px(shrunk_jpeg(np.full((576, 768, 3), 90, np.uint8), 150_000)) == (768, 576)


def test_a_picture_wider_than_full_hd_is_made_that_wide():
    assert size_px(shrunk_jpeg(np.full((2160, 3840, 3), 90, np.uint8), 150_000)) == (1920, 1080)


def test_a_hard_picture_gets_worse_then_smaller_until_it_fits():
    jpeg = shrunk_jpeg(noise(800, 600), 60_000)
    assert len(jpeg) <= 60_000
    width_px, height_px = size_px(jpeg)
    assert 64 < width_px < 800
    assert height_px == pytest.approx(width_px * 3 / 4, abs=1)


def test_the_smallest_size_is_given_even_where_it_does_not_fit():
    assert size_px(shrunk_jpeg(noise(64, 48), 10)) == (64, 48)
