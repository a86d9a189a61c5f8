"""The wall as its staff use it: by eye and by key."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PIN = "2468"
CAMERA = "box-qingshi.cam1"


def tile(page: Page, uid: str = CAMERA):
    return page.get_by_test_id(f"wall-tile-{uid}")


def live(page: Page, uid: str = CAMERA) -> None:
    expect(tile(page, uid)).to_have_attribute("data-state", "live")


def popup(page: Page):
    return page.get_by_test_id("alert-popup")


def sign(page: Page) -> None:
    page.keyboard.press("Space")
    expect(page.get_by_test_id("pin-input")).to_be_visible()
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(popup(page)).to_have_attribute("data-state", "ACKED")


def test_every_tile_plays_and_says_how_old_its_picture_is(screen):
    page = screen.open("wall", "/wall")
    for number in range(1, 5):
        live(page, f"box-qingshi.cam{number}")
    hand = tile(page).locator("svg line")
    first = hand.get_attribute("transform")
    expect(hand).not_to_have_attribute("transform", first or "")
    assert int(tile(page).get_by_test_id("tile-age").get_attribute("data-age-ms") or "99999") < 3000
    assert screen.complaints == []


def test_a_picture_that_stops_never_goes_on_looking_live(screen, mock):
    page = screen.open("wall", "/wall")
    live(page)
    mock.do(f"freeze?uid={CAMERA}")
    expect(tile(page)).to_have_attribute("data-state", "stalled")
    expect(tile(page).get_by_test_id("tile-band")).to_contain_text("断流")
    assert "grayscale" in tile(page).locator(".pictures").evaluate(
        "e => getComputedStyle(e).filter"
    )


def test_a_stream_that_the_browser_can_not_play_is_named_and_the_others_go_on(screen, mock):
    page = screen.open("wall", "/wall")
    live(page)
    mime = 'video/mp4; codecs="hvc1.1.6.L93.B0"'
    mock.do(f"claim?{urlencode({'uid': CAMERA, 'mime': mime})}")
    expect(tile(page)).to_contain_text("这路是 H.265，此浏览器不能播放；录像不受影响")
    live(page, "box-qingshi.cam2")


def test_a_new_viewer_of_a_dead_camera_is_not_fooled_by_its_last_pictures(screen, mock):
    first = screen.open("wall", "/wall")
    live(first)
    mock.do(f"freeze?uid={CAMERA}")
    mock.do("camera?camera=0&state=lost")
    page = screen.open("wall", "/wall")
    expect(tile(page)).to_have_attribute("data-state", "offline")
    expect(tile(page).get_by_test_id("tile-band")).to_contain_text("离线")


def test_an_alert_is_signed_and_made_an_incident_by_keys_alone(screen, mock):
    page = screen.open("wall", "/wall")
    live(page)
    alert = mock.do("alert?camera=0&kind=gathering&level=urgent")
    expect(popup(page)).to_have_attribute("data-alert-id", str(alert["id"]))
    expect(page.get_by_test_id("alert-headline")).to_contain_text("疑似人员聚集")
    expect(page.get_by_test_id("alert-headline")).to_contain_text("村口主路")
    sign(page)
    expect(page.get_by_test_id("operator-name")).to_contain_text("李秀英")
    page.keyboard.press("1")
    expect(page.get_by_test_id("confirm-real")).to_be_focused()
    page.keyboard.press("Enter")
    expect(popup(page)).to_have_count(0)
    expect(page.get_by_test_id("count-incidents")).to_have_text("3")
    shown = page.evaluate("window.__tanshao.shown")
    assert [each["id"] for each in shown].count(alert["id"]) == 1
    assert screen.complaints == []


def test_a_false_alarm_is_told_by_a_digit(screen, mock):
    page = screen.open("wall", "/wall")
    mock.do("alert?camera=0&kind=gathering&level=urgent")
    expect(popup(page)).to_be_visible()
    sign(page)
    page.keyboard.press("2")
    expect(page.get_by_test_id("false-dialog")).to_be_visible()
    with page.expect_request(lambda each: each.url.endswith("/false")) as told:
        page.keyboard.press("1")
    assert told.value.post_data_json == {"reason": "miscount", "note": ""}
    expect(popup(page)).to_have_count(0)


def test_the_pin_can_be_picked_with_the_arrows_of_a_remote(screen, mock):
    page = screen.open("wall", "/wall")
    mock.do("alert?camera=0&level=urgent")
    expect(popup(page)).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("pin-dialog").get_by_text("5", exact=True)).to_be_focused()
    up, down, left, right = "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"
    for key in (up, "Enter", down, left, "Enter", right, right, "Enter", down, left, "Enter"):
        page.keyboard.press(key)
    for key in (down, right, "Enter"):
        page.keyboard.press(key)
    expect(popup(page)).to_have_attribute("data-state", "ACKED")


def test_a_wrong_pin_signs_nothing_and_can_be_typed_again(screen, mock):
    page = screen.open("wall", "/wall")
    mock.do("alert?camera=0&level=urgent")
    expect(popup(page)).to_be_visible()
    page.keyboard.press("Space")
    page.keyboard.type("1111")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("PIN不对")
    expect(page.get_by_test_id("pin-dialog").get_by_text("5", exact=True)).to_be_focused()
    expect(popup(page)).to_have_attribute("data-state", "NEW")
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
    expect(popup(page)).to_have_attribute("data-state", "ACKED")


def test_an_unsigned_extra_urgent_alert_cannot_be_put_away(screen, mock):
    page = screen.open("wall", "/wall")
    mock.do("alert?camera=0&kind=flame&level=extra_urgent")
    expect(popup(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("wall-note")).to_be_visible()
    expect(popup(page)).to_be_visible()
    sign(page)
    page.keyboard.press("Escape")
    expect(popup(page)).to_have_count(0)


def test_a_second_extra_urgent_alert_is_signed_before_the_first_is_verified(screen, mock):
    page = screen.open("wall", "/wall")
    first = mock.do("alert?camera=0&kind=flame&level=extra_urgent")
    expect(popup(page)).to_have_attribute("data-alert-id", str(first["id"]))
    sign(page)
    page.keyboard.press("Space")
    expect(page.get_by_test_id("wall-note")).to_contain_text("已签收")
    second = mock.do("alert?camera=1&kind=flame&level=extra_urgent")
    expect(popup(page)).to_have_attribute("data-alert-id", str(second["id"]))
    page.keyboard.press("Space")
    expect(popup(page)).to_have_attribute("data-state", "ACKED")
    expect(popup(page)).to_have_attribute("data-alert-id", str(second["id"]))


def test_a_card_that_was_opened_gives_way_to_a_greater_alert(screen, mock):
    page = screen.open("wall", "/wall")
    card = mock.do("alert?camera=0&level=ordinary")
    page.get_by_test_id(f"alert-card-{card['id']}").click()
    expect(popup(page)).to_have_attribute("data-alert-id", str(card["id"]))
    extra = mock.do("alert?camera=1&kind=flame&level=extra_urgent")
    expect(popup(page)).to_have_attribute("data-alert-id", str(extra["id"]))
    page.get_by_test_id(f"alert-card-{card['id']}").click()
    expect(page.get_by_test_id("wall-note")).to_contain_text("请先处理")


def test_late_and_trial_alerts_are_cards_only(screen, mock):
    page = screen.open("wall", "/wall")
    late = mock.do("alert?camera=0&level=urgent&late=1")
    trial = mock.do("alert?camera=1&level=extra_urgent&mode=trial")
    for alert, mark in ((late, "补传"), (trial, "试运行")):
        expect(page.get_by_test_id(f"alert-card-{alert['id']}")).to_contain_text(mark)
    expect(popup(page)).to_have_count(0)


def test_the_feed_comes_back_with_what_was_missed(screen, mock):
    page = screen.open("wall", "/wall")
    expect(page.get_by_test_id("dot-network")).to_have_class("ok")
    mock.do("drop")
    alert = mock.do("alert?camera=0&level=urgent")
    expect(popup(page)).to_have_attribute("data-alert-id", str(alert["id"]))
    expect(page.get_by_test_id("dot-network")).to_have_class("ok")


def test_a_number_enlarges_a_camera_on_its_main_stream(screen):
    page = screen.open("wall", "/wall")
    live(page)
    page.keyboard.press("1")
    expect(page.get_by_test_id("tile-stream")).to_have_text("主码流")
    width = tile(page).locator(".main-stream video").evaluate("v => v.videoWidth")
    assert width == 1280
    page.keyboard.press("0")
    expect(page.get_by_test_id("tile-stream")).to_have_count(0)


def test_an_enlarged_camera_leaves_the_rail_and_its_cards_in_sight(screen, mock):
    page = screen.open("wall", "/wall")
    live(page)
    page.keyboard.press("1")
    expect(page.get_by_test_id("tile-stream")).to_be_visible()
    alert = mock.do("alert?camera=1&level=ordinary")
    card = page.get_by_test_id(f"alert-card-{alert['id']}")
    expect(card).to_be_visible()
    focused = "document.activeElement.dataset.testid"
    page.keyboard.press("ArrowUp")
    seen = {page.evaluate(focused)}
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
        seen.add(page.evaluate(focused))
    assert f"alert-card-{alert['id']}" in seen
    assert not seen & {f"wall-tile-box-qingshi.cam{number}" for number in (2, 3, 4)}
    card.click()
    expect(popup(page)).to_have_attribute("data-alert-id", str(alert["id"]))


def test_a_dialog_that_nobody_answers_gives_the_screen_back(screen, mock):
    page = screen.open("wall", "/wall")
    mock.do("alert?camera=0&level=urgent")
    expect(popup(page)).to_be_visible()
    page.clock.install()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("pin-dialog")).to_be_visible()
    page.clock.fast_forward(55_000)
    page.keyboard.press("1")
    page.clock.fast_forward(55_000)
    expect(page.get_by_test_id("pin-dialog")).to_be_visible()
    page.clock.fast_forward(6_000)
    expect(page.get_by_test_id("pin-dialog")).to_have_count(0)


def test_what_failed_is_tried_again_by_the_same_key(screen, mock):
    page = screen.open("wall", "/wall")
    mock.do("alert?camera=0&level=urgent")
    expect(popup(page)).to_be_visible()
    sign(page)
    page.keyboard.press("1")
    expect(page.get_by_test_id("confirm-real")).to_be_focused()
    page.route("**/confirm", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("wall-note")).to_contain_text("操作未成功")
    expect(page.get_by_test_id("confirm-real")).to_be_focused()
    page.unroute("**/confirm")
    with page.expect_request(lambda each: each.url.endswith("/confirm")) as told:
        page.keyboard.press("Enter")
    assert told.value.post_data_json["incident"]["level"] == "urgent"
    expect(popup(page)).to_have_count(0)


def test_the_words_that_could_not_be_had_are_fetched_with_the_next_snapshot(screen, mock):
    page = screen.open("wall", "/about")
    page.route("**/codes", lambda route: route.abort())
    page.goto(f"{mock.url}/wall")
    mock.do("alert?camera=0&level=urgent")
    expect(page.get_by_test_id("alert-headline")).to_contain_text("gathering")
    page.unroute("**/codes")
    mock.do("drop")
    expect(page.get_by_test_id("alert-headline")).to_contain_text("疑似人员聚集")


def test_who_reviews_from_the_wall_hears_of_alerts_and_comes_back_to_it(screen, mock):
    page = screen.open("duty", "/wall")
    live(page)
    page.keyboard.press("b")
    expect(page).to_have_url(re.compile("/review.*from=wall"))
    mock.do("alert?camera=1&kind=flame&level=extra_urgent")
    expect(page.get_by_test_id("calling-strip")).to_contain_text("特急 · 疑似明火")
    page.keyboard.press("Escape")
    expect(popup(page)).to_be_visible()
    page.keyboard.press("b")
    expect(page.get_by_test_id("review")).to_be_visible()
    page.clock.install()
    page.keyboard.press("x")
    page.clock.fast_forward(5 * 60_000 + 1_000)
    expect(page.get_by_test_id("wall")).to_be_visible()


def test_the_privacy_screen_hides_every_picture(screen):
    page = screen.open("wall", "/wall")
    live(page)
    page.keyboard.press("l")
    expect(tile(page).locator("video").first).to_be_hidden()
    page.keyboard.press("l")
    expect(tile(page).locator("video").first).to_be_visible()


def test_the_page_loads_itself_again_when_the_server_has_a_new_build(screen, mock):
    page = screen.open("wall", "/wall")
    expect(page.get_by_test_id("dot-network")).to_have_class("ok")
    page.evaluate("document.body.dataset.before = 'yes'")
    mock.do("version?to=mock-2")
    mock.do("drop")
    expect(page.locator("body[data-before]")).to_have_count(0, timeout=60_000)
    expect(page.get_by_test_id("dot-network")).to_have_class("ok")
