"""All that a camera tells of itself, asked in one go: what does not work is part of the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from edge.cameras.camera import Camera, Information
from edge.cameras.camera_clock import CameraClock
from edge.cameras.door import Uri
from edge.cameras.media import Profile
from edge.errors import CameraError, CameraFault

_Asked = TypeVar("_Asked")

#: After one of these nothing else is asked: it would end the same way, or lock an account.
_FINAL = frozenset({CameraFault.UNREACHABLE, CameraFault.TIMEOUT, CameraFault.AUTH})


@dataclass(frozen=True, slots=True)
class Problem:
    """A question that came to nothing; ``said`` is for people who look into it."""

    asked: str
    kind: CameraFault
    said: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A profile and where it is to be had; None where the camera gives nothing we take."""

    profile: Profile
    video: Uri | None
    picture: Uri | None


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found; ``clock`` and ``information`` are None where the camera did not say."""

    clock: CameraClock | None
    information: Information | None
    streams: tuple[Stream, ...]
    rewritten: tuple[Uri, ...]
    problems: tuple[Problem, ...]

    @property
    def is_usable(self) -> bool:
        """Whether there is a stream to pull."""
        return any(stream.video is not None for stream in self.streams)


def examine(camera: Camera) -> Examination:
    """Ask a camera for everything; never raises CameraError. Takes seconds, at worst a minute."""
    problems: list[Problem] = []

    def ask(what: str, question: Callable[[], _Asked]) -> _Asked | None:
        if any(problem.kind in _FINAL for problem in problems):
            return None
        try:
            return question()
        except CameraError as error:
            problems.append(Problem(what, error.kind, str(error)))
            return None

    clock = ask("clock", camera.clock)
    information = ask("information", camera.information)
    streams = tuple(
        Stream(
            profile,
            ask(f"stream {profile.name}", partial(camera.media.stream, profile)),
            ask(f"snapshot {profile.name}", partial(camera.media.snapshot, profile)),
        )
        for profile in ask("profiles", camera.media.profiles) or ()
    )
    rewritten = ask("services", camera.rewritten) or ()
    return Examination(clock, information, streams, rewritten, tuple(problems))
