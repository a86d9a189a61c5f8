"""The project's own test camera, run for a measurement."""

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.program import Program
from bench.wait import until
from protocol.clock import Clock
from village.testcam import server
from village.testcam.programme import Mount

_READY_LIMIT_S = 30.0


class Camera:
    """A test camera process that serves ``mounts`` over RTSP on a port of the system's choice.

    It can be killed and started again on that port, and frozen as a hung camera is.
    """

    def __init__(self, mounts: Sequence[Mount], folder: Path, clock: Clock) -> None:
        self.kind: server.Kind = "gst" if server.has_gstreamer() else "python"
        self._mounts = list(mounts)
        self._log = folder / "camera.log"
        self._clock = clock
        self._port = 0
        self._program = self._made()

    def url(self, path: str) -> str:
        """Return the address of the mount at ``path``."""
        return f"rtsp://127.0.0.1:{self._port}{path}"

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._program.signal(signal.SIGKILL)
        self._program.stop()

    def start(self) -> None:
        """Start it, on its port where it had one; raises ProgramError, WaitedTooLongError."""
        self._program = self._made()
        self._program.start()
        try:
            self._port = until(
                self._ready_port, limit_s=_READY_LIMIT_S, what="test camera", clock=self._clock
            )
        except BaseException:
            self._program.stop()
            raise

    def freeze(self) -> None:
        """Stop the process; its connections stay open and silent."""
        self._program.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on; it skips what it missed."""
        self._program.signal(signal.SIGCONT)

    def _made(self) -> Program:
        line = server.command(self.kind, self._mounts, port=self._port)
        return Program(line, self._log, environment=server.environment(self.kind))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.thaw()  # a stopped process does not hear that it shall end
        self._program.stop()

    def _ready_port(self) -> int | None:
        self._program.check()
        for line in self._program.log.read_text(encoding="utf-8", errors="replace").splitlines():
            if '"ready"' in line:
                return int(json.loads(line)["port"])
        return None
