import pytest

from edge.detect.schedule import TICKS_PER_S, Due, Newest


def chosen(fps, pts):
    due = Due(fps)
    return [index for index, value in enumerate(pts) if due.is_due(value)]


def at_rate(fps, seconds):
    return [round(index * TICKS_PER_S / fps) for index in range(round(fps * seconds))]


@pytest.mark.parametrize(
    ("camera_fps", "fps", "per_10_s"),
    [
        (25, 2, 20),
        (7, 2, 20),  # every third or fourth: the rate is kept on average
        (7, 3.5, 35),
        (7, 7, 70),  # rounding of times does not cost a frame
        (30, 25, 250),
        (5, 25, 50),  # all there are
    ],
)
def test_the_rate_is_kept_on_average(camera_fps, fps, per_10_s):
    assert abs(len(chosen(fps, at_rate(camera_fps, 10))) - per_10_s) <= 1


def test_the_first_frame_is_looked_at():
    assert chosen(1, [123_456]) == [0]


def test_a_gap_does_not_make_it_catch_up():
    pts = [*at_rate(10, 2), *(value + 60 * TICKS_PER_S for value in at_rate(10, 2))]
    assert len(chosen(2, pts)) == 8


def test_times_that_step_back_begin_anew():
    assert len(chosen(2, [*at_rate(10, 5), *at_rate(10, 5)])) == 20


def test_a_little_disorder_makes_no_extra_frame():
    assert chosen(2, [0, 9_000, 0, 18_000, 9_000, 45_000]) == [0, 5]


def test_the_newest_frame_replaces_an_older_one_and_is_counted():
    newest = Newest()
    newest.put(1, "old")
    newest.put(1, "new")
    assert newest.superseded == 1
    assert newest.take() == (1, "new")
    assert newest.take() is None


def test_cameras_are_taken_in_turn_however_fast_one_is():
    newest = Newest()
    for index in range(3):
        newest.put(7, index)
        newest.put(8, index)
    newest.put(9, 0)
    taken = [newest.take()]
    newest.put(7, 99)
    taken += [newest.take(), newest.take(), newest.take()]
    assert taken == [(7, 2), (8, 2), (9, 0), (7, 99)]
    assert not newest


def test_the_frame_of_a_run_that_ended_is_forgotten():
    newest = Newest()
    newest.put(1, "a")
    newest.put(2, "b")
    newest.drop(1)
    newest.drop(1)
    assert bool(newest)
    assert newest.take() == (2, "b")
    assert not newest
