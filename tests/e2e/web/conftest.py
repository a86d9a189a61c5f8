"""The built interface in Chromium against its mock centre (central/web/dev)."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.tools import ROOT, require_chromium

WEB = ROOT / "central" / "web"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
)
_STEP_MS = 20_000
expect.set_options(timeout=_STEP_MS)


@dataclass(frozen=True, slots=True)
class Mock:
    """A made-up centre; ``do`` makes something happen in it."""

    url: str

    def do(self, what: str) -> dict[str, object]:
        request = urllib.request.Request(f"{self.url}/mock/{what}", method="POST", data=b"{}")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture
def mock() -> Iterator[Mock]:
    node, ffmpeg = shutil.which("node"), shutil.which("ffmpeg")
    if node is None or ffmpeg is None:
        pytest.skip("needs node and ffmpeg for the mock centre")
    if not (WEB / "dist" / "index.html").is_file() or not (WEB / "node_modules" / "ws").is_dir():
        pytest.skip("needs the built interface (make web)")
    process = subprocess.Popen(
        [node, "dev/mock.mjs", "--port", "0"], cwd=WEB, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        port = json.loads(process.stdout.readline())["port"]
        yield Mock(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = require_chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


class Screen:
    """A browser signed in as one account; everything its pages complain of is kept."""

    def __init__(self, browser: Browser, mock: Mock) -> None:
        self._browser = browser
        self._mock = mock
        self.complaints: list[str] = []

    def open(self, account: str, path: str, width: int = 1920, height: int = 1080) -> Page:
        context = self._browser.new_context(
            locale="zh-CN", viewport={"width": width, "height": height}
        )
        context.set_default_timeout(_STEP_MS)
        answer = context.request.post(
            f"{self._mock.url}/api/v1/session", data={"username": account, "password": account}
        )
        assert answer.ok
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: said.type == "error" and self.complaints.append(said.text),
        )
        page.goto(self._mock.url + path)
        return page


@pytest.fixture
def screen(chromium, mock) -> Iterator[Screen]:
    made = Screen(chromium, mock)
    yield made
    for context in chromium.contexts:
        context.close()
