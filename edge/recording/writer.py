"""One stream of a camera onto the disk."""

import logging
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from edge.faultlog import FaultLog
from edge.media.sample import TICKS_PER_S, GapReason, RunEnded, Sample, StreamItem
from edge.recording.file import SegmentFile, new_path
from edge.recording.index import RecordingIndex
from edge.recording.ledger import Ledger
from edge.recording.segment import Gap
from protocol.clock import Clock
from protocol.relay import StreamName

log = logging.getLogger(__name__)

#: 16 s of a 4 Mbit/s camera: what a disk may take to wake up, or a sync on a busy one.
MAX_QUEUE_BYTES = 8 * 1024 * 1024

#: A fragment is written when it has the first length, or would outgrow the second. A killed process
#: loses at most one, and with the frame that FFmpeg's reader holds back that is below 1 s.
FRAGMENT_90K = TICKS_PER_S * 8 // 10
MAX_FRAGMENT_90K = TICKS_PER_S

#: Smart codecs send a key frame in minutes; a file that waits for it grows without a row. It is cut
#: between key frames at this length, or half a minute over a long ``segment_s``.
MAX_FILE_90K = 60 * TICKS_PER_S
KEY_PATIENCE_90K = 30 * TICKS_PER_S

#: After the disk refused a write, a new file is tried at the first key frame after so long.
RETRY_DISK_S = 2.0
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Overflow:
    """Samples were dropped here: the queue was full."""


