"""The jobs of enrolment that an errand process does: a search, an examination."""

import base64
import threading
from dataclasses import dataclass, field
from typing import Literal

from edge.enrolment.errand import (
    Examining,
    PictureSaid,
    ProbeSaid,
    Problem,
    Saying,
    Searching,
    SearchSaid,
    Step,
    StepSaid,
)
from edge.enrolment.runner import Errand

State = Literal["running", "done", "failed"]

#: Errand processes at a time: each takes a tenth of a gigabyte while it lasts.
MOST_ERRANDS = 2

#: What is said where the process ended without an answer: it was too slow, or crashed.
_NO_ANSWER = Problem(
    kind="no_answer",
    zh="检查没有做完:摄像机太慢,或它发来的数据有问题。请过一分钟再试。",
    en="The examination came to no end: the camera is too slow, or what it sends is broken. "
    "Try again in a minute.",
)


class Turns:
    """Lets MOST_ERRANDS errands of all jobs run at a time."""

    def __init__(self, at_once: int = MOST_ERRANDS) -> None:
        self._free = threading.Semaphore(at_once)

    def run(self, errand: Errand, tell: "_Tell") -> None:
        """Wait for a turn, then run the errand to its end."""
        with self._free:
            errand.run(tell.take)


@dataclass(slots=True)
class Login:
    """A camera's user and password; kept out of every representation."""

    username: str | None
    password: str = field(default="", repr=False)


class Search:
    """One search for cameras; see Job."""

    def __init__(self, order: Searching, turns: Turns) -> None:
        self._errand = Errand(order)
        self._turns = turns
        self.said: SearchSaid | None = None
        self.is_over = False

    def work(self) -> None:
        """Search."""
        try:
            self._turns.run(self._errand, self)
        finally:
            self.is_over = True

    def stop(self) -> None:
        """End it; see Job.stop."""
        self._errand.stop()

    def take(self, saying: Saying) -> None:
        """Take what the errand process says."""
        if isinstance(saying, SearchSaid):
            self.said = saying


class Examination:
    """One camera's examination; see Job.

    ``login`` is what it is examined with; where that is what the box has of a camera already,
    ``owner`` is that one's id.
    """

    def __init__(self, order: Examining, login: Login, owner: str | None, turns: Turns) -> None:
        self._errand = Errand(order)
        self._turns = turns
        self.login = login
        self.owner = owner
        self.step: Step = "looking" if order.rtsp_url is None else "main"
        self.said = ProbeSaid()
        self.picture: bytes | None = None
        self.state: State = "running"

    def work(self) -> None:
        """Examine."""
        try:
            self._turns.run(self._errand, self)
        finally:
            if self.said.pulled is None and self.said.problem is None:
                self.said = ProbeSaid(problem=_NO_ANSWER)
            self.state = "failed" if self.said.pulled is None else "done"

    def stop(self) -> None:
        """End it; see Job.stop."""
        self._errand.stop()

    def take(self, saying: Saying) -> None:
        """Take what the errand process says."""
        match saying:
            case StepSaid():
                self.step = saying.step
            case ProbeSaid():
                self.said = saying
            case PictureSaid():
                self.picture = base64.b64decode(saying.jpeg)


_Tell = Search | Examination
