from hypothesis import given
from hypothesis import strategies as st

from central.delivery.chain import Link, examine, extend


def chain(length):
    """Return the links of a whole chain from 1 on."""
    return [
        Link(number, f"d{number}", None if number == 1 else f"d{number - 1}")
        for number in range(1, length + 1)
    ]


@given(st.data(), st.integers(1, 30))
def test_in_whatever_order_events_come_the_chain_is_whole_once_all_are_there(data, length):
    links = chain(length)
    there, complete_to = [], 0
    for link in data.draw(st.permutations(links)):
        there = sorted([*there, link], key=lambda each: each.sequence)
        complete_to, broken_at = extend(
            complete_to, [each for each in there if each.sequence >= max(complete_to, 1)]
        )
        assert broken_at is None
        missing = {each.sequence for each in links} - {each.sequence for each in there}
        assert complete_to == min(missing, default=length + 1) - 1
    assert complete_to == length


@given(st.integers(2, 30), st.data())
def test_an_event_that_was_exchanged_is_found_by_the_one_after_it(length, data):
    links = chain(length)
    at = data.draw(st.integers(1, length - 1))
    links[at - 1] = Link(at, "other", links[at - 1].prevhash)
    assert extend(0, links) == (length, at + 1)


@given(st.integers(2, 30), st.data())
def test_what_is_in_quarantine_keeps_its_place_and_its_bytes_are_still_proved(length, data):
    links = chain(length)
    at = data.draw(st.integers(1, length))
    links[at - 1] = Link(at, f"d{at}", None, is_opaque=True)
    assert extend(0, links) == (length, None)


def test_a_first_event_that_names_one_before_it_is_a_broken_chain():
    assert extend(0, [Link(1, "d1", "d0")]) == (1, 1)


def test_nothing_extends_nothing():
    assert extend(0, []) == (0, None)
    assert extend(0, chain(5)[1:]) == (0, None)


@given(st.integers(1, 30), st.data())
def test_a_whole_chain_is_examined_as_whole_and_ends_where_it_ends(length, data):
    links = chain(length)
    opaque = data.draw(st.sets(st.sampled_from(range(1, length + 1))))
    links = [
        Link(each.sequence, each.digest, None, is_opaque=True) if each.sequence in opaque else each
        for each in links
    ]
    found = examine(links)
    assert (found.links, found.opaque, found.whole_to) == (length, len(opaque), length)
    assert (found.missing, found.broken, found.breaks, found.last) == (0, 0, (), links[-1])


@given(st.integers(2, 30), st.data())
def test_what_was_taken_out_is_counted_and_nothing_is_said_of_what_follows_it(length, data):
    gone = data.draw(st.sets(st.integers(1, length - 1), min_size=1))
    found = examine([each for each in chain(length) if each.sequence not in gone])
    assert (found.whole_to, found.missing) == (min(gone) - 1, len(gone))
    assert found.broken == 0


@given(st.integers(2, 30), st.data())
def test_every_exchanged_event_shows_at_the_one_after_it(length, data):
    at = data.draw(st.sets(st.integers(1, length - 1), min_size=1))
    links = [
        Link(each.sequence, "other", each.prevhash) if each.sequence in at else each
        for each in chain(length)
    ]
    found = examine(links)
    wrong = sorted(number + 1 for number in at)
    assert (found.broken, list(found.breaks)) == (len(wrong), wrong[:20])
    assert found.whole_to == length


def test_of_many_broken_places_the_first_are_named_and_all_are_counted():
    found = examine([Link(number, f"d{number}", "x") for number in range(1, 101)])
    assert (found.broken, found.breaks) == (100, tuple(range(1, 21)))


def test_nothing_proves_nothing():
    found = examine([])
    assert (found.links, found.whole_to, found.missing, found.last) == (0, 0, 0, None)
