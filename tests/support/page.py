"""A page of a real centre in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, async_playwright

from tests.support.tools import require_chromium
from tests.support.web_centre import PASSWORD, WebCentre

#: A step of a page on a machine that does other things too.
STEP_MS = 20_000


@asynccontextmanager
async def opened(centre: WebCentre, username: str, path: str) -> AsyncIterator[Page]:
    """Open a page of the centre in Chromium, signed in; skips where there is no Chromium."""
    executable = require_chromium()
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        context = await browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900})
        context.set_default_timeout(STEP_MS)
        answer = await context.request.post(
            f"{centre.url}/api/v1/session",
            data={"username": username, "password": PASSWORD},
            headers={"origin": centre.url},
        )
        assert answer.ok
        page = await context.new_page()
        await page.goto(centre.url + path)
        yield page
        await browser.close()
