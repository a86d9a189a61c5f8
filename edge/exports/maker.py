"""One export being made, in a process of its own that can be stopped at once."""

import sys
from collections.abc import Callable

from pydantic import ValidationError

from edge.exports.job import Failure
from edge.exports.order import Made, Order
from edge.offspring import Offspring


class Making:
    """Runs the process for one order; ``run`` and ``stop`` may be called by different threads."""

    def __init__(
        self,
        order: Order,
        command: tuple[str, ...] = (sys.executable, "-m", "edge.exports.child"),
    ) -> None:
        self._order = order
        self._offspring = Offspring(command)

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._offspring.pid

    def run(self, tell: Callable[[int], None]) -> Made | None:
        """Return what was made, or why it was not; None where it was stopped.

        ``tell`` is given the recorded bytes that are done, in this thread. It blocks to the end:
        the process ends with the thread that called.
        """
        answer = b""
        with self._offspring.running(self._order.model_dump_json().encode()) as process:
            if process is None:
                return None
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip().isdigit():
                    tell(int(line))
                else:
                    answer = line
        if self._offspring.stopped:
            return None
        return self._understood(answer, process.returncode)

    def stop(self) -> None:
        """End the process at once; what it has made is no result. Idempotent."""
        self._offspring.stop()

    @staticmethod
    def _understood(answer: bytes, status: int) -> Made:
        try:
            return Made.model_validate_json(answer)
        except ValidationError:
            return Made(failure=Failure.CRASHED, detail=f"it ended with {status}")
