"""Commands that change the box's settings (protocol I27): begun, followed, and what came of them.

::

    hear       checked: refused, or accepted, or for a dry run done
    turn       written as a version on trial; the box takes it, and begins anew with it
    turn       kept: done; taken back: failed, with why; no trace of it: failed, the box died first
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from edge.commands.verdict import Verdict
from edge.errors import ConfigError
from edge.settings.trial import Ending
from protocol.commands import Configure
from protocol.messages import CommandMessage, Outcome


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change can't be: a code, and in words."""

    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class Pushed:
    """A version that a command made: how its trial ended, if it has, and what it changes."""

    version: int
    ending: Ending | None
    why: str
    changes: Sequence[str]


class Tuner(Protocol):
    """Who changes the settings."""

    def check(self, asked: Configure) -> Refusal | Sequence[str]:
        """Return what a change would change, a line a key, or why it can't be.

        Raises StorageError.
        """

    def begin(self, command_id: UUID, asked: Configure, *, actor: str, reason: str) -> None:
        """Keep the change as a version on trial; the box takes it within seconds.

        Raises ConfigError where it can't be any more, and StorageError; then nothing changed.
        """

    def pushed(self, command_id: UUID) -> Pushed | None:
        """Return the version that a command made, or None. Raises StorageError."""


class Configuring:
    """Follows the commands that change settings from when they are heard to their result.

    What is asked for is remembered only until it is written as a version: the box that dies before
    has done nothing, and says so. :meth:`answer` and :meth:`forget` are for the bus's thread, the
    rest for the command desk's own.
    """

    def __init__(self, tuner: Tuner) -> None:
        self._tuner = tuner
        self._lock = threading.Lock()
        self._waiting: dict[UUID, tuple[CommandMessage, Configure]] = {}

    def answer(self, message: CommandMessage, asked: Configure) -> Verdict:
        """Return what is to be said of a command at once; one that is accepted waits from here.

        Raises StorageError.
        """
        found = self._tuner.check(asked)
        if isinstance(found, Refusal):
            return Verdict(Outcome.REFUSED, found.reason, found.words)
        if asked.check_only:
            return Verdict(Outcome.DONE, "checked" if found else "nothing_changes", _lines(found))
        if not found:
            return Verdict(Outcome.REFUSED, "nothing_changes", "")
        with self._lock:
            if self._waiting:
                return Verdict(Outcome.REFUSED, "another_on_trial", "another change is begun")
            self._waiting[message.id] = message, asked
        return Verdict(Outcome.ACCEPTED, "on_trial", _lines(found))

    def forget(self, command_id: UUID) -> None:
        """Let go of a command: that it was heard could not be written down."""
        with self._lock:
            self._waiting.pop(command_id, None)

    def over(self, accepted: Sequence[UUID]) -> Iterator[tuple[UUID, Verdict]]:
        """Begin what waits; yield what is to be said of those of the accepted that are over.

        Raises StorageError, with what was not done still to be done.
        """
        for command_id in accepted:
            with self._lock:
                waiting = self._waiting.get(command_id)
            verdict = self._verdict(command_id) if waiting is None else self._begin(*waiting)
            if verdict is not None:
                yield command_id, verdict

    def _begin(self, message: CommandMessage, asked: Configure) -> Verdict | None:
        data = message.data
        verdict = None
        try:
            # Written already, where the disk refused only after that.
            if self._tuner.pushed(message.id) is None:
                self._tuner.begin(message.id, asked, actor=data.actor, reason=data.reason)
        except ConfigError as error:
            verdict = Verdict(Outcome.FAILED, "not_begun", str(error))
        self.forget(message.id)
        return verdict

    def _verdict(self, command_id: UUID) -> Verdict | None:
        pushed = self._tuner.pushed(command_id)
        if pushed is None:
            return Verdict(Outcome.FAILED, "not_begun", "the box ended before it was begun")
        if pushed.ending is Ending.KEPT:
            lines = (f"version {pushed.version}", *pushed.changes)
            return Verdict(Outcome.DONE, "kept", _lines(lines))
        if pushed.ending is Ending.TAKEN_BACK:
            return Verdict(Outcome.FAILED, "rolled_back", pushed.why)
        return None


def _lines(changes: Sequence[str]) -> str:
    return "\n".join(changes)
