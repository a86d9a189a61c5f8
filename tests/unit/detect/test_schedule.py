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
    newest.put(1, "old", 1)
    newest.put(1, "new", 2)
    assert newest.superseded == 1
    assert newest.take() == (1, "new")
    assert newest.take() is None


def test_the_camera_that_can_wait_least_comes_first():
    newest = Newest()
    newest.put(7, "calm", deadline_ns=2_000)
    newest.put(8, "busy", deadline_ns=500)
    assert [newest.take(), newest.take()] == [(8, "busy"), (7, "calm")]


def test_nobody_starves_however_fast_the_others_are():
    """A camera keeps the deadline of its first frame that waited, whatever comes after it."""
    newest = Newest()
    taken = []
    for now_ns in range(0, 10_000, 100):  # twice as much as there is time for
        newest.put(7, now_ns, now_ns + 100)
        if now_ns % 400 == 0:
            newest.put(8, now_ns, now_ns + 400)
        if now_ns % 200 == 0:
            camera, _ = newest.take()
            taken.append(camera)
    assert 5 <= taken.count(8) <= 25
    assert taken.count(7) > taken.count(8)


def test_the_frame_of_a_run_that_ended_is_forgotten():
    newest = Newest()
    newest.put(1, "a", 1)
    newest.put(2, "b", 2)
    newest.drop(1)
    newest.drop(1)
    assert bool(newest)
    assert newest.take() == (2, "b")
    assert not newest


def looked_at(due, first, count):
    """Return which of a 25-fps camera's frames are due."""
    return [frame for frame in range(first, first + count) if due.is_due(frame * 3600)]


def test_a_higher_rate_counts_from_the_last_look():
    due = Due(0.5)
    assert looked_at(due, 0, 10) == [0]
    due.pace(5.0)
    assert looked_at(due, 10, 10) == [10, 15]


def test_a_lower_rate_begins_after_the_next_look():
    due = Due(5.0)
    assert looked_at(due, 0, 10) == [0, 5]
    due.pace(0.5)
    assert looked_at(due, 10, 100) == [10, 60]
