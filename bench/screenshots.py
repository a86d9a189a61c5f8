"""``python -m bench.screenshots``: the README's pictures, taken of the demo village as it is today.

A village runs until its first gathering rings; it is signed and confirmed at the wall by keys, in
English, and then the pages are opened as the duty officer does, in both languages.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import ViewportSize

from bench import report
from bench.browser import Browser
from bench.centre import Alert
from bench.stage import STAGE_FAILURES, Stage
from bench.village import Login
from bench.wait import until
from bench.watchman import Watchman
from protocol.clock import SystemClock
from village import demo

_FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"

#: The sizes that the interface is made for (domain 5).
_TV: ViewportSize = {"width": 1920, "height": 1080}
_PC: ViewportSize = {"width": 1366, "height": 768}
_PHONE: ViewportSize = {"width": 390, "height": 844}

_LANGUAGES = ("zh", "en")
#: The demo's first gathering comes half a minute after its footage begins.
_ALERT_S = 180.0
_STEP_S = 60.0
#: A page that has loaded shows its video and its pictures a moment later.
_SETTLE_MS = 4000
_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Photographer:
    """Opens pages of a village and keeps what they show; ``taken`` are their files so far."""

    stage: Stage
    folder: Path
    taken: list[str]

    def browser(self, login: Login, screen: ViewportSize) -> Browser:
        """Return a page that is signed in and stays open."""
        return self.stage.browser.beside(login.username, login.password, screen)

    def open(self, browser: Browser, path: str, language: str, **query: str) -> None:
        """Go to a page, in a language."""
        asked = urlencode({"lang": language, **query})
        browser.page.goto(f"{self.stage.village.base_url}{path}?{asked}")

    def take(self, browser: Browser, name: str) -> None:
        """Keep what a page shows now."""
        path = self.folder / f"{name}.jpg"
        browser.page.screenshot(path=str(path), type="jpeg", quality=_QUALITY)
        self.taken.append(path.name)

    def wait(self, done: Callable[[], bool], what: str, limit_s: float = _STEP_S) -> None:
        """Wait until something is so. Raises WaitedTooLongError."""
        until(done, limit_s=limit_s, what=what, clock=self.stage.clock)


def picture(photographer: Photographer) -> None:
    """Take all pictures, in the order in which they come about."""
    walls = _walls(photographer)
    for language, wall in walls.items():
        photographer.take(wall, f"wall-{language}")
    photographer.wait(
        lambda: all(wall.popup() is not None for wall in walls.values()), "an alert", _ALERT_S
    )
    for language, wall in walls.items():
        wall.page.wait_for_timeout(_SETTLE_MS)
        photographer.take(wall, f"wall-alert-{language}")
    alert = _confirmed(photographer, walls["en"])
    assert alert.incident_id is not None
    _pages(photographer, alert)


def _walls(photographer: Photographer) -> dict[str, Browser]:
    """Return a wall in each language, each with a picture in every tile and no alert in front."""
    stage = photographer.stage
    login = stage.village.login("wall")
    walls = {language: photographer.browser(login, _TV) for language in _LANGUAGES}
    uids = [f"{demo.BOX_ID}.{each.id}" for each in stage.village.edge_config().cameras]
    for language, wall in walls.items():
        photographer.open(wall, "/wall", language)
    photographer.wait(
        lambda: all(wall.has_picture(uid) for wall in walls.values() for uid in uids),
        "four pictures",
    )
    for wall in walls.values():
        wall.page.wait_for_timeout(_SETTLE_MS)
    watchman = Watchman(stage.browser, stage.pin, stage.clock)

    def is_quiet() -> bool:
        # What rang before everything was open is dealt with, not pictured.
        watchman.look({alert.alert_id: alert.state for alert in stage.centre.alerts()})
        return all(wall.popup() is None for wall in walls.values())

    photographer.wait(is_quiet, "a quiet wall", _ALERT_S)
    return walls


def _confirmed(photographer: Photographer, wall: Browser) -> Alert:
    """Sign and confirm what is in front by keys, and picture the question; return the alert."""
    stage = photographer.stage
    alert_id = wall.popup()
    watchman = Watchman(wall, stage.pin, stage.clock)
    asked = False

    def look() -> bool:
        nonlocal asked
        if wall.asks_what_it_is() and not asked:
            asked = True
            photographer.take(wall, "wall-confirm-en")
        alerts = {alert.alert_id: alert for alert in stage.centre.alerts()}
        watchman.look({name: alert.state for name, alert in alerts.items()})
        return alert_id in alerts and alerts[alert_id].incident_id is not None

    photographer.wait(look, "an incident")

    def has_clip() -> bool:
        return any(piece.kind == "clip" for piece in _alert(stage, alert_id).evidence)

    photographer.wait(has_clip, "the clip", _ALERT_S)
    return _alert(stage, alert_id)


def _alert(stage: Stage, alert_id: str | None) -> Alert:
    return next(alert for alert in stage.centre.alerts() if alert.alert_id == alert_id)


def _pages(photographer: Photographer, alert: Alert) -> None:
    """Picture the pages of the duty officer."""
    login = photographer.stage.village.login("duty")
    pc, phone = photographer.browser(login, _PC), photographer.browser(login, _PHONE)
    review = {"camera": alert.camera_uid, "at": alert.started_at.isoformat()}
    for language in _LANGUAGES:
        for name, path, query in (
            ("alerts", f"/alerts/{alert.alert_id}", {}),
            ("incident", f"/incidents/{alert.incident_id}", {}),
            ("review", "/review", review),
            ("coverage", "/coverage", {}),
        ):
            photographer.open(pc, path, language, **query)
            pc.page.wait_for_timeout(_SETTLE_MS)
            photographer.take(pc, f"{name}-{language}")
    photographer.open(phone, f"/alerts/{alert.alert_id}", "zh")
    phone.page.wait_for_timeout(_SETTLE_MS)
    photographer.take(phone, "phone-zh")


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures, name them, return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.screenshots", description=__doc__)
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where they go (docs/images)")
    parser.add_argument("--model", default="auto", help="the person model, as in the manifest")
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    taken: list[str] = []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="bench-screenshots-") as name,
            Stage(Path(name) / "village", given.model, SystemClock()) as stage,
        ):
            picture(Photographer(stage, given.folder, taken))
    except STAGE_FAILURES as error:
        print(f"FAILED: {error}")
        report.emit(sys.stdout, {"passed": False, "error": str(error), "pictures": taken})
        return 1
    print(report.table(("picture",), [(name,) for name in taken]))
    report.emit(sys.stdout, {"passed": True, "pictures": taken})
    return 0


if __name__ == "__main__":
    sys.exit(main())
