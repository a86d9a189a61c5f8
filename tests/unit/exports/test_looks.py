from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from edge.exports.looks import BLUR_COLUMNS, Blocks, Mark, Picture, block_px, coarsen

AT = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
LINES = ("村口  {time}", "下村 box-01  张三")
PLAIN = ("gate  {time}", "box-01  张三")


def noise(width: int = 640, height: int = 360) -> tuple[np.ndarray, Picture]:
    data = np.random.default_rng(1).integers(0, 256, (height * 3 // 2, width), np.uint8)
    return data, Picture.of(data, width, height)


def test_the_planes_are_views_of_the_whole_picture():
    data, picture = noise()

    picture.luma[:], picture.blue[:], picture.red[:] = 1, 2, 3

    assert np.array_equal(np.unique(data[:360]), [1])
    assert np.array_equal(np.unique(data[360:450]), [2])
    assert np.array_equal(np.unique(data[450:]), [3])


def test_a_mark_is_bright_on_dark_at_the_lower_edge_and_nowhere_else():
    data, picture = noise()
    before = data.copy()

    Mark(LINES, PLAIN, ZONE).apply(picture, AT)

    changed = np.flatnonzero((data[:360] != before[:360]).any(axis=1))
    assert changed.min() > 360 * 0.85
    band = picture.luma[changed.min() :]
    assert band.max() > 220
    assert np.median(band) < 70
    assert np.array_equal(np.unique(picture.blue[changed.min() // 2 + 1 :]), [128])


def drawn(mark: Mark, at: datetime, width: int = 640) -> np.ndarray:
    data = np.zeros((540, width), np.uint8)
    mark.apply(Picture.of(data, width, 360), at)
    return data[:360]


def test_the_time_is_burned_in_to_the_second():
    mark = Mark(LINES, PLAIN, ZONE)

    first, same = drawn(mark, AT), drawn(mark, AT.replace(microsecond=900_000))
    later = drawn(mark, AT.replace(second=4))

    assert np.array_equal(first, same)
    assert not np.array_equal(first, later)


def test_without_a_font_for_chinese_ids_stand_for_names_and_it_says_so(monkeypatch):
    monkeypatch.delattr("cv2.FontFace", raising=False)
    mark = Mark(LINES, PLAIN, ZONE)

    assert "ids" in mark.font
    assert drawn(mark, AT).max() > 220


@pytest.mark.parametrize("width", [160, 320, 2560])
def test_the_text_fits_a_picture_of_any_width(width):
    shown = drawn(Mark(LINES, PLAIN, ZONE), AT, width)

    columns = np.flatnonzero((shown > 150).any(axis=0))
    assert columns.size > 0
    if width >= 320:
        assert columns.max() < width - 2


def test_blocks_leave_one_value_a_block():
    _, picture = noise(1920, 1080)

    Blocks(()).apply(picture, AT)

    block = block_px(1920)
    assert block == 1920 // BLUR_COLUMNS
    for plane, edge in ((picture.luma, block), (picture.blue, block // 2)):
        corner = plane[:edge, :edge]
        assert np.unique(corner).size == 1
        assert np.unique(plane).size <= 32 * 18 + 1


def test_blocks_in_regions_leave_the_rest_as_it_was():
    data, picture = noise()
    before = data.copy()
    region = ((0.25, 0.25), (0.5, 0.25), (0.5, 0.5), (0.25, 0.5))

    Blocks((region,)).apply(picture, AT)

    inside = picture.luma[90:180, 160:320]
    assert np.unique(inside).size < 60
    assert np.array_equal(picture.luma[:60], before[:60])
    assert np.array_equal(picture.luma[:, 400:], before[:360, 400:])


def test_a_region_that_only_touches_a_block_covers_it():
    _, picture = noise()
    edge = block_px(640)

    Blocks((((0.0, 0.0), (0.004, 0.0), (0.0, 0.004)),)).apply(picture, AT)

    assert np.unique(picture.luma[:edge, :edge]).size == 1


def test_a_plane_that_is_no_multiple_of_the_block_is_covered_to_its_edge():
    plane = np.arange(50 * 70, dtype=np.uint32).astype(np.uint8).reshape(50, 70)

    coarsen(plane, 16, None)

    assert np.unique(plane[48:, 64:]).size == 1
