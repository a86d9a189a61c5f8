from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.alarm.gathering import Gathering, Timing
from edge.crowds.quarter import MOST, QUARTER, Quarter, Tally, counts_of, quarter_of, unpacked
from edge.crowds.suggestion import PERCENT, alarms, percentile
from protocol.messages import AlertLevel, AlertOp

T0 = datetime(2026, 11, 22, tzinfo=UTC)
counts = st.integers(0, MOST)
parts = st.builds(Quarter, st.just(T0), counts, st.tuples(*[st.none() | counts for _ in range(15)]))
#: Seconds to the next look, now and then a clock that was set, and how many people.
looks = st.lists(
    st.tuples(st.one_of(st.floats(0.1, 60), st.sampled_from([-3000.0, 4000.0])), counts),
    min_size=1,
    max_size=300,
)


@given(parts)
def test_a_quarter_is_kept_as_it_is(quarter):
    assert unpacked(quarter.start, quarter.peak, quarter.packed()) == quarter


@given(parts, parts, parts)
def test_parts_of_a_quarter_come_together_in_any_order(one, two, three):
    whole = one.with_other(two).with_other(three)
    assert whole == three.with_other(one).with_other(two)
    assert whole.with_other(one) == whole


@given(looks)
def test_every_look_is_in_one_quarter_and_no_count_is_made_up(given_looks):
    tally, at, ended, seen = Tally(), T0, [], set()
    for step_s, count in given_looks:
        at += timedelta(seconds=step_s)
        seen.add((quarter_of(at), count))
        ended.append(tally.add(at, count))
    quarters = [quarter for quarter in (*ended, tally.close()) if quarter is not None]
    assert {quarter.start for quarter in quarters} == {start for start, _ in seen}
    for quarter in quarters:
        assert quarter.start == quarter_of(quarter.start)
        known = [count for _, count in counts_of([quarter])]
        assert known
        assert {(quarter.start, count) for count in (*known, quarter.peak)} <= seen
        assert max(known) <= quarter.peak
        assert all(quarter.start <= at < quarter.start + QUARTER for at, _ in counts_of([quarter]))


@given(st.lists(counts, min_size=1), st.integers(1, 100))
def test_so_many_of_a_hundred_do_not_exceed_a_percentile_and_no_lower_count_does_it(found, percent):
    value = percentile(found, percent)
    assert value in found
    assert sum(count <= value for count in found) * 100 >= percent * len(found)
    assert sum(count < value for count in found) * 100 < percent * len(found)


minutes = st.lists(st.integers(0, 30), max_size=300).map(
    lambda found: [(T0 + timedelta(minutes=n), count) for n, count in enumerate(found)]
)


def timing(threshold, repeat_s=600.0):
    return Timing(
        levels={AlertLevel.ORDINARY: threshold},
        hold_s=60.0,
        gap_s=1.5,
        clear_fraction=0.7,
        clear_s=120.0,
        repeat_s=repeat_s,
    )


@given(minutes, st.integers(1, 30))
def test_alarms_are_apart_by_the_clear_time_and_the_repeat_time(found, threshold):
    assert alarms(found, timing(threshold)) <= 1 + len(found) // (600 // 60 + 1)


@given(minutes)
def test_a_threshold_above_every_minute_never_alarms_and_one_that_all_reach_does_once(found):
    most = max((count for _, count in found), default=0)
    assert alarms(found, timing(most + 1)) == 0
    all_reach = [(at, count + 1) for at, count in found]
    assert alarms(all_reach, timing(1)) == bool(found)


@given(minutes)
def test_at_the_suggested_percentile_few_minutes_are_above_it(found):
    if found:
        value = percentile((count for _, count in found), PERCENT)
        assert sum(count > value for _, count in found) <= len(found) * (100 - PERCENT) / 100


#: Crowds that stay for minutes, each after a longer quiet: (quiet minutes, its people, how long).
crowds = st.lists(
    st.tuples(st.integers(14, 40), st.integers(0, 30), st.integers(3, 20)), max_size=6
)
LOOK_S = 5


@settings(max_examples=40, deadline=None)
@given(crowds, st.integers(2, 30), st.integers(0, 59))
def test_for_crowds_that_stay_the_estimate_is_what_the_rule_itself_does(
    given_crowds, threshold, at_s
):
    """Tally and rule see the same looks; ``at_s`` is where in a minute they begin."""
    looked = [0] * 60
    for quiet, people, stay in given_crowds:
        looked += [0] * (quiet * 60 // LOOK_S) + [people] * (stay * 60 // LOOK_S)
    looked += [0] * (20 * 60 // LOOK_S)
    decides = replace(timing(threshold), blind_s=3.0 * LOOK_S)
    rule, tally, at, started, quarters = Gathering(decides), Tally(), T0, 0, []
    at += timedelta(seconds=at_s)
    for count in looked:
        at += timedelta(seconds=LOOK_S)
        change = rule.update(at, count)
        started += change is not None and change.op is AlertOp.START
        quarters.append(tally.add(at, count))
    quarters.append(tally.close())
    kept = counts_of([quarter for quarter in quarters if quarter is not None])
    assert alarms(kept, decides) == started
