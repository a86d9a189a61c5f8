"""A connection to a camera on which nothing is waited for without end."""

import io
import socket
from collections.abc import Callable
from typing import Self

from edge.errors import CameraBlocked, CameraTimeout, CameraUnreachable
from protocol.clock import Clock

_NS_PER_S = 1_000_000_000


class Deadline:
    """A moment of the monotonic clock: what is left until then, or CameraTimeout."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end_ns = clock.monotonic_ns() + round(seconds * _NS_PER_S)

    def left_s(self, at_most_s: float) -> float:
        """Return how many seconds may still be waited, at most ``at_most_s``."""
        left_s = (self._end_ns - self._clock.monotonic_ns()) / _NS_PER_S
        if left_s <= 0:
            raise CameraTimeout("the camera took too long for the whole answer")
        return min(left_s, at_most_s)


class Line:
    """An open connection, as http.client wants one: each read and all of them are bounded.

    A camera that sends a byte a second keeps within any limit between two bytes; the deadline is of
    the whole exchange, headers included. The caller owns it and calls ``end``.
    """

    def __init__(
        self, connection: socket.socket, deadline: Deadline, read_s: float, max_bytes: int
    ) -> None:
        self._connection = connection
        self._deadline = deadline
        self._read_s = read_s
        self._left_bytes = max_bytes

    @classmethod
    def open(
        cls,
        address: tuple[str, int],
        secured: Callable[[socket.socket], socket.socket],
        deadline: Deadline,
        *,
        connect_s: float,
        read_s: float,
        max_bytes: int,
    ) -> Self:
        """Connect to an IP address and port; ``secured`` lays TLS over it, or nothing."""
        try:
            plain = socket.create_connection(address, deadline.left_s(connect_s))
        except TimeoutError as error:
            raise CameraTimeout(f"no connection within {connect_s:g} s") from error
        except OSError as error:
            raise CameraUnreachable(f"no connection: {error.strerror or error}") from error
        try:
            return cls(secured(plain), deadline, read_s, max_bytes)
        except BaseException:
            plain.close()
            raise

    def sendall(self, data: bytes) -> None:
        """Send a request, or a part of it."""
        self._connection.settimeout(self._deadline.left_s(self._read_s))
        try:
            self._connection.sendall(data)
        except TimeoutError as error:
            raise CameraTimeout("the camera takes no request") from error
        except OSError as error:
            raise CameraUnreachable(f"the connection broke: {error.strerror or error}") from error

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the one reader of what the camera sends."""
        return io.BufferedReader(_Reader(self))

    def receive(self, buffer: memoryview) -> int:
        """Read some bytes; 0 where the camera has ended. Bounded as the class says."""
        wait_s = self._deadline.left_s(self._read_s)
        self._connection.settimeout(wait_s)
        try:
            count = self._connection.recv_into(buffer)
        except TimeoutError as error:
            raise CameraTimeout(f"the camera was silent for {wait_s:.3g} s") from error
        except OSError as error:
            raise CameraUnreachable(f"the connection broke: {error.strerror or error}") from error
        self._left_bytes -= count
        if self._left_bytes < 0:
            raise CameraBlocked("the answer is larger than any that is taken")
        return count

    def close(self) -> None:
        """Do nothing: http.client lets go of it with the headers, before the body is read."""

    def end(self) -> None:
        """Let the connection go. Idempotent."""
        self._connection.close()


class _Reader(io.RawIOBase):
    def __init__(self, line: Line) -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # a Buffer, in stubs
        return self._line.receive(buffer)
