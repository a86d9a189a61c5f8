from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.alarm.fire import Fire, FireTiming, Strategy
from edge.ports import Sighting
from protocol.messages import AlertKind, AlertLevel, AlertOp

T0 = datetime(2026, 11, 26, tzinfo=UTC)
FLAME, SMOKE = AlertKind.FLAME, AlertKind.SMOKE

timings = st.builds(
    FireTiming,
    strategy=st.sampled_from(Strategy),
    flame_level=st.just(AlertLevel.URGENT),
    confirm_s=st.sampled_from([3.0, 5.0, 10.0]),
    hold_s=st.sampled_from([10.0, 20.0]),
    clear_s=st.sampled_from([0.0, 5.0, 30.0]),
    repeat_s=st.sampled_from([0.0, 60.0]),
    vote=st.sampled_from([0.4, 0.6, 0.8]),
)
boxes = st.sampled_from([(0.1, 0.1, 0.3, 0.3), (0.1, 0.1, 0.5, 0.5), (0.6, 0.5, 0.7, 0.9)])
sightings = st.builds(
    Sighting, st.sampled_from([FLAME, SMOKE]), boxes, st.just(0.7), st.sampled_from([0.0, 1.5, 9.0])
)
#: Stretches of one look: what is seen, and in how many frames.
stretches = st.lists(
    st.tuples(st.lists(sightings, max_size=2), st.integers(1, 60)), min_size=1, max_size=10
)
#: Steps of the frames' clock: mostly forward, now and then a gap or a step back.
steps = st.one_of(
    st.sampled_from([0.1, 0.5, 1.0]), st.sampled_from([0.0, -0.1, -3.0, -100.0, 10.0, 700.0])
)


def play(timing, looks, step_of):
    machine = Fire(timing)
    at, said = T0, []
    for index, look in enumerate(looks):
        at += timedelta(seconds=step_of(index))
        said += machine.update(at, look, [each.box for each in look if each.kind is SMOKE])
    return machine, said


def looks_of(given_stretches):
    return [look for look, frames in given_stretches for _ in range(frames)]


@given(timings, stretches, st.lists(steps, min_size=1, max_size=20))
def test_starts_and_ends_alternate_whatever_the_clock_does(timing, given_stretches, given_steps):
    machine, said = play(
        timing, looks_of(given_stretches), lambda index: given_steps[index % len(given_steps)]
    )
    is_open = {FLAME: False, SMOKE: False}
    for change in said:
        assert is_open[change.kind] is (change.op is not AlertOp.START)
        is_open[change.kind] = change.op is not AlertOp.END
    assert machine.is_open == any(is_open.values())


@given(timings, stretches, st.sampled_from([0.1, 0.5, 1.0, 4.0]))
def test_no_alert_starts_on_fewer_than_two_looks_over_two_seconds(timing, given_stretches, step_s):
    looks = looks_of(given_stretches)
    _, said = play(timing, looks, lambda _: step_s)
    for change in said:
        if change.op is not AlertOp.START:
            continue
        until = round((change.at - T0).total_seconds() / step_s)
        seen = [
            index
            for index, look in enumerate(looks[:until])
            if any(each.kind is change.kind for each in look)
        ]
        assert len(seen) >= 2
        assert (seen[-1] - seen[0]) * step_s >= 2.0


@given(st.lists(sightings, min_size=1, max_size=4), timings, st.sampled_from([0.1, 0.5, 1.0]))
def test_a_single_frame_never_alarms(look, timing, step_s):
    looks = [[]] * 30 + [look] + [[]] * 200
    assert play(timing, looks, lambda _: step_s)[1] == []


@given(st.lists(st.booleans(), min_size=300, max_size=600), st.sampled_from([0.2, 0.5]))
def test_a_flame_that_comes_and_goes_does_not_flap(seen, step_s):
    """A network that sees it in about half of the frames raises one alert and not one a minute."""
    timing = FireTiming(clear_s=60.0, repeat_s=300.0)
    flame = Sighting(FLAME, (0.1, 0.1, 0.3, 0.3), 0.6, 9.0)
    _, said = play(timing, [[flame] if each else [] for each in seen], lambda _: step_s)
    starts = [change.at for change in said if change.op is AlertOp.START]
    assert len(starts) <= 1 + len(seen) * step_s / (timing.clear_s + timing.repeat_s)


@given(timings, stretches)
@settings(max_examples=50)
def test_levels_only_rise_while_an_alert_is_open(timing, given_stretches):
    order = list(AlertLevel)
    _, said = play(timing, looks_of(given_stretches), lambda _: 0.5)
    level = {}
    for change in said:
        if change.op is not AlertOp.START:
            assert order.index(change.level) >= order.index(level[change.kind])
        level[change.kind] = change.level


@given(st.lists(st.floats(0.0, 0.99), min_size=1, max_size=20), st.floats(0.9, 1.1))
@settings(max_examples=30)
def test_a_lamp_that_is_constant_for_minutes_never_alarms(motions, jitter):
    timing = FireTiming()
    looks = []
    for index in range(600):
        size = 0.2 * (jitter if index % 2 else 1.0)
        motion = motions[index % len(motions)]
        box = (0.3, 0.3, 0.3 + size, 0.3 + size)
        looks.append([Sighting(kind, box, 0.9, motion) for kind in (FLAME, SMOKE)])
    assert play(timing, looks, lambda _: 0.5)[1] == []


@given(st.integers(0, 590), st.sampled_from([Strategy.ANY]))
@settings(max_examples=20)
def test_flame_within_ten_minutes_of_smoke_is_extra_urgent(pause_s, strategy):
    timing = FireTiming(strategy=strategy, flame_level=AlertLevel.URGENT, repeat_s=0.0)
    smoke = Sighting(SMOKE, (0.1, 0.1, 0.4, 0.4), 0.7, 9.0)
    flame = Sighting(FLAME, (0.2, 0.3, 0.3, 0.4), 0.7, 9.0)
    looks = [[]] * 120 + [[smoke]] * 40 + [[]] * pause_s + [[flame]] * 6
    _, said = play(timing, looks, lambda _: 1.0)
    starts = [(change.kind, change.level) for change in said if change.op is AlertOp.START]
    assert starts == [(SMOKE, AlertLevel.URGENT), (FLAME, AlertLevel.EXTRA_URGENT)]
