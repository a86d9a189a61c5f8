import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evaluation.metrics import (
    Judged,
    Size,
    are_found,
    average_precision,
    iou,
    judge,
    recall_precision,
    size_of,
)
from models.evaluation.persons import Seen, score

ONE, TWO = (0.0, 0.0, 10.0, 10.0), (20.0, 0.0, 30.0, 10.0)


def test_iou_of_boxes_that_share_half():
    assert iou(ONE, (5.0, 0.0, 15.0, 10.0)) == pytest.approx(50 / 150)
    assert iou(ONE, TWO) == 0.0
    assert iou(ONE, ONE) == 1.0


def test_a_person_is_found_once_and_by_the_surest_box():
    found = [(0.0, 0.0, 10.0, 9.0, 0.6), (0.0, 0.0, 10.0, 10.0, 0.9), (50.0, 0.0, 60.0, 10.0, 0.7)]
    assert judge(found, [ONE, TWO], 0.5) == [
        Judged(0.9, is_true=True),
        Judged(0.7, is_true=False),
        Judged(0.6, is_true=False),
    ]


def test_it_is_told_who_was_found():
    found = [(20.0, 0.0, 30.0, 9.0, 0.6), (21.0, 0.0, 30.0, 10.0, 0.5)]
    assert are_found(found, [ONE, TWO], 0.5) == [False, True]
    assert are_found([], [], 0.5) == []


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(31, 32, Size.SMALL), (32, 32, Size.MEDIUM), (96, 96, Size.MEDIUM), (96, 97, Size.LARGE)],
)
def test_sizes_are_cocos(width, height, size):
    assert size_of((5.0, 5.0, 5.0 + width, 5.0 + height)) is size


def test_recall_by_size_is_that_at_the_models_own_score():
    boxes = ((0.0, 0.0, 0.1, 0.1, 0.9), (0.2, 0.0, 0.3, 0.1, 0.3), (0.5, 0.0, 0.9, 1.0, 0.8))
    people = [[(0.0, 0.0, 0.1, 0.1), (0.2, 0.0, 0.3, 0.1), (0.5, 0.0, 0.9, 1.0)], []]
    one = score(Seen((boxes, ()), ((200, 200), (200, 200)), 1.0), people, 0.5)
    assert one.by_size == {Size.SMALL: (1, 2), Size.MEDIUM: (0, 0), Size.LARGE: (1, 1)}
    assert (one.recall_of(Size.SMALL), one.recall_of(Size.MEDIUM)) == (0.5, None)
    assert one.ap50 == pytest.approx(1.0)
    assert one.recall == pytest.approx(2 / 3)


def test_recall_and_precision_at_a_score():
    judged = [Judged(0.9, is_true=True), Judged(0.7, is_true=False), Judged(0.3, is_true=True)]
    assert recall_precision(judged, 4, 0.5) == (0.25, 0.5)
    assert recall_precision(judged, 4, 0.1) == (0.5, pytest.approx(2 / 3))
    assert recall_precision([], 0, 0.5) == (1.0, 1.0)


def test_average_precision_of_a_known_curve():
    # Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1: 0.5 * 1 + 0.5 * 2/3.
    judged = [Judged(0.9, is_true=True), Judged(0.8, is_true=False), Judged(0.7, is_true=True)]
    assert average_precision(judged, 2) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision([], 2) == 0.0


@given(st.lists(st.booleans(), max_size=30))
def test_average_precision_lies_between_nothing_and_all(truths):
    judged = [Judged(1 - index / 100, is_true=truth) for index, truth in enumerate(truths)]
    people = max(1, sum(truths))
    value = average_precision(judged, people)
    assert 0 <= value <= 1 + 1e-9
    if truths and all(truths):
        assert value == pytest.approx(1.0)
