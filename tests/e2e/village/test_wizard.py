"""From signing in to a live picture: a camera gets onto the wall of a whole village by keyboard."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from bench.onvif_device import Device
from tests.support.enrolment import PASSWORD, onvif_camera
from tests.support.rtsp import TestCamera, make_clip
from tests.support.tools import require_chromium
from tests.support.village import RunningVillage, prepare_clips, require_interface
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

log = logging.getLogger(__name__)

_STEP_MS = 90_000  # a step of a whole village on a machine that does other things too
_MOST_TABS = 40
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
#: A PNG of one pixel.
_SIGN = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture
def device(tmp_path) -> Iterator[Device]:
    clips = {
        "/main": (make_clip(tmp_path / "main.h264", frames=50, width=1280, height=720), 25),
        "/sub": (make_clip(tmp_path / "sub.h264", frames=20, gop=10, fps=10), 10),
    }
    with (
        TestCamera(clips, auth="digest", password=PASSWORD) as rtsp,
        onvif_camera(rtsp) as one,
    ):
        yield one


@pytest.fixture
def village(tmp_path) -> Iterator[RunningVillage]:
    require_interface()
    data = tmp_path / "data"
    prepare_clips(data)
    running = RunningVillage(data)
    try:
        running.wait_live()
        yield running
        assert running.stop() == 0
    finally:
        running.kill()


class Keyboard:
    """Somebody who has no mouse: everything is reached with Tab, and every key is counted."""

    def __init__(self, page: Page, shots: Path) -> None:
        self._page = page
        self._shots = shots
        self.keys = 0
        self.steps = 0

    def press(self, key: str) -> None:
        self.keys += 1
        self._page.keyboard.press(key)

    def write(self, words: str) -> None:
        self.keys += len(words)
        self._page.keyboard.type(words)

    def reach(self, wanted: Locator) -> None:
        expect(wanted).to_be_visible()
        for _ in range(_MOST_TABS):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.press("Tab")
        raise AssertionError(f"{wanted} is not reached with Tab")

    def arrived(self, at: str) -> None:
        """Wait for a step, and keep how it looks."""
        expect(self._page.get_by_test_id(at)).to_be_visible()
        self.steps += 1
        self._page.screenshot(path=self._shots / f"{self.steps}-{at}.png")


def sign_in(hand: Keyboard, page: Page, password: str) -> None:
    hand.reach(page.get_by_test_id("login-username"))
    hand.write("admin")
    hand.press("Tab")
    hand.write(password)
    hand.press("Enter")
    hand.reach(page.get_by_test_id("nav-cameras"))
    hand.press("Enter")
    expect(page.get_by_test_id("camera-row")).to_have_count(4)
    hand.arrived("cameras")


def find(hand: Keyboard, page: Page, address: str) -> None:
    hand.reach(page.get_by_test_id("camera-new"))
    hand.press("Enter")
    hand.arrived("step-find")
    expect(page.get_by_test_id("enrol-address")).to_be_focused()
    hand.write(address)
    hand.press("Enter")


def log_in_at_the_second_try(hand: Keyboard, page: Page) -> None:
    hand.arrived("step-login")
    hand.write("camera")
    hand.press("Tab")
    hand.write("wrong")
    hand.press("Enter")
    expect(page.get_by_test_id("enrol-problem")).to_contain_text("只试了一次")
    expect(page.get_by_test_id("enrol-again")).to_be_focused()
    hand.arrived("step-look")
    hand.press("Enter")
    expect(page.get_by_test_id("enrol-password")).to_be_focused()
    hand.press("Control+A")
    hand.write(PASSWORD)
    hand.press("Enter")


def read_the_report(hand: Keyboard, page: Page) -> None:
    expect(page.get_by_test_id("enrol-stream")).to_have_count(2)
    picture = page.get_by_test_id("enrol-picture")
    wait_until(lambda: picture.evaluate("image => image.naturalWidth") > 0, 60)
    hand.arrived("step-look")
    expect(page.get_by_test_id("enrol-next")).to_be_focused()
    hand.press("Enter")


def name(hand: Keyboard, page: Page) -> None:
    hand.arrived("step-name")
    expect(page.get_by_test_id("enrol-name")).to_be_focused()
    hand.write("晒场东头")
    for field in ("grid", "place-type", "basis-art7_1"):
        hand.reach(page.get_by_test_id(f"enrol-{field}"))
        hand.press("Space" if field.startswith("basis") else "ArrowDown")
    hand.reach(page.get_by_test_id("enrol-manager"))
    hand.press("Control+A")
    hand.write("下村村民委员会")
    hand.press("Enter")


def sign(hand: Keyboard, page: Page) -> None:
    hand.arrived("step-law")
    page.go_back()  # what was typed is still there
    expect(page.get_by_test_id("enrol-name")).to_have_value("晒场东头")
    page.go_forward()
    items = page.get_by_test_id("enrol-item")
    expect(items).not_to_have_count(0)
    for item in items.all():
        hand.reach(item)
        hand.press("Space")
    # A file is chosen in the system's own window, which no page can show.
    page.get_by_test_id("enrol-photo").set_input_files(
        {"name": "sign.png", "mimeType": "image/png", "buffer": _SIGN}
    )
    hand.reach(page.get_by_test_id("enrol-save"))
    hand.press("Enter")


def see_it_listed(hand: Keyboard, page: Page) -> None:
    hand.reach(page.get_by_test_id("enrol-list"))
    hand.press("Enter")
    added = page.get_by_test_id("camera-row").nth(4)
    expect(added).to_contain_text("晒场东头")
    expect(added).to_contain_text("试运行")
    expect(page.get_by_test_id("enrolments")).to_contain_text("添加")
    hand.arrived("cameras")


def test_a_camera_gets_onto_the_wall_with_the_keyboard_alone(tmp_path, village, device):
    password = (village.data / "secrets" / "password-admin").read_text().strip()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=require_chromium(), args=_FLAGS)
        context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768})
        context.set_default_timeout(_STEP_MS)
        expect.set_options(timeout=_STEP_MS)
        page = context.new_page()
        addresses: list[str] = []
        page.on("request", lambda request: addresses.append(request.url))
        hand = Keyboard(page, tmp_path)
        page.goto(f"http://127.0.0.1:{village.port}/login")
        began = time.monotonic()
        sign_in(hand, page, password)
        find(hand, page, device.base.removeprefix("http://"))
        log_in_at_the_second_try(hand, page)
        read_the_report(hand, page)
        name(hand, page)
        sign(hand, page)
        expect(page.locator("[data-stage=live]")).to_be_visible()
        hand.arrived("step-done")
        took = time.monotonic() - began
        log.info("live after %d keys, %d screens, %.1f s", hand.keys, hand.steps, took)
        expect(page.get_by_test_id("enrol-parts")).not_to_contain_text("✕")
        see_it_listed(hand, page)
        find(hand, page, "192.0.2.1")
        expect(page.get_by_test_id("enrol-password")).to_have_value("")
        browser.close()
    assert [address for address in addresses if "Hunter2" in address] == []
    assert PASSWORD not in village.output.read_text(errors="replace")
