"""The review page in Chromium; centre, relay, the box's interface and recordings: all real."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydantic import SecretStr
from sqlalchemy import URL

from central.db.engine import Database
from central.db.migrate import migrate
from edge.media.sample import Codec, GapReason, Packet, RunEnded
from edge.media.timeline import Timeline
from edge.recording.writer import Recorder
from edge.uplink.client import Uplink, UplinkTarget
from protocol.clock import FakeClock, SystemClock
from protocol.relay import StreamName
from tests.support.box import Box, running_box
from tests.support.packets import BEGAN
from tests.support.tools import ROOT, require_chromium
from tests.support.waiting import wait_until
from tests.support.web_centre import PASSWORD, WebCentre, enter_accounts, running_centre
from tests.support.xiacun import BOX, BOX_TOKEN, NOW, birth, camera_state, enter_village, received

_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
_STEP_MS = 20_000
expect.set_options(timeout=_STEP_MS)


class Review:
    """A box whose camera "gate" is recorded as a test says, and the page to look at it."""

    def __init__(self, box: Box, centre: WebCentre, browser: Browser) -> None:
        self._box = box
        self._centre = centre
        self._browser = browser
        self.complaints: list[str] = []
        self.asked: list[str] = []

    def record(
        self,
        packets: Iterable[Packet],
        codec: Codec = Codec.H264,
        stream: StreamName = StreamName.MAIN,
    ) -> None:
        """Record packets as one connection's; files of 2 s."""
        recorder = Recorder("gate", stream, self._box.index, FakeClock(BEGAN), 2.0, 5.0)
        recorder.start()
        line = Timeline("gate", stream, codec)
        for packet in packets:
            for item in line.feed(packet):
                recorder.offer(item)
                last = item.run
        recorder.offer(RunEnded(last, GapReason.NETWORK, BEGAN))
        recorder.close()

    def open(self, at: datetime) -> Page:
        """Open the page at a moment, as somebody on duty."""
        context = self._browser.new_context(
            locale="zh-CN", viewport={"width": 1366, "height": 768}, base_url=self._centre.url
        )
        context.set_default_timeout(_STEP_MS)
        answer = context.request.post(
            "/api/v1/session",
            data={"username": "duty", "password": PASSWORD},
            headers={"origin": self._centre.url},
        )
        assert answer.ok, answer.text()
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        moment = at.isoformat().replace("+00:00", "Z")
        page.goto(f"/review?camera={BOX}.gate&at={moment}")
        return page


@asynccontextmanager
async def _box_at(centre: WebCentre, folder: Path):
    async with running_box(folder) as box:
        target = UplinkTarget(centre.url, BOX, SecretStr(BOX_TOKEN))
        uplink = Uplink(target, box.hubs, lambda: box.server.url, SystemClock(), jitter=lambda: 1.0)
        await uplink.start()
        try:
            yield box
        finally:
            await uplink.aclose()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = require_chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def review(tmp_path: Path, chromium: Browser) -> Iterator[Review]:
    built = ROOT / "central" / "web" / "dist"
    if not (built / "index.html").is_file():
        pytest.skip("needs the built interface (make web)")
    (tmp_path / "dist").symlink_to(built)
    (tmp_path / "box").mkdir()
    clock = FakeClock(NOW)
    database = Database(URL.create("sqlite", database=str(tmp_path / "central.db")))
    migrate(database, clock)
    enter_village(database)
    enter_accounts(database)
    with ExitStack() as stack:
        stack.callback(database.close)
        centre = stack.enter_context(running_centre(database, clock, tmp_path))
        centre.take(received(birth(camera_state("gate", name="村口"))))
        portal = stack.enter_context(start_blocking_portal())
        box = stack.enter_context(
            portal.wrap_async_context_manager(_box_at(centre, tmp_path / "box"))
        )
        wait_until(lambda: centre.centre.hub.connected(BOX))
        yield Review(box, centre, chromium)
        for context in chromium.contexts:
            context.close()
