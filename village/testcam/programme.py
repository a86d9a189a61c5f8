"""What a test camera plays and when: files looped for ever, frame n due at start + n / fps."""

import argparse
import json
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Literal, TextIO

from protocol.clock import Clock
from village.testcam.clip import Clip

#: A server that was stopped for longer skips what it missed, as a camera would; less is caught up.
MAX_BEHIND_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Mount:
    """One address of the camera: ``path`` begins with a slash."""

    path: str
    file: Path
    fps: Fraction

    @classmethod
    def parse(cls, text: str) -> "Mount":
        """Return the mount of ``/path=file@fps``; raises ValueError that shows the form."""
        path, _, rest = text.partition("=")
        file, _, fps = rest.rpartition("@")
        try:
            rate = Fraction(fps)
        except (ValueError, ZeroDivisionError):
            rate = Fraction(0)
        if not path.startswith("/") or not file or rate <= 0:
            raise ValueError(f"a mount is /path=file@fps, not {text!r}")
        return cls(path, Path(file), rate)

    def __str__(self) -> str:
        return f"{self.path}={self.file}@{self.fps}"


@dataclass(frozen=True, slots=True)
class Programme:
    """A mount's clip on the clock that all mounts share: it runs whether anyone looks or not."""

    mount: Mount
    clip: Clip
    started_mono_ns: int

    def due_ns(self, frame: int) -> int:
        """Return the monotonic time at which frame ``frame`` (counted for ever) is due."""
        return self.started_mono_ns + int(frame * 1_000_000_000 / self.mount.fps)

    def frame_at(self, mono_ns: int) -> int:
        """Return the first frame that is not yet overdue at ``mono_ns``."""
        passed = max(0, mono_ns - self.started_mono_ns)
        return -int(-passed * self.mount.fps // 1_000_000_000)

    def catch_up(self, frame: int, mono_ns: int) -> int:
        """Return the frame to play next: ``frame``, or a later one where we are far behind."""
        if mono_ns - self.due_ns(frame) > MAX_BEHIND_NS:
            return self.frame_at(mono_ns)
        return frame


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the camera asks of its clients."""

    kind: Literal["basic", "digest"]
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Options:
    """A server's command line. ``port`` 0 lets the system choose.

    ``certificate`` is a PEM file with its key, of a camera that speaks TLS.
    """

    host: str
    port: int
    mounts: tuple[Mount, ...]
    credentials: Credentials | None
    certificate: Path | None = None


def parse_options(arguments: list[str] | None = None) -> Options:
    """Return the command line of either server; exits with a message where it is wrong."""
    parser = argparse.ArgumentParser(description="an RTSP camera that plays files in a loop")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--mount", action="append", required=True, metavar="/PATH=FILE@FPS")
    parser.add_argument("--auth", choices=("basic", "digest"))
    parser.add_argument("--username", default="camera")
    parser.add_argument("--password-file", help="its first line; - reads standard input")
    parser.add_argument("--certificate", type=Path, help="PEM, with its key: speak TLS by it")
    given = parser.parse_args(arguments)
    try:
        mounts = tuple(Mount.parse(text) for text in given.mount)
    except ValueError as error:
        parser.error(str(error))
    credentials = None
    if given.auth is not None:
        if given.password_file is None:
            parser.error("--auth needs --password-file")
        password = _first_line(given.password_file)
        credentials = Credentials(given.auth, given.username, password)
    return Options(given.host, given.port, mounts, credentials, given.certificate)


def _first_line(source: str) -> str:
    if source == "-":
        return sys.stdin.readline().strip()
    return Path(source).read_text(encoding="utf-8").partition("\n")[0].strip()


class Report:
    """Status lines on standard output, one JSON object a line, safe from several threads.

    ``ready``: the port and the shared start. ``loop``: a mount begins its clip again; its times are
    when the first frame is due, which is what a ground truth is laid against.
    """

    def __init__(self, clock: Clock, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._lock = threading.Lock()
        self.started_mono_ns = clock.monotonic_ns()
        self._started_utc = clock.now()

    def ready(self, server: str, host: str, port: int) -> None:
        """Say that clients may connect."""
        self._write({"event": "ready", "server": server, "host": host, "port": port}, 0)

    def loop(self, programme: Programme, frame: int) -> None:
        """Say that ``frame``, the first of a turn, is due."""
        turn = frame // len(programme.clip.units)
        after_ns = programme.due_ns(frame) - self.started_mono_ns
        self._write({"event": "loop", "mount": programme.mount.path, "loop": turn}, after_ns)

    def _write(self, fields: dict[str, str | int], after_ns: int) -> None:
        utc: datetime = self._started_utc + timedelta(microseconds=after_ns // 1000)
        line = json.dumps(
            {**fields, "mono_ns": self.started_mono_ns + after_ns, "utc": utc.isoformat()}
        )
        with self._lock:
            self._out.write(line + "\n")
            self._out.flush()
