"""The pages for PC and phone."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_who_is_not_signed_in_is_led_to_the_login_and_back(chromium, mock):
    page = chromium.new_context(locale="zh-CN").new_page()
    page.goto(f"{mock.url}/incidents")
    page.get_by_test_id("login-username").fill("duty")
    page.get_by_test_id("login-password").fill("wrong")
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_test_id("login-problem")).to_have_text("用户名或密码不对")
    page.get_by_test_id("login-password").fill("duty")
    page.get_by_test_id("login-submit").click()
    expect(page).to_have_url(f"{mock.url}/incidents")
    page.context.close()


def test_an_address_of_another_site_is_not_followed_after_the_login(chromium, mock):
    page = chromium.new_context(locale="zh-CN").new_page()
    page.goto(f"{mock.url}/login?next=//example.com/")
    page.get_by_test_id("login-username").fill("wall")
    page.get_by_test_id("login-password").fill("wall")
    page.get_by_test_id("login-submit").click()
    expect(page).to_have_url(f"{mock.url}/wall")
    page.context.close()


def test_a_new_alert_appears_in_the_list_and_is_signed_and_judged(screen, mock):
    page = screen.open("duty", "/", 1366, 768)
    expect(page.get_by_test_id("alert-list").locator("li")).to_have_count(3)
    alert = mock.do("alert?camera=0&kind=smoke&level=urgent")
    page.get_by_test_id(f"alert-row-{alert['id']}").click()
    page.get_by_test_id("alert-sign").click()
    page.get_by_test_id("alert-false").click()
    page.get_by_text("炊烟").click()
    page.get_by_test_id("verdict-submit").click()
    expect(page.get_by_test_id("alert-detail")).to_have_attribute("data-state", "FALSE")
    expect(page.get_by_test_id("ledger").locator("li")).to_have_count(3)
    expect(page.get_by_test_id("ledger")).to_contain_text("炊烟")
    expect(page.get_by_test_id("ledger")).not_to_contain_text("cooking_smoke")
    assert screen.complaints == []


def test_a_confirmed_alert_becomes_an_incident_that_is_worked_on(screen, mock):
    page = screen.open("duty", "/", 1366, 768)
    alert = mock.do("alert?camera=0&kind=gathering&level=urgent")
    page.goto(f"{mock.url}/alerts/{alert['id']}")
    page.get_by_test_id("alert-sign").click()
    page.get_by_test_id("alert-real").click()
    page.get_by_test_id("confirm-real").click()
    page.get_by_test_id("alert-incident").click()
    expect(page.get_by_test_id("incident-owner")).to_contain_text("李秀英")
    page.get_by_test_id("incident-handle").click()
    page.get_by_test_id("incident-submit").click()
    expect(page.get_by_test_id("incident-detail")).to_have_attribute("data-state", "HANDLING")
    page.get_by_test_id("incident-feedback").click()
    expect(page.get_by_test_id("incident-submit")).to_be_disabled()
    page.get_by_test_id("incident-note-text").fill("人群已散去")
    page.get_by_test_id("incident-submit").click()
    expect(page.get_by_test_id("incident-detail")).to_have_attribute("data-state", "FEEDBACK")
    assert screen.complaints == []


def test_a_click_on_the_timeline_plays_that_moment(screen):
    page = screen.open("duty", "/review", 1366, 768)
    expect(page.get_by_test_id("timeline-recorded").first).to_be_visible()
    box = page.get_by_test_id("timeline-recorded").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    expect(page.get_by_test_id("review-video")).to_have_js_property("videoWidth", 640)
    clock = page.get_by_test_id("review-clock")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before)
    page.get_by_test_id("clip-begin").click()
    link = page.get_by_test_id("clip-download").get_attribute("href") or ""
    assert "/edge/v1/cameras/cam1/clip.mp4?from=" in link
    assert screen.complaints == []


def test_another_camera_or_day_begins_with_an_empty_picture(screen):
    page = screen.open("duty", "/review", 1366, 768)
    video, clock = page.get_by_test_id("review-video"), page.get_by_test_id("review-clock")
    for change in ("camera", "day"):
        expect(page.get_by_test_id("timeline-recorded").first).to_be_visible()
        page.get_by_test_id("review-play").click()
        expect(video).to_have_js_property("videoWidth", 640)
        expect(clock).not_to_contain_text("00:00:00")
        before = clock.inner_text()
        if change == "camera":
            page.get_by_test_id("review-camera").click()
            page.get_by_role("option", name="文化广场").click()
        else:
            page.get_by_label("前一天").click()
        expect(video).to_have_js_property("readyState", 0)
        expect(video).to_have_js_property("paused", value=True)
        expect(clock).to_contain_text("00:00:00")
        assert (clock.inner_text()[:5] == before[:5]) == (change == "camera")
    assert screen.complaints == []


def test_every_page_says_what_calls_and_leads_to_it(screen, mock):
    page = screen.open("duty", "/incidents", 1366, 768)
    strip = page.get_by_test_id("calling-strip")
    expect(strip).to_contain_text("1条告警未签收")
    alert = mock.do("alert?camera=0&kind=flame&level=extra_urgent")
    expect(strip).to_contain_text("2条告警未签收")
    expect(strip).to_contain_text("特急 · 疑似明火 · 村口主路")
    strip.get_by_role("link").click()
    expect(page.get_by_test_id("alert-detail")).to_have_attribute("data-alert-id", str(alert["id"]))
    page.get_by_test_id("alert-sign").click()
    expect(strip).to_contain_text("1条告警未签收")
    assert screen.complaints == []


@pytest.mark.parametrize("kind", ["alerts", "incidents"])
def test_what_could_not_be_had_is_there_after_another_try(screen, mock, kind):
    page = screen.open("duty", f"/{kind if kind == 'incidents' else ''}", 390, 844)
    expect(page.get_by_test_id(f"{kind[:-1]}-list").locator("li").first).to_be_visible()
    page.route(f"**/{kind}/*", lambda route: route.abort())
    page.get_by_test_id(f"{kind[:-1]}-list").get_by_role("link").first.click()
    expect(page.locator(".pane").get_by_role("alert")).to_contain_text("连不上中心平台")
    page.unroute(f"**/{kind}/*")
    page.get_by_test_id("pane-retry").click()
    expect(page.get_by_test_id(f"{kind[:-1]}-detail")).to_be_visible()


def test_what_could_not_be_had_is_fetched_when_the_connection_is_back(screen, mock):
    page = screen.open("duty", "/", 390, 844)
    page.route("**/alerts/*", lambda route: route.abort())
    page.get_by_test_id("alert-list").get_by_role("link").first.click()
    expect(page.get_by_test_id("pane-retry")).to_be_visible()
    page.unroute("**/alerts/*")
    mock.do("drop")
    expect(page.get_by_test_id("alert-detail")).to_be_visible()


def test_a_sign_out_that_failed_says_so(screen):
    page = screen.open("duty", "/", 1366, 768)
    page.route("**/session", lambda route: route.abort())
    page.get_by_test_id("logout").click()
    expect(page.get_by_text("没有退出成功")).to_be_visible()
    page.unroute("**/session")
    page.get_by_test_id("logout").click()
    expect(page.get_by_test_id("login-submit")).to_be_visible()


def test_a_shift_that_nobody_relieved_is_named_so(screen, mock):
    page = screen.open("duty", "/", 1366, 768)
    expect(page.get_by_test_id("alert-list")).to_be_visible()
    mock.do("duty?held_over=1")
    expect(page.get_by_test_id("duty-held-over")).to_contain_text("未接班")
    page.goto(f"{mock.url}/wall")
    expect(page.get_by_test_id("duty-held-over")).to_contain_text("未接班")


@pytest.mark.parametrize(
    "path", ["/", "/incidents", "/activities", "/review", "/holds", "/about", "/login"]
)
def test_no_page_is_wider_than_a_phone(screen, path):
    page = screen.open("duty", path, 390, 844)
    expect(page.locator("main")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_language_is_changed_in_the_header_and_remembered(screen):
    page = screen.open("duty", "/", 1366, 768)
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("nav-alerts")).to_have_text("Alerts")
    page.reload()
    expect(page.get_by_test_id("nav-alerts")).to_have_text("Alerts")


def test_the_page_about_the_system_says_what_it_never_does(screen):
    page = screen.open("duty", "/about", 1366, 768)
    never = page.get_by_test_id("about-never").locator("li")
    expect(never).to_have_count(12)
    expect(never.first).to_contain_text("人脸识别")


def test_a_month_of_coverage_leads_to_the_reason_and_the_moment_of_a_gap(screen):
    page = screen.open("duty", "/", 1366, 768)
    page.get_by_test_id("nav-coverage").click()
    table = page.get_by_test_id("coverage").get_by_role("table").first  # below it is the storage
    expect(table.get_by_role("row")).to_have_count(5)  # a head and four cameras
    days = table.get_by_role("row").nth(1).get_by_role("button")
    expect(days.first).to_be_visible()
    days.last.click()
    detail = page.get_by_test_id("coverage-detail")
    expect(detail).to_contain_text("村口主路")
    expect(detail.get_by_role("table")).to_contain_text("点位离线")
    detail.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/review\?camera=.*&at="))
    assert screen.complaints == []
