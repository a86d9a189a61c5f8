from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from central.alerts.fold import BoxFacts, facts_of, fold
from protocol.messages import AlertCurve, AlertLevel, AlertOp
from tests.support.xiacun import NOW, alert_data, alert_message

ALERT_ID = UUID(int=7)


@st.composite
def histories(draw):
    """One alert as a box tells it: a start, updates, perhaps an end; its sequences grow."""
    steps = draw(st.lists(st.integers(-30, 30), min_size=1, max_size=6))  # the clock may step
    ends = draw(st.booleans())
    at, events = NOW, []
    for number, step in enumerate(steps):
        at += timedelta(seconds=step)
        last = number == len(steps) - 1
        op = AlertOp.START if number == 0 else AlertOp.END if ends and last else AlertOp.UPDATE
        data = alert_data(
            ALERT_ID,
            op=op,
            at=at,
            ended_at=at if op is AlertOp.END else None,
            count=draw(st.integers(0, 99)),
            level=draw(st.sampled_from(AlertLevel)),
            curve=AlertCurve(step_s=1, points=tuple(enumerate(range(number + 1)))),
        )
        doubtful = draw(st.booleans())
        message = alert_message(data, number + 1)
        events.append(facts_of(message, clock_doubtful=doubtful))
    return events


def folded(events) -> BoxFacts:
    known = None
    for event in events:
        known = fold(known, event)
    assert known is not None
    return known


@given(histories().flatmap(lambda events: st.tuples(st.just(events), st.permutations(events))))
def test_every_order_gives_the_same_alert(both):
    events, shuffled = both
    assert folded(shuffled) == folded(events)


@given(histories(), st.data())
def test_a_duplicate_changes_nothing(events, data):
    again = data.draw(st.sampled_from(events))
    assert folded([*events, again]) == folded(events)


@given(histories())
def test_the_last_event_has_the_word_and_the_peak_is_the_highest_count(events):
    alert = folded(events)
    assert (alert.at, alert.sequence, alert.count, alert.level) == (
        events[-1].at,
        events[-1].sequence,
        events[-1].count,
        events[-1].level,
    )
    assert alert.curve == events[-1].curve
    assert alert.peak >= max(event.count for event in events)
    assert alert.started_at == NOW
    assert alert.clock_doubtful == any(event.clock_doubtful for event in events)
