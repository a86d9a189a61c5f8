"""One program that the launcher keeps running."""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from protocol.clock import Clock
from village.logfile import LogFile

ROOT = Path(__file__).resolve().parents[1]
_LEASH = Path(__file__).with_name("leash.py")
_STEADY_S = 30.0
#: What it said last is in its pipe; a process it left behind may keep that open.
_LAST_WORDS_S = 0.2
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. ``stop_s``: how long it may take to end by itself."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_s: float = 5.0


def python_module(
    name: str, module: str, *arguments: str, stop_s: float = 5.0, folder: Path = ROOT
) -> Program:
    """Return a program of this project, run by this Python."""
    command = [sys.executable, "-m", module, *arguments]
    return Program(name, command, {"PYTHONPATH": str(folder), "PYTHONUNBUFFERED": "1"}, stop_s)


class Backoff:
    """How long to wait before a program that ended is started again.

    At once the first time: a box that lost its edge should lose no second more. After that
    0.5, 1, 2 … 30 s, and at once again when it has run for 30 s.
    """

    def __init__(self) -> None:
        self._failures = 0

    def pause_s(self, lived_s: float) -> float:
        """Return the pause after a life of ``lived_s``."""
        if lived_s >= _STEADY_S:
            self._failures = 0
        self._failures += 1
        if self._failures == 1:
            return 0.0
        return float(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (self._failures - 2)))


class Child:
    """A program, started again by its owner whenever it ends; its output goes to ``log``.

    It is on a leash: it gets SIGTERM when the thread that called :meth:`start` ends. Ctrl-C is not
    passed to it. Used from one thread.
    """

    def __init__(self, program: Program, log: LogFile, clock: Clock) -> None:
        self.program = program
        self.starts = 0
        self.backoff = Backoff()
        self._log = log
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._started_ns = 0
        self._gone_fd: int | None = None

    @property
    def name(self) -> str:
        """The program's name."""
        return self.program.name

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None else None

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process ends; only while it runs."""
        assert self._gone_fd is not None
        return self._gone_fd

    def start(self) -> None:
        """Start it. Raises OSError where the system can't; nothing is left running then."""
        assert self._process is None
        environment = {**os.environ, **self.program.environment}
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *self.program.command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        reader = threading.Thread(
            target=self._copy, args=(process.stdout,), name=f"log-{self.name}", daemon=True
        )
        try:
            self._gone_fd = os.pidfd_open(process.pid)
            self._note(f"started, pid {process.pid}")
            reader.start()
        except (OSError, RuntimeError) as error:  # no descriptor is left, or no thread
            self._undo(process)
            if isinstance(error, RuntimeError):
                raise OSError(errno.EAGAIN, "can't start new thread") from error
            raise
        self._process, self._reader = process, reader
        self._started_ns = self._clock.monotonic_ns()
        self.starts += 1

    def _undo(self, process: subprocess.Popen[bytes]) -> None:
        """Undo a start that came half the way."""
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        if self._gone_fd is not None:
            os.close(self._gone_fd)
            self._gone_fd = None

    def reap(self) -> tuple[int, float]:
        """Wait for its end; return the exit status (minus a signal's number) and its life in s."""
        assert self._process is not None
        assert self._gone_fd is not None
        status = self._process.wait()
        lived_s = (self._clock.monotonic_ns() - self._started_ns) / 1e9
        os.close(self._gone_fd)
        self._process, self._gone_fd = None, None
        if self._reader is not None:
            self._reader.join(_LAST_WORDS_S)
        self._note(f"ended after {lived_s:.1f} s: {reason(status)}")
        return status, lived_s

    def tell_to_stop(self) -> None:
        """Ask it to end; nothing happens where it does not run."""
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Wait for the end that was asked for; past ``stop_s`` kill it. Idempotent."""
        if self._process is None:
            return
        try:
            self._process.wait(self.program.stop_s)
        except subprocess.TimeoutExpired:
            self._note(f"did not end within {self.program.stop_s:.0f} s: killed")
            self.kill_group()
        self.reap()

    def kill_group(self) -> None:
        """Kill it and what it started."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _copy(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self._log.write(line)

    def _note(self, text: str) -> None:
        now = self._clock.now().isoformat(timespec="milliseconds")
        self._log.write(f"--- {now} {self.name} {text}\n".encode())


def reason(status: int) -> str:
    """Return an exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
