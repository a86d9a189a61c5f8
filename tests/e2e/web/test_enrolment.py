"""The pages of a box's cameras and of the wizard, against the mock centre."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

BOX = "box-qingshi"
CAMERAS = f"/boxes/{BOX}/cameras"


def looked_at(page: Page) -> None:
    """Go as far as the report of a camera, by keyboard."""
    page.get_by_test_id("enrol-address").press_sequentially("192.168.1.64")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("enrol-username")).to_be_focused()
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("12345")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("enrol-next")).to_be_focused()


def test_the_pages_are_the_administrators(screen):
    page = screen.open("duty", CAMERAS, 1366, 768)
    expect(page.get_by_test_id("nav-alerts")).to_be_visible()
    expect(page.get_by_test_id("nav-cameras")).to_have_count(0)
    expect(page.get_by_test_id("cameras")).to_have_count(0)


def test_a_camera_that_was_found_is_chosen_with_the_keyboard(screen):
    page = screen.open("admin", f"{CAMERAS}/new", 1366, 768)
    expect(page.get_by_test_id("enrol-found")).to_have_count(2)
    expect(page.get_by_test_id("step-find")).to_contain_text("已添加：村口主路")
    expect(page.get_by_test_id("enrol-address")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_test_id("enrol-address")).to_have_value("192.168.1.64")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("step-login")).to_contain_text("192.168.1.64")


def test_what_is_wrong_with_an_address_is_said_and_a_login_in_it_is_refused(screen):
    page = screen.open("admin", f"{CAMERAS}/new", 1366, 768)
    page.get_by_test_id("enrol-address").fill("http://x")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("enrol-wrong")).to_contain_text("IP 地址")
    page.get_by_test_id("enrol-address").fill("rtsp://admin:12345@192.168.1.64/main")
    expect(page.get_by_test_id("enrol-wrong")).to_contain_text("不要写用户名和密码")


def test_back_and_forward_keep_what_was_typed_but_for_the_password(screen):
    page = screen.open("admin", f"{CAMERAS}/new", 1366, 768)
    looked_at(page)
    page.keyboard.press("Enter")
    page.get_by_test_id("enrol-name").fill("晒场")
    page.go_back()
    expect(page.get_by_test_id("enrol-report")).to_be_visible()
    page.go_forward()
    expect(page.get_by_test_id("enrol-name")).to_have_value("晒场")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("step-look")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("enrol-username")).to_have_value("admin")
    page.get_by_test_id("nav-cameras").click()
    expect(page.get_by_test_id("camera-row")).to_have_count(4)
    page.go_back()
    expect(page.get_by_test_id("enrol-username")).to_have_value("admin")
    expect(page.get_by_test_id("enrol-password")).to_have_value("")


def test_no_step_is_shown_that_is_not_due_and_nothing_is_left_of_a_page_that_was_loaded_anew(
    screen,
):
    page = screen.open("admin", f"{CAMERAS}/new?step=law", 1366, 768)
    expect(page.get_by_test_id("step-find")).to_be_visible()
    looked_at(page)
    page.reload()
    expect(page.get_by_test_id("step-find")).to_be_visible()
    expect(page.get_by_test_id("enrol-address")).to_have_value("")


def test_another_device_takes_a_cameras_place(screen):
    page = screen.open("admin", CAMERAS, 1366, 768)
    page.get_by_test_id("act-replace").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("enrol")).to_contain_text("换设备：文化广场")
    looked_at(page)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("enrol-reason")).to_have_value("更换设备")
    page.keyboard.press("Enter")
    expect(page.locator("[data-stage=live]")).to_be_visible()
    page.get_by_test_id("enrol-list").click()
    expect(page.get_by_test_id("camera-row").nth(1)).to_contain_text("192.168.1.64")


def test_a_camera_is_renamed_and_its_place_in_the_list_keeps_the_keyboard(screen):
    page = screen.open("admin", CAMERAS, 1366, 768)
    page.get_by_test_id("act-edit").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("camera-name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("act-edit").first).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_test_id("camera-name").fill("村口新路")
    expect(page.get_by_test_id("camera-submit")).to_be_disabled()
    page.get_by_test_id("camera-reason").fill("改名")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("camera-row").first).to_contain_text("村口新路")
    expect(page.get_by_test_id("book-taking")).to_be_visible()
    expect(page.get_by_test_id("book-taking")).to_have_count(0)
    expect(page.get_by_test_id("enrolments")).to_contain_text("改名")


def test_a_camera_is_removed_only_by_its_name(screen):
    page = screen.open("admin", CAMERAS, 1366, 768)
    page.get_by_test_id("act-remove").last.focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("camera-reason").fill("拆除")
    page.get_by_test_id("camera-typed").fill("小学")
    expect(page.get_by_test_id("camera-submit")).to_be_disabled()
    page.get_by_test_id("camera-typed").fill("小学门口")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("camera-row")).to_have_count(3)


def test_a_table_is_looked_at_before_it_is_added(screen):
    page = screen.open("admin", CAMERAS, 1366, 768)
    page.get_by_test_id("bulk-open").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("bulk-text")).to_be_focused()
    page.keyboard.insert_text("名称,地址\n桥头,10.0.0.7\n坏的,x\n")
    page.get_by_test_id("bulk-check").press("Enter")
    rows = page.get_by_test_id("bulk-row")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("地址不对")
    expect(page.get_by_test_id("camera-row")).to_have_count(4)
    page.get_by_test_id("bulk-apply").press("Enter")
    expect(rows.nth(0)).to_contain_text("已添加")
    expect(rows.nth(1)).to_contain_text("没有添加")
    expect(page.get_by_test_id("bulk-close")).to_be_focused()


def test_on_a_phone_nothing_is_wider_than_the_screen(screen):
    page = screen.open("admin", CAMERAS, 360, 740)
    wide = "document.querySelector('main').scrollWidth - document.querySelector('main').clientWidth"
    expect(page.get_by_test_id("camera-row")).to_have_count(4)
    assert page.evaluate(wide) == 0
    page.get_by_test_id("camera-new").click()
    looked_at(page)
    assert page.evaluate(wide) == 0
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("step-name")).to_be_visible()
    assert page.evaluate(wide) == 0
    assert screen.complaints == []
