from datetime import UTC, datetime, timedelta

import pytest

from bench.recording import Cut, Span, begun, cut, holes, unexplained

T0 = datetime(2026, 11, 22, tzinfo=UTC)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def spans(*pairs):
    return [Span(at(start), at(end)) for start, end in pairs]


@pytest.mark.parametrize(
    ("recorded", "missing"),
    [
        ([], [(0, 100)]),
        ([(0, 100)], []),
        ([(-5, 120)], []),  # more than the window
        ([(0, 50), (50.2, 100)], []),  # within the slack
        ([(0, 50), (50.4, 100)], [(50, 50.4)]),
        ([(60, 100), (0, 50)], [(50, 60)]),  # any order
        ([(0, 80), (10, 20), (80, 100)], []),  # one within another
        ([(10, 90)], [(0, 10), (90, 100)]),  # at both ends
        ([(0, 100), (130, 140)], []),  # what lies behind the window makes no hole
    ],
)
def test_holes_are_what_nothing_covers(recorded, missing):
    assert list(holes(spans(*recorded), Span(at(0), at(100)))) == spans(*missing)


def test_cut_tells_what_was_lost_from_the_restart():
    recorded = spans((0, 10), (10, 17.4), (19, 30))
    assert cut(recorded, at(18)) == Cut(at(18), lost_received_s=0.6, gap_s=1.6)


def test_cut_of_a_recording_that_runs_through_the_kill_is_nothing():
    assert cut(spans((0, 18.1), (18.1, 30)), at(18)) == Cut(
        at(18), lost_received_s=0.0, gap_s=0.0, ahead_s=0.1
    )


@pytest.mark.parametrize("recorded", [[], [(0, 10)], [(20, 30)]])
def test_cut_is_not_known_without_recordings_on_both_sides(recorded):
    assert cut(spans(*recorded), at(18)) is None


def test_a_hole_is_explained_by_a_kill_within_it_or_just_before_it_only():
    missing = spans((10, 12), (30, 33), (50, 51), (70, 71))
    kills = [at(10.4), at(29.1), at(45)]
    assert list(unexplained(missing, kills)) == spans((50, 51), (70, 71))


def test_a_camera_is_back_with_the_first_recording_that_was_not_there_before():
    recorded = spans((-9, 4), (7, 9), (12, 20))
    assert begun(recorded, at(0)) == at(7)
    # A clock that was an hour ahead an hour ago has left footage that seems to begin now.
    assert begun(recorded, at(0), {at(7)}) == at(12)
    assert begun(recorded, at(0), {at(7), at(12)}) is None
    assert begun([], at(0)) is None
