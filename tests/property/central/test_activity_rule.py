from datetime import timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.activities.plan import GRACE, Occurrence, Plan, overlap
from central.activities.rule import Crowd, Offer, calls_again, choose, concerns, judge
from central.codes import Leaving
from protocol.messages import AlertKind, AlertLevel, AlertMode
from tests.support.xiacun import NOW

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEVELS = {AlertLevel.ORDINARY: 15, AlertLevel.URGENT: 30, AlertLevel.EXTRA_URGENT: 60}

levels = st.sampled_from(AlertLevel)
peaks = st.integers(0, 400)
people = st.integers(1, 400)
minutes = st.integers(-600, 600).map(lambda each: timedelta(minutes=each))


@st.composite
def crowds(draw):
    level = draw(levels)
    return Crowd(level, draw(peaks), LEVELS[level], NOW + draw(minutes))


@st.composite
def offers(draw):
    start = NOW + draw(minutes)
    end = start + timedelta(minutes=draw(st.integers(1, 300)))
    return Offer(
        UUID(int=draw(st.integers(1, 5))), draw(people), Occurrence(start, end, end + GRACE)
    )


@given(st.sampled_from(AlertKind), st.sampled_from(AlertMode))
def test_only_gatherings_are_ever_an_events_and_a_drill_never_is(kind, mode):
    assert concerns(kind, mode) == (kind is AlertKind.GATHERING and mode is not AlertMode.DRILL)


@given(crowds(), offers())
def test_a_known_crowd_is_within_its_time_and_its_number(crowd, offer):
    if judge(crowd, offer) is None:
        assert crowd.seen_until < offer.occurrence.excused_until
        assert crowd.peak <= 1.2 * offer.expected + 1e-9 or crowd.peak < crowd.threshold
        assert crowd.level is not AlertLevel.EXTRA_URGENT or crowd.peak < 2 * crowd.threshold


@given(crowds(), offers())
def test_a_crowd_within_number_time_and_twice_red_is_known(crowd, offer):
    small = Crowd(crowd.level, min(crowd.peak, offer.expected), crowd.threshold, crowd.seen_until)
    if crowd.seen_until < offer.occurrence.excused_until and small.peak < 2 * small.threshold:
        assert judge(small, offer) is None


@given(crowds(), offers(), st.integers(0, 200))
def test_more_people_never_make_an_alert_known_again(crowd, offer, more):
    """The peak only grows, so an alert leaves its event once, in whatever order."""
    grown = Crowd(crowd.level, crowd.peak + more, crowd.threshold, crowd.seen_until)
    if judge(crowd, offer) is not None:
        assert judge(grown, offer) is not None


@given(crowds(), offers())
def test_a_larger_filing_never_makes_a_smaller_crowd_ring(crowd, offer):
    larger = Offer(offer.activity_id, offer.expected + 50, offer.occurrence)
    if judge(crowd, offer) is None:
        assert judge(crowd, larger) is None


@given(crowds(), st.lists(offers(), min_size=1, max_size=5).flatmap(st.permutations))
def test_an_alert_is_known_where_any_event_makes_it_so(crowd, choices):
    chosen = choose(crowd, choices)
    assert chosen is not None
    assert (judge(crowd, chosen) is None) == any(judge(crowd, each) is None for each in choices)
    again = choose(crowd, choices[::-1])
    assert again is not None
    assert judge(crowd, again) == judge(crowd, chosen)


@given(st.lists(st.sampled_from([None, *Leaving]), max_size=12))
def test_an_alert_rings_at_most_once_for_each_reason(judged):
    """Each time a person puts it to its event again; it may exceed it once and outlast it once."""
    left, rings = None, []
    for now in judged:
        if calls_again(now, left):
            rings.append(now)
            left = now
    assert len(rings) == len(set(rings)) <= 2
    assert Leaving.OVER not in rings[:-1]


