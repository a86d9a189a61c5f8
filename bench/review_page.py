"""The review page in Chromium, as somebody uses it who looks for a moment."""

import base64
from dataclasses import dataclass

import numpy as np
from playwright.sync_api import Page

from bench.recorded_pictures import GRID_PX, Grid

_READY_MS = 60_000

#: A picture counts as shown when the browser has presented it (requestVideoFrameCallback); it is
#: the last one when the seek is over and two frames of the page were painted since.
_INSTALL = """() => {
  const video = document.querySelector('[data-testid=review-video]');
  const bench = {video, frames: []};
  window.__bench = bench;
  const note = (now, {mediaTime}) => {
    bench.frames.push([performance.now(), mediaTime]);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  const next = done => requestAnimationFrame(done);
  const painted = () => new Promise(done => next(() => next(done)));
  bench.still = async () => {
    const from = performance.now();
    let quiet = performance.now();
    let count = bench.frames.length;
    while (video.seeking || video.readyState < 2 || performance.now() - quiet < 120) {
      if (performance.now() - from > 20000) throw new Error('the seek does not end');
      await painted();
      if (bench.frames.length !== count || video.seeking) {
        quiet = performance.now();
        count = bench.frames.length;
      }
    }
  };
  bench.seek = async at => {
    const ranges = video.buffered;
    const before = [...Array(ranges.length).keys()].map(i => [ranges.start(i), ranges.end(i)]);
    bench.frames.length = 0;
    performance.clearResourceTimings();
    const src = video.src;
    const from = performance.now();
    window.__tanshao.seek(at);
    video.pause();
    await painted();
    await bench.still();
    const last = bench.frames.at(-1);
    const piece = performance.getEntriesByType('resource').find(each =>
      each.name.includes('/segments/') && each.startTime >= from && each.encodedBodySize > 10000);
    const media = video.currentTime;
    return {
      ms: last === undefined ? null : last[0] - from,
      media: last === undefined ? null : last[1],
      bytes: piece === undefined ? 0 : piece.encodedBodySize,
      loaded: video.src === src && before.some(([start, end]) => media >= start && media < end),
    };
  };
  bench.grab = grid => {
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const {data} = context.getImageData(0, 0, canvas.width, canvas.height);
    const [rows, columns] = [Math.ceil(canvas.height / grid), Math.ceil(canvas.width / grid)];
    const grey = new Uint8Array(rows * columns);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const at = 4 * (row * grid * canvas.width + column * grid);
        const [red, green, blue] = data.subarray(at, at + 3);
        grey[row * columns + column] = 0.299 * red + 0.587 * green + 0.114 * blue;
      }
    }
    let text = '';
    for (let at = 0; at < grey.length; at += 8192)
      text += String.fromCharCode(...grey.subarray(at, at + 8192));
    return [rows, columns, btoa(text)];
  };
}"""
_PLAY_FILE = """async ([url, limitMs]) => {
  const video = document.createElement('video');
  video.muted = true;
  video.src = url;
  document.body.append(video);
  const from = performance.now();
  try {
    await video.play();
    video.playbackRate = 8;
    while (!video.ended && video.error === null && performance.now() - from < limitMs)
      await new Promise(done => setTimeout(done, 50));
  } catch (error) {
    return {duration: 0, reached: 0, error: String(error)};
  }
  const result = {
    duration: Number.isFinite(video.duration) ? video.duration : 0,
    reached: video.currentTime,
    error: video.error === null ? null : video.error.message,
  };
  video.remove();
  return result;
}"""


@dataclass(frozen=True, slots=True)
class Sought:
    """A seek. ``ms``: until the picture was presented; ``loaded``: its media was there before.

    ``piece_bytes``: how large the first piece was that was asked for then; 0 for none.
    """

    ms: float | None
    media_s: float | None
    loaded: bool
    piece_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Presented:
    """A picture that the browser presented: when, by the page's clock, and its media time."""

    now_ms: float
    media_s: float


@dataclass(frozen=True, slots=True)
class PlayedFile:
    """What the browser made of a file that it played to its end; ``error`` None: all well."""

    duration_s: float
    reached_s: float
    error: str | None


class ReviewPage:
    """The page of one camera; ``open`` first. Times are epoch milliseconds."""

    def __init__(self, page: Page, base_url: str, uid: str) -> None:
        self._page = page
        self._base_url = base_url
        self._uid = uid

    def open(self) -> None:
        """Load the page, and wait until the day's recording is on its timeline."""
        self._page.goto(f"{self._base_url}/review?camera={self._uid}")
        self._page.get_by_test_id("timeline-recorded").first.wait_for(timeout=_READY_MS)
        self._page.evaluate(_INSTALL)

    def seek(self, at_ms: float) -> Sought:
        """Show a moment and wait until its picture is there; it stands still."""
        found = self._page.evaluate("at => window.__bench.seek(at)", at_ms)
        return Sought(found["ms"], found["media"], found["loaded"], found["bytes"])

    def press(self, key: str) -> None:
        """Press a key, and wait until the picture stands still."""
        self._page.keyboard.press(key)
        self._page.evaluate("() => window.__bench.still()")

    def pause(self) -> None:
        """Pause where it plays."""
        if not self._page.evaluate("window.__bench.video.paused"):
            self.press(" ")

    def play_for(self, seconds: float) -> list[Presented]:
        """Play, and return every picture that was presented meanwhile; it pauses again."""
        self._page.evaluate("window.__bench.frames.length = 0")
        self._page.keyboard.press(" ")
        self._page.wait_for_timeout(seconds * 1000)
        frames = self._page.evaluate("window.__bench.frames.slice()")
        self.pause()
        return [Presented(now, media) for now, media in frames]

    def faster(self) -> None:
        """Choose the next higher speed."""
        self._page.keyboard.press("ArrowUp")

    def slower(self) -> None:
        """Choose the next lower speed."""
        self._page.keyboard.press("ArrowDown")

    def picture(self) -> Grid:
        """Return what the video shows."""
        rows, columns, text = self._page.evaluate("grid => window.__bench.grab(grid)", GRID_PX)
        flat = np.frombuffer(base64.b64decode(text), dtype=np.uint8)
        return flat.reshape(rows, columns)

    def clock(self) -> str:
        """Return the time that the page says the picture is of."""
        return self._page.get_by_test_id("review-clock").inner_text()

    def export_minute(self) -> tuple[bytes, dict[str, str]]:
        """Export the minute from the shown moment on; return the file and its answer's headers."""
        self._page.get_by_test_id("clip-begin").click()
        link = self._page.get_by_test_id("clip-download").get_attribute("href") or ""
        with self._page.expect_download() as coming:
            self._page.get_by_test_id("clip-download").click()
        data = coming.value.path().read_bytes()
        headers = self._page.context.request.get(f"{self._base_url}{link}").headers
        return data, headers

    def play_file(self, data: bytes, limit_s: float) -> PlayedFile:
        """Play a file to its end, eight times as fast."""
        url = f"{self._base_url}/bench-file.mp4"
        self._page.route(url, lambda route: route.fulfill(body=data, content_type="video/mp4"))
        found = self._page.evaluate(_PLAY_FILE, [url, limit_s * 1000])
        return PlayedFile(found["duration"], found["reached"], found["error"])

    def screenshot(self, path: str) -> None:
        """Keep what the page shows."""
        self._page.screenshot(path=path)
