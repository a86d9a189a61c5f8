"""The review page where the box, or the way to it, fails for a while."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PLAYLIST = "**/playlist.m3u8*"
OFFLINE = '{"error":"box_unreachable","message":"box is not connected","message_zh":"不在线"}'


def opened(screen, height: int = 768) -> Page:
    """Open the footage of yesterday: of today there may be none yet."""
    page = screen.open("duty", "/review", 1366, height)
    page.get_by_role("button", name="前一天").click()
    expect(page.get_by_test_id("timeline-recorded").first).to_be_visible()
    return page


def test_a_recording_that_could_not_be_had_is_said_so_in_plain_words_and_tried_again(screen):
    page = opened(screen)
    page.route(PLAYLIST, lambda route: route.fulfill(status=503, body=OFFLINE))
    play = page.get_by_test_id("review-play")
    play.click()
    said = page.get_by_role("alert").filter(has_text="录像暂时取不到")
    expect(said).to_contain_text("请稍后再按“播放”")
    expect(said).not_to_contain_text("Error")
    expect(play).to_contain_text("播放")  # nothing plays, and the button says what it will do

    page.unroute(PLAYLIST)
    play.click()
    expect(said).to_have_count(0)
    expect(page.get_by_test_id("review-clock")).to_have_text(re.compile("00:00:0[1-9]"))


def test_a_moment_of_what_broke_off_is_loaded_anew(screen):
    page = opened(screen)
    page.get_by_test_id("review-play").click()
    expect(page.get_by_test_id("review-clock")).to_have_text(re.compile("00:00:0[1-9]"))
    page.route(PLAYLIST, lambda route: route.fulfill(status=503, body=OFFLINE))
    timeline = page.get_by_test_id("timeline")
    timeline.click(position={"x": 300, "y": 60})
    said = page.get_by_role("alert").filter(has_text="录像暂时取不到")
    expect(said).to_be_visible()
    page.unroute(PLAYLIST)
    timeline.click(position={"x": 300, "y": 60})
    expect(said).to_have_count(0)
    clock = page.get_by_test_id("review-clock")
    shown = clock.inner_text()
    page.get_by_test_id("review-play").click()
    expect(clock).not_to_have_text(shown)


def test_the_space_bar_opens_the_files_of_an_export_and_does_not_play(screen):
    page = opened(screen, height=900)
    page.get_by_test_id("export-open").click()
    page.get_by_test_id("export-reason").fill("事件处置")
    page.get_by_test_id("export-submit").click()
    files = page.get_by_text("文件与哈希")
    files.focus()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("export-file")).to_be_visible()
    expect(page.get_by_test_id("review-play")).to_contain_text("播放")


def test_what_a_box_that_is_away_has_is_not_said_to_be_nothing(screen):
    page = screen.open("duty", "/about", 1366, 768)
    page.route("**/edge/v1/**", lambda route: route.fulfill(status=503, body=OFFLINE))
    page.get_by_test_id("nav-review").click()
    page.get_by_test_id("export-open").click()
    panel = page.get_by_test_id("export-panel")
    expect(panel).to_contain_text("导出任务暂时取不到：不在线")
    expect(panel).not_to_contain_text("还没有导出任务")
    page.get_by_test_id("nav-coverage").click()
    table = page.get_by_test_id("coverage").locator("table").first
    expect(table).to_contain_text("不在线")
    expect(table).not_to_contain_text("–")  # the legend's "nothing was to be recorded"


def test_an_export_that_may_have_begun_is_not_said_not_to_have(screen):
    page = screen.open("duty", "/review", 1366, 768)
    page.get_by_test_id("export-open").click()
    unsure = '{"error":"box_unsure","message":"","message_zh":"没有答复,可能已经执行"}'
    page.route(
        "**/edge/v1/exports",
        lambda route: (
            route.fulfill(status=504, body=unsure)
            if route.request.method == "POST"
            else route.fallback()
        ),
    )
    page.get_by_test_id("export-reason").fill("事件处置")
    page.get_by_test_id("export-submit").click()
    expect(page.get_by_test_id("export-refused")).to_have_text("没有答复,可能已经执行")