@pytest.mark.parametrize(
    ("level", "threshold", "expected", "peak", "left"),
    [
        (AlertLevel.ORDINARY, 15, 200, 16, None),
        (AlertLevel.URGENT, 30, 25, 30, None),  # 25 x 1.2 is 30: not more
        (AlertLevel.URGENT, 30, 25, 31, Leaving.EXCEEDED),
        (AlertLevel.URGENT, 30, 10, 29, None),  # more than expected, and less than the rule's
        (AlertLevel.EXTRA_URGENT, 60, 200, 119, None),
        (AlertLevel.EXTRA_URGENT, 60, 200, 120, Leaving.EXCEEDED),  # red x 2, whatever was filed
        (AlertLevel.EXTRA_URGENT, 60, 50, 61, Leaving.EXCEEDED),
    ],
)
def test_the_numbers_of_the_rule(level, threshold, expected, peak, left):
    crowd = Crowd(level, peak, threshold, NOW)
    end = NOW + timedelta(hours=1)
    assert judge(crowd, Offer(UUID(int=1), expected, Occurrence(NOW, end, end + GRACE))) is left


def test_an_event_excuses_for_half_an_hour_after_its_end_and_no_longer():
    end = NOW + timedelta(hours=1)
    offer = Offer(UUID(int=1), 50, Occurrence(NOW, end, end + GRACE))
    for after, left in ((0, None), (29, None), (30, Leaving.OVER)):
        crowd = Crowd(AlertLevel.URGENT, 32, 30, end + timedelta(minutes=after))
        assert judge(crowd, offer) is left


@st.composite
def plans(draw):
    start = NOW + draw(minutes)
    end = start + timedelta(minutes=draw(st.integers(1, 900)))
    stopped_at = draw(st.none() | minutes.map(lambda each: NOW + 2 * each))
    if draw(st.booleans()):
        return Plan(start, end, SHANGHAI, stopped_at=stopped_at)
    days = draw(st.frozensets(st.integers(1, 7), min_size=1))
    last_day = start.astimezone(SHANGHAI).date() + timedelta(days=draw(st.integers(0, 20)))
    return Plan(start, end, SHANGHAI, days, last_day, stopped_at)


@given(plans(), st.integers(-40_000, 40_000), st.integers(0, 20_000))
def test_a_stretch_is_touched_by_the_same_times_as_the_whole(plan, since_min, length_min):
    since = NOW + timedelta(minutes=since_min)
    until = since + timedelta(minutes=length_min)
    whole = list(plan.occurrences(NOW - timedelta(days=60), NOW + timedelta(days=60)))
    touched = [each for each in whole if each.start <= until and each.excused_until >= since]
    assert list(plan.occurrences(since, until)) == touched


@given(plans())
def test_times_are_in_order_apart_and_on_the_weekdays(plan):
    times = list(plan.occurrences(NOW - timedelta(days=60), NOW + timedelta(days=60)))
    assert all(a.end <= b.start for a, b in pairwise(times))
    assert plan.over_at() == (times[-1].end if times else plan.start)
    for each in times:
        assert each.start < each.end <= each.excused_until <= each.end + GRACE
        local = each.start.astimezone(SHANGHAI)
        assert not plan.weekdays or local.isoweekday() in plan.weekdays
        assert local.time() == plan.start.astimezone(SHANGHAI).time()
        assert plan.stopped_at is None or each.end <= plan.stopped_at


@given(plans(), minutes.map(lambda each: NOW + 10 * each))
def test_what_is_on_is_what_comes_next_at_that_moment(plan, moment):
    on, following = plan.at(moment), plan.following(moment)
    if on is not None:
        assert on.start <= moment < on.end
        assert following == on
    elif following is not None:
        assert following.start > moment


@given(plans(), plans())
def test_two_plans_overlap_where_some_time_of_one_meets_one_of_the_other(one, other):
    wide = (NOW - timedelta(days=60), NOW + timedelta(days=60))
    both = [
        max(a.start, b.start)
        for a in one.occurrences(*wide)
        for b in other.occurrences(*wide)
        if max(a.start, b.start) < min(a.end, b.end)
    ]
    assert overlap(one, other) == overlap(other, one) == (min(both) if both else None)
