"""The box's clock as a command finds it, and the time service that may set it anew."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.command_config import CommandsSection
from edge.errors import ClockServiceError
from edge.media.timeline import MAX_WALL_STEP
from protocol.messages import ClockQuality, ClockState, CommandMessage

#: To start a time service again takes a moment; the desk waits for so long at most.
_RESTART_S = 10.0
_LONGEST_WORDS = 160


@dataclass(frozen=True, slots=True)
class ClockFinding:
    """How good the clock is, and how far ahead of the centre's it was when a command came.

    That is told to half a second, and the command's own way is in it: a box that is behind is
    behind by no less, one that is ahead may have heard late.
    """

    quality: ClockQuality
    ahead_s: float

    @property
    def is_right(self) -> bool:
        """Whether there is nothing to mend: steered, and as far as the centre can tell right."""
        is_near = abs(self.ahead_s) <= MAX_WALL_STEP.total_seconds()
        return is_near and self.quality.state is ClockState.SYNCED

    def words(self) -> str:
        """Return it in words for the result."""
        quality = self.quality
        told = [
            f"{quality.state.value} since {quality.since.isoformat(timespec='seconds')}",
            f"{self.ahead_s:+.1f} s from the centre's",
        ]
        if quality.error_ms is not None:
            told.append(f"the kernel's bound is {quality.error_ms} ms")
        if quality.stepped_at is not None:
            told.append(f"last set {quality.stepped_at.isoformat(timespec='seconds')}")
        return "; ".join(told)


def ahead_s(message: CommandMessage, heard_at: datetime) -> float:
    """Return how far the box's clock is ahead of the centre's, in seconds; see ClockFinding.

    The centre gave the command ``ttl_s`` before its deadline, cut to whole seconds: half of one is
    taken for the rest.
    """
    given_at = message.data.deadline - timedelta(seconds=message.data.ttl_s + 0.5)
    return (heard_at - given_at).total_seconds()


class TimeService:
    """The systemd unit that steers the clock."""

    def __init__(self, unit: str) -> None:
        self._unit = unit

    def restart(self) -> None:
        """Start it again: it then asks its servers at once. Blocks; raises ClockServiceError."""
        # It never asks for a password: what the box's user may not do is an error.
        command = ("systemctl", "--no-ask-password", "restart", self._unit)
        try:
            ended = subprocess.run(  # noqa: S603 - a fixed command, a unit's name of our own file
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_RESTART_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ClockServiceError(f"{self._unit}: {error}") from error
        if ended.returncode != 0:
            words = ended.stderr.decode(errors="replace").strip()[:_LONGEST_WORDS]
            raise ClockServiceError(f"{self._unit}: {words or ended.returncode}")


@dataclass(frozen=True, slots=True)
class Timekeeper:
    """What the command desk needs of the clock; without ``restart`` it may not be set."""

    quality: Callable[[], ClockQuality]
    restart: Callable[[], None] | None = None

    def find(self, message: CommandMessage, heard_at: datetime) -> ClockFinding:
        """Return how the clock is as a command comes."""
        return ClockFinding(self.quality(), ahead_s(message, heard_at))


def timekeeper(section: CommandsSection, quality: Callable[[], ClockQuality]) -> Timekeeper:
    """Return what the configuration allows."""
    may = section.may_set_clock
    return Timekeeper(quality, TimeService(section.time_service).restart if may else None)
