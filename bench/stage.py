"""The village with somebody at its wall: started, waited for, and handed over ready."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Error as BrowserError

from bench.box import BoxError, BoxInterface
from bench.browser import Browser
from bench.centre import Centre, CentreError
from bench.program import Program, ProgramError
from bench.village import Village
from bench.wait import WaitedTooLongError, until
from edge.config import CameraSection
from edge.errors import ConfigError
from edge.rule_config import GatheringSection
from protocol.clock import Clock
from village import demo

#: The first start makes the demo's clips and sets up the centre; machines may be slow.
_START_LIMIT_S = 180.0
_STEP_LIMIT_S = 60.0

CAMERA_ID = "cam-01"


class StageError(Exception):
    """The village is not what this measurement is about."""


#: What a run on the stage may end with.
STAGE_FAILURES = (
    BoxError,
    BrowserError,
    CentreError,
    ConfigError,
    ProgramError,
    StageError,
    WaitedTooLongError,
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The camera that is judged, and what its alerts are judged by."""

    camera: CameraSection
    rule: GatheringSection

    @property
    def uid(self) -> str:
        """The camera's name at the centre."""
        return f"{demo.BOX_ID}.{self.camera.id}"


class Stage:
    """Everything a run needs, ready. Used as a context; leaving it stops all of it."""

    def __init__(self, folder: Path, model: str, clock: Clock) -> None:
        self.village = Village(folder, model)
        self.clock = clock
        self.first_picture_s = 0.0
        self._stack = contextlib.ExitStack()
        self._started_ns = 0

    def __enter__(self) -> Self:
        self._started_ns = self.clock.monotonic_ns()
        try:
            self._stack.enter_context(self.village)
            self.centre = self._stack.enter_context(contextlib.closing(self._sign_in("duty")))
            self.scene = scene(self.village)
            self.operator, self.pin = self._operator()
            self.browser = self._open_wall()
            self.box = self._open_box()
            self.model = str(_detector(self.box)["figures"]["model"])
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _sign_in(self, username: str) -> Centre:
        centre = Centre(self.village.base_url)
        program: Program = self.village.program

        def answers() -> bool:
            program.check()
            return centre.healthy()

        try:
            until(answers, limit_s=_START_LIMIT_S, what="the centre", clock=self.clock)
            login = self.village.login(username)
            centre.sign_in(login.username, login.password)
        except BaseException:
            centre.close()
            raise
        return centre

    def _operator(self) -> tuple[str, str]:
        """Return the officer on duty and their PIN."""
        officer = next((each for each in self.centre.on_duty() if each.post == "officer"), None)
        if officer is None:
            raise StageError("nobody is on duty as officer")
        return officer.person_id, self.village.pin(officer.person_id)

    def _open_wall(self) -> Browser:
        login = self.village.login("wall")
        browser = self._stack.enter_context(
            Browser(self.village.base_url, login.username, login.password)
        )
        browser.open_wall()
        until(
            lambda: browser.has_picture(self.scene.uid),
            limit_s=_STEP_LIMIT_S,
            what="a picture on the wall",
            clock=self.clock,
        )
        self.first_picture_s = (self.clock.monotonic_ns() - self._started_ns) / 1e9
        return browser

    def _open_box(self) -> BoxInterface:
        url = self.village.edge_url
        if url is None:
            raise StageError("the launcher does not say where the box is")
        box = self._stack.enter_context(contextlib.closing(BoxInterface(url)))
        until(
            lambda: _detects(box),
            limit_s=_STEP_LIMIT_S,
            what="the detector",
            clock=self.clock,
        )
        return box


def scene(village: Village) -> Scene:
    """Return the judged camera and its one gathering rule, as the edge was told them.

    Raises StageError where the rule is not the one the truth is known for.
    """
    config = village.edge_config()
    camera = next((each for each in config.cameras if each.id == CAMERA_ID), None)
    if camera is None or len(camera.gatherings) != 1:
        raise StageError(f"{CAMERA_ID} must have one rule")
    rule = camera.gatherings[0]
    wanted = ("close_together", 3, 2.0, 5.0, 5.0)
    have = (rule.mode, min(rule.levels.values()), rule.radius_m, rule.hold_s, rule.clear_s)
    if have != wanted:
        raise StageError(f"{CAMERA_ID}'s rule must be {wanted}, not {have}")
    view = demo.CAMERAS[0].view
    if view.begin != 0:
        raise StageError(f"{CAMERA_ID} must begin with the footage's first frame")
    return Scene(camera, rule)


def _detects(box: BoxInterface) -> bool:
    try:
        return bool(_detector(box)["condition"] == "ok")
    except (BoxError, KeyError):  # not up yet
        return False


def _detector(box: BoxInterface) -> dict[str, Any]:
    return dict(box.health()["components"]["detector"])
