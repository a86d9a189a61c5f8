"""A program under measurement: started in a group of its own, its output kept, always stopped."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

#: How long a program may take to end by itself before it is killed.
STOP_S = 20.0


class ProgramError(Exception):
    """A program could not be started, ended too early or never became ready."""


class Program:
    """One process and what it starts. Standard output and error go to ``log``.

    Used as a context: leaving it ends the whole group, first by SIGTERM, then by SIGKILL.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.command = tuple(command)
        self.log = log
        self._environment = environment
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's id; ProgramError before the start."""
        return self._started().pid

    def start(self) -> None:
        """Start it. Raises ProgramError where it can't be."""
        self._output = self.log.open("wb")
        try:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
            )
        except OSError as error:
            self._output.close()
            raise ProgramError(f"{self.command[0]}: {error.strerror}") from error

    def check(self) -> None:
        """Raise ProgramError, with the end of its output, where it no longer runs."""
        status = self._started().poll()
        if status is not None:
            raise ProgramError(f"{self.command[0]} ended with {status}:\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its output."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> int | None:
        """End the group and return the exit status; nothing happens where it was not started."""
        if self._process is None:
            return None
        self.signal(signal.SIGTERM)
        try:
            status = self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            status = self._process.wait()
        self.signal(signal.SIGKILL)  # what its children left behind
        if self._output is not None:
            self._output.close()
        return status

    def signal(self, number: signal.Signals) -> None:
        """Send the whole group a signal; nothing happens where it has ended."""
        try:
            os.killpg(self._started().pid, number)
        except ProcessLookupError:
            return

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ProgramError(f"{self.command[0]}: not started")
        return self._process
