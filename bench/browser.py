"""Chromium without a screen: the wall as its staff see and use it, and a clip that plays."""

import shutil
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import (
    BrowserContext,
    Error,
    Page,
    Playwright,
    ViewportSize,
    sync_playwright,
)

#: Chromium runs as root in containers and on boxes; nothing here leaves the machine.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",  # there is none: composing in software without GL costs least
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--autoplay-policy=no-user-gesture-required",
)
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_SCREEN: ViewportSize = {"width": 1280, "height": 720}
_STEP_MS = 10_000
_PLAY_MS = 30_000

_PICTURE = """uid => {
  const video = document.querySelector(`[data-testid="wall-tile-${uid}"] video`);
  return video !== null && video.videoWidth > 0 && video.currentTime > 0;
}"""
_PLAY = """async ([url, limitMs]) => {
  const video = document.createElement('video');
  video.muted = true;
  video.src = url;
  document.body.append(video);
  const from = performance.now();
  let first = null;
  try {
    await video.play();
    while (performance.now() - from < limitMs && video.error === null) {
      if (video.readyState >= 2) {
        first ??= video.currentTime;
        if (video.currentTime - first >= 1) break;
      }
      await new Promise(done => setTimeout(done, 50));
    }
  } catch (error) {
    return {duration: 0, played: 0, width: 0, error: String(error)};
  }
  const result = {
    duration: Number.isFinite(video.duration) ? video.duration : 0,
    played: video.currentTime - (first ?? video.currentTime),
    width: video.videoWidth,
    error: video.error === null ? null : video.error.message,
  };
  video.remove();
  return result;
}"""
_SHOW = """async url => {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch (error) {
    return 0;
  }
  return image.naturalWidth;
}"""


@dataclass(frozen=True, slots=True)
class Played:
    """What Chromium made of a clip. ``played_s``: how far it went; ``error`` None: all well."""

    duration_s: float
    played_s: float
    width: int
    error: str | None


class Browser:
    """A Chromium with one page, signed in to the centre. Used as a context."""

    def __init__(self, base_url: str, username: str, password: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._credentials = {"username": username, "password": password}
        self._driver = sync_playwright()
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None
        self._page: Page | None = None

    def __enter__(self) -> Self:
        program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        self._playwright = self._driver.start()
        try:
            self._chromium = self._playwright.chromium.launch(
                executable_path=program, args=list(_ARGUMENTS)
            )
            self._open(_SCREEN)
        except BaseException:
            self._playwright.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._playwright is not None:
            self._playwright.stop()

    def beside(self, username: str, password: str, screen: ViewportSize) -> "Browser":
        """Return one more page, with a sign-in and a size of its own; it ends with this one."""
        other = Browser(self._base_url, username, password)
        other._chromium = self._chromium
        other._open(screen)
        return other

    def _open(self, screen: ViewportSize) -> None:
        assert self._chromium is not None
        context = self._chromium.new_context(locale="zh-CN", viewport=screen)
        context.set_default_timeout(_STEP_MS)
        self._sign_in(context)
        self._page = context.new_page()

    def _sign_in(self, context: BrowserContext) -> None:
        answer = context.request.post(
            f"{self._base_url}/api/v1/session",
            data=self._credentials,
            headers={"Origin": self._base_url},
        )
        if not answer.ok:
            raise Error(f"sign-in of the wall: {answer.status} {answer.text()[:200]}")

    @property
    def page(self) -> Page:
        """The one page."""
        assert self._page is not None
        return self._page

    def open_wall(self) -> None:
        """Go to the wall."""
        self.page.goto(f"{self._base_url}/wall", wait_until="domcontentloaded")

    def has_picture(self, uid: str) -> bool:
        """Return whether the camera's tile plays."""
        return bool(self.page.evaluate(_PICTURE, uid))

    def shown(self) -> dict[str, float]:
        """Return when each alert was first painted, in epoch milliseconds."""
        entries = self.page.evaluate("window.__tanshao ? window.__tanshao.shown : []")
        first: dict[str, float] = {}
        for entry in entries:
            first.setdefault(str(entry["id"]), float(entry["shownAt"]))
        return first

    def popup(self) -> str | None:
        """Return the alert that the pop-up in front is about, None where there is none."""
        found = self.page.get_by_test_id("alert-popup")
        return found.first.get_attribute("data-alert-id") if found.count() else None

    def focused_card(self) -> str | None:
        """Return the alert whose card has the focus, None where something else has it."""
        found = self.page.evaluate(
            "document.activeElement?.closest('[data-alert-id]')?.dataset.alertId ?? null"
        )
        return None if found is None else str(found)

    def asks_pin(self) -> bool:
        """Return whether the pad for the PIN is open."""
        return self.page.get_by_test_id("pin-input").count() > 0

    def asks_what_it_is(self) -> bool:
        """Return whether the dialog that makes an incident of the alert is open."""
        return self.page.get_by_test_id("confirm-real").count() > 0

    def press(self, key: str) -> None:
        """Press a key, as a remote control or keyboard would."""
        self.page.keyboard.press(key)

    def screenshot(self, path: str) -> None:
        """Keep what the page shows."""
        self.page.screenshot(path=path)

    def play(self, evidence_id: str) -> Played:
        """Play a clip for a second in the page."""
        url = f"{self._base_url}/api/v1/evidence/{evidence_id}"
        result = self.page.evaluate(_PLAY, [url, _PLAY_MS])
        return Played(result["duration"], result["played"], result["width"], result["error"])

    def shows_picture(self, evidence_id: str) -> bool:
        """Return whether Chromium can show a picture."""
        url = f"{self._base_url}/api/v1/evidence/{evidence_id}"
        return bool(self.page.evaluate(_SHOW, url))
