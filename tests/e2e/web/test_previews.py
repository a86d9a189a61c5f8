"""Previews on the timeline: the interface in Chromium over a real box's recordings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Locator, Page, Route, expect

from edge.media.sample import Codec
from protocol.relay import StreamName
from tests.support.box import Box, running_box
from tests.support.footage import FPS, brightness, encoded, run

pytestmark = pytest.mark.browser

#: Noon of yesterday in the village, whatever day it is: recorded for a minute, a gap, a minute.
NOON = datetime.now(UTC).replace(hour=4, minute=0, second=0, microsecond=0) - timedelta(days=1)
SECONDS, GAP_S = 60, 60


@dataclass
class RealBox:
    """A box's own interface, and what was asked of it."""

    box: Box
    codec: Codec
    asked: list[str]

    def answer(self, route: Route) -> None:
        """Pass on what the page asks of the mock's first camera, as the relay would; no video."""
        path = route.request.url.partition("/edge")[2].replace("/cam1/", "/gate/")
        self.asked.append(path)
        if "/playlist" in path:
            return route.abort()
        answer = httpx.get(self.box.server.url + path, trust_env=False, timeout=30, verify=False)
        return route.fulfill(
            status=answer.status_code, headers=dict(answer.headers), body=answer.content
        )

    def count(self, what: str) -> int:
        return sum(f"/gate/{what}" in path for path in self.asked)


@pytest.fixture(params=[Codec.H264, Codec.H265])
def real(request, tmp_path: Path) -> Iterator[RealBox]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(running_box(tmp_path)) as box,
    ):
        for number in range(2):
            record(box, request.param, NOON + number * timedelta(seconds=SECONDS + GAP_S))
        yield RealBox(box, request.param, [])


def record(box: Box, codec: Codec, started: datetime) -> None:
    """Record files of 10 s, a key frame a second, frame i as bright as :func:`brightness` of i."""
    footage = encoded(frames=SECONDS * FPS, codec=codec)
    of = run(
        f"{started:%H%M%S}".zfill(32),
        footage[0].run.parameters,
        stream=StreamName.MAIN,
        started_utc=started,
    )
    samples = [replace(sample, run=of) for sample in footage]
    for first in range(0, len(samples), 10 * FPS):
        box.record(samples[first : first + 10 * FPS])


def opened(screen, real: RealBox, width: int = 1366, query: str = "", script: str = "") -> Page:
    """Open the review page with some seven minutes of the timeline around the recorded ones."""
    page = screen.open("duty", "/about", width, 900)
    page.add_init_script(script or "0")
    page.route("**/edge/v1/cameras/cam1/**", real.answer)
    at = (NOON + timedelta(seconds=90)).isoformat().replace("+00:00", "Z")
    page.goto(f"{page.url.rpartition('/')[0]}/review?camera=box-qingshi.cam1&at={at}{query}")
    expect(page.get_by_test_id("timeline-recorded").first).to_be_visible()
    for _ in range(3):
        page.keyboard.press("+")
    expect(page.get_by_test_id("timeline-recorded")).to_have_count(2)
    return page


def place(page: Page, second: float) -> tuple[float, float]:
    """Return where a moment is on the bar, by where the two recorded stretches are."""
    first, last = (
        page.get_by_test_id("timeline-recorded").nth(number).bounding_box() for number in (0, 1)
    )
    assert first is not None
    assert last is not None
    px_per_s = (last["x"] - first["x"]) / (SECONDS + GAP_S)
    return first["x"] + second * px_per_s, first["y"] + first["height"] / 2


def point(page: Page, second: float) -> None:
    page.mouse.move(*place(page, second))


def seconds(picture: Locator) -> float:
    return float(picture.get_attribute("data-at") or 0) / 1000 - NOON.timestamp()


@contextmanager
def turned_to(page: Page, real: RealBox) -> Iterator[None]:
    """Expect playback of another place; of what this browser can't play, the word for it."""
    if real.codec is Codec.H264:
        with page.expect_request("**/playlist*"):
            yield
    else:
        yield
        expect(page.get_by_test_id("review-codec")).to_be_visible()


def luma(picture: Locator) -> float:
    """Return how bright a picture on the page is, by its pixels."""
    return picture.evaluate(
        """async (img) => {
          await img.decode()
          const canvas = document.createElement('canvas')
          ;[canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight]
          const paint = canvas.getContext('2d')
          paint.drawImage(img, 0, 0)
          const { data } = paint.getImageData(canvas.width / 2, canvas.height / 2, 1, 1)
          return data[0]
        }"""
    )


def test_pointing_at_the_timeline_shows_the_picture_of_that_moment(screen, real):
    page = opened(screen, real)
    for second in (30.4, 8.7, 150.5):
        point(page, second)
        picture = page.get_by_test_id("preview-picture")
        # At first it is the nearest one that is known, then the moment's own; a pixel is half a
        # second.
        page.wait_for_function(
            "([from, to]) => { const at = document.querySelector('[data-testid=preview-picture]')"
            "?.dataset.at / 1000; return at > from && at <= to }",
            arg=[NOON.timestamp() + second - 1.5, NOON.timestamp() + second + 0.5],
        )
        expect(picture).to_have_js_property("naturalWidth", 320)
        key = round(seconds(picture))
        index = (key if key < SECONDS else key - SECONDS - GAP_S) * FPS
        # Grey on the screen is of full range, in the video of 16 to 235.
        assert luma(picture) == pytest.approx((brightness(index) - 16) * 255 / 219, abs=8)
    page.mouse.move(5, 5)
    expect(page.get_by_test_id("preview")).to_have_count(0)


