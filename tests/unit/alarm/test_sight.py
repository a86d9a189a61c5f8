import pytest

from edge.alarm.sight import MAX_BLIND_S, Pace, Sight

S = 1_000_000_000


def paced(*steps_s, usual_s=3.0):
    pace = Pace(usual_s)
    for step_s in steps_s:
        pace.note(step_s)
    return pace.blind_s


@pytest.mark.parametrize(
    ("steps_s", "blind_s"),
    [
        ((), 3.0),
        ((7.0, 7.0), 3.0),  # not yet known
        ((7.0, 7.0, 7.0), 21.0),
        ((0.5, 0.5, 20.0), 3.0),  # a gap
        ((0.5, 0.5, 20.0, 7.0, 7.0), 21.0),
        ((7.0, 7.0, 7.0, 0.5, 0.5), 3.0),
        ((15.0, 15.0, 15.0), MAX_BLIND_S),
        ((7.0, 7.0, 7.0, 700.0, -3.0, 0.0), 21.0),  # no rate at all
    ],
)
def test_blind_is_three_looks_of_the_rate_that_is_achieved(steps_s, blind_s):
    assert paced(*steps_s) == blind_s


def test_blind_is_never_shorter_than_what_was_asked_for():
    assert paced(0.5, 0.5, 0.5, usual_s=15.0) == 15.0


@pytest.fixture
def sight():
    return Sight(0)


def test_a_camera_without_video_is_not_blind(sight):
    assert not sight.is_blind(1000 * S)
    sight.stream(1000 * S, live=True)
    sight.stream(1001 * S, live=False)
    assert not sight.is_blind(2000 * S)


def test_a_live_camera_that_nobody_looks_at_is_blind(sight):
    sight.stream(100 * S, live=True)
    assert not sight.is_blind(130 * S)
    assert sight.is_blind(131 * S)


def test_a_camera_that_is_looked_at_is_not_blind(sight):
    sight.stream(0, live=True)
    for second in range(0, 1000, 20):
        sight.look(second * S)
        assert not sight.is_blind((second + 19) * S)


def test_looks_that_come_too_seldom_leave_it_blind_until_two_come_in_time(sight):
    sight.stream(0, live=True)
    for second in range(40, 400, 40):
        sight.look(second * S)
        assert sight.is_blind(second * S)
    sight.look(370 * S)
    assert not sight.is_blind(371 * S)


def test_saying_again_that_the_stream_is_live_gives_no_new_time(sight):
    sight.stream(0, live=True)
    sight.stream(20 * S, live=True)
    assert sight.is_blind(31 * S)


def test_after_an_outage_the_looks_are_expected_from_its_end(sight):
    sight.stream(0, live=True)
    sight.look(1 * S)
    sight.stream(2 * S, live=False)
    sight.stream(600 * S, live=True)
    assert not sight.is_blind(610 * S)
    sight.look(611 * S)
    assert not sight.is_blind(612 * S)


def test_a_detector_that_was_started_again_gets_its_time(sight):
    sight.stream(0, live=True)
    sight.expect(100 * S)
    assert not sight.is_blind(101 * S)
    assert sight.is_blind(131 * S)


def test_how_long_nothing_was_seen_counts_from_the_last_look(sight):
    assert sight.unseen_s(5 * S) == 5
    sight.look(6 * S)
    sight.expect(8 * S)
    assert sight.unseen_s(9 * S) == 3
