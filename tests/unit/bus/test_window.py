"""Which rows are sent when."""

import pytest

from edge.bus.window import Patience, Waiting, Window

S = 1_000_000_000
SMALL = Patience(size=6, live_share=2)


def backlog(*sequences: int) -> Waiting:
    return Waiting(live=(), backlog=sequences)


def test_no_more_bytes_are_under_way_than_a_slow_line_carries_in_time():
    window = Window(Patience(size=8, live_share=2, size_bytes=1000))
    sizes = dict.fromkeys(range(1, 20), 300)
    assert window.take(Waiting((), (1, 2, 3, 4), sizes), 0) == [1, 2]
    assert window.take(Waiting((10, 11), (1, 2, 3, 4), sizes), 0) == [10]
    window.receipted([1])
    assert window.take(Waiting((10, 11), (2, 3, 4), sizes), 0) == [11]


def test_a_message_that_is_larger_than_all_of_it_goes_alone():
    window = Window(Patience(size=8, live_share=2, size_bytes=1000))
    sizes = {1: 5000, 2: 10}
    assert window.take(Waiting((), (1, 2), sizes), 0) == [1]
    assert window.take(Waiting((), (1, 2), sizes), 0) == []
    window.receipted([1])
    assert window.take(Waiting((), (2,), sizes), 0) == [2]


def test_rows_are_sent_in_order_up_to_the_window():
    window = Window(SMALL)
    assert window.take(Waiting((1, 2, 3, 4, 5, 6, 7), ()), 0) == [1, 2, 3, 4, 5, 6]
    assert window.under_way == {1, 2, 3, 4, 5, 6}


def test_a_row_under_way_is_not_sent_again_before_its_time():
    window = Window(SMALL)
    window.take(backlog(1), 0)
    assert window.take(backlog(1), 10 * S - 1) == []
    assert window.take(backlog(1), 10 * S) == [1]


def test_patience_doubles_to_its_cap():
    patience = Patience()
    assert [patience.after(tries) // S for tries in (1, 2, 3, 4, 5, 6, 7, 99)] == [
        10, 20, 40, 80, 160, 300, 300, 300,
    ]  # fmt: skip


def test_live_rows_go_before_the_backlog():
    window = Window(SMALL)
    assert window.take(Waiting(live=(90, 91), backlog=(1, 2, 3, 4)), 0) == [90, 91, 1, 2]


def test_the_backlog_leaves_room_for_an_alert_of_now():
    window = Window(SMALL)
    assert window.take(backlog(1, 2, 3, 4, 5, 6, 7, 8), 0) == [1, 2, 3, 4]
    assert window.take(Waiting(live=(90, 91, 92), backlog=(1, 2, 3, 4, 5)), 0) == [90, 91]


def test_receipts_make_room():
    window = Window(SMALL)
    window.take(backlog(1, 2, 3, 4, 5, 6), 0)
    assert window.receipted([2, 3]) == [2, 3]
    assert window.take(backlog(1, 4, 5, 6, 7), 1) == [5, 6]


def test_a_receipt_for_what_was_not_sent_means_nothing():
    window = Window(SMALL)
    window.take(backlog(1), 0)
    assert window.receipted([1, 1, 7]) == [1]


def test_asking_whose_receipts_they_are_takes_none():
    window = Window(SMALL)
    window.take(backlog(1, 2), 0)
    assert window.ours([2, 7, 2]) == {2}
    assert window.under_way == {1, 2}


def test_on_a_new_connection_everything_is_sent_at_once():
    window = Window(SMALL)
    window.take(backlog(1, 2), 0)
    window.take(backlog(1, 2), 10 * S)
    window.reset()
    assert window.take(backlog(1, 2), 11 * S) == [1, 2]
    assert window.next_due_mono_ns == 21 * S  # and patience begins anew


def test_a_new_epoch_sends_what_is_under_way_again_at_once():
    window = Window(SMALL)
    window.take(backlog(1, 2), 0)
    window.hurry()
    assert window.take(backlog(1, 2), 1 * S) == [1, 2]
    assert window.next_due_mono_ns == 11 * S


def test_a_row_that_grew_old_under_way_is_still_sent_again():
    window = Window(SMALL)
    window.take(Waiting(live=(90,), backlog=()), 0)
    # Not live any more, and behind more backlog than the window looks at.
    assert window.take(backlog(*range(1, 1 + window.reach)), 10 * S)[0] == 90


def test_what_could_not_be_handed_over_is_sent_next_time():
    window = Window(SMALL)
    window.take(backlog(1, 2), 0)
    window.unsent([2, 5])
    assert window.take(backlog(1, 2), 1) == [2]


def test_it_says_when_it_must_be_asked_again():
    window = Window(SMALL)
    assert window.next_due_mono_ns is None
    window.take(backlog(1), 0)
    window.take(backlog(1, 2), 3 * S)
    assert window.next_due_mono_ns == 10 * S


@pytest.mark.parametrize("size", [1, 64])
def test_it_never_holds_more_than_its_size(size):
    window = Window(Patience(size=size, live_share=0))
    for now in range(5):
        window.take(Waiting(tuple(range(500, 600)), tuple(range(1, 500))), now)
    assert len(window.under_way) == size
