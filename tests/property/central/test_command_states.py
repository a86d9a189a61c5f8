"""Where a command stands never depends on the order in which words come (protocol I21)."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from central.codes import CommandState
from central.commands.states import OPEN, after, again_after, given_up
from protocol.messages import Outcome

FINAL = [outcome for outcome in Outcome if outcome is not Outcome.ACCEPTED]
STATES = st.sampled_from(CommandState)


@given(
    final=st.sampled_from(FINAL),
    before=st.lists(st.just(Outcome.ACCEPTED), max_size=3),
    repeats=st.integers(1, 3),
    data=st.data(),
    deadline_at=st.integers(0, 7),
)
def test_a_boxs_last_word_stands_in_whatever_order_and_how_often_it_comes(
    final, before, repeats, data, deadline_at
):
    words = data.draw(st.permutations([*before, *[final] * repeats]))
    state = CommandState.SENT
    for number, word in enumerate(words):
        if number == deadline_at:
            state = given_up(state)
        state = after(state, word)
    assert state.value == final.value


@given(STATES, st.sampled_from(Outcome))
def test_the_same_word_twice_says_no_more_than_once(state, outcome):
    once = after(state, outcome)
    assert after(once, outcome) is once


@given(STATES)
def test_what_was_never_given_is_certainly_not_done_and_of_the_rest_nobody_knows(state):
    left = given_up(state)
    assert left not in OPEN
    if state is CommandState.QUEUED:
        assert left is CommandState.EXPIRED
    elif state in OPEN:
        assert left is CommandState.UNANSWERED
    else:
        assert left is state


@given(st.integers(1, 10_000))
def test_it_is_given_again_ever_more_seldom_down_to_every_five_minutes(times):
    wait = again_after(times)
    assert timedelta(seconds=10) <= wait <= again_after(times + 1) <= timedelta(minutes=5)
