"""The page of filed events, and its tag on every page, against the mock centre."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_what_is_filed_is_listed_changed_and_cancelled_with_a_reason(screen, mock):
    page = screen.open("duty", "/activities", 1366, 768)
    expect(page.get_by_test_id("activities-empty")).to_be_visible()
    mock.do("activity?camera=1")
    row = page.get_by_test_id("activity-row")
    expect(row).to_contain_text("王家婚宴")
    expect(row).to_contain_text("文化广场")
    row.get_by_test_id("activity-edit").click()
    page.get_by_test_id("activity-expected").fill("260")
    expect(page.get_by_test_id("activity-submit")).to_be_disabled()  # no reason yet
    page.get_by_test_id("activity-why").fill("加了几桌")
    page.get_by_test_id("activity-submit").click()
    expect(row).to_contain_text("260人")
    row.get_by_test_id("activity-cancel").press("Enter")
    page.keyboard.type("改期")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("activities-empty")).to_be_visible()
    page.get_by_text("以往", exact=True).click()
    expect(row).to_have_attribute("data-state", "cancelled")
    expect(row.get_by_test_id("activity-cancel")).to_have_count(0)
    assert screen.complaints == []


def test_a_wall_account_reads_the_list_and_files_nothing(screen, mock):
    mock.do("activity?camera=0")
    page = screen.open("wall", "/activities", 1366, 768)
    expect(page.get_by_test_id("activity-row")).to_be_visible()
    for button in ("activity-new", "activity-edit", "activity-cancel"):
        expect(page.get_by_test_id(button)).to_have_count(0)


def test_the_tag_is_on_the_alerts_row_and_page_and_leads_to_the_event(screen, mock):
    activity = mock.do("activity?camera=0")
    alert = mock.do("alert?camera=0&kind=gathering")
    page = screen.open("duty", "/", 390, 844)
    row = page.get_by_test_id(f"alert-row-{alert['id']}")
    expect(row).to_have_attribute("data-state", "KNOWN")
    expect(row.get_by_test_id("filed-tag")).to_have_text(
        re.compile(r"报备:婚宴 200人 \d\d:\d\d–\d\d:\d\d")
    )
    row.click()
    page.get_by_test_id("alert-detail").get_by_test_id("filed-tag").click()
    event = page.get_by_test_id("activity-row")
    expect(event).to_have_attribute("data-activity-id", str(activity["id"]))
    expect(event.get_by_test_id("activity-ledger")).to_be_visible()


def test_the_wall_signs_an_open_alert_as_the_filed_event_by_one_key(screen, mock):
    alert = mock.do("alert?camera=0&kind=gathering&level=urgent")
    mock.do("activity?camera=0")
    page = screen.open("wall", "/wall")
    popup = page.get_by_test_id("alert-popup")
    expect(popup).to_have_attribute("data-alert-id", str(alert["id"]))
    page.keyboard.press("Space")
    expect(page.get_by_test_id("pin-input")).to_be_visible()
    page.keyboard.type("2468")
    page.keyboard.press("Enter")
    expect(popup).to_have_attribute("data-state", "ACKED")
    page.keyboard.press("3")
    choices = page.get_by_test_id("known-dialog")
    expect(choices.get_by_role("button").first).to_contain_text("报备:婚宴 200人")
    with page.expect_request("**/known") as asked:
        page.keyboard.press("1")
    body = asked.value.post_data_json
    assert body["activity_id"] is not None
    expect(popup).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1366, 768)])
def test_the_form_fits_its_screen(screen, mock, width, height):
    mock.do("activity?camera=0")
    page = screen.open("duty", "/activities", width, height)
    page.get_by_test_id("activity-new").click()
    page.get_by_test_id("activity-weekly").click()
    expect(page.get_by_test_id("activity-last-day")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert screen.complaints == []
