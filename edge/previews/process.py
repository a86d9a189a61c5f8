"""The picture process as the box sees it: started when it is needed, killed when it is late."""

import logging
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass

from edge import offspring
from edge.errors import MediaError
from edge.previews import wire

log = logging.getLogger(__name__)

#: A 4K key frame takes 40 ms; ten times that on a small box that is busy, and ten times more.
LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    link: socket.socket


class PictureProcess:
    """Makes one picture at a time in a process of low priority. Any thread may call it.

    ``command`` is how the process is started; ``limit_s`` how long its silence is borne.
    """

    def __init__(
        self,
        command: tuple[str, ...] = (sys.executable, "-m", "edge.previews.child"),
        limit_s: float = LIMIT_S,
    ) -> None:
        self._command = command
        self._limit_s = limit_s
        self._turn = threading.Lock()
        self._child: _Child | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process, or None while there is none."""
        child = self._child
        return None if child is None or child.process.poll() is not None else child.process.pid

    def picture(self, question: wire.Question) -> bytes:
        """Return the JPEG; blocks for its turn and for the decoding.

        Raises MediaError where the key frame does not decode, or takes or crashes the process.
        """
        with self._turn:
            if self._child is not None and self._child.process.poll() is None:
                try:
                    return self._ask(self._child, question)
                except (BrokenPipeError, ConnectionResetError, EOFError):
                    # It had been idle for so long that it left just now: a new one is asked.
                    self._end()
            if self._closed:
                raise MediaError("no more pictures: the box stops")
            try:
                self._end()
                self._child = self._start()
                return self._ask(self._child, question)
            except (OSError, EOFError) as error:
                self._end()
                raise MediaError(f"the picture process failed: {error!r}") from error

    def close(self) -> None:
        """End the process, in the midst of a picture too, and make no more. Idempotent."""
        self._closed = True
        child = self._child
        if child is not None:
            child.process.kill()  # whoever waits for it has the turn
        with self._turn:
            self._end()

    def _ask(self, child: _Child, question: wire.Question) -> bytes:
        try:
            return wire.ask(child.link, question)
        except TimeoutError as error:
            self._end()
            raise MediaError(f"no picture within {self._limit_s:g} s") from error

    def _start(self) -> _Child:
        ours, theirs = socket.socketpair()
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*self._command, "--fd", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=offspring.environment(),
                start_new_session=True,  # Ctrl-C is the box's to handle
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.settimeout(self._limit_s)
        log.info("previews.started", extra={"pid": process.pid})
        return _Child(process, ours)

    def _end(self) -> None:
        if self._child is None:
            return
        self._child.link.close()
        self._child.process.kill()
        self._child.process.wait()
        self._child = None
