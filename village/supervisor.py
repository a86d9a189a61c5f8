"""Keeps the village's programs running, and stops them in order."""

import os
import select
import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from protocol.clock import Clock
from village.child import Child, reason

_GRANULE_S = 0.5


class StopSignal:
    """SIGINT and SIGTERM as a descriptor that becomes readable; for the main thread.

    A second signal changes nothing: stopping is already as quick as the footage allows.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.is_set = False

    def install(self) -> None:
        """Take over both signals."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.set()

    def set(self) -> None:
        """Stop as if a signal had come."""
        if not self.is_set:
            self.is_set = True
            os.write(self._writer, b".")

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._reader


@dataclass(frozen=True, slots=True)
class Ended:
    """A program ended that should run, or can't be started; the next try is after ``pause_s``."""

    name: str
    why: str
    pause_s: float


class Supervisor:
    """Starts again what ends. All of it happens in the caller's thread, in :meth:`pump`.

    ``changed`` is called after each start and end; ``ended`` tells each unexpected end, and each
    start that the system refused: that is tried again. Neither of them may raise.
    """

    def __init__(
        self,
        stop: StopSignal,
        clock: Clock,
        ended: Callable[[Ended], None],
        changed: Callable[[], None],
    ) -> None:
        self.children: list[Child] = []
        self._stop = stop
        self._clock = clock
        self._ended = ended
        self._changed = changed
        self._due_ns: dict[Child, int] = {}

    def add(self, child: Child) -> None:
        """Start a program and keep it running from now on."""
        self.children.append(child)
        self._begin(child)

    def pump(self, seconds: float) -> None:
        """Watch for ``seconds``, or until it is time to stop."""
        end_ns = self._clock.monotonic_ns() + round(seconds * 1e9)
        while not self._stop.is_set:
            left_s = (end_ns - self._clock.monotonic_ns()) / 1e9
            if left_s <= 0:
                return
            self._start_due()
            self._watch(min(left_s, self._until_due_s()))

    def until(self, done: Callable[[], bool]) -> bool:
        """Watch until ``done`` says so (asked twice a second); False where it is time to stop."""
        while not done():
            self.pump(_GRANULE_S)
            if self._stop.is_set:
                return False
        return True

    def complete(self, child: Child) -> int | None:
        """Run a program to its end, watching the others; None where it is time to stop."""
        self._begin(child)
        while child.pid is not None or child in self._due_ns:
            also = [child] if child.pid is not None else []
            if self._select(also, min(_GRANULE_S, self._until_due_s())):
                status, _ = child.reap()
                return status
            self._start_due()
            if self._stop.is_set:
                self._due_ns.pop(child, None)
                child.tell_to_stop()
                child.stop()
        return None

    def shut_down(self, first: str) -> None:
        """Stop all: ``first`` alone and whole, then the rest together."""
        for child in self.children:
            if child.name == first:
                child.tell_to_stop()
                child.stop()
        for child in reversed(self.children):
            child.tell_to_stop()
        for child in reversed(self.children):
            child.stop()
        self._changed()

    def _watch(self, seconds: float) -> None:
        self._select([], seconds)

    def _select(self, also: list[Child], seconds: float) -> list[Child]:
        running = [child for child in self.children if child.pid is not None]
        watched: list[Child | StopSignal] = [self._stop, *running, *also]
        ready, _, _ = select.select(watched, [], [], max(0.0, seconds))
        for child in running:
            if child in ready:
                self._lost(child)
        return [child for child in also if child in ready]

    def _lost(self, child: Child) -> None:
        status, lived_s = child.reap()
        pause_s = self._put_off(child, lived_s)
        self._start_due()  # first of all: telling may take its time
        self._ended(Ended(child.name, reason(status), pause_s))
        self._changed()

    def _begin(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:  # no memory, no process number, no descriptor: not for ever
            pause_s = self._put_off(child, 0.0)
            self._ended(Ended(child.name, f"can't be started: {error.strerror}", pause_s))
        self._changed()

    def _put_off(self, child: Child, lived_s: float) -> float:
        """Have it started after a life of ``lived_s``; return after which pause."""
        pause_s = child.backoff.pause_s(lived_s)
        self._due_ns[child] = self._clock.monotonic_ns() + round(pause_s * 1e9)
        return pause_s

    def _until_due_s(self) -> float:
        if not self._due_ns:
            return _GRANULE_S
        return (min(self._due_ns.values()) - self._clock.monotonic_ns()) / 1e9

    def _start_due(self) -> None:
        now_ns = self._clock.monotonic_ns()
        for child in [child for child, due_ns in self._due_ns.items() if due_ns <= now_ns]:
            if not self._stop.is_set:
                del self._due_ns[child]
                self._begin(child)
