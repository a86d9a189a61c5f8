"""What was counted: an alert's curve, its rule's history, and the alert of a rule that is tried."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def opened(screen, mock, what="alert?camera=0&kind=gathering&level=urgent", width=1366):
    page = screen.open("duty", "/", width, 900)
    alert = mock.do(what)
    page.goto(f"{mock.url}/alerts/{alert['id']}")
    expect(page.get_by_test_id("alert-detail")).to_be_visible()
    return page


def test_the_people_over_time_are_drawn_and_told_in_words(screen, mock):
    page = opened(screen, mock)
    curve = page.get_by_test_id("alert-curve")
    words = re.compile(r"最多9人（\d\d:\d\d:\d\d），最后7人，阈值3人")
    expect(curve.get_by_role("img", name=words)).to_be_visible()
    expect(curve.locator("polyline")).to_have_count(2)  # nothing was seen in between
    expect(curve.locator("line.threshold")).to_have_count(1)
    expect(curve.locator("svg")).to_contain_text("最多9人")
    assert screen.complaints == []


def test_an_alert_that_counts_nothing_has_no_curve_and_no_history(screen, mock):
    page = opened(screen, mock, "alert?camera=0&kind=camera_lost&level=ordinary")
    expect(page.get_by_test_id("alert-curve")).to_have_count(0)
    expect(page.get_by_test_id("rule-history")).to_have_count(0)


def test_the_rules_history_gives_both_thresholds_and_how_often_each_would_have_alarmed(
    screen, mock
):
    page = opened(screen, mock)
    page.get_by_test_id("rule-history").get_by_text("阈值是否合适").click()
    rows = page.get_by_test_id("rule-thresholds").get_by_role("row")
    expect(rows.nth(1)).to_have_text(re.compile(r"现用阈值\s*3人\s*14次"))
    expect(rows.nth(2)).to_have_text(re.compile(r"建议阈值\s*36人\s*1次"))
    expect(page.get_by_test_id("rule-days").get_by_role("row")).to_have_count(15)
    assert screen.complaints == []


def test_too_little_history_is_said_plainly(screen, mock):
    mock.do("history?is=short")
    page = opened(screen, mock)
    page.get_by_test_id("rule-history").get_by_text("阈值是否合适").click()
    expect(page.get_by_test_id("rule-too-little")).to_contain_text("近14天只有2天有数据")
    expect(page.get_by_test_id("rule-thresholds").get_by_role("row")).to_have_count(2)


def test_a_rule_that_is_gone_is_said_to_be(screen, mock):
    mock.do("history?is=gone")
    page = opened(screen, mock)
    page.get_by_test_id("rule-history").get_by_text("阈值是否合适").click()
    expect(page.get_by_test_id("rule-history").get_by_role("alert")).to_contain_text(
        "规则已不在配置里"
    )


def test_a_trial_alert_offers_no_incident_and_says_why(screen, mock):
    page = opened(screen, mock, "alert?camera=0&kind=gathering&level=urgent&mode=trial")
    page.get_by_test_id("alert-sign").click()
    expect(page.get_by_test_id("alert-trial")).to_contain_text("试运行的告警只作记录")
    expect(page.get_by_test_id("alert-real")).to_have_count(0)
    expect(page.get_by_test_id("alert-false")).to_be_visible()


def test_curve_and_history_are_no_wider_than_a_phone(screen, mock):
    page = opened(screen, mock, width=390)
    page.get_by_test_id("rule-history").get_by_text("阈值是否合适").click()
    expect(page.get_by_test_id("rule-days")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
