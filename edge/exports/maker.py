"""One export being made, in a process of its own that can be stopped at once."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable

from pydantic import ValidationError

from edge import offspring
from edge.exports.job import Failure
from edge.exports.order import Made, Order


class Making:
    """Runs the process for one order; ``run`` and ``stop`` may be called by different threads."""

    def __init__(
        self,
        order: Order,
        command: tuple[str, ...] = (sys.executable, "-m", "edge.exports.child"),
    ) -> None:
        self._order = order
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        process = self._process
        return None if process is None else process.pid

    def run(self, tell: Callable[[int], None]) -> Made | None:
        """Return what was made, or why it was not; None where it was stopped.

        ``tell`` is given the recorded bytes that are done, in this thread. It blocks to the end:
        the process ends with the thread that called.
        """
        with self._lock:
            if self._stopped:
                return None
            self._process = process = offspring.spawn(
                [*self._command, "--parent", str(os.getpid())]
            )
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            with contextlib.suppress(BrokenPipeError):  # it has ended: its answer says why
                process.stdin.write(self._order.model_dump_json().encode())
                process.stdin.close()
            answer = b""
            for line in process.stdout:
                if line.strip().isdigit():
                    tell(int(line))
                else:
                    answer = line
        with self._lock:
            self._process = None
            if self._stopped:
                return None
        return self._understood(answer, process.returncode)

    def stop(self) -> None:
        """End the process at once; what it has made is no result. Idempotent."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    @staticmethod
    def _understood(answer: bytes, status: int) -> Made:
        try:
            return Made.model_validate_json(answer)
        except ValidationError:
            return Made(failure=Failure.CRASHED, detail=f"it ended with {status}")
