"""How much may wait, and what gives way as it fills."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.bus.limits import Backlog, Limits, Room, is_filling, takes

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LIMITS = Limits(rows=100, size_bytes=10_000, age=timedelta(days=10))

backlogs = st.builds(
    Backlog,
    rows=st.integers(0, 200),
    size_bytes=st.integers(0, 20_000),
    oldest_at=st.none() | st.integers(-30, 30).map(lambda days: NOW - timedelta(days=days)),
)


def test_an_empty_outbox_takes_all():
    assert Backlog(0, 0, None).room(LIMITS, NOW) is Room.ALL
    assert Backlog(0, 0, None).full(LIMITS, NOW) == 0


def test_from_four_fifths_of_its_rows_or_bytes_on_it_takes_what_is_essential():
    for backlog in (Backlog(80, 0, NOW), Backlog(1, 8000, NOW)):
        assert backlog.room(LIMITS, NOW) is Room.ESSENTIAL
    for backlog in (Backlog(79, 0, NOW), Backlog(1, 7999, NOW)):
        assert backlog.room(LIMITS, NOW) is Room.ALL


def test_at_its_limit_it_takes_nothing():
    assert Backlog(100, 0, NOW).room(LIMITS, NOW) is Room.NOTHING
    assert Backlog(1, 10_000, NOW).room(LIMITS, NOW) is Room.NOTHING


@given(st.integers(0, 79), st.integers(0, 7999), st.integers(-3650, 3650))
def test_age_alone_never_costs_what_is_essential(rows, size_bytes, days):
    backlog = Backlog(rows, size_bytes, NOW - timedelta(days=days))
    room = backlog.room(LIMITS, NOW)
    assert takes(room, is_essential=True)
    assert takes(room, is_essential=False) == (days < 10)


@given(backlogs, st.integers(0, 50), st.integers(0, 5000))
def test_the_more_waits_the_less_is_taken(backlog, rows, size_bytes):
    more = Backlog(backlog.rows + rows, backlog.size_bytes + size_bytes, backlog.oldest_at)
    for is_essential in (False, True):
        if takes(more.room(LIMITS, NOW), is_essential=is_essential):
            assert takes(backlog.room(LIMITS, NOW), is_essential=is_essential)


@given(backlogs)
def test_it_is_an_alert_before_anything_gives_way(backlog):
    full = backlog.full(LIMITS, NOW)
    if backlog.room(LIMITS, NOW) is not Room.ALL:
        assert is_filling(full, was_filling=False)
    assert full >= 0


def test_the_alert_stays_until_there_is_room_again():
    assert not is_filling(0.79, was_filling=False)
    assert is_filling(0.8, was_filling=False)
    assert is_filling(0.6, was_filling=True)
    assert not is_filling(0.59, was_filling=True)
