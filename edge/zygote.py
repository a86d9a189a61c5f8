"""A process that has everything imported, forks the box from itself, and again when it is killed.

A decoder that crashes on a hostile stream, or a kernel short of memory, takes the whole box with
it. To start Python and import everything again costs a second and more of every camera's footage;
a fork costs milliseconds, and most of its memory is shared.
"""

import gc
import logging
import os
import signal
from collections.abc import Callable

from edge.orphan import die_with_parent
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: A box that ran for so long was a good one: the next is forked at once.
STEADY_S = 30.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0

_TO_STOP = (signal.SIGTERM, signal.SIGINT)
_NS_PER_S = 1_000_000_000


class Zygote:
    """Keeps one box running; for the main thread of a process that has started no other.

    ::

        box ends by itself, with any status  -> so do we, with the same one
        box is killed by a signal            -> forked again: at once, then after 0.5, 1, 2 … 30 s
        SIGTERM or SIGINT                    -> passed on; when the box has ended, so do we
        we are killed                        -> the kernel kills the box: never two on one folder
    """

    def __init__(self, box: Callable[[], int], clock: Clock) -> None:
        self._box = box
        self._clock = clock
        self._pause_s = 0.0
        self._told = False

    def run(self) -> int:
        """Return the exit status: here when all is over, and in each fork when its box is."""
        # Blocked, they wait until sigwait asks for them: no handler, and so no race with fork.
        signal.pthread_sigmask(signal.SIG_BLOCK, (*_TO_STOP, signal.SIGCHLD))
        gc.collect()
        gc.freeze()  # the collector would touch, and so copy, every page that the forks share
        while True:
            parent, began_ns = os.getpid(), self._clock.monotonic_ns()
            pid = os.fork()
            if pid == 0:
                die_with_parent(parent)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_TO_STOP, signal.SIGCHLD))
                return self._box()
            status = self._wait(pid)
            if status >= 0:
                return status
            log.error("box.killed", extra={"pid": pid, "signal": signal.Signals(-status).name})
            lived_s = (self._clock.monotonic_ns() - began_ns) / _NS_PER_S
            if self._told or self._is_told_within(self._pause_after(lived_s)):
                return 1

    def _wait(self, pid: int) -> int:
        """Return the box's exit status, or minus the signal that killed it; pass on to stop."""
        while True:
            number = signal.sigwait((*_TO_STOP, signal.SIGCHLD))
            if number != signal.SIGCHLD:
                self._told = True
                os.kill(pid, signal.SIGTERM)
                continue
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended == pid:
                return os.waitstatus_to_exitcode(status)

    def _pause_after(self, lived_s: float) -> float:
        if lived_s >= STEADY_S:
            self._pause_s = 0.0
        pause_s = self._pause_s
        self._pause_s = min(max(FIRST_PAUSE_S, 2 * pause_s), LONGEST_PAUSE_S)
        return pause_s

    def _is_told_within(self, seconds: float) -> bool:
        return signal.sigtimedwait(_TO_STOP, seconds) is not None
