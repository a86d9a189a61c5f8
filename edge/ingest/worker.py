"""One stream's thread: open, await the end, and open again; how the stream is judged."""

import logging
import threading
from collections.abc import Iterable
from contextlib import closing
from datetime import datetime

from edge.errors import StreamError, StreamMissing, StreamRefused, StreamStalled
from edge.faultlog import FaultLog
from edge.ingest.backoff import Backoff
from edge.ingest.fanout import Fanout
from edge.ingest.intake import Intake
from edge.ingest.source import Opener, PacketSource
from edge.media.sample import GapReason, Packet
from edge.media.timeline import Timeline
from edge.ports import StatusListener, StreamStatus
from protocol.clock import Clock
from protocol.messages import StreamState
from protocol.relay import StreamName

log = logging.getLogger(__name__)

#: A stream without a packet for so long is lost; those who ask see it within 6 s.
LOST_AFTER_S = 5.8
#: A stream that ran for so long was a good one: the next wait is a short one again.
GOOD_RUN_S = 10.0
_NS_PER_S = 1_000_000_000


class StreamWorker:
    """Keeps one stream coming. A stream is judged by the age of its last packet.

    ::

        CONNECTING  -- packet --------------------------------------> LIVE
        LIVE        -- the stream ended or broke -------------------> CONNECTING
        any         -- no packet for LOST_AFTER_S, or it stalled ---> LOST
        LOST        -- packet --------------------------------------> LIVE

    A connection that stays open without a packet (its encoder hangs, and the camera goes on sending
    reports) can't be broken from outside: it is left to a thread that hands nothing on any more,
    and a new one connects. From then on connections are watched and end by themselves, until one
    has run well, so that one thread is left at most.

    ``packets`` and ``connects`` count since the start. Listeners are told of each change, under a
    lock, so in order.
    """

    def __init__(
        self,
        camera_id: str,
        stream: StreamName,
        opener: Opener,
        fanout: Fanout,
        listeners: Iterable[StatusListener],
        clock: Clock,
        backoff: Backoff | None = None,
        lost_after_s: float = LOST_AFTER_S,
    ) -> None:
        self._camera_id = camera_id
        self._stream = stream
        self._opener = opener
        self._fanout = fanout
        self._listeners = tuple(listeners)
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._lost_after_s = lost_after_s
        self._faults = FaultLog(log, clock)
        self._stopping = threading.Event()
        self._ends_for = GapReason.BOX_OFF
        self._lock = threading.RLock()
        self._alarm: threading.Timer | None = None
        self._last_packet_at: datetime | None = None
        self._missing_since_ns: int | None = None
        self._last_packet_ns = clock.monotonic_ns()
        self._status = StreamStatus(camera_id, stream, StreamState.CONNECTING, clock.now(), None)
        self._intake: Intake | None = None
        self._opened_ns = 0
        self._watched = False
        self._left: threading.Thread | None = None
        self._thread = self._new_thread()
        self.packets = 0
        self.connects = 0

    @property
    def status(self) -> StreamStatus:
        """The stream as it is judged now."""
        return self._status

    def start(self) -> None:
        """Begin; returns at once."""
        self._arm(self._lost_after_s)
        self._thread.start()

    def stop(self, reason: GapReason = GapReason.BOX_OFF) -> None:
        """Begin to stop without waiting: with many cameras, stop all before closing each.

        ``reason`` is why nothing comes any more; the first one counts.
        """
        if not self._stopping.is_set():
            self._ends_for = reason
        self._stopping.set()
        self._disarm()

    def close(self, timeout_s: float = 5.0) -> None:
        """Stop and wait: a frame's time where the camera sends, else up to ``timeout_s``.

        A thread that is stuck in a silent connection is left to end by itself within the read
        timeout; all it hands on then is the end of its run. Idempotent.
        """
        self.stop()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _new_thread(self) -> threading.Thread:
        name = f"ingest-{self._camera_id}-{self._stream}"
        return threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            wait_s = self._attempt()
            if self._is_left():
                return
            self._stopping.wait(wait_s)

    def _leaves_one(self) -> bool:
        return self._left is not None and self._left.is_alive()

    def _is_left(self) -> bool:
        """Say whether another thread has taken the place of the one that asks."""
        return threading.current_thread() is not self._thread

    def _attempt(self) -> float:
        """Run the stream once, and return how long to wait before the next time."""
        opened_ns = self._clock.monotonic_ns()
        packets_before = self.packets
        end: StreamError | None = None
        try:
            self._pull()
        except StreamError as error:
            end = error
            self._note(error)
        except Exception as error:  # noqa: BLE001 - logged, but not at every attempt
            # The supervising loop: a bug or an odd camera costs this stream a pause, no more.
            self._faults.bug("stream.failed", error, self._who())
            self._note(StreamError(f"internal error: {type(error).__name__}"))
        if self._is_left():
            return 0.0
        now_ns = self._clock.monotonic_ns()
        if self.packets > packets_before and now_ns - opened_ns >= GOOD_RUN_S * _NS_PER_S:
            self._backoff.reset()
            self._watched = self._leaves_one()
        return self._wait_s(end, now_ns)

    def _wait_s(self, end: StreamError | None, now_ns: int) -> float:
        """Return how long to wait after such an end."""
        if isinstance(end, StreamRefused):
            return self._backoff.refused_s()
        if isinstance(end, StreamMissing):
            if self._missing_since_ns is None:
                self._missing_since_ns = now_ns
            return self._backoff.missing_s((now_ns - self._missing_since_ns) / _NS_PER_S)
        self._missing_since_ns = None
        return self._backoff.wait_s()

    def _pull(self) -> None:
        with closing(self._opener.open(watched=self._watched)) as source:
            self.connects += 1
            timeline = Timeline(self._camera_id, self._stream, source.codec, source.extradata)
            intake = Intake(timeline, self._fanout)
            self._begin(intake)
            reason = GapReason.NETWORK
            try:
                self._pump(source, intake)
            except StreamStalled:
                reason = GapReason.CAMERA
                raise
            finally:
                if self._stopping.is_set():
                    reason = self._ends_for
                intake.close(reason, self._clock.now())
        if not self._stopping.is_set():
            raise StreamError("the camera closed the stream")

    def _begin(self, intake: Intake) -> None:
        with self._lock:
            self._intake, self._opened_ns = intake, self._clock.monotonic_ns()
            if self._status.state is StreamState.LOST:  # else it is awaited already
                self._arm(self._lost_after_s)

    def _pump(self, source: PacketSource, intake: Intake) -> None:
        def take(packet: Packet) -> bool:
            if self._stopping.is_set() or intake.is_closed:
                return False
            self._came(packet)
            intake.take(packet)
            return True

        source.deliver(take)

    def _came(self, packet: Packet) -> None:
        """Judge the stream by a packet that just came, however long the burst holds it back."""
        self.packets += 1
        self._last_packet_at = packet.received_utc
        self._last_packet_ns = packet.received_mono_ns
        if self._status.state is not StreamState.LIVE:
            self._change(StreamState.LIVE, None)

    # -- judging ----------------------------------------------------------------------------------

    def _note(self, error: StreamError) -> None:
        """Tell of a stream that ended or could not be opened."""
        if self._stopping.is_set() or self._is_left():
            return
        text = str(error)
        self._faults.report("stream.fault", text, self._who())
        was = self._status.state
        if was is not StreamState.LIVE:
            self._change(was, text)
            return
        if isinstance(error, StreamStalled):
            self._change(StreamState.LOST, text)
            return
        silent_s = (self._clock.monotonic_ns() - self._last_packet_ns) / _NS_PER_S
        self._change(StreamState.CONNECTING, text)
        self._arm(max(0.0, self._lost_after_s - silent_s))

    def _arm(self, after_s: float) -> None:
        with self._lock:
            self._disarm()
            self._alarm = threading.Timer(after_s, self._expire)
            self._alarm.daemon = True
            self._alarm.start()

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def _expire(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            if self._status.state is StreamState.CONNECTING:
                self._tell(StreamState.LOST, self._status.error or "no packet yet")
            if self._intake is None or self._intake.is_closed:
                return  # not connected: the next attempt tells
            since_ns = max(self._opened_ns, self._last_packet_ns)
            silent_s = (self._clock.monotonic_ns() - since_ns) / _NS_PER_S
            if silent_s < self._lost_after_s:
                self._arm(self._lost_after_s - silent_s)
            else:
                self._give_up(self._intake)

    def _give_up(self, intake: Intake) -> None:
        """Take an open connection without packets for lost; with the lock held."""
        text = f"connected, but no packet for {self._lost_after_s:g} s"
        self._faults.report("stream.fault", text, self._who())
        self._change(StreamState.LOST, text)
        self._watched, now = True, self._clock.now()
        if self._leaves_one():
            intake.end_run(GapReason.CAMERA, now)
            return
        intake.close(GapReason.CAMERA, now)
        self._left, self._thread = self._thread, self._new_thread()
        self._thread.start()

    def _change(self, state: StreamState, error: str | None) -> None:
        with self._lock:
            if state is StreamState.LIVE:
                self._arm(self._lost_after_s)
                self._faults.note("stream.live", self._who())
            if (state, error) != (self._status.state, self._status.error):
                self._tell(state, error)

    def _tell(self, state: StreamState, error: str | None) -> None:
        since = self._status.since if state is self._status.state else self._clock.now()
        self._status = StreamStatus(
            self._camera_id, self._stream, state, since, self._last_packet_at, error
        )
        for listener in self._listeners:
            try:
                listener.stream_changed(self._status)
            except Exception as bug:  # noqa: BLE001 - logged, but not at every change
                self._faults.bug("stream.listener_failed", bug, self._who())

    def _who(self) -> dict[str, str]:
        return {"camera_id": self._camera_id, "stream": self._stream.value}
