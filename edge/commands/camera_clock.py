"""Cameras' clocks set by command: asked for by the centre, done by a process of its own (I7)."""

import json
import logging
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from edge.commands import journal
from edge.config import CameraSection
from edge.db.database import Database
from edge.errors import ConfigError, StorageError
from edge.faultlog import FaultLog
from edge.offspring import Offspring
from protocol.clock import Clock
from protocol.commands import CommandKind
from protocol.messages import Outcome

log = logging.getLogger(__name__)

#: Six questions of a camera that answers each in its very last second.
LIMIT_S = 100.0
#: What a process says at most; more is none of ours.
_MOST_BYTES = 4096
_LOOK_EVERY_S = 5.0
_OUTCOMES = {
    "right": (Outcome.DONE, "clock_was_right"),
    "set": (Outcome.DONE, "clock_set"),
    "kept_by_ntp": (Outcome.FAILED, "kept_by_ntp"),
    "not_taken": (Outcome.FAILED, "clock_not_taken"),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a command, as its result says it."""

    outcome: Outcome
    reason: str
    detail: str


class Errand(Protocol):
    """Who sets a camera's clock."""

    def run(self, camera: CameraSection) -> Ending:
        """Set it by the box's, blocking for a minute or two at most."""

    def stop(self) -> None:
        """Have the one that runs end at once, and begin none; from any thread. Idempotent."""


class Finisher(Protocol):
    """Where it is said what became of an accepted command."""

    def finish(
        self, command_id: UUID, kind: CommandKind, outcome: Outcome, reason: str, detail: str
    ) -> None:
        """Say it. Raises StorageError."""


class ClockErrand:
    """Has a process of its own ask the camera; ``command`` is how that is started."""

    def __init__(
        self,
        command: tuple[str, ...] = (sys.executable, "-m", "edge.cameras.errand"),
        limit_s: float = LIMIT_S,
    ) -> None:
        self._limit_s = limit_s
        self._offspring = Offspring(command, limit_s)

    def run(self, camera: CameraSection) -> Ending:
        """Set a camera's clock; see Errand."""
        try:
            password = camera.password.read().get_secret_value() if camera.password else None
            question = {
                "address": camera.onvif_address(),
                "username": camera.username,
                "password": password,
            }
            with self._offspring.running(json.dumps(question).encode()) as process:
                if process is None:
                    return _not_asked("the box stops")
                assert process.stdout is not None
                said = process.stdout.read(_MOST_BYTES)
        except (ConfigError, OSError) as error:
            return _not_asked(str(error))
        if self._offspring.overran:
            return _not_asked(f"no end within {self._limit_s:g} s")
        return _understood(said, process.returncode)

    def stop(self) -> None:
        """End the process, if there is one; see Errand."""
        self._offspring.stop()


def _not_asked(why: str) -> Ending:
    return Ending(Outcome.FAILED, "camera_not_asked", why)


def _understood(answer: bytes, status: int) -> Ending:
    try:
        said = json.loads(answer)
        if "kind" in said:
            return _not_asked(f"{said['kind']}: {said['said']}")
        outcome, reason = _OUTCOMES[said["outcome"]]
        words = f"it was {said['before_s']:+.1f} s off and is {said['after_s']:+.1f} s"
    except (ValueError, KeyError, TypeError):
        return _not_asked(f"the process ended with {status}")
    return Ending(outcome, reason, words)


class ClockSetter:
    """Does the accepted commands that want a camera's clock set, one after the other.

    In a thread of its own: a slow camera keeps no other command waiting. One that is done when the
    box dies is done again, which does no harm.
    """

    def __init__(
        self,
        cameras: Sequence[CameraSection],
        database: Database,
        desk: Finisher,
        clock: Clock,
        errand: Errand | None = None,
    ) -> None:
        self._cameras = {camera.id: camera for camera in cameras}
        self._database = database
        self._desk = desk
        self._clock = clock
        self._errand = errand or ClockErrand()
        #: Kept until it is said: a disk that refuses is no reason to ask the camera again.
        self._unsaid: dict[UUID, Ending] = {}
        self._faults = FaultLog(log, clock)
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-clock", daemon=True)

    def start(self) -> None:
        """Begin to look for commands."""
        self._thread.start()

    def close(self) -> None:
        """Stop, in the midst of a camera too; call it once, after :meth:`start`."""
        self._closing.set()
        self._errand.stop()
        self._wake.set()
        self._thread.join()

    def wake(self) -> None:
        """Look now: a command may have been accepted."""
        self._wake.set()

    def work(self) -> int:
        """Do what is accepted; return how much. Raises StorageError."""
        kind = CommandKind.CAMERA_CLOCK
        with self._database.reading() as connection:
            waiting = journal.accepted_of_cameras(connection, kind, self._clock.now())
        for done, (command_id, camera_id) in enumerate(waiting):
            if self._closing.is_set():
                return done
            ending = self._unsaid.get(command_id) or self._done(camera_id)
            if self._closing.is_set():  # and what it said is of that: the next start does it
                return done
            self._unsaid[command_id] = ending
            self._desk.finish(command_id, kind, ending.outcome, ending.reason, ending.detail)
            del self._unsaid[command_id]
        return len(waiting)

    def _done(self, camera_id: str) -> Ending:
        camera = self._cameras.get(camera_id)
        if camera is None:  # the configuration has changed since it was accepted
            return Ending(Outcome.FAILED, "no_such_camera", f"camera {camera_id}")
        return self._errand.run(camera)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.work()
            except StorageError as error:
                self._faults.report("camera_clock.unsettled", str(error), {})
            except Exception as error:  # noqa: BLE001 - logged, and the next turn may do
                self._faults.bug("camera_clock.failed", error, {})
            self._wake.wait(_LOOK_EVERY_S)
            self._wake.clear()
