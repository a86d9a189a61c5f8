"""When a version of the settings is kept, and when it is taken back."""

from uuid import UUID

import pytest

from edge.settings.trial import MOST_STARTS, Ending, Pace, Signs, Terms, Trial, names

SETTLE_S, STEADY_S = Pace().settle_s, Pace().steady_s
COMMAND = UUID("019340a0-0000-7000-8000-000000000001")
BOTH = names([("square", "main"), ("gate", "main")])
TERMS = Terms(command_id=COMMAND, within_s=60, streams=tuple(sorted(BOTH)))
PUSHED = Trial(4, 5, TERMS, starts=1)
WELL = Signs(hears=True, wanted=BOTH, live=BOTH)


def test_it_is_kept_once_the_centre_answered_and_all_that_was_live_is_live_again():
    assert PUSHED.look(WELL, SETTLE_S - 0.1).ending is None
    kept = PUSHED.look(WELL, SETTLE_S)
    assert (kept.ending, kept.counts) == (Ending.KEPT, 5)


@pytest.mark.parametrize(
    ("signs", "why"),
    [
        (Signs(hears=False, wanted=BOTH, live=BOTH), "the centre was not heard"),
        (Signs(hears=True, wanted=BOTH, live=frozenset()), "gate/main, square/main did not"),
        (
            Signs(hears=False, wanted=BOTH, live={"gate/main"}),
            "the centre was not heard and square/main did not come back",
        ),
    ],
)
def test_what_is_not_there_in_time_takes_it_back_and_is_named(signs, why):
    assert PUSHED.look(signs, 59.9).ending is None
    over = PUSHED.look(signs, 60)
    assert (over.ending, over.counts) == (Ending.TAKEN_BACK, 4)
    assert over.why.startswith("within 60 s ")
    assert why in over.why


def test_a_camera_that_was_lost_before_or_is_switched_off_now_counts_for_nothing():
    pond = Signs(hears=True, wanted=BOTH | {"pond/main"}, live=BOTH)
    assert PUSHED.look(pond, SETTLE_S).ending is Ending.KEPT
    off = Signs(hears=True, wanted={"gate/main"}, live={"gate/main"})
    assert PUSHED.look(off, SETTLE_S).ending is Ending.KEPT


def test_a_version_that_was_started_too_often_is_taken_back():
    trial = Trial(4, 5, TERMS)
    for number in range(1, MOST_STARTS + 1):
        trial = trial.start()
        assert (trial.ending, trial.starts) == (None, number)
    over = trial.start()
    assert (over.ending, over.counts) == (Ending.TAKEN_BACK, 4)
    assert over.why == "the box ended 3 times before it had proved itself"


def test_one_without_terms_has_one_start_and_proves_itself_by_running():
    local = Trial(4, 5).start()
    assert local.start().why == "the box ended within 30 s of running with it"
    nothing = Signs(hears=False, wanted=BOTH, live=frozenset())
    assert local.look(nothing, STEADY_S - 1).ending is None
    assert local.look(nothing, STEADY_S).ending is Ending.KEPT


def test_what_has_ended_stays_so():
    kept = PUSHED.look(WELL, SETTLE_S)
    undone = PUSHED.give_up("somebody wants it undone")
    for over in (kept, undone):
        assert over.start() == over
        assert over.look(WELL, 1000) == over
        assert over.give_up("again") == over
