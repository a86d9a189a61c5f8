"""Pages of a real centre in a real browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright

from tests.support.tools import require_chromium
from tests.support.web_centre import PASSWORD, WebCentre

#: A step of a page on a machine that does other things too.
STEP_MS = 20_000


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Chromium, in which pages may sound unasked; skips where there is none."""
    executable = require_chromium()
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=executable,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield browser
        await browser.close()


async def page_of(
    browser: Browser, centre: WebCentre, username: str, path: str, script: str = ""
) -> Page:
    """Return a page of the centre, signed in; each has cookies of its own.

    ``script`` runs in it before any of the page's own.
    """
    context = await browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 900})
    context.set_default_timeout(STEP_MS)
    if script:
        await context.add_init_script(script)
    answer = await context.request.post(
        f"{centre.url}/api/v1/session",
        data={"username": username, "password": PASSWORD},
        headers={"origin": centre.url},
    )
    assert answer.ok
    page = await context.new_page()
    await page.goto(centre.url + path)
    return page


@asynccontextmanager
async def opened(centre: WebCentre, username: str, path: str) -> AsyncIterator[Page]:
    """Open one page of the centre in a browser of its own, signed in."""
    async with chromium() as browser:
        yield await page_of(browser, centre, username, path)
