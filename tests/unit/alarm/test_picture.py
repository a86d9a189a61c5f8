"""Which faults of a picture become alerts, and when they end."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from edge.alarm.picture import KIND_OF, PICTURE_RULE, PictureRule
from edge.detect.fault import PictureFault
from edge.ports import OpenAlert, PictureCondition
from protocol.messages import AlertKind, AlertLevel, AlertOp

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=ZONE)
NIGHT = datetime(2026, 11, 22, 23, 0, tzinfo=ZONE)


@pytest.fixture
def rule():
    return PictureRule("gate", ZONE)


def condition(*faults, at=NOON, sure=True):
    return PictureCondition("gate", at.astimezone(UTC), frozenset(faults), is_sure=sure)


def said(rule, *faults, **how):
    return [(each.op, each.kind) for each in rule.see(condition(*faults, **how))]


@pytest.mark.parametrize("fault", PictureFault)
def test_each_fault_is_an_alert_of_its_own_kind_and_ends(rule, fault):
    start, end = (AlertOp.START, KIND_OF[fault]), (AlertOp.END, KIND_OF[fault])
    assert said(rule) == []
    assert said(rule, fault) == [start]
    assert said(rule, fault) == []
    assert said(rule) == [end]


def test_what_is_not_sure_neither_begins_nor_ends_anything(rule):
    assert said(rule, PictureFault.MOVED, sure=False) == []
    assert said(rule, PictureFault.MOVED) == [(AlertOp.START, AlertKind.CAMERA_MOVED)]
    assert said(rule, sure=False) == []
    assert said(rule) == [(AlertOp.END, AlertKind.CAMERA_MOVED)]


def test_what_else_is_wrong_with_a_covered_lens_is_not_said(rule):
    found = said(rule, PictureFault.COVERED, PictureFault.FROZEN, PictureFault.UNDEREXPOSED)
    assert found == [(AlertOp.START, AlertKind.LENS_COVERED)]


@pytest.mark.parametrize("fault", [PictureFault.BLACKED, PictureFault.UNDEREXPOSED])
def test_the_dark_is_no_fault_by_night_but_one_that_is_there_by_day(rule, fault):
    assert said(rule, fault, at=NIGHT) == []
    morning = NIGHT + timedelta(hours=10)
    assert said(rule, fault, at=morning) == [(AlertOp.START, KIND_OF[fault])]
    # It began by day, so it lasts into the night.
    assert said(rule, fault, at=morning + timedelta(hours=14)) == []
    assert said(rule, at=morning + timedelta(hours=15)) == [(AlertOp.END, KIND_OF[fault])]


def test_an_alert_that_was_open_when_the_box_stopped_goes_on():
    level = AlertLevel.ORDINARY
    alert = OpenAlert("gate", PICTURE_RULE, "frozen", AlertKind.PICTURE_FROZEN, level, NOON, 0)
    rule = PictureRule("gate", ZONE, [alert])
    assert said(rule, PictureFault.FROZEN) == []
    assert said(rule) == [(AlertOp.END, AlertKind.PICTURE_FROZEN)]
    assert said(PictureRule("road", ZONE, [alert])) == []
