from datetime import UTC, datetime, timedelta

import pytest

from central.errors import ConflictError
from central.points import codes
from central.points.codes import DeviceType, Fact, FilingState, Item, Lack, PlaceType, PointState
from central.points.filing import Filed, changes_since
from central.points.states import Papers, check_step, sign_due_at, trial_is_long
from protocol.messages import LegalBasis

NOW = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
WHOLE = Papers(PlaceType.GATE, LegalBasis.ARTICLE_7_1, "村委会", NOW.date(), True, True)  # noqa: FBT003
GATE = Filed("a.1", "村口", DeviceType.FIXED, "村委会", 30)


@pytest.mark.parametrize(
    ("before", "after"),
    [("draft", "trial"), ("draft", "in_use"), ("trial", "in_use"), ("trial", "draft")]
    + [(before, "retired") for before in ("draft", "trial", "in_use")]
    + [("retired", "draft")],
)
def test_every_step_of_the_table_is_taken_with_whole_papers(before, after):
    check_step(PointState(before), PointState(after), WHOLE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("in_use", "trial"),
        ("in_use", "draft"),
        ("retired", "in_use"),
        ("retired", "trial"),
        ("draft", "draft"),
        ("draft", "unregistered"),
    ],
)
def test_no_other_step_is_taken(before, after):
    with pytest.raises(ConflictError, match=f"is {before} does not become {after}"):
        check_step(PointState(before), PointState(after), WHOLE)


def test_a_trial_run_is_long_after_30_days():
    since = NOW - timedelta(days=30)
    assert trial_is_long(PointState.TRIAL, since, NOW)
    assert not trial_is_long(PointState.TRIAL, since + timedelta(seconds=1), NOW)
    assert not trial_is_long(PointState.IN_USE, since, NOW)


def test_a_sign_is_due_a_month_after_it_was_last_seen_whole_and_at_once_where_damaged():
    used = PointState.IN_USE
    month = timedelta(days=30)
    assert sign_due_at(used, NOW, None, is_whole=True) == NOW + month
    assert sign_due_at(used, NOW, NOW + month, is_whole=True) == NOW + 2 * month
    assert sign_due_at(used, NOW, NOW + month, is_whole=False) == NOW + month
    assert sign_due_at(PointState.TRIAL, NOW, NOW, is_whole=False) is None


def test_each_of_the_four_facts_is_named_with_what_it_was_and_is():
    now = Filed("a.1", "桥头", DeviceType.PTZ, "派出所", 90)
    assert [(each.fact, each.before, each.now) for each in changes_since([GATE], [now])] == [
        (Fact.UNIT, "村委会", "派出所"),
        (Fact.PLACE, "村口", "桥头"),
        (Fact.TYPE, "fixed", "ptz"),
        (Fact.RETENTION, "30", "90"),
    ]


def test_how_long_a_box_that_does_not_say_keeps_what_is_no_change():
    silent = Filed("a.1", "村口", DeviceType.FIXED, "村委会", None)
    assert changes_since([silent], [GATE]) == changes_since([GATE], [silent]) == ()


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        (PointState, codes.POINT_STATES),
        (PlaceType, codes.PLACE_TYPES),
        (LegalBasis, codes.LEGAL_BASES),
        (DeviceType, codes.DEVICE_TYPES),
        (Item, codes.CHECKLIST),
        (Lack, codes.LACKS),
        (FilingState, codes.FILING_STATES),
        (Fact, codes.FACTS),
    ],
)
def test_every_code_has_its_words(kind, labels):
    assert list(labels) == list(kind)
