"""Which piece of evidence is worked on when."""

from datetime import timedelta

import pytest

from edge.alerts.evidence_store import EvidenceStore
from protocol.messages import EvidenceKind
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
