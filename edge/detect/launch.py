"""Starting the detector process, and what the box holds of it while it runs."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Self

from edge import offspring
from edge.detect import wire
from models.runtime import Runtime
from models.store import Selection

#: The detector beats every second; a picture on a slow machine takes under 3 s.
HANG_S = 8.0
#: Loading the libraries from a cold, slow disk.
START_S = 60.0
_END_S = 2.0


@dataclass(frozen=True, slots=True)
class Models:
    """What the process looks with, and how weak what it reports may be.

    ``min_score`` is of people, ``fire_factor`` a share of the fire model's own scores.
    """

    people: Selection | None = None
    fire: Selection | None = None
    min_score: float = 1.0
    fire_factor: float = 1.0
    runtime: Runtime = Runtime.ONNXRUNTIME

    def setup(self) -> wire.Setup:
        """Return what the process is told of it."""
        people, fire = _named(self.people), _named(self.fire)
        return wire.Setup(
            *people, self.min_score, *fire, self.fire_factor, runtime=self.runtime.value
        )


@dataclass(frozen=True, slots=True)
class Launch:
    """How the process is started, and how long its silence is borne."""

    command: tuple[str, ...] = (sys.executable, "-m", "edge.detect.child")
    hang_s: float = HANG_S
    start_s: float = START_S


@dataclass(slots=True)
class Child:
    """A detector process: its socket, what waits to be sent to it, and when it was last heard."""

    process: subprocess.Popen[bytes]
    link: socket.socket
    deframer: wire.Deframer
    unsent: bytes
    started_ns: int
    heard_ns: int
    ready: bool = False
    ended: str | None = None  # why, once that is known

    @classmethod
    def spawn(cls, command: tuple[str, ...], setup: wire.Setup, now_ns: int) -> Self:
        """Start one; its setup waits to be sent. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*command, *("--fd", str(theirs.fileno()), "--parent", str(os.getpid()))],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=offspring.environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"),
                start_new_session=True,  # Ctrl-C is the box's to handle
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.settimeout(0)
        return cls(process, ours, wire.Deframer(), wire.pack_setup(setup), now_ns, now_ns)

    def told_end(self, what: str) -> str:
        """Return how it ended where it did, else ``what`` was noticed; waits a little for it."""
        try:
            code = self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            return what
        return f"it ended with {code}"

    def end(self) -> None:
        """Kill the process if it is still there, and reap it."""
        self.link.close()
        self.process.kill()
        self.process.wait()


def _named(selection: Selection | None) -> tuple[str, str, str]:
    """Return a model's name, its file and the user's manifest as the setup has them."""
    if selection is None:
        return "", "", ""
    own = "" if selection.manifest is None else str(selection.manifest)
    return selection.entry.name, str(selection.path), own
