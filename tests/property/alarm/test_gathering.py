from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.alarm.gathering import Gathering, Timing
from edge.alarm.sensitivity import LEANINGS
from protocol.messages import AlertLevel, AlertOp

T0 = datetime(2026, 11, 22, tzinfo=UTC)

timings = st.builds(
    Timing,
    levels=st.just({AlertLevel.ORDINARY: 3, AlertLevel.URGENT: 6}),
    hold_s=st.sampled_from([0.0, 2.0, 10.0]),
    gap_s=st.sampled_from([0.0, 0.5, 1.5]),
    clear_fraction=st.sampled_from([0.3, 0.7, 1.0]),
    clear_s=st.sampled_from([0.0, 5.0, 20.0]),
    repeat_s=st.sampled_from([0.0, 30.0]),
)
#: Stretches of one count: a count and a number of frames.
stretches = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 60)), min_size=1, max_size=12)
#: Steps of the frames' clock: mostly forward, now and then a gap or a step back.
steps = st.one_of(
    st.sampled_from([0.1, 0.2, 0.5]), st.sampled_from([0.0, -0.1, -3.0, -100.0, 10.0, 700.0])
)


def play(timing, counts, step_of):
    machine = Gathering(timing)
    at, said = T0, []
    for index, count in enumerate(counts):
        at += timedelta(seconds=step_of(index))
        change = machine.update(at, count)
        if change is not None:
            said.append(change)
    return machine, said


def counts_of(given_stretches):
    return [count for count, frames in given_stretches for _ in range(frames)]


@given(timings, stretches, st.lists(steps, min_size=1, max_size=20))
def test_starts_and_ends_alternate_whatever_the_clock_does(timing, given_stretches, given_steps):
    machine, said = play(
        timing, counts_of(given_stretches), lambda index: given_steps[index % len(given_steps)]
    )
    is_open = False
    for change in said:
        if change.op is AlertOp.START:
            assert not is_open
            is_open = True
        else:
            assert is_open
            is_open = change.op is not AlertOp.END
    assert machine.is_open == is_open


@given(timings, stretches)
def test_nothing_starts_before_the_hold_or_ends_before_the_clear_time(timing, given_stretches):
    _, said = play(timing, counts_of(given_stretches), lambda _: 0.2)
    started_at = ended_at = T0
    for change in said:
        if change.op is AlertOp.START:
            started_at = change.at
            assert (started_at - T0).total_seconds() >= timing.hold_s
            if ended_at > T0:
                assert (started_at - ended_at).total_seconds() >= timing.repeat_s
        elif change.op is AlertOp.END:
            ended_at = change.at
            assert (ended_at - started_at).total_seconds() >= timing.clear_s


@given(timings, stretches)
def test_the_level_only_rises_and_its_threshold_goes_with_it(timing, given_stretches):
    _, said = play(timing, counts_of(given_stretches), lambda _: 0.2)
    order = list(AlertLevel)
    level = AlertLevel.ORDINARY
    for change in said:
        if change.op is not AlertOp.START:
            assert order.index(change.level) >= order.index(level)
        level = change.level
        assert change.threshold == timing.levels[level]


@given(timings, st.lists(st.integers(0, 2), max_size=300))
def test_fewer_than_the_lowest_threshold_never_start_anything(timing, counts):
    assert play(timing, counts, lambda _: 0.2)[1] == []


@given(timings, stretches, st.integers(0, 400), st.floats(-4.9, 0.0))
def test_one_frame_out_of_order_changes_nothing(timing, given_stretches, position, back_s):
    counts = counts_of(given_stretches)
    plain, with_stray = Gathering(timing), Gathering(timing)
    at = T0
    for index, count in enumerate(counts):
        at += timedelta(seconds=0.2)
        expected = plain.update(at, count)
        assert with_stray.update(at, count) == expected
        if index == position:
            assert with_stray.update(at + timedelta(seconds=back_s), 8 - count) is None


#: What a crowd around the threshold looks like for an hour: a share of the frames reach it.
hovering = st.tuples(st.floats(0.0, 1.0), st.integers(0, 2**32))
DEFAULTS = Timing(
    levels={AlertLevel.ORDINARY: 15, AlertLevel.URGENT: 30, AlertLevel.EXTRA_URGENT: 60},
    hold_s=60.0,
    gap_s=1.5,
    clear_fraction=0.7,
    clear_s=120.0,
    repeat_s=600.0,
)
LOOK_S = 0.5
HOUR = int(3600 / LOOK_S)


def hour_of(share, seed):
    """Counts of 12 to 18 people, of which ``share`` reach the threshold of 15."""
    chance = Random(seed)
    return [
        chance.randint(15, 18) if chance.random() < share else chance.randint(12, 14)
        for _ in range(HOUR)
    ]


@settings(max_examples=25, deadline=None)
@given(hovering, st.sampled_from(list(LEANINGS.values())))
def test_a_count_that_hovers_around_the_threshold_for_an_hour_raises_one_alert(hover, leaning):
    """At every sensitivity; and there is one where plainly more reach it than the vote wants."""
    timing = replace(DEFAULTS, vote=leaning.vote)
    machine, said = play(timing, hour_of(*hover), lambda _: LOOK_S)
    ops = [change.op for change in said if change.op is not AlertOp.UPDATE]
    assert ops in ([], [AlertOp.START])
    if hover[0] >= leaning.vote + 0.35:
        assert machine.is_open


@settings(max_examples=25, deadline=None)
@given(hovering, st.integers(0, HOUR), st.integers(1, int(540 / LOOK_S)))
def test_a_hovering_count_raises_one_alert_also_across_a_short_break_of_the_schedule(
    hover, break_at, break_looks
):
    """The break ends the alert; who is still there a little later is not called for again."""
    machine, at, said = Gathering(DEFAULTS), T0, []
    for index, count in enumerate(hour_of(*hover)):
        at += timedelta(seconds=LOOK_S)
        is_on = not break_at <= index < break_at + break_looks
        change = machine.update(at, count) if is_on else machine.rest(at, count)
        said += [change] if change is not None else []
        if not is_on:
            assert not machine.is_open
    starts = [change.at for change in said if change.op is AlertOp.START]
    assert len(starts) <= 2
    if len(starts) == 2:
        (ended,) = [change.at for change in said if change.op is AlertOp.END]
        assert (starts[1] - ended).total_seconds() >= DEFAULTS.repeat_s


@given(timings, stretches, st.lists(st.booleans(), min_size=1, max_size=30))
def test_no_alert_is_open_outside_of_the_schedule_and_no_hold_reaches_across_its_border(
    timing, given_stretches, hours
):
    """A ten-second period on or off after the other, whatever the counts do."""
    machine, at, on_since = Gathering(timing), T0, None
    for index, count in enumerate(counts_of(given_stretches)):
        at += timedelta(seconds=0.2)
        if hours[index // 50 % len(hours)]:
            on_since = on_since or at
            change = machine.update(at, count)
            if change is not None and change.op is AlertOp.START:
                assert (at - on_since).total_seconds() >= timing.hold_s
        else:
            on_since = None
            machine.rest(at, count)
            assert not machine.is_open
