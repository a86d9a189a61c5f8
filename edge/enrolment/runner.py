"""Errands of the box to its cameras: each in a process of its own that ends with it."""

import logging
import subprocess
import sys
from collections.abc import Callable

from pydantic import ValidationError

from edge.enrolment.errand import Examining, Saying, Searching, saying_of, written
from edge.offspring import Offspring

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
        # Libraries may say on the standard error what a camera sent.
        self._offspring = Offspring(command, limit_s, subprocess.DEVNULL)

    def run(self, tell: Tell) -> None:
        """Give ``tell`` all that the process says, in this thread, until it ends; blocks.

        The process ends with the thread that called. What it leaves unsaid, it leaves.
        """
        with self._offspring.running(written(self._order)) as process:
            if process is None:
                return
            self._listen(process, tell)
        if process.returncode != 0:
            log.warning("enrolment.errand_failed", extra={"status": process.returncode})

    def stop(self) -> None:
        """End the process at once, or never start it. Idempotent."""
        self._offspring.stop()

    @staticmethod
    def _listen(process: subprocess.Popen[bytes], tell: Tell) -> None:
        assert process.stdout is not None
        while data := process.stdout.readline(_MAX_LINE_BYTES):
            try:
                said = saying_of(data)
            except ValidationError:
                # Not the line: it is a camera's words, or a library's.
                log.warning("enrolment.errand_babbles", extra={"bytes": len(data)})
                continue
            tell(said)
