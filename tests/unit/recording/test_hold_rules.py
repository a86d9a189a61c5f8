from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from edge.errors import RefusedError
from edge.recording.hold_rules import (
    MAX_KEPT,
    MAX_REASON_CHARS,
    MAX_STRETCH,
    Placing,
    Refusal,
    Terms,
    check_change,
    check_placing,
    check_reason,
    is_review_due,
)

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # the 23rd in the box's zone
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
MONTH = Terms(NOW + 30 * DAY, TODAY + 20 * DAY)


def placing(length: timedelta = DAY, reason: str = "派出所来函", terms: Terms = MONTH) -> Placing:
    return Placing("gate", NOW - 2 * DAY, NOW - 2 * DAY + length, reason, terms)


def refusal(check, *args) -> Refusal | None:
    try:
        check(*args)
    except RefusedError as error:
        return Refusal(error.why)
    return None


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        pytest.param(placing(), None, id="a month"),
        pytest.param(placing(MAX_STRETCH), None, id="the longest stretch"),
        pytest.param(placing(MAX_STRETCH + timedelta(seconds=1)), Refusal.STRETCH, id="longer"),
        pytest.param(placing(timedelta()), Refusal.STRETCH, id="no time at all"),
        pytest.param(placing(-DAY), Refusal.STRETCH, id="backwards"),
        pytest.param(
            replace(
                placing(),
                start=datetime.min.replace(tzinfo=ZONE),
                end=datetime.min.replace(tzinfo=UTC),
            ),
            Refusal.STRETCH,
            id="before there was a calendar",
        ),
        pytest.param(
            replace(
                placing(),
                start=datetime.max.replace(tzinfo=UTC) - DAY,
                end=datetime.max.replace(tzinfo=UTC),
            ),
            Refusal.STRETCH,
            id="after there is one",
        ),
        pytest.param(placing(reason=" \n"), Refusal.REASON, id="no reason"),
        pytest.param(
            placing(terms=Terms(NOW + MAX_KEPT, TODAY + 180 * DAY)), None, id="three years"
        ),
        pytest.param(
            placing(terms=Terms(NOW + MAX_KEPT + DAY, TODAY + DAY)), Refusal.UNTIL, id="more"
        ),
        pytest.param(placing(terms=Terms(NOW, TODAY + DAY)), Refusal.UNTIL, id="over already"),
        pytest.param(
            placing(terms=Terms(NOW + 300 * DAY, TODAY + 181 * DAY)),
            Refusal.REVIEW,
            id="nobody looks for too long",
        ),
        pytest.param(
            placing(terms=Terms(NOW + 30 * DAY, TODAY)), Refusal.REVIEW, id="a review today"
        ),
        pytest.param(
            placing(terms=Terms(NOW + 30 * DAY, TODAY + 31 * DAY)),
            Refusal.REVIEW,
            id="a review after the end",
        ),
        pytest.param(
            placing(terms=Terms(datetime(2026, 11, 25, tzinfo=ZONE), date(2026, 11, 25))),
            Refusal.REVIEW,
            id="a review as it ends",
        ),
        pytest.param(
            placing(terms=Terms(datetime(2026, 11, 25, tzinfo=ZONE), date(2026, 11, 24))),
            None,
            id="a day",
        ),
        pytest.param(
            placing(terms=Terms(datetime.max.replace(tzinfo=UTC), date.max)),
            Refusal.UNTIL,
            id="for ever",
        ),
    ],
)
def test_a_hold_needs_a_reason_an_end_and_a_review_within_the_bounds(wanted, why):
    assert refusal(check_placing, wanted, NOW, ZONE) is why


@pytest.mark.parametrize(
    "reason", ["", "  ", "a\x00b", "a\x7f", "\u202eb", "x" * (MAX_REASON_CHARS + 1), " alert:1"]
)
def test_a_reason_is_words_that_can_be_shown_and_not_those_of_an_alert(reason):
    assert refusal(check_reason, reason) is Refusal.REASON


def test_a_reason_may_have_lines():
    assert refusal(check_reason, "案件编号 1\n" + "x" * 400) is None


@pytest.mark.parametrize(
    ("after", "reason", "why"),
    [
        pytest.param(MONTH, "看过", Refusal.NO_CHANGE, id="nothing"),
        pytest.param(Terms(MONTH.until, TODAY + 25 * DAY), None, None, id="reviewed"),
        pytest.param(Terms(MONTH.until + DAY, MONTH.review_on), None, None, id="longer"),
        pytest.param(
            Terms(MONTH.until - DAY, MONTH.review_on), None, Refusal.SHORTER, id="shorter, silently"
        ),
        pytest.param(Terms(MONTH.until - DAY, MONTH.review_on), "够了", None, id="shorter"),
        pytest.param(
            Terms(MONTH.until - DAY, MONTH.review_on), " ", Refusal.REASON, id="shorter, for blanks"
        ),
        pytest.param(
            Terms(NOW + 10 * DAY, MONTH.review_on),
            "够了",
            Refusal.REVIEW,
            id="shorter than the review",
        ),
        pytest.param(Terms(NOW - DAY, MONTH.review_on), "够了", Refusal.UNTIL, id="over already"),
        pytest.param(Terms(MONTH.until, TODAY), None, Refusal.REVIEW, id="a review today"),
    ],
)
def test_nobody_shortens_a_hold_without_saying_why(after, reason, why):
    assert refusal(check_change, MONTH, after, reason, NOW, ZONE) is why


def test_a_hold_that_waits_for_its_review_may_be_extended_and_its_review_put_off():
    overdue = Terms(NOW + 30 * DAY, TODAY - 5 * DAY)
    longer = Terms(NOW + 60 * DAY, TODAY - 5 * DAY)
    reviewed = Terms(NOW + 30 * DAY, TODAY + 5 * DAY)
    assert refusal(check_change, overdue, longer, None, NOW, ZONE) is None
    assert refusal(check_change, overdue, reviewed, None, NOW, ZONE) is None


def test_a_review_is_due_when_its_day_begins_in_the_boxs_zone():
    assert not is_review_due(None, NOW, ZONE)
    assert not is_review_due(TODAY + DAY, NOW, ZONE)
    assert is_review_due(TODAY, NOW, ZONE)
    assert is_review_due(TODAY, NOW + DAY, ZONE)
