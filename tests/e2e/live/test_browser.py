"""The viewer protocol in a real browser: Media Source plays what the hub sends."""

import asyncio
import contextlib
import itertools
from dataclasses import replace

import pytest
from fastapi.responses import HTMLResponse
from playwright.async_api import async_playwright

from protocol.messages import StreamState
from protocol.relay import StreamName
from tests.support.box import Box, running_box
from tests.support.centre import BOX_ID, dialled_in, running_centre
from tests.support.footage import encoded
from tests.support.tools import require_chromium

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

PAGE = """<!doctype html><video id="v" muted autoplay playsinline></video><script>
const video = document.getElementById("v");
window.seen = {opened: 0, states: [], error: ""};
let queue = [], buffer = null;
function pump() {
  if (buffer && !buffer.updating && queue.length) buffer.appendBuffer(queue.shift());
  const ranges = video.buffered;
  if (ranges.length && video.currentTime < ranges.start(ranges.length - 1))
    video.currentTime = ranges.start(ranges.length - 1);
}
function open(mime) {
  const source = new MediaSource();
  queue = []; buffer = null;
  video.src = URL.createObjectURL(source);
  source.addEventListener("sourceopen", () => {
    buffer = source.addSourceBuffer(mime);
    buffer.addEventListener("updateend", pump);
    pump();
  }, {once: true});
}
const socket = new WebSocket(`ws://${location.host}${location.hash.slice(1)}`);
socket.binaryType = "arraybuffer";
socket.onmessage = (event) => {
  if (typeof event.data !== "string") { queue.push(event.data); return pump(); }
  const said = JSON.parse(event.data);
  if (said.op === "live.open") { window.seen.opened += 1; open(said.mime); }
  if (said.op === "live.state") window.seen.states.push(said.state);
};
video.addEventListener("error", () => { window.seen.error = video.error.message; });
</script>"""


async def play(box: Box) -> None:
    """Show footage without end, at its own speed; each round of it is a run of its own."""
    hub = box.hubs.hub("gate", StreamName.SUB)
    footage = encoded(frames=250, gop=25)
    loop = asyncio.get_running_loop()
    for number in itertools.count(1):
        of = replace(footage[0].run, run_id=f"{number:032}")
        began_s = loop.time()
        for sample in footage:
            await asyncio.sleep(began_s + sample.dts_90k / 90_000 - loop.time())
            hub.offer(replace(sample, run=of))


async def watched(url: str, path: str) -> dict:
    """Open the page, wait until the video has advanced by a second, return what it saw."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=require_chromium(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        try:
            page = await browser.new_page()
            await page.goto(f"{url}/page#{path}")
            await page.wait_for_function("document.getElementById('v').currentTime > 0")
            began_s = await page.evaluate("document.getElementById('v').currentTime")
            await page.wait_for_function(
                f"document.getElementById('v').currentTime > {began_s} + 1", timeout=20_000
            )
            return await page.evaluate(
                "({...window.seen, width: document.getElementById('v').videoWidth})"
            )
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def playing_box(folder):
    async with running_box(folder) as box:
        box.hubs.hub("gate", StreamName.SUB).state_changed(StreamState.LIVE)
        playing = asyncio.create_task(play(box))
        try:
            yield box
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)


async def test_chromium_plays_the_boxs_live_stream(tmp_path):
    require_chromium()
    async with playing_box(tmp_path) as box:
        box.app.add_api_route("/page", lambda: HTMLResponse(PAGE))
        seen = await watched(box.server.url, "/v1/live/gate/sub")
    assert seen["error"] == ""
    assert (seen["states"], seen["width"]) == (["live"], 320)
    assert seen["opened"] >= 1


async def test_chromium_plays_the_same_stream_through_the_relay(tmp_path):
    require_chromium()
    async with playing_box(tmp_path) as box, running_centre(open_to_all=True) as centre:
        centre.app.add_api_route("/page", lambda: HTMLResponse(PAGE))
        async with dialled_in(box, centre):
            seen = await watched(centre.url, f"/api/v1/live/{BOX_ID}.gate/sub")
    assert seen["error"] == ""
    assert (seen["states"], seen["width"]) == (["live"], 320)
    assert seen["opened"] >= 1
