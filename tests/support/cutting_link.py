"""A TCP link to one server that breaks at given places of what goes up."""

import contextlib
import socket
import struct
import threading
from collections.abc import Sequence

_READ_BYTES = 16 * 1024
#: Closing with it sends a reset: what the other end has not read yet is lost, as on a real link.
_RESET = struct.pack("ii", 1, 0)


class CuttingLink:
    """Forwards each connection to ``port``, and breaks them all after the next of ``cuts_at``.

    ``cuts_at`` are places in all bytes that ever went up; by turns both ends are reset or closed.
    """

    def __init__(self, port: int, cuts_at: Sequence[int] = ()) -> None:
        self._port = port
        self._cuts_at = sorted(cuts_at)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.up_bytes = 0
        self.cuts = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._begin(self._accept)

    def close(self) -> None:
        """Break everything and wait for the threads."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        with self._lock:
            self._break()
        for thread in self._threads:
            thread.join()

    def _begin(self, work, *given):
        thread = threading.Thread(target=work, args=given)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                box, _ = self._server.accept()
                try:
                    centre = socket.create_connection(("127.0.0.1", self._port))
                except OSError:  # nobody is there: not now
                    box.close()
                    continue
                with self._lock:
                    self._open |= {box, centre}
                self._begin(self._up, box, centre)
                self._begin(self._down, centre, box)

    def _up(self, box, centre):
        with contextlib.suppress(OSError):
            while data := box.recv(_READ_BYTES):
                with self._lock:
                    room = self._cuts_at[0] - self.up_bytes if self._cuts_at else len(data)
                    passed = data[:room]
                    self.up_bytes += len(passed)
                    centre.sendall(passed)
                    if room <= len(data) and self._cuts_at:
                        self._cuts_at.pop(0)
                        self.cuts += 1
                        self._break()
                        return
            centre.shutdown(socket.SHUT_WR)

    def _down(self, centre, box):
        with contextlib.suppress(OSError):
            while data := centre.recv(_READ_BYTES):
                box.sendall(data)
        with self._lock:
            self._end(box)
            self._end(centre)

    def _break(self):
        for end in list(self._open):
            if self.cuts % 2:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._end(end)

    def _end(self, end):
        if end in self._open:
            self._open.discard(end)
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