class Recorder:
    """Takes a stream's samples and keeps them as files of ``segment_s``, cut at key frames.

    A thread of its own writes: fragments of at most 1 s, unbuffered; ``fdatasync`` every
    ``sync_s``; a closed file is synced, then indexed. Whatever is not recorded becomes a gap with a
    reason (recording I6).

    The queue holds ``max_queue_bytes`` beside what is being written. When it is full because the
    disk does not follow, samples are dropped up to the next key frame that finds it half empty,
    counted in ``dropped``, and are a gap of reason DISK.
    """

    def __init__(
        self,
        camera_id: str,
        stream: StreamName,
        index: RecordingIndex,
        clock: Clock,
        segment_s: float,
        sync_s: float,
        max_queue_bytes: int = MAX_QUEUE_BYTES,
    ) -> None:
        self._camera_id = camera_id
        self._stream = stream
        self._index = index
        self._clock = clock
        self._segment_90k = round(segment_s * TICKS_PER_S)
        self._max_file_90k = max(MAX_FILE_90K, self._segment_90k + KEY_PATIENCE_90K)
        self._sync_s = sync_s
        self._max_queue_bytes = max_queue_bytes
        self._ledger = Ledger(camera_id, clock)
        self._faults = FaultLog(log, clock)

        # Shared with the ingest thread, under the lock.
        self._wake = threading.Condition()
        self._queue: deque[StreamItem | _Overflow] = deque()
        self._queue_bytes = 0
        self._overflowing = False
        self._closing = False
        self._ends_for = GapReason.BOX_OFF
        self._ripe = False
        self._fragment_90k: int | None = None
        self.dropped = 0

        # The writer thread's own.
        self._file: SegmentFile | None = None
        self._pending: list[Sample] = []
        self._missing = True
        self._gap_reason: GapReason | None = None
        self._gap_start = datetime.min.replace(tzinfo=UTC)
        self._blocked_until_ns: int | None = None
        self._synced_ns = 0
        self.segments = 0
        self.write_errors = 0
        self._thread = threading.Thread(
            target=self._run, name=f"record-{camera_id}-{stream.value}", daemon=True
        )

    def start(self) -> None:
        """Begin. From now on the camera's footage is missing until its first sample is written.

        A gap left open by the last run of the process ends here: call recovery first. Raises
        StorageError where the index can't be read.
        """
        now = self._clock.now()
        self._gap_start = self._index.latest(self._camera_id, self._stream, now) or self._gap_start
        self._miss(now, GapReason.CAMERA)
        self._synced_ns = self._clock.monotonic_ns()
        self._thread.start()

    def close(self, timeout_s: float = 10.0, reason: GapReason = GapReason.BOX_OFF) -> None:
        """Write what is queued, close and index the file, and wait for that. Idempotent.

        ``reason`` is why nothing is recorded from now on; the first one counts.
        """
        with self._wake:
            if not self._closing:
                self._ends_for = reason
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                log.error("recorder.stuck", extra={"camera_id": self._camera_id})

    @property
    def unindexed(self) -> int:
        """How many index writes the database refused and are tried again."""
        return self._ledger.waiting

    @property
    def unwritten(self) -> int:
        """How many index writes were given up; the next start finds their files."""
        return self._ledger.dropped

    # -- the ingest thread ------------------------------------------------------------------------

    def offer(self, item: StreamItem) -> None:
        """Queue an item; see Subscriber.offer and the class for what is dropped."""
        with self._wake:
            if self._closing:
                return
            if isinstance(item, RunEnded):
                self._queue.append(item)
                self._overflowing = False
                self._wake_writer()
            elif self._has_room(item):
                self._queue.append(item)
                self._queue_bytes += len(item.data)
                self._wake_when_ripe(item)

    def _has_room(self, sample: Sample) -> bool:
        if self._overflowing:
            if not sample.is_key or self._queue_bytes > self._max_queue_bytes // 2:
                self.dropped += 1
                return False
            self._overflowing = False
        if self._queue_bytes + len(sample.data) > self._max_queue_bytes:
            self._overflowing = True
            self.dropped += 1
            self._queue.append(_Overflow())
            self._wake_writer()
            return False
        return True

    def _wake_when_ripe(self, sample: Sample) -> None:
        """Wake the writer a fragment, not a sample: at 16 cameras that is a third of the cost."""
        if self._fragment_90k is None:
            self._fragment_90k = sample.dts_90k
        elif _completes(self._fragment_90k, sample):
            self._fragment_90k = sample.dts_90k
            self._ripe = True
            self._wake.notify()

    def _wake_writer(self) -> None:
        self._fragment_90k = None
        self._ripe = True
        self._wake.notify()

    # -- the writer thread ------------------------------------------------------------------------

    def _run(self) -> None:
        closing = False
        while not closing:
            with self._wake:
                self._wake.wait_for(lambda: self._ripe or self._closing, self._sync_s)
                closing = self._closing
                self._ripe = False
                items = list(self._queue)
                self._queue.clear()
                self._queue_bytes = 0
            for item in items:
                self._supervise(item)
            self._sync_if_due()
            self._ledger.settle()
        self._finish(self._ends_for)
        self._miss(self._clock.now(), self._ends_for)

    def _supervise(self, item: StreamItem | _Overflow) -> None:
        try:
            self._take(item)
        except Exception as error:  # noqa: BLE001 - logged, but not at every picture
            # The supervising loop: a bug costs this camera a file's end, not its recording. The
            # file stays without a row; the next start reads it back (recording I5).
            self._faults.bug("recorder.failed", error, {"camera_id": self._camera_id})
            self.write_errors += 1
            self._blocked_until_ns = self._clock.monotonic_ns()
            file, self._file, self._pending = self._file, None, []
            if file is not None:
                self._abandon(file)
                self._miss(file.footage.end, GapReason.DISK)

    def _take(self, item: StreamItem | _Overflow) -> None:
        if isinstance(item, Sample):
            self._take_sample(item)
        elif isinstance(item, RunEnded):
            self._finish(item.reason)
            if self._blocked_until_ns is not None:
                self._miss(item.at_utc, item.reason)
        else:
            self._faults.report("recorder.overflow", "queue full", {"camera_id": self._camera_id})
            self._finish(GapReason.DISK)

    def _take_sample(self, sample: Sample) -> None:
        if self._pending:
            too_long = self._file is not None and self._reaches(sample, self._max_file_90k)
            if too_long or _completes(self._pending[0].dts_90k, sample):
                self._flush(next_dts_90k=sample.dts_90k)
        if self._file is not None and not self._pending:
            ready = sample.is_key and self._reaches(sample, self._segment_90k)
            if ready or self._reaches(sample, self._max_file_90k):
                self._close_file()
        if self._is_blocked(sample):
            self.dropped += 1
            self._miss(sample.run.utc_at(sample.dts_90k), GapReason.DISK)
            return
        self._pending.append(sample)

    def _reaches(self, sample: Sample, length_90k: int) -> bool:
        assert self._file is not None
        return sample.dts_90k - self._file.start_90k >= length_90k

    def _is_blocked(self, sample: Sample) -> bool:
        """Say whether the disk refused lately; a key frame after a while is tried again."""
        if self._blocked_until_ns is None:
            return False
        if not sample.is_key or self._clock.monotonic_ns() < self._blocked_until_ns:
            return True
        self._blocked_until_ns = None
        return False

    def _flush(self, next_dts_90k: int | None) -> None:
        """Write the pending samples as one fragment; ``next_dts_90k`` is None at a run's end."""
        samples, self._pending = self._pending, []
        times = [sample.dts_90k for sample in samples]
        ends = [*times[1:], next_dts_90k or times[-1] + samples[-1].duration_90k]
        durations = [end - time for time, end in zip(times, ends, strict=True)]
        try:
            if self._file is None:
                self._file = self._new_file(samples[0])
            self._file.append(samples, durations)
        except OSError as error:
            self._refused(error, samples[0])
            return
        footage = self._file.footage
        self._index.set_growing(footage)
        if self._missing:
            self._missing = False
            # What came before the recorder began was waiting: the gap was too long.
            start, until = footage.start, max(footage.end, self._gap_start)
            self._ledger.write(
                lambda: self._index.resume(self._camera_id, self._stream, start, until)
            )

    def _new_file(self, first: Sample) -> SegmentFile:
        """Return a file that the census knows to be in hand before it is there."""
        path = new_path(self._index.root, first)
        self._index.claim(path)
        try:
            return SegmentFile(path, first)
        except OSError:
            self._index.release(path)
            raise

    def _refused(self, error: OSError, first: Sample) -> None:
        """Give up the file: the disk took no more. What it holds is kept."""
        self.write_errors += 1
        self._faults.report(
            "recorder.disk_refused", error.strerror or repr(error), {"camera_id": self._camera_id}
        )
        self._blocked_until_ns = self._clock.monotonic_ns() + round(RETRY_DISK_S * _NS_PER_S)
        self._close_file()
        self._miss(first.run.utc_at(first.dts_90k), GapReason.DISK)

    def _finish(self, reason: GapReason) -> None:
        """Close what is open: nothing of this run follows for now."""
        end: datetime | None = None
        if self._pending:
            last = self._pending[-1]
            end = last.run.utc_at(last.dts_90k + last.duration_90k)
            self._flush(next_dts_90k=None)
        if self._file is not None:
            end = self._file.footage.end
            self._close_file()
        if end is not None:
            self._miss(end, reason)

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is None:
            return
        try:
            if file.is_empty:
                file.discard()
                self._index.release(file.path)
                return
            closed = file.close()
        except OSError as error:
            self.write_errors += 1
            self._faults.report(
                "recorder.close_failed", repr(error), {"camera_id": self._camera_id}
            )
            self._abandon(file)
            return
        self.segments += 1
        self._ledger.write(lambda: self._index.add(closed))
        self._index.clear_growing(closed.path)
        log.debug("segment.closed", extra={"camera_id": self._camera_id, "path": str(closed.path)})

    def _abandon(self, file: SegmentFile) -> None:
        """Leave a file, claimed, without a row to the next start, and say that its time is missing.

        Not to be read back before that: what a sync that failed has lost is still in the page cache
        and would be taken for what is on the disk (recording I1).
        """
        file.abandon()
        self._index.clear_growing(file.path)
        lost = file.footage
        gap = Gap(lost.camera_id, lost.stream, lost.start, lost.end, GapReason.DISK)
        self._ledger.write(lambda: self._index.add_gap(gap))

    def _sync_if_due(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._file is None or now_ns - self._synced_ns < self._sync_s * _NS_PER_S:
            return
        self._synced_ns = now_ns
        try:
            self._file.sync()
        except OSError as error:
            self.write_errors += 1
            self._faults.report("recorder.sync_failed", repr(error), {"camera_id": self._camera_id})

    def _miss(self, start: datetime, reason: GapReason) -> None:
        """Let what is missing from ``start`` on have this reason, whatever it had so far."""
        if self._missing and self._gap_reason is reason:
            return
        if self._missing:
            # Footage may reach a little beyond now: media time is the camera's.
            start = max(start, self._gap_start)
            self._ledger.write(lambda: self._index.close_gap(self._camera_id, self._stream, start))
        self._open_gap(start, reason)

    def _open_gap(self, start: datetime, reason: GapReason) -> None:
        self._missing = True
        self._gap_start = start
        self._gap_reason = reason
        self._ledger.write(
            lambda: self._index.open_gap(self._camera_id, self._stream, start, reason)
        )


def _completes(first_90k: int, sample: Sample) -> bool:
    """Say whether a fragment that began at ``first_90k`` ends where ``sample`` begins."""
    span_90k = sample.dts_90k - first_90k
    would_be_90k = span_90k + sample.duration_90k
    return sample.is_key or span_90k >= FRAGMENT_90K or would_be_90k > MAX_FRAGMENT_90K
