from hypothesis import given
from hypothesis import strategies as st

from central.evidence.leftover import Allowance, Leftover, may_be_removed, overdue

leftovers = st.lists(
    st.builds(
        Leftover,
        name=st.uuids().map(str),
        size_bytes=st.integers(0, 1000),
        idle_s=st.floats(0, 1000),
    ),
    max_size=30,
    unique_by=lambda leftover: leftover.name,
)
allowances = st.builds(Allowance, keep_s=st.floats(0, 1000), max_bytes=st.integers(0, 5000))


@given(leftovers, allowances)
def test_what_stays_fits_in_time_and_room_and_no_more_than_that_goes(items, allowance):
    gone = set(overdue(items, allowance))
    stays = [item for item in items if item.name not in gone]
    assert all(item.idle_s <= allowance.keep_s for item in stays)
    assert sum(item.size_bytes for item in stays) <= allowance.max_bytes
    for item in items:
        if item.name in gone and item.idle_s <= allowance.keep_s:
            newer = sum(other.size_bytes for other in items if other.idle_s <= item.idle_s)
            assert newer > allowance.max_bytes


@given(leftovers, allowances)
def test_what_was_written_to_last_goes_last(items, allowance):
    gone = set(overdue(items, allowance))
    oldest_that_stays = max((item.idle_s for item in items if item.name not in gone), default=0)
    newest_that_goes = min((item.idle_s for item in items if item.name in gone), default=10**9)
    assert oldest_that_stays <= newest_that_goes


def test_one_that_alone_is_too_large_goes():
    items = [Leftover("a", 11, 1.0)]
    assert overdue(items, Allowance(100, 10)) == ["a"]


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_of_what_no_row_names_few_or_a_tenth_may_go(unvouched, others):
    files = unvouched + others
    assert may_be_removed(unvouched, files) == (unvouched <= 20 or unvouched * 10 <= files)
