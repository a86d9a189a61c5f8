from datetime import UTC, datetime, timedelta

import pytest

from edge.alarm.geometry import Place
from edge.alarm.presence import APART_M, MEMORY_S, Presences

T0 = datetime(2026, 11, 22, tzinfo=UTC)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def person(x, y=0.0, score=0.9):
    return Place(x, y, 1.0, (0.5, 0.5), score)


@pytest.fixture
def presences():
    return Presences(min_score=0.4)


def spots(places):
    return sorted((round(place.x, 3), round(place.y, 3)) for place in places)


def test_a_sure_sighting_is_a_person_at_once(presences):
    assert spots(presences.update(at(0), [person(1), person(5)])) == [(1, 0), (5, 0)]


def test_a_weak_sighting_alone_is_nobody(presences):
    assert presences.update(at(0), [person(1, score=0.39)]) == []
    assert presences.update(at(0.5), [person(1, score=0.39)]) == []


def test_a_weak_sighting_where_somebody_was_is_that_person(presences):
    presences.update(at(0), [person(1)])
    assert len(presences.update(at(0.5), [person(1.2, score=0.25)])) == 1


def test_the_memory_of_a_place_ends(presences):
    presences.update(at(0), [person(1)])
    presences.update(at(1), [])
    assert presences.update(at(MEMORY_S + 0.1), [person(1, score=0.25)]) == []


def test_the_memory_lasts_from_the_last_sighting_however_weak(presences):
    presences.update(at(0), [person(1)])
    for step in range(1, 20):
        assert len(presences.update(at(step * MEMORY_S * 0.9), [person(1, score=0.25)])) == 1


def test_who_is_not_seen_is_not_counted(presences):
    presences.update(at(0), [person(1), person(5)])
    assert spots(presences.update(at(0.5), [person(5)])) == [(5, 0)]


def test_two_boxes_in_one_spot_are_one_person(presences):
    seen = presences.update(at(0), [person(1, score=0.6), person(1 + APART_M / 2, score=0.9)])
    assert spots(seen) == [(1 + APART_M / 2, 0)]


def test_a_jump_of_the_feet_is_averaged(presences):
    for step in range(10):
        presences.update(at(step / 7), [person(1)])
    (seen,) = presences.update(at(10 / 7), [person(1.5)])
    assert 1.0 < seen.x < 1.25


def test_somebody_who_walks_is_followed(presences):
    for step in range(1, 30):
        (seen,) = presences.update(at(step / 7), [person(step / 7 * 1.4)])
    assert seen.x == pytest.approx(29 / 7 * 1.4, abs=1.0)


def test_two_who_pass_each_other_stay_two(presences):
    for step in range(20):
        x = step / 7 * 1.2
        seen = presences.update(at(step / 7), [person(x, 0.0), person(3 - x, 0.8)])
        assert len(seen) == 2


def test_time_that_goes_back_begins_anew(presences):
    presences.update(at(10), [person(1)])
    assert presences.update(at(10), [person(1, score=0.3)]) == []
    presences.update(at(11), [person(1)])
    assert presences.update(at(5), [person(1, score=0.3)]) == []
    assert spots(presences.update(at(6), [person(1)])) == [(1, 0)]
