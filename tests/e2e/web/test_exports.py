"""The panel that asks for exports."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def opened(screen, width: int = 1366, height: int = 900):
    page = screen.open("duty", "/review", width, height)
    expect(page.get_by_test_id("timeline-recorded").first).to_be_visible()
    page.get_by_test_id("export-open").click()
    return page


def test_an_export_is_asked_for_by_keyboard_alone_and_can_be_fetched(screen):
    page = opened(screen)
    submit = page.get_by_test_id("export-submit")
    expect(submit).to_be_disabled()  # it needs a reason
    page.get_by_test_id("export-kind-copy").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_test_id("export-kind-marked")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("提供给派出所")
    page.keyboard.press("Tab")
    page.keyboard.type("事件处置")
    page.keyboard.press("Enter")
    job = page.get_by_test_id("export-jobs").locator("> li").first
    expect(job).to_contain_text("加水印")
    expect(job).to_have_attribute("data-state", "done")
    expect(job).to_contain_text("实际")
    link = job.get_by_test_id("export-all").get_attribute("href") or ""
    assert "/edge/v1/exports/" in link
    assert link.endswith("/all.zip")
    job.get_by_text("文件与哈希").click()
    expect(job).to_contain_text("ab" * 32)
    job.get_by_test_id("export-remove").click()
    expect(page.get_by_test_id("export-panel")).to_contain_text("还没有导出任务")
    assert screen.complaints == []


def test_one_that_goes_on_is_cancelled(screen):
    page = opened(screen)
    page.get_by_test_id("export-reason").fill("事件处置")
    page.get_by_test_id("export-submit").click()
    page.get_by_test_id("export-cancel").click()
    job = page.get_by_test_id("export-jobs").locator("> li").first
    expect(job).to_have_attribute("data-state", "cancelled")
    expect(job).to_contain_text("已取消")


def test_a_stretch_that_can_not_be_is_named_before_it_is_sent(screen):
    page = opened(screen)
    page.get_by_test_id("export-reason").fill("事件处置")
    page.get_by_test_id("export-to").fill("2020-01-01T00:00:00")
    expect(page.get_by_test_id("export-panel")).to_contain_text("开始时间必须早于结束时间")
    expect(page.get_by_test_id("export-submit")).to_be_disabled()
    page.get_by_test_id("export-from").fill("2019-12-30T00:00:00")
    expect(page.get_by_test_id("export-panel")).to_contain_text("一次最多导出24小时")


def test_the_panel_is_no_wider_than_a_phone(screen):
    page = opened(screen, 390, 844)
    expect(page.get_by_test_id("export-reason")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
