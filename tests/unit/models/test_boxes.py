import numpy as np
import pytest

from models.boxes import Letterbox, drop_covered, nms


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def scores(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("width", "height", "canvas"),
    [
        (640, 480, (640, 480)),
        (768, 576, (640, 480)),
        (1920, 1080, (640, 384)),  # 360 is no multiple of 32
        (640, 360, (640, 384)),
        (352, 288, (640, 544)),  # small pictures are enlarged
        (480, 640, (480, 640)),
        (5000, 10, (640, 32)),
    ],
)
def test_the_canvas_has_the_pictures_shape(width, height, canvas):
    fitted = Letterbox.fit(width, height, 640, 32)
    assert (fitted.width, fitted.height) == canvas


def test_the_picture_lies_at_the_top_left_and_the_rest_is_grey():
    picture = np.full((360, 640, 3), 200, np.uint8)
    canvas = Letterbox.fit(640, 360, 640, 32).apply(picture, 114)
    assert canvas.shape == (384, 640, 3)
    assert (canvas[:360] == 200).all()
    assert (canvas[360:] == 114).all()


def test_boxes_come_back_to_the_pictures_pixels_and_end_at_its_edges():
    fitted = Letterbox.fit(1280, 720, 640, 32)
    found = fitted.to_picture(boxes((10, 20, 30, 40), (-5, 300, 700, 384)), 1280, 720)
    assert found.tolist() == [[20, 40, 60, 80], [0, 600, 1280, 720]]


def test_of_boxes_that_overlap_the_best_is_kept():
    rows = boxes((0, 0, 10, 10), (1, 0, 11, 10), (20, 0, 30, 10))
    assert nms(rows, scores(0.5, 0.9, 0.4), 0.5).tolist() == [1, 2]
    assert nms(rows, scores(0.5, 0.9, 0.4), 0.9).tolist() == [1, 0, 2]
    assert nms(boxes(), scores(), 0.5).tolist() == []


def test_a_part_of_a_better_box_is_dropped_where_that_is_asked_for():
    rows = boxes((0, 0, 10, 30), (0, 0, 10, 10))  # a person and the head alone: IoU a third
    assert nms(rows, scores(0.9, 0.8), 0.5).tolist() == [0, 1]
    assert nms(rows, scores(0.9, 0.8), 0.5, max_inside=0.65).tolist() == [0]


def test_a_pair_seen_as_one_is_dropped_when_both_are_seen():
    rows = boxes((0, 0, 10, 30), (12, 0, 22, 30), (0, 0, 22, 30), (40, 0, 50, 30))
    assert drop_covered(rows, np.array([0, 1, 2, 3]), 0.7).tolist() == [0, 1, 3]
    assert drop_covered(rows, np.array([2, 0, 1, 3]), 0.7).tolist() == [2, 3]
    assert drop_covered(rows, np.array([0, 2]), 0.7).tolist() == [0, 2]
    assert drop_covered(rows, np.array([], np.intp), 0.7).tolist() == []
