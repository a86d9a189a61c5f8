"""What of a box somebody must look after."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from central.codes import BoxState
from central.fleet.rule import BoxFacts, BoxWarning, OutboxFacts, box_warnings

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OUTBOX = OutboxFacts(NOW - timedelta(days=3), NOW, None, None)
FINE = BoxFacts(
    state=BoxState.ONLINE,
    detector="live",
    outbox_oldest_at=None,
    evidence_pending=1,
    quarantined=0,
    doubled_at=None,
    clock=None,
    clock_offset_ms=None,
    full_percent=0,
    cameras_clock_off=0,
    outboxes=(OUTBOX,),
)


def ago(**span):
    return NOW - timedelta(**span)


def test_a_box_in_order_has_no_warning():
    assert box_warnings(FINE, NOW) == []


@pytest.mark.parametrize(
    ("changes", "warning", "is_warned"),
    [
        ({"doubled_at": ago(days=6)}, BoxWarning.DOUBLED, True),
        ({"clock_offset_ms": 5001}, BoxWarning.CLOCK, True),
        ({"clock_offset_ms": -5000}, BoxWarning.CLOCK, False),
        ({"full_percent": 80}, BoxWarning.FULL, True),
        ({"full_percent": 79}, BoxWarning.FULL, False),
        ({"doubled_at": ago(days=7)}, BoxWarning.DOUBLED, False),
        ({"outboxes": (replace(OUTBOX, broken_at=7),)}, BoxWarning.BROKEN, True),
        ({"outboxes": (replace(OUTBOX, missing_since=ago(seconds=60)),)}, BoxWarning.GAP, True),
        ({"outboxes": (replace(OUTBOX, missing_since=ago(seconds=59)),)}, BoxWarning.GAP, False),
        ({"quarantined": 1}, BoxWarning.QUARANTINE, True),
        ({"detector": "down"}, BoxWarning.DETECTOR, True),
        ({"detector": "off"}, BoxWarning.DETECTOR, False),
        ({"detector": "down", "state": BoxState.LOST}, BoxWarning.DETECTOR, False),
        ({"outbox_oldest_at": ago(minutes=10)}, BoxWarning.OUTBOX, True),
        ({"outbox_oldest_at": ago(minutes=9)}, BoxWarning.OUTBOX, False),
        ({"evidence_pending": 20}, BoxWarning.EVIDENCE, True),
        ({"evidence_pending": 19}, BoxWarning.EVIDENCE, False),
        ({"cameras_clock_off": 1}, BoxWarning.CAMERA_CLOCK, True),
        ({"cameras_clock_off": 1, "state": BoxState.LOST}, BoxWarning.CAMERA_CLOCK, False),
    ],
)
def test_each_warning_begins_where_it_says(changes, warning, is_warned):
    assert box_warnings(replace(FINE, **changes), NOW) == ([warning] if is_warned else [])


def test_a_new_disk_is_no_second_box():
    old = OutboxFacts(ago(days=3), ago(hours=2), None, None)
    new = OutboxFacts(ago(hours=1), NOW, None, None)
    assert box_warnings(replace(FINE, outboxes=(old, new)), NOW) == []


@pytest.mark.parametrize(("spoke", "is_warned"), [(ago(minutes=1), True), (ago(days=8), False)])
def test_an_old_outbox_that_speaks_beside_a_new_one_is_a_second_box(spoke, is_warned):
    old = OutboxFacts(ago(days=20), spoke, None, None)
    new = OutboxFacts(ago(days=10), NOW, None, None)
    assert (box_warnings(replace(FINE, outboxes=(old, new)), NOW) != []) == is_warned


def test_the_gravest_comes_first():
    worst = replace(FINE, doubled_at=NOW, evidence_pending=99, quarantined=2)
    assert box_warnings(worst, NOW) == [
        BoxWarning.DOUBLED,
        BoxWarning.QUARANTINE,
        BoxWarning.EVIDENCE,
    ]
