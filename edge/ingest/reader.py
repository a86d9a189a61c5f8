"""One thread that reads all cameras' connections, once they play.

It wakes up some thirty times a second and takes all that came meanwhile with one read a camera. A
read for each RTP packet, and a thread for each camera, cost more than all else that recording does.
"""

import logging
import random
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from edge import heap
from edge.errors import StreamError, StreamStalled
from edge.faultlog import FaultLog
from edge.ingest.source import Taker
from edge.rtsp.dialogue import Dialogue
from edge.rtsp.message import response
from edge.rtsp.reception import Reception
from edge.rtsp.rtp import receiver_report
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: For so long packets may gather in the kernel; live view is later by half of it on average.
GATHER_S = 0.03
#: Idle, it looks for connections that are silent for too long so often.
IDLE_S = 0.1
#: What one read may take. A frame of RTSP is 64 KB at most, so that one always fits.
BUFFER_BYTES = 256 * 1024
#: Reads of one connection in a turn: a camera that floods us takes no more than its turn.
MAX_READS = 4
#: TLS gives 16 KB a read.
MAX_TLS_READS = 64
#: We report what we got so often; cameras that get none may stop sending.
REPORT_S = 10.0
#: Groups of pictures that are done with leave holes of their own size; the C library would keep
#: them for later, up to the largest amount that was ever in use at once. A millisecond each time;
#: after a whole second, all that was given back had been asked for again (16 cameras, measured).
TRIM_S = 0.25
#: What a camera does not take of our few words; it is given up then.
MAX_UNSENT_BYTES = 16 * 1024

_NS_PER_S = 1_000_000_000


class Line:
    """One connection that plays. The reader's thread alone uses it, but for what says otherwise.

    ``early`` is what came behind the answer to PLAY. A line ends once, with an error or none.
    """

    def __init__(
        self, connection: socket.socket, dialogue: Dialogue, reception: Reception, early: bytes
    ) -> None:
        self.connection = connection
        self.number = connection.fileno()
        self._dialogue = dialogue
        self._reception = reception
        self._rest = early
        self._is_new = True
        self._unsent = bytearray()
        self._take: Taker | None = None
        self._silent_after_s = 0.0
        self._error: Exception | None = None
        self._ended = threading.Event()
        self._ssrc = random.getrandbits(32)
        self._reads = MAX_TLS_READS if isinstance(connection, ssl.SSLSocket) else MAX_READS
        self._last_packet_ns = 0
        self._report_ns = 0
        self._keep_alive_ns = 0
        self._sender_report_ns = 0
        self._last_report: object = None

    def begin(self, take: Taker, silent_after_s: float, now_ns: int) -> None:
        """Say who takes the packets, and how long a silence ends the line; before it is read."""
        self._take, self._silent_after_s = take, silent_after_s
        self._last_packet_ns = self._sender_report_ns = now_ns
        self._report_ns = now_ns + round(REPORT_S * _NS_PER_S)
        self._keep_alive_ns = now_ns + self._dialogue.session_s * _NS_PER_S // 2

    @property
    def is_over(self) -> bool:
        """Whether it has ended; from any thread."""
        return self._ended.is_set()

    def end(self, error: Exception | None) -> None:
        """End it; from any thread. The first end counts."""
        if not self._ended.is_set():
            self._error = error
            self._ended.set()

    def wait(self) -> None:
        """Wait for its end, in the thread of who opened it, and raise what it ended with."""
        self._ended.wait()
        if self._error is not None:
            raise self._error

    def read(self, buffer: bytearray, clock: Clock) -> bool:
        """Take all that came; say whether there may be more at once."""
        view = memoryview(buffer)
        if self._is_new:
            self._is_new = False
            buffer[: len(self._rest)] = self._rest
            self._digest(buffer, len(self._rest), clock)
        for _ in range(self._reads):
            if self._ended.is_set():
                return False
            held = len(self._rest)
            buffer[:held] = self._rest
            room = len(buffer) - held
            try:
                count = self.connection.recv_into(view[held:])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            if count == 0:
                self.end(None)
                return False
            self._digest(buffer, held + count, clock)
            if count < room and self._reads == MAX_READS:
                return False
        return True

    def _digest(self, buffer: bytearray, stop: int, clock: Clock) -> None:
        now_ns, now = clock.monotonic_ns(), clock.now()
        used, packets = self._reception.take(buffer, stop, now_ns, now)
        self._rest = bytes(buffer[used:stop])
        assert self._take is not None
        for packet in packets:
            self._last_packet_ns = now_ns
            if not self._take(packet):
                self.end(None)
                return
        if self._reception.messages:
            self._answer()

    def _answer(self) -> None:
        for message in self._reception.messages:
            if message.status:
                self._dialogue.renew(message)
            else:
                self._unsent += response(501, "Not Implemented", message.header("cseq") or "0")
        self._reception.messages.clear()

    def attend(self, now_ns: int) -> None:
        """Do what is due by time: keep the session, report, judge the silence."""
        silent_ns = now_ns - self._last_packet_ns
        if silent_ns >= self._silent_after_s * _NS_PER_S:
            text = f"connected, but no packet for {self._silent_after_s:g} s"
            self.end(StreamStalled(text))
            return
        if now_ns >= self._keep_alive_ns:
            self._keep_alive_ns = now_ns + self._dialogue.session_s * _NS_PER_S // 2
            self._unsent += self._dialogue.keep_alive()
        if now_ns >= self._report_ns:
            self._report_ns = now_ns + round(REPORT_S * _NS_PER_S)
            self._report(now_ns)
        if self._unsent:
            self._send()

    def hang_up(self) -> None:
        """Say farewell, as far as the camera listens, and close; once nobody reads it any more."""
        with suppress(OSError, StreamError):
            self.connection.send(self._dialogue.tear_down())
        self.connection.close()

    def _report(self, now_ns: int) -> None:
        reception = self._reception
        if reception.source is None:
            return
        if reception.report is not self._last_report:
            self._last_report, self._sender_report_ns = reception.report, now_ns
        since_s = (now_ns - self._sender_report_ns) / _NS_PER_S
        body = receiver_report(
            self._ssrc, reception.source, reception.sequence, reception.report, since_s
        )
        self._unsent += bytes((0x24, self._dialogue.channel + 1)) + len(body).to_bytes(2) + body

    def _send(self) -> None:
        with suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            del self._unsent[: self.connection.send(self._unsent)]
        if len(self._unsent) > MAX_UNSENT_BYTES:
            raise StreamError("the camera takes none of our requests")


