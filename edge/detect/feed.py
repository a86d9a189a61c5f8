"""One camera's samples on their way to the detector process."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge.detect import wire
from edge.media.sample import TICKS_PER_S, Run, RunEnded, Sample, StreamItem

#: Some seconds of a sub-stream. The detector lives on the newest picture; more is only old.
MAX_QUEUE_BYTES = 2 * 1024 * 1024
#: A main stream's key frames that come so often are enough: as a calm camera is looked at.
KEYS_S = 4.5


class Task(StrEnum):
    """What is looked for; the names are those of the models' manifest."""

    PEOPLE = "person"
    FIRE = "fire"


@dataclass(frozen=True, slots=True)
class Rates:
    """How often a camera is looked at a second: where there is something to see, and else."""

    busy_fps: float
    calm_fps: float


@dataclass(frozen=True, slots=True)
class Looks:
    """What is looked for in a camera's pictures, and how often; a task that is absent is not.

    ``health``: the picture is judged too, wherever it is decoded anyway. Without a task that is the
    key frames alone, which cost next to nothing. ``large``: the stream is a camera's main one; it
    is looked at in its key frames alone, as long as they come every ``KEYS_S`` and in order.
    """

    rates: Mapping[Task, Rates] = field(default_factory=dict)
    health: bool = False
    large: bool = False


class Feed:
    """A Subscriber that keeps up to MAX_QUEUE_BYTES of frames for the detector's socket.

    Overflow: everything queued is dropped and nothing is taken until the next key frame, which is
    taken alone whatever its size, if only the wire carries it; what was dropped is counted. While
    no detector listens, nothing is taken and nothing counted. Where nothing is looked for, frames
    that are not key frames are left out.
    ``offer`` is called by one thread, ``take`` by another.
    """

    def __init__(
        self,
        camera_id: str,
        number: int,
        looks: Looks,
        wake: Callable[[], None],
        max_queue_bytes: int = MAX_QUEUE_BYTES,
    ) -> None:
        self.camera_id = camera_id
        self.number = number
        self.dropped = 0
        self._looks = looks
        self._fps = {task: rates.busy_fps for task, rates in looks.rates.items()}
        self._wake = wake
        self._max_queue_bytes = max_queue_bytes
        self._lock = threading.Lock()
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._listening = False
        self._run: Run | None = None  # the run whose samples the detector is getting
        self._last_key: tuple[Run, int] | None = None
        self._keys_alone = False  # key frames came often enough last time

    def offer(self, item: StreamItem) -> None:
        """Take an item, or drop it; see the port."""
        with self._lock:
            if not self._listening:
                return
            before = self._queued_bytes
            if isinstance(item, RunEnded):
                self._stop()
            else:
                self._take(item)
            woken = self._queued_bytes > before
        if woken:
            self._wake()

    def listen(self, *, listening: bool) -> None:
        """Begin anew for a detector that has just started, or stop because it has gone."""
        with self._lock:
            self._listening = listening
            self._clear()
            self._run = None

    def attend(self, task: Task, *, busy: bool) -> None:
        """Have it looked for oftener, or not: from the next frame on, and in later runs."""
        rates = self._looks.rates[task]
        fps = rates.busy_fps if busy else rates.calm_fps
        with self._lock:
            if fps == self._fps[task]:
                return
            self._fps[task] = fps
            if self._run is not None:
                self._put(wire.pack_pace(wire.Pace(self.number, self._rate())))

    def run_of(self, run_id: bytes) -> Run | None:
        """Return the run that is being sent if it is that one: results of older ones are stale."""
        run = self._run
        return run if run is not None and bytes.fromhex(run.run_id) == run_id else None

    def take(self, max_bytes: int) -> bytes:
        """Return whole frames of up to ``max_bytes`` together (one at least), or nothing."""
        with self._lock:
            parts: list[bytes] = []
            taken = 0
            while self._queue and (not parts or taken + len(self._queue[0]) <= max_bytes):
                part = self._queue.popleft()
                taken += len(part)
                parts.append(part)
            self._queued_bytes -= taken
        return b"".join(parts)

    @property
    def queued_bytes(self) -> int:
        """How much waits."""
        return self._queued_bytes

    def _take(self, sample: Sample) -> None:
        if sample.is_key:
            self._note_key(sample)
        elif sample.run != self._run or not self._looks.rates or self._keys_alone:
            return
        unit = wire.Unit(self.number, sample.dts_90k, sample.pts_90k, sample.is_key, sample.data)
        data = wire.pack_unit(unit)
        if self._queued_bytes + len(data) > self._max_queue_bytes:
            self.dropped += self._clear()
            self._run = None
            if not sample.is_key or len(data) > wire.MAX_FRAME_BYTES:
                self.dropped += 1
                return
        if sample.run != self._run:
            self._run = sample.run
            self._put(self._opening(sample.run))
        self._put(data)

    def _note_key(self, sample: Sample) -> None:
        """Decide whether the rest of its group of pictures is left out."""
        if self._looks.large and self._last_key is not None and self._last_key[0] == sample.run:
            step_s = (sample.pts_90k - self._last_key[1]) / TICKS_PER_S
            in_order = sample.pts_90k == sample.dts_90k
            self._keys_alone = in_order and step_s <= KEYS_S
        self._last_key = (sample.run, sample.pts_90k)

    def _opening(self, run: Run) -> bytes:
        run_id, parameters = bytes.fromhex(run.run_id), run.parameters
        return wire.pack_stream(
            wire.Stream(
                self.number,
                run_id,
                parameters.codec.value,
                self._rate(),
                self._looks.health,
                parameters.extradata,
            )
        )

    def _rate(self) -> wire.Rate:
        return wire.Rate(self._fps.get(Task.PEOPLE, 0.0), self._fps.get(Task.FIRE, 0.0))

    def _stop(self) -> None:
        if self._run is not None:
            self._run = None
            self._put(wire.pack_gone(self.number))

    def _put(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued_bytes += len(data)

    def _clear(self) -> int:
        count = len(self._queue)
        self._queue.clear()
        self._queued_bytes = 0
        return count
