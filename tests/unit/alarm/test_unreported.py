from datetime import timedelta

import pytest

from edge.alarm.unreported import Unreported
from protocol.messages import AlertOp
from tests.support.desk_box import AT, occurrence

START, UPDATE, END = AlertOp.START, AlertOp.UPDATE, AlertOp.END


def said(op, count=16, region="all", second=0):
    return occurrence(op, count=count, region_id=region, at=AT + timedelta(seconds=second))


def queue(*occurrences, limit=1000):
    waiting = Unreported(limit)
    for each in occurrences:
        waiting.add(each)
    return waiting


def drained(waiting):
    out = []
    while (first := waiting.first()) is not None:
        out.append((first.op, first.region_id, first.count, first.peak))
        waiting.done(first)
    return out


def test_what_is_said_comes_out_in_order():
    waiting = queue(said(START), said(UPDATE, 20), said(END, 2), said(START, 17))
    assert [row[0] for row in drained(waiting)] == [START, UPDATE, END, START]
    assert len(waiting) == 0


def test_two_alerts_that_take_turns_keep_one_update_each():
    waiting = queue(said(START), said(START, region="stage"))
    for count in range(20, 5000):
        waiting.add(said(UPDATE, count % 30))
        waiting.add(said(UPDATE, count % 40, region="stage"))
    assert len(waiting) == 4
    assert waiting.dropped == 0
    assert drained(waiting)[2:] == [
        (UPDATE, "all", 4999 % 30, 29),
        (UPDATE, "stage", 4999 % 40, 39),
    ]


def test_an_update_is_not_merged_across_an_end():
    waiting = queue(said(UPDATE, 30), said(END, 1), said(START, 16), said(UPDATE, 17))
    assert drained(waiting) == [
        (UPDATE, "all", 30, 0),
        (END, "all", 1, 0),
        (START, "all", 16, 0),
        (UPDATE, "all", 17, 0),
    ]


def test_an_update_that_is_being_reported_is_followed_by_what_came_meanwhile():
    waiting = queue(said(UPDATE, 30))
    first = waiting.first()
    assert first is not None
    waiting.add(said(UPDATE, 17))
    waiting.done(first)
    assert drained(waiting) == [(UPDATE, "all", 17, 30)]
    waiting.add(said(UPDATE, 18))
    assert drained(waiting) == [(UPDATE, "all", 18, 0)]


def test_beyond_the_limit_an_update_goes_first_and_its_peak_stays():
    waiting = queue(
        said(START), said(UPDATE, 50), said(END, 1), said(START, region="stage"), limit=3
    )
    assert waiting.dropped == 1
    assert drained(waiting) == [
        (START, "all", 16, 0),
        (END, "all", 1, 50),
        (START, "stage", 16, 0),
    ]


def test_beyond_the_limit_a_whole_alert_goes_and_no_half_of_one():
    waiting = queue(*(said(START, region="stage"), said(START), said(END, 1), said(START)), limit=3)
    assert waiting.dropped == 2
    assert drained(waiting) == [(START, "stage", 16, 0), (START, "all", 16, 0)]


def test_what_may_be_on_its_way_to_the_desk_does_not_go():
    waiting = queue(said(START), said(END), said(START), said(END), said(START), limit=4)
    assert [row[0] for row in drained(waiting)] == [START, END, START]


@pytest.mark.parametrize("op", [START, END])
def test_where_nothing_else_can_go_the_oldest_does_and_is_counted(op):
    waiting = queue(*(said(op, region=f"r{n}") for n in range(4)), limit=3)
    assert [row[1] for row in drained(waiting)] == ["r0", "r2", "r3"]
    assert waiting.dropped == 1