def test_a_gap_has_no_picture_and_nothing_is_asked_for_it(screen, real):
    page = opened(screen, real)
    point(page, 90)
    expect(page.get_by_test_id("preview")).to_contain_text("此处没有录像")
    point(page, 95)
    expect(page.get_by_test_id("preview-picture")).to_have_count(0)
    point(page, 30)
    expect(page.get_by_test_id("preview-picture")).to_have_js_property("naturalWidth", 320)
    assert real.count("preview.jpg") == 1


def test_dragging_the_scale_shows_pictures_and_plays_only_at_the_end(screen, real):
    page = opened(screen, real)
    expect(page.get_by_test_id("previews").locator("img").first).to_be_visible()
    before = real.count("playlist")
    below_px = 30
    x, y = place(page, 10)
    page.mouse.move(x, y + below_px)
    page.mouse.down()
    for second in (20, 30, 45, 55):
        x, y = place(page, second)
        page.mouse.move(x, y + below_px)
        expect(page.get_by_test_id("preview-picture")).to_be_visible()
    assert real.count("playlist") == before
    with turned_to(page, real):
        page.mouse.up()
    expect(page.get_by_test_id("review-clock")).to_contain_text("12:00:5")


def test_the_strip_shows_the_view_in_eight_pictures_and_a_click_plays_one(screen, real):
    page = opened(screen, real)
    cells = page.get_by_test_id("previews").locator("li")
    expect(cells).to_have_count(8)
    expect(cells.locator("img").first).to_be_visible()
    with turned_to(page, real):
        cells.locator("button").first.click()
    expect(page.get_by_test_id("review-clock")).to_contain_text("12:00:")


def test_the_strip_is_put_away_with_a_key_and_that_is_remembered(screen, real):
    page = opened(screen, real)
    expect(page.get_by_test_id("previews")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_test_id("previews")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("previews-toggle")).to_have_attribute("aria-pressed", "false")


def test_by_keyboard_one_looks_on_and_plays_with_enter(screen, real):
    page = opened(screen, real)
    line = page.get_by_test_id("timeline")
    line.focus()
    before = real.count("playlist")
    for _ in range(2):
        page.keyboard.press("PageUp")
    picture = page.get_by_test_id("preview-picture")
    expect(picture).to_have_js_property("naturalWidth", 320)
    assert seconds(picture) > SECONDS + GAP_S
    assert (line.get_attribute("aria-valuetext") or "") in page.get_by_test_id(
        "preview"
    ).inner_text()
    assert real.count("playlist") == before
    with turned_to(page, real):
        page.keyboard.press("Enter")
    expect(page.get_by_test_id("preview")).to_have_count(0)
    expect(page.get_by_test_id("review-clock")).to_contain_text("12:02:")


def test_where_bytes_are_counted_no_sheet_is_fetched_until_it_is_asked_for(screen, real):
    thrifty = "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    page = opened(screen, real, 390, script=thrifty)
    expect(page.get_by_test_id("previews-toggle")).to_have_attribute("aria-pressed", "false")
    point(page, 30)
    expect(page.get_by_test_id("preview-picture")).to_be_visible()  # one, of the moment
    assert real.count("previews?") == 0
    page.get_by_test_id("previews-toggle").click()
    expect(page.get_by_test_id("previews").locator("img").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_wheel_zooms_about_the_pointer(screen, real):
    page = opened(screen, real)
    x, y = place(page, 30)
    page.mouse.move(x, y)
    width = page.get_by_test_id("timeline-recorded").first.bounding_box()["width"]
    page.mouse.wheel(0, -100)
    expect(page.get_by_test_id("timeline-recorded").first).not_to_have_attribute(
        "width", str(width)
    )
    assert page.get_by_test_id("timeline-recorded").first.bounding_box()["width"] > width * 1.1
    assert place_x_of(page, 30) == pytest.approx(x, abs=2)


def place_x_of(page: Page, second: float) -> float:
    first = page.get_by_test_id("timeline-recorded").first.bounding_box()
    assert first is not None
    return first["x"] + second / SECONDS * first["width"]


def test_two_fingers_zoom(screen, real):
    page = opened(screen, real)
    x, y = place(page, 30)
    width = page.get_by_test_id("timeline-recorded").first.bounding_box()["width"]
    touch = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 60)):
        points = [{"x": x + side * apart, "y": y, "id": side + 1} for side in (-1, 1)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.get_by_test_id("timeline-recorded").first).not_to_have_attribute(
        "width", str(width)
    )
    page.wait_for_function(
        "([bar, px]) => document.querySelector(bar).getBoundingClientRect().width > px",
        arg=["[data-testid=timeline-recorded]", width * 2],
    )