class Reader:
    """The thread; it starts with the first line, and is one for all. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults = FaultLog(log, clock)
        self._lock = threading.Lock()
        self._lines: dict[int, Line] = {}
        self._selector = selectors.DefaultSelector()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._busy: set[Line] = set()
        self._trim_ns = 0
        self._buffer = bytearray(BUFFER_BYTES)  # each line's in its turn

    def add(self, line: Line) -> None:
        """Read a line from now on, until it ends."""
        with self._lock:
            if self._closing.is_set():
                line.end(None)
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
                self._thread.start()
            self._lines[line.number] = line
            self._selector.register(line.connection, selectors.EVENT_READ, line)
            self._busy.add(line)  # what came with the answer to PLAY raises no event

    def remove(self, line: Line) -> None:
        """Read it no more, whatever comes. Idempotent; waits while it is being read."""
        line.end(None)
        with self._lock:
            self._forget(line)

    def close(self) -> None:
        """End all lines and the thread."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            for line in [*self._lines.values()]:
                line.end(None)
                self._forget(line)
        self._selector.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._turn([key.data for key, _ in self._selector.select(IDLE_S)])
            except Exception as error:  # noqa: BLE001 - logged, but not at every turn
                # The supervising loop: what is wrong here must not stop all cameras for good.
                self._faults.bug("reader.failed", error, {})
            self._closing.wait(GATHER_S)

    def _turn(self, ready: list[Line]) -> None:
        with self._lock:
            asked, self._busy = self._busy.union(ready), set()
            for line in asked:
                if self._lines.get(line.number) is line and self._read(line):
                    self._busy.add(line)
            now_ns = self._clock.monotonic_ns()
            for line in [*self._lines.values()]:
                self._attend(line, now_ns)
                if line.is_over:
                    self._forget(line)
        if now_ns >= self._trim_ns:
            self._trim_ns = now_ns + round(TRIM_S * _NS_PER_S)
            heap.give_back()

    def _read(self, line: Line) -> bool:
        with _ending(line):
            return line.read(self._buffer, self._clock)
        return False

    def _attend(self, line: Line, now_ns: int) -> None:
        with _ending(line):
            line.attend(now_ns)

    def _forget(self, line: Line) -> None:
        if self._lines.get(line.number) is line:
            del self._lines[line.number]
            self._busy.discard(line)
            with suppress(OSError, ValueError):
                self._selector.unregister(line.connection)


@contextmanager
def _ending(line: Line) -> Iterator[None]:
    """Let what goes wrong end this line alone; who waits for its end is told."""
    try:
        yield
    except OSError as error:
        line.end(StreamError(f"the connection broke: {error.strerror or type(error).__name__}"))
    except Exception as error:  # noqa: BLE001 - raised again where the line is awaited
        line.end(error)
