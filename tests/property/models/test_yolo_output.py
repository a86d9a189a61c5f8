"""Whatever a network answers, what is chosen of it keeps the rules."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.boxes import overlaps
from models.errors import ModelError
from models.yolo_output import MAX_CANDIDATES, choose, decode

CLASSES = 3
ANY = st.floats(-1000, 1000, width=32) | st.sampled_from([np.nan, np.inf, -np.inf])
LEAST = np.array([0.3, np.inf, 0.5], np.float32)


def raw(count):
    sides = arrays(np.float32, (4, count), elements=ANY)
    scores = arrays(np.float32, (CLASSES, count), elements=st.floats(0, 1, width=32))
    return st.tuples(sides, scores).map(lambda parts: np.concatenate(parts)[None])


def final(count):
    sides = arrays(np.float32, (count, 4), elements=ANY)
    scores = arrays(np.float32, (count, 1), elements=st.floats(0, 1, width=32))
    classes = arrays(np.float32, (count, 1), elements=st.integers(0, CLASSES - 1).map(float))
    return st.tuples(sides, scores, classes).map(lambda part: np.concatenate(part, axis=1)[None])


@given(st.integers(7, 40).flatmap(lambda count: raw(count) | final(count)))
def test_what_is_chosen_is_sure_wanted_apart_and_in_order(output):
    chosen = choose(decode(output, CLASSES), LEAST, 0.6)
    assert set(chosen.classes) <= {0, 2}
    assert (chosen.scores >= LEAST[chosen.classes]).all()
    assert (np.diff(chosen.scores) <= 0).all()
    assert np.isfinite(chosen.boxes).all()
    for row, box in enumerate(chosen.boxes):
        same = chosen.boxes[row + 1 :][chosen.classes[row + 1 :] == chosen.classes[row]]
        assert (overlaps(box, same)[0] <= 0.6).all()


@given(st.integers(7, 40).flatmap(lambda count: raw(count) | final(count)))
def test_the_best_that_is_wanted_is_always_chosen(output):
    found = decode(output, CLASSES)
    sure = found.rows(np.isfinite(found.boxes).all(axis=1) & (found.scores >= LEAST[found.classes]))
    chosen = choose(found, LEAST, 0.6)
    assert (chosen.scores[:1] == np.sort(sure.scores)[::-1][:1]).all()


@given(st.lists(st.integers(0, 8), max_size=4))
def test_an_answer_of_another_shape_is_refused(shape):
    fits = len(shape) == 3 and shape[0] == 1 and (shape[2] == 6 or shape[1] == 4 + CLASSES)
    if fits:
        return
    with pytest.raises(ModelError, match=r"must answer \[1, 7, N\]"):
        decode(np.zeros(shape, np.float32), CLASSES)


def test_no_more_than_so_many_are_looked_at():
    output = np.zeros((1, 4 + CLASSES, MAX_CANDIDATES + 50), np.float32)
    output[0, 0] = np.arange(MAX_CANDIDATES + 50) * 10
    output[0, 2:4] = 1
    output[0, 4] = np.linspace(0.4, 0.9, MAX_CANDIDATES + 50)
    chosen = choose(decode(output, CLASSES), LEAST, 0.6)
    assert len(chosen.scores) == MAX_CANDIDATES
    assert chosen.scores[0] == pytest.approx(0.9)


@pytest.mark.parametrize("number", [-1, CLASSES, np.nan])
def test_a_class_that_there_is_not_is_refused(number):
    output = np.array([[[0, 0, 9, 9, 0.5, number]]], np.float32)
    with pytest.raises(ModelError, match="classes below 3"):
        decode(output, CLASSES)
