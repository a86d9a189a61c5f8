"""A filed event on the real centre: no bell within it, one bell beyond it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from protocol.messages import AlertKind, AlertOp
from tests.support.page import STEP_MS, chromium, page_of
from tests.support.web_centre import WebCentre, centre_with_pages
from tests.support.xiacun import (
    alert_data,
    alert_message,
    camera_state,
    received,
)

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

expect.set_options(timeout=STEP_MS)

#: Counts every tone that the page lets sound.
_COUNT_TONES = """
window.tones = 0
const make = AudioContext.prototype.createOscillator
AudioContext.prototype.createOscillator = function () { window.tones += 1; return make.call(this) }
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def centre(tmp_path) -> Iterator[WebCentre]:
    with centre_with_pages(tmp_path, camera_state()) as running:
        yield running


async def opened(browser: Browser, centre: WebCentre, username: str, path: str) -> Page:
    return await page_of(browser, centre, username, path, _COUNT_TONES)


class Box:
    """Says what happens to a crowd at the square."""

    def __init__(self, centre: WebCentre) -> None:
        self._centre, self._sequence = centre, 0
        self.began = datetime.now(UTC)

    def say(self, alert_id: UUID, op: AlertOp, count: int, **more: object) -> None:
        self._sequence += 1
        now = datetime.now(UTC)
        data = alert_data(
            alert_id, op=op, count=count, peak=count, at=now, started_at=self.began, **more
        )
        self._centre.take(received(alert_message(data, self._sequence), now))


async def tones(page: Page) -> int:
    count = await page.evaluate("window.tones")
    assert isinstance(count, int)
    return count


async def file_by_keyboard(page: Page) -> None:
    """File a wedding of 200 that is on now."""
    await page.get_by_test_id("activity-new").press("Enter")
    await page.keyboard.type("王家婚宴")  # the form has the focus
    await page.get_by_test_id("activity-camera-xiacun-1.cam1").press("Space")
    start = datetime.now(UTC) + timedelta(hours=8) - timedelta(hours=1)
    for name, moment in (("start", start), ("end", start + timedelta(hours=4))):
        await page.get_by_test_id(f"activity-{name}").fill(f"{moment:%Y-%m-%dT%H:%M}")
    await page.get_by_test_id("activity-expected").fill("200")
    await expect(page.get_by_test_id("activity-submit")).to_be_disabled()
    await page.get_by_test_id("activity-contact").fill("村红白理事会 13800000000")
    await page.get_by_test_id("activity-submit").press("Enter")


async def test_a_wedding_does_not_ring_until_it_is_beyond_what_was_filed(centre):
    async with chromium() as browser:
        filing = await opened(browser, centre, "duty", "/activities")
        await file_by_keyboard(filing)
        row = filing.get_by_test_id("activity-row")
        await expect(row).to_have_attribute("data-state", "waiting")
        await row.get_by_test_id("activity-approve").click()
        await expect(filing.get_by_text("没有权限")).to_be_visible()  # not one's own

        wall = await opened(browser, centre, "wall", "/wall")
        await expect(wall.get_by_test_id("wall-tile-xiacun-1.cam1")).to_be_visible()
        await expect(wall.get_by_test_id("tile-filed")).to_have_count(0)
        approving = await opened(browser, centre, "admin", "/activities")
        await approving.get_by_test_id("activity-approve").press("Enter")
        await expect(filing.get_by_test_id("activity-row")).to_have_attribute("data-state", "on")
        await expect(wall.get_by_test_id("tile-filed")).to_contain_text("报备:婚宴 200人")

        box, crowd = Box(centre), uuid4()
        box.say(crowd, AlertOp.START, 120)
        await expect(wall.get_by_test_id("rail-known")).to_contain_text("120人")
        await expect(wall.get_by_test_id("rail-known")).to_contain_text("报备:婚宴 200人")
        await expect(wall.get_by_test_id("alert-popup")).to_have_count(0)
        assert await tones(wall) == 0

        box.say(crowd, AlertOp.UPDATE, 241)
        popup = wall.get_by_test_id("alert-popup")
        await expect(popup).to_have_attribute("data-alert-id", str(crowd))
        await expect(popup.get_by_test_id("filed-tag")).to_contain_text("已超出报备")
        await wall.wait_for_function("window.tones > 0")
        rung = await tones(wall)
        box.say(crowd, AlertOp.UPDATE, 260)
        await expect(popup).to_contain_text("260")
        assert await tones(wall) == rung  # once

        await approving.goto(f"{centre.url}/alerts/{crowd}")
        await expect(approving.get_by_test_id("alert-detail")).to_contain_text("已超出报备")
        await expect(approving.get_by_test_id("ledger")).to_contain_text("现场约241人")
        await expect(approving.get_by_test_id("ledger")).to_contain_text("超出报备 → 待签收")


async def test_fire_at_a_wedding_rings(centre):
    with centre.client("duty") as duty, centre.client("admin") as admin:
        now = datetime.now(UTC)
        terms = {
            "title": "王家婚宴",
            "kind": "wedding",
            "cameras": ["xiacun-1.cam1"],
            "start": (now - timedelta(hours=1)).isoformat(),
            "end": (now + timedelta(hours=3)).isoformat(),
            "expected": 200,
            "contact": "村红白理事会",
        }
        activity_id = duty.post("/activities", json=terms).json()["id"]
        assert admin.post(f"/activities/{activity_id}/approve").status_code == 200
    async with chromium() as browser:
        wall = await opened(browser, centre, "wall", "/wall")
        await expect(wall.get_by_test_id("tile-filed")).to_be_visible()
        fire = uuid4()
        Box(centre).say(fire, AlertOp.START, 0, kind=AlertKind.FLAME)
        await expect(wall.get_by_test_id("alert-popup")).to_have_attribute(
            "data-alert-id", str(fire)
        )
        await wall.wait_for_function("window.tones > 0")


async def test_an_open_alert_is_put_to_an_event_that_was_filed_after_it(centre):
    box, crowd = Box(centre), uuid4()
    box.say(crowd, AlertOp.START, 40)
    async with chromium() as browser:
        filing = await opened(browser, centre, "duty", "/activities")
        await file_by_keyboard(filing)
        approving = await opened(browser, centre, "admin", "/activities")
        await approving.get_by_test_id("activity-approve").press("Enter")
        await expect(approving.get_by_test_id("activity-row")).to_have_attribute("data-state", "on")
        await filing.goto(f"{centre.url}/alerts/{crowd}")
        await filing.get_by_test_id("alert-sign").click()
        await filing.get_by_test_id("alert-known").click()
        await expect(filing.get_by_test_id("known-filed")).to_contain_text("报备:婚宴 200人")
        await filing.get_by_test_id("verdict-submit").click()
        detail = filing.get_by_test_id("alert-detail")
        await expect(detail).to_have_attribute("data-state", "KNOWN")
        await expect(detail.get_by_test_id("filed-tag")).to_contain_text("报备:婚宴 200人")
