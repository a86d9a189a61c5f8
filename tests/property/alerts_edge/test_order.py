"""What is sent next: what is of now overtakes, and what is old still comes."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.alerts.order import CLIP_EVERY, FRESH, OLD_EVERY, first, may_overtake, rank
from edge.alerts.piece import Piece
from protocol.messages import AlertLevel, EvidenceKind, gb_priority

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
LEVELS = list(AlertLevel)


def piece(number, age_s, level=AlertLevel.ORDINARY, kind=EvidenceKind.SNAPSHOT):
    due = NOW - timedelta(seconds=age_s)
    return Piece(
        alert_id=f"alert-{number:05}",
        camera_id="square",
        kind=kind,
        level=level,
        began=due,
        due=due,
        start=due,
        end=due,
        path="a.jpg",
        sha256="0" * 64,
        size_bytes=1,
        tries=0,
    )


ages = st.integers(-3600, 5 * 86_400)
kinds = st.sampled_from(list(EvidenceKind))
waiting = st.lists(st.tuples(ages, st.sampled_from(LEVELS)), min_size=1, max_size=40).map(
    lambda items: [piece(number, *item) for number, item in enumerate(items)]
)
turns = st.integers(0, 1000)


def is_fresh(item):
    return NOW - item.due <= FRESH


@given(waiting, turns.filter(lambda turn: turn % OLD_EVERY != OLD_EVERY - 1))
def test_nothing_that_waits_would_have_to_go_before_what_goes(pieces, turn):
    chosen = first(pieces, NOW, turn)
    for other in pieces:
        assert is_fresh(chosen) or not is_fresh(other)
        if is_fresh(other) == is_fresh(chosen):
            assert gb_priority(chosen.level) <= gb_priority(other.level)
            if other.level is chosen.level:
                assert chosen.due >= other.due


@given(waiting, turns)
def test_the_newest_of_each_level_and_the_oldest_are_enough_to_choose_from(pieces, turn):
    newest = [
        max((item for item in pieces if item.level is level), key=lambda item: item.due)
        for level in {item.level for item in pieces}
    ]
    oldest = min(pieces, key=lambda item: item.due)
    of_all, of_few = first(pieces, NOW, turn), first([*newest, oldest], NOW, turn)
    assert (of_few.due, of_few.level) == (of_all.due, of_all.level)


@given(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=20), st.data())
def test_what_is_old_comes_after_its_share_of_turns_whatever_happens_meanwhile(levels, data):
    """Every turn something new and urgent comes; the k-th oldest goes in its k-th old turn."""
    old = [piece(number, 86_400 - number, level) for number, level in enumerate(levels)]
    pieces, done = list(old), []
    for turn in range(OLD_EVERY * len(old)):
        new = piece(1000 + turn, data.draw(st.integers(0, 60)), AlertLevel.EXTRA_URGENT)
        pieces.append(new)
        chosen = first(pieces, NOW, turn)
        pieces.remove(chosen)
        done.append(chosen)
    assert set(old) <= set(done)


def test_a_new_picture_goes_before_a_thousand_old_ones_whatever_their_level():
    old = [piece(number, 86_400 + number, AlertLevel.EXTRA_URGENT) for number in range(1000)]
    new = piece(5000, 1, AlertLevel.ORDINARY)
    assert first([*old, new], NOW, 0) == new


@given(ages, ages, st.sampled_from(LEVELS), st.sampled_from(LEVELS), st.integers(0, 20))
def test_a_clip_waits_for_pictures_but_for_old_ones_while_it_is_new_and_for_its_share(
    clip_age, picture_age, clip_level, picture_level, pictures_since
):
    clip = piece(1, clip_age, clip_level, EvidenceKind.CLIP)
    picture = piece(2, picture_age, picture_level)
    expected = (is_fresh(clip) and not is_fresh(picture)) or pictures_since >= CLIP_EVERY
    assert may_overtake(clip, picture, NOW, pictures_since) == expected


@given(ages, kinds, st.sampled_from(LEVELS))
def test_a_clock_that_was_set_back_makes_what_waits_new_not_lost(age, kind, level):
    item = piece(1, -abs(age), level, kind)
    assert first([item], NOW, 0) == item
    assert not rank(item, NOW)[0]


def test_where_nothing_waits_nothing_goes():
    assert [first([], NOW, turn) for turn in range(OLD_EVERY)] == [None] * OLD_EVERY
