from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.boxes import Letterbox, drop_covered, nms, overlaps
from models.person import tile_windows

sides = st.integers(8, 4000)
edges = st.tuples(st.floats(0, 500), st.floats(0, 500), st.floats(1, 200), st.floats(1, 200))
scored = st.lists(st.tuples(edges, st.floats(0, 1)), max_size=20)


def arrays(rows):
    boxes = np.array([(x, y, x + w, y + h) for (x, y, w, h), _ in rows], np.float32).reshape(-1, 4)
    return boxes, np.array([score for _, score in rows], np.float32)


@given(sides, sides, st.tuples(*[st.floats(0, 1)] * 4))
def test_a_box_goes_into_the_canvas_and_comes_back(width, height, share):
    fitted = Letterbox.fit(width, height, 640, 32)
    assert fitted.width % 32 == fitted.height % 32 == 0
    size = np.array([width, height, width, height], np.float32)
    box = np.array([share], np.float32) * size
    back = fitted.to_picture(box * np.float32(fitted.scale), width, height)
    assert back == pytest.approx(box, abs=0.01, rel=1e-4)


@given(sides, sides)
def test_the_picture_fits_its_canvas(width, height):
    fitted = Letterbox.fit(width, height, 640, 32)
    assert width * fitted.scale <= fitted.width + 0.5
    assert height * fitted.scale <= fitted.height + 0.5
    assert max(fitted.width, fitted.height) == 640


@given(scored, st.floats(0.1, 0.9))
def test_what_is_kept_does_not_overlap_and_what_is_dropped_does(rows, max_iou):
    boxes, scores = arrays(rows)
    keep = nms(boxes, scores, max_iou).tolist()
    assert [float(scores[row]) for row in keep] == sorted(map(float, scores[keep]), reverse=True)
    for row in range(len(rows)):
        better = [k for k in keep if k != row and scores[k] >= scores[row]]
        union, _ = overlaps(boxes[row], boxes[better])
        if row in keep:
            earlier = keep[: keep.index(row)]
            assert (overlaps(boxes[row], boxes[earlier])[0] <= max_iou).all()
        else:
            assert (union > max_iou).any()


@given(scored, st.floats(0.1, 1.0))
def test_dropping_the_covered_keeps_order_and_the_best(rows, max_covered):
    boxes, scores = arrays(rows)
    keep = np.argsort(-scores, kind="stable")
    left = drop_covered(boxes, keep, max_covered).tolist()
    assert left == [row for row in keep.tolist() if row in left]
    assert left[:1] == keep.tolist()[:1]


@given(st.integers(32, 4000), st.integers(32, 4000), st.integers(1, 6))
@example(198, 883, 5)  # sides that end in halves
def test_tiles_are_square_lie_in_the_picture_and_leave_nothing_out(width, height, rows):
    whole, *tiles = tile_windows(width, height, rows)
    assert whole == (0, 0, width, height)
    if rows == 1:
        assert tiles == []
        return
    for left, top, right, bottom in tiles:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        assert abs((right - left) - (bottom - top)) <= 1
    for axis, length in ((0, width), (1, height)):
        spans = sorted({(tile[axis], tile[axis + 2]) for tile in tiles})
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        assert all(following[0] < span[1] for span, following in pairwise(spans))
