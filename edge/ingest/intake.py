"""What comes by one connection, on its way to the subscribers."""

import threading
from collections.abc import Iterable
from datetime import datetime

from edge.ingest.burst import OpeningBurst
from edge.ingest.fanout import Fanout
from edge.media.sample import GapReason, Packet
from edge.media.timeline import Timeline


class Intake:
    """Hands packets on as samples of runs, until it is closed.

    One thread reads the packets; any may end the run or close the intake while that one waits for
    the next. Once closed nothing of it is offered any more, so the next connection's intake has
    the subscribers for itself.
    """

    def __init__(self, timeline: Timeline, fanout: Fanout) -> None:
        self._timeline = timeline
        self._fanout = fanout
        self._burst = OpeningBurst()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether what comes now is nobody's."""
        return self._closed

    def take(self, packet: Packet) -> None:
        """Hand on what a packet gives; nothing where the intake is closed."""
        with self._lock:
            if not self._closed:
                self._hand_on(self._burst.take(packet))

    def end_run(self, reason: GapReason, at: datetime) -> None:
        """Say that for now nothing comes; a packet that does begins a run."""
        with self._lock:
            self._end_run(reason, at)

    def close(self, reason: GapReason, at: datetime) -> None:
        """End the run and take nothing more. Idempotent."""
        with self._lock:
            try:
                self._end_run(reason, at)
            finally:
                self._closed = True

    def _end_run(self, reason: GapReason, at: datetime) -> None:
        if self._closed:
            return
        try:
            self._hand_on(self._burst.rest())
        finally:
            for item in self._timeline.finish(reason, at):
                self._fanout.offer(item)

    def _hand_on(self, packets: Iterable[Packet]) -> None:
        for packet in packets:
            for item in self._timeline.feed(packet):
                self._fanout.offer(item)
