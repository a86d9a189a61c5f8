"""The programs that the box starts beside itself: how they find our packages, and how they end."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def environment(**more: str) -> dict[str, str]:
    """Return ours, so that a child finds our packages wherever we were started; ``more`` counts."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


class Offspring:
    """A program for one order at a time, told by its input and answering by its output.

    It is given ``--parent`` and our process id, and is to end with the thread that runs it
    (edge.orphan). :meth:`stop` may be called by any thread. ``stderr`` as subprocess.Popen has it.
    """

    def __init__(
        self, command: Sequence[str], limit_s: float | None = None, stderr: int | None = None
    ) -> None:
        self._command = tuple(command)
        self._limit_s = limit_s
        self._stderr = stderr
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._overran = False

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        process = self._process
        return None if process is None else process.pid

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopped

    @property
    def overran(self) -> bool:
        """Whether the last run was ended for having taken its whole time."""
        return self._overran

    @contextlib.contextmanager
    def running(self, order: bytes) -> Iterator[subprocess.Popen[bytes] | None]:
        """Start the program and give it its order; None where :meth:`stop` came first.

        The block reads what it says; after the block its end is waited for, ``limit_s`` at most
        from its start: then it is killed. Ctrl-C is the box's to handle, not its. Raises OSError
        where it can't be started.
        """
        with self._lock:
            self._overran = False
            process = None if self._stopped else self._spawn()
            self._process = process
        if process is None:
            yield None
            return
        try:
            with self._limit(process), process:
                assert process.stdin is not None
                with contextlib.suppress(BrokenPipeError):  # it has ended: its answer says why
                    process.stdin.write(order)
                    process.stdin.close()
                yield process
        finally:
            with self._lock:
                self._process = None

    def stop(self) -> None:
        """End the one that runs at once, and start none any more. Idempotent."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*self._command, "--parent", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environment(),
            start_new_session=True,
        )

    @contextlib.contextmanager
    def _limit(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        if self._limit_s is None:
            yield
            return
        limit = threading.Timer(self._limit_s, self._overrun, (process,))
        limit.daemon = True
        limit.start()
        try:
            yield
        finally:
            limit.cancel()

    def _overrun(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            if self._process is process:
                self._overran = True
                process.kill()
