"""An open alert, without clock and database."""

from datetime import timedelta
from uuid import UUID

import pytest

from edge.alerts.curve import Curve
from edge.alerts.standing import UPDATE_EVERY_NS, Standing, key_of
from edge.ports import OpenAlert
from protocol.messages import AlertKind, AlertLevel, AlertMode, AlertOp
from tests.support.desk_box import AT, occurrence

ALERT = UUID("019340a1-c2d0-7abc-9def-0123456789ab")


def begun(**changes):
    return Standing.begun(occurrence(**changes), ALERT)


def update(**changes):
    return occurrence(AlertOp.UPDATE, **changes)


def test_an_alert_begins_as_its_start_says():
    standing = begun(count=16, threshold=15, confidence=0.5)
    assert standing == Standing(
        alert_id=ALERT,
        camera_id="square",
        rule_id="crowd",
        region_id="all",
        kind=AlertKind.GATHERING,
        level=AlertLevel.ORDINARY,
        mode=AlertMode.LIVE,
        started_at=AT,
        count=16,
        threshold=15,
        peak=16,
        confidence=0.5,
        curve=Curve(points=((0, 16),)),
    )
    assert standing.key == key_of(occurrence()) == ("square", "crowd", "all")


def test_the_count_follows_and_the_peak_stays():
    standing = begun(count=16).after(update(count=40)).after(update(count=20, confidence=0.9))
    assert (standing.count, standing.peak, standing.confidence) == (20, 40, 0.9)


def test_a_peak_that_an_occurrence_brings_along_counts():
    assert begun(count=16, peak=18).peak == 18
    assert begun(count=16).after(update(count=20, peak=44)).peak == 44


@pytest.mark.parametrize(
    ("levels", "result"),
    [
        ([AlertLevel.URGENT], AlertLevel.URGENT),
        ([AlertLevel.EXTRA_URGENT, AlertLevel.ORDINARY], AlertLevel.EXTRA_URGENT),
        ([AlertLevel.ORDINARY], AlertLevel.ORDINARY),
    ],
)
def test_the_level_rises_and_never_falls(levels, result):
    standing = begun()
    for level in levels:
        standing = standing.after(update(level=level))
    assert standing.level is result


def test_an_alert_stays_the_kind_and_mode_it_began_as():
    standing = begun(mode=AlertMode.TRIAL).after(
        update(kind=AlertKind.SMOKE, mode=AlertMode.LIVE, at=AT + timedelta(seconds=9))
    )
    assert (standing.kind, standing.mode, standing.started_at) == (
        AlertKind.GATHERING,
        AlertMode.TRIAL,
        AT,
    )


def test_what_this_process_never_sent_is_news():
    assert begun().is_news(0)


def test_an_update_that_changes_nothing_is_no_news():
    standing = begun(confidence=0.5).told(0).after(update(confidence=0.6))
    assert not standing.is_news(10 * UPDATE_EVERY_NS)


@pytest.mark.parametrize("change", [{"count": 17}, {"count": 3}, {"threshold": 20}])
def test_a_change_is_news_once_in_a_while(change):
    standing = begun().told(0).after(update(**change))
    assert [standing.is_news(now) for now in (UPDATE_EVERY_NS - 1, UPDATE_EVERY_NS)] == [
        False,
        True,
    ]


def test_a_risen_level_is_news_at_once():
    assert begun().told(0).after(update(level=AlertLevel.URGENT)).is_news(1)


def test_a_peak_between_two_messages_is_news():
    standing = begun(count=16).told(0).after(update(count=40)).after(update(count=16))
    assert standing.is_news(UPDATE_EVERY_NS)


def test_a_restarted_rule_gets_what_it_needs():
    assert begun(count=16).after(update(count=20)).as_open() == OpenAlert(
        camera_id="square",
        rule_id="crowd",
        region_id="all",
        kind=AlertKind.GATHERING,
        level=AlertLevel.ORDINARY,
        started_at=AT,
        peak=20,
    )
