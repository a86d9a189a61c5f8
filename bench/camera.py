"""The project's own test camera, run for a measurement."""

import json
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
    """A test camera process that serves ``mounts`` over RTSP on a port of the system's choice."""

    def __init__(self, mounts: Sequence[Mount], folder: Path, clock: Clock) -> None:
        kind: server.Kind = "gst" if server.has_gstreamer() else "python"
        self.kind = kind
        self._program = Program(
            server.command(kind, list(mounts)),
            folder / "camera.log",
            environment=server.environment(kind),
        )
        self._clock = clock
        self._port = 0

    def url(self, path: str) -> str:
        """Return the address of the mount at ``path``."""
        return f"rtsp://127.0.0.1:{self._port}{path}"

    def __enter__(self) -> Self:
        self._program.start()
        try:
            self._port = until(
                self._ready_port, limit_s=_READY_LIMIT_S, what="test camera", clock=self._clock
            )
        except BaseException:
            self._program.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._program.stop()

    def _ready_port(self) -> int | None:
        self._program.check()
        for line in self._program.log.read_text(encoding="utf-8", errors="replace").splitlines():
            if '"ready"' in line:
                return int(json.loads(line)["port"])
        return None
