"""Footage is kept and let go through the centre's own pages, on a real box behind the relay."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, async_playwright, expect
from pydantic import SecretStr

from edge.uplink.client import Uplink, UplinkTarget
from protocol.clock import SystemClock
from protocol.relay import StreamName
from tests.support.box import Box, running_box
from tests.support.eventually import eventually
from tests.support.footage import encoded, run
from tests.support.tools import require_chromium
from tests.support.web_centre import PASSWORD, WebCentre, centre_with_pages
from tests.support.xiacun import BOX, BOX_TOKEN, camera_state

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

_STEP_MS = 20_000
expect.set_options(timeout=_STEP_MS)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def centre(tmp_path):
    with centre_with_pages(tmp_path, camera_state("gate", name="村口")) as running:
        yield running


def record(box: Box, at: datetime) -> None:
    """Record 10 s of the gate."""
    footage = encoded(frames=250)
    of = run("a" * 32, footage[0].run.parameters, stream=StreamName.MAIN, started_utc=at)
    box.record([replace(sample, run=of) for sample in footage])


@asynccontextmanager
async def dialled_in(box: Box, centre: WebCentre) -> AsyncIterator[None]:
    target = UplinkTarget(centre.url, BOX, SecretStr(BOX_TOKEN))
    uplink = Uplink(target, box.hubs, lambda: box.server.url, SystemClock())
    await uplink.start()
    try:
        await eventually(lambda: centre.centre.hub.connected(BOX))
        yield
    finally:
        await uplink.aclose()


@asynccontextmanager
async def signed_in(centre: WebCentre, username: str) -> AsyncIterator[Page]:
    path = require_chromium()
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        context = await browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900})
        context.set_default_timeout(_STEP_MS)
        answer = await context.request.post(
            f"{centre.url}/api/v1/session",
            data={"username": username, "password": PASSWORD},
            headers={"origin": centre.url},
        )
        assert answer.ok
        page = await context.new_page()
        yield page
        await browser.close()


async def test_a_person_keeps_a_part_and_lets_it_go_again(tmp_path, centre):
    now = datetime.now(UTC)
    began = now - timedelta(minutes=10)
    async with running_box(tmp_path, now) as box:
        record(box, began)
        async with dialled_in(box, centre), signed_in(centre, "duty") as page:
            at = began.isoformat().replace("+00:00", "Z")
            await page.goto(f"{centre.url}/review?camera={BOX}.gate&at={at}")
            await expect(page.get_by_test_id("timeline-recorded").first).to_be_visible()
            await page.get_by_test_id("clip-begin").click()

            await page.get_by_test_id("hold-begin").press("Enter")  # no mouse from here on
            await expect(page.get_by_test_id("hold-submit")).to_be_disabled()
            await page.keyboard.type("派出所来函,案件编号 117")
            await page.get_by_test_id("hold-submit").press("Enter")
            done = page.get_by_test_id("hold-done")
            await expect(done).to_contain_text(re.compile("所选 1分.* 中只有 (10|9)秒 有录像"))
            (kept,) = box.holds.in_force("gate", 10).holds
            assert kept.hold.placed_by == "张建国 (duty)"
            assert kept.hold.until - now > timedelta(days=180)

            await done.get_by_role("link").click()
            row = page.get_by_test_id("hold-row")
            await expect(row).to_contain_text("派出所来函,案件编号 117")
            await expect(row).to_contain_text("张建国 (duty)")
            box.clock.advance(91 * 86_400)
            await page.reload()
            await expect(page.get_by_test_id("holds-due")).to_contain_text("1 段待复核")

            await page.get_by_test_id("hold-release").press("Enter")
            await page.keyboard.type("案件已结")
            await page.keyboard.press("Enter")
            await expect(page.get_by_test_id("holds-empty")).to_be_visible()
            assert box.holds.in_force("gate", 10).holds == ()
            await page.get_by_text("历史", exact=True).click()
            events = page.get_by_test_id("hold-event")
            await expect(events).to_have_count(2)
            await expect(events.first).to_contain_text(
                re.compile("解除.*张建国 \\(duty\\).*案件已结")
            )


async def test_a_wall_is_not_shown_what_is_kept_and_may_not_keep_anything(tmp_path, centre):
    async with (
        running_box(tmp_path, datetime.now(UTC)) as box,
        dialled_in(box, centre),
        signed_in(centre, "wall") as page,
    ):
        await page.goto(f"{centre.url}/holds")
        await expect(page).to_have_url(f"{centre.url}/wall")
        with centre.client("wall", "2222") as client:
            for method in ("POST", "PATCH", "DELETE"):
                path = f"/boxes/{BOX}/edge/v1/holds"
                assert client.request(method, path, json={}).status_code == 403
