"""Which piece of evidence is worked on when."""

from datetime import timedelta

import pytest

from edge.alerts.evidence_store import EvidenceStore
from protocol.clock import FakeClock
from protocol.messages import AlertLevel, AlertOp, EvidenceKind
from tests.support.desk_box import AT, occurrence, open_desk

SNAPSHOT, CLIP = EvidenceKind.SNAPSHOT, EvidenceKind.CLIP


@pytest.fixture
def store(tmp_path):
    """The evidence of one alert at AT; its clip is due 20 s later."""
    box = open_desk(tmp_path / "box.sqlite3")
    box.desk.report(occurrence())
    yield EvidenceStore(box.database)
    box.database.close()


def is_ready(store, kind, seconds, *, made=False):
    return store.ready(kind, AT + timedelta(seconds=seconds), made=made) is not None


def test_a_piece_is_ready_when_it_is_due(store):
    assert [is_ready(store, SNAPSHOT, second) for second in (-1, 0)] == [False, True]
    assert [is_ready(store, CLIP, second) for second in (19, 20)] == [False, True]


def test_a_piece_is_made_before_it_is_brought(store):
    piece = store.ready(SNAPSHOT, AT, made=False)
    assert not is_ready(store, SNAPSHOT, 0, made=True)
    store.made(piece, "a.jpg", "0" * 64, 1)
    assert not is_ready(store, SNAPSHOT, 0)
    assert is_ready(store, SNAPSHOT, 0, made=True)
    store.unmade(piece)
    assert is_ready(store, SNAPSHOT, 0)


def test_a_piece_that_failed_waits(store):
    store.again(store.ready(SNAPSHOT, AT, made=False), AT + timedelta(seconds=300))
    assert [is_ready(store, SNAPSHOT, second) for second in (299, 300)] == [False, True]


def test_no_wait_is_so_long_but_by_a_clock_that_was_set_back(store):
    store.again(store.ready(SNAPSHOT, AT, made=False), AT + timedelta(seconds=300))
    assert is_ready(store, SNAPSHOT, -86_400)
    assert is_ready(store, CLIP, -86_400)


def test_the_newest_of_each_level_and_the_oldest_are_foremost(tmp_path):
    clock = FakeClock(AT)
    box = open_desk(tmp_path / "box.sqlite3", clock)
    store = EvidenceStore(box.database)
    levels = [AlertLevel.URGENT, AlertLevel.ORDINARY, AlertLevel.URGENT, AlertLevel.ORDINARY]
    for level in levels:
        for op in (AlertOp.START, AlertOp.END):
            box.desk.report(occurrence(op, at=clock.now(), level=level))
        clock.advance(60)
    assert store.foremost(SNAPSHOT, clock.now()) == []  # nothing is made yet
    while (piece := store.ready(SNAPSHOT, clock.now(), made=False)) is not None:
        store.made(piece, "a.jpg", "0" * 64, 1)
    found = {(piece.level, piece.due) for piece in store.foremost(SNAPSHOT, clock.now())}
    assert found == {
        (AlertLevel.URGENT, AT),
        (AlertLevel.URGENT, AT + timedelta(seconds=120)),
        (AlertLevel.ORDINARY, AT + timedelta(seconds=180)),
    }
    box.database.close()


def test_what_came_further_is_tried_again_at_once(store):
    piece = store.ready(SNAPSHOT, AT, made=False)
    store.again(piece, AT + timedelta(seconds=300))
    store.came_further(piece)
    assert store.ready(SNAPSHOT, AT, made=False).tries == 0
