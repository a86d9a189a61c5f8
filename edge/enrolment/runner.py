"""Errands of the box to its cameras: each in a process of its own that ends with it."""

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable

from pydantic import ValidationError

from edge import offspring
from edge.enrolment.errand import Examining, Saying, Searching, saying_of, written

log = logging.getLogger(__name__)

#: Of one errand. ONVIF may take a minute, a stream forty seconds, and by UDP again as long.
LIMIT_S = 200.0
#: A line: a picture of 150 KB in base64, and then some.
_MAX_LINE_BYTES = 1 << 20

Tell = Callable[[Saying], None]


class Errand:
    """One process for one order; ``run`` and ``stop`` may be called by different threads.

    ``command`` is how the process is started; after ``limit_s`` it is ended.
    """

    def __init__(
        self,
        order: Searching | Examining,
        command: tuple[str, ...] = (sys.executable, "-m", "edge.enrolment.child"),
        limit_s: float = LIMIT_S,
    ) -> None:
        self._order = order
        self._command = command
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def run(self, tell: Tell) -> None:
        """Give ``tell`` all that the process says, in this thread, until it ends; blocks.

        The process ends with the thread that called. What it leaves unsaid, it leaves.
        """
        with self._lock:
            if self._stopped:
                return
            self._process = process = offspring.spawn(
                [*self._command, "--parent", str(os.getpid())],
                stderr=subprocess.DEVNULL,  # libraries may say there what a camera sent
            )
        limit = threading.Timer(self._limit_s, self.stop)
        limit.daemon = True
        limit.start()
        try:
            with process:
                self._listen(process, tell)
        finally:
            limit.cancel()
            with self._lock:
                self._process = None
        if process.returncode != 0:
            log.warning("enrolment.errand_failed", extra={"status": process.returncode})

    def stop(self) -> None:
        """End the process at once, or never start it. Idempotent."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def _listen(self, process: subprocess.Popen[bytes], tell: Tell) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended: it will say nothing
            process.stdin.write(written(self._order))
            process.stdin.close()
        while data := process.stdout.readline(_MAX_LINE_BYTES):
            try:
                said = saying_of(data)
            except ValidationError:
                # Not the line: it is a camera's words, or a library's.
                log.warning("enrolment.errand_babbles", extra={"bytes": len(data)})
                continue
            tell(said)
