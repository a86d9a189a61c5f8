"""The list of kept footage and the form that keeps some, against the mock centre."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

HISTORY = "**/edge/v1/holds/history*"


def test_nothing_is_said_to_be_kept_or_not_before_the_boxes_are_known(screen):
    page = screen.open("duty", "/about", 1366, 768)
    page.route("**/api/v1/wall", lambda route: route.abort())
    page.goto(page.url.replace("/about", "/holds"))
    expect(page.get_by_test_id("feed-banner")).to_be_visible()
    expect(page.get_by_test_id("holds-empty")).to_have_count(0)


def test_older_acts_are_not_asked_for_while_the_list_is_fetched(screen):
    page = screen.open("duty", "/about", 1366, 768)
    page.route(HISTORY, lambda route: route.fulfill(json={"items": [], "next": 7}))
    page.get_by_test_id("nav-holds").click()
    page.get_by_test_id("holds-history-tab").click()
    more = page.get_by_role("button", name="更多")
    expect(more).to_be_enabled()
    page.route(HISTORY, lambda route: None)  # a box that is slow
    page.get_by_role("button", name="刷新").click()
    expect(more).to_be_disabled()


def test_what_somebody_else_has_released_is_said_so_and_leaves_the_list(screen):
    page = screen.open("duty", "/holds", 1366, 768)
    row = page.get_by_test_id("hold-row").first
    row.get_by_test_id("hold-release").click()
    row.get_by_test_id("hold-act-reason").fill("案件已结")
    address = page.url.replace("/holds", "/api/v1/boxes/b/edge/v1/holds/1")
    assert page.request.delete(address, data={"reason": "案件已结"}).ok
    row.get_by_test_id("hold-act-submit").click()
    expect(page.get_by_text("这段保留已经被解除或已到期")).to_be_visible()
    expect(page.get_by_test_id("hold-row")).to_have_count(1)


def test_a_whole_evening_can_be_kept_at_once(screen):
    page = screen.open("duty", "/review", 1366, 900)
    expect(page.get_by_test_id("timeline-recorded").first).to_be_visible()
    page.get_by_test_id("clip-begin").click()
    page.get_by_test_id("hold-begin").click()
    form = page.get_by_test_id("hold-form")
    expect(form).to_contain_text("村口主路")
    page.get_by_test_id("hold-reason").fill("派出所来函")
    start, end = page.get_by_test_id("hold-from"), page.get_by_test_id("hold-to")
    day = start.input_value()[:10]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", day)
    start.fill(f"{day}T18:00:00")
    end.fill(f"{day}T17:00:00")
    expect(form).to_contain_text("开始时间必须早于结束时间")
    expect(page.get_by_test_id("hold-submit")).to_be_disabled()
    end.fill(f"{day}T23:00:00")
    page.get_by_test_id("hold-submit").click()
    expect(page.get_by_test_id("hold-done")).to_contain_text("5小时")
