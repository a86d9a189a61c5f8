"""One stream's live view: from the ingest thread to whoever watches."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from edge.media.fmp4 import fragment, init_segment
from edge.media.sample import Run, RunEnded, Sample, StreamItem
from protocol.messages import StreamState
from protocol.viewer import (
    Ended,
    Fragment,
    GroupCache,
    Opened,
    StateChanged,
    ViewerItem,
    ViewerQueue,
)
from protocol.viewing import Viewer

log = logging.getLogger(__name__)

#: 8 s of a 4 Mbit/s camera; groups of pictures are 1-4 s, but "smart" codecs make minutes of them.
GROUP_BYTES = 4 * 1024 * 1024

#: A viewer at a WebSocket of ours: a whole group fits, so that a new viewer sees something at once.
VIEWER_BYTES = GROUP_BYTES


@dataclass(frozen=True, slots=True)
class HubStats:
    """A hub's counters. ``dropped`` are fragments that slow viewers, or a slow loop, missed."""

    viewers: int
    fragments: int
    dropped: int
    group_bytes: int
    group_overflows: int


@dataclass(frozen=True, slots=True)
class _Left:
    """What the ingest thread has left for the event loop; ``hole``: video before it was lost."""

    items: tuple[ViewerItem, ...]
    hole: bool

    def pass_to(self, queues: Iterable[ViewerQueue]) -> None:
        for queue in queues:
            if self.hole:
                queue.skip_to_key()
            for item in self.items:
                queue.offer(item)


class LiveHub:
    """A Subscriber that shows one stream to any number of viewers.

    Samples come in the ingest thread, viewers live in one event loop. While nobody watches, a
    sample costs its place in the cached group of pictures and nothing else.

    Bounded: the cached group by ``group_bytes`` (overflow: dropped until the next key frame), the
    hand-over to the event loop by as much again (overflow: all viewers continue with the next key
    frame), each viewer by its own ViewerQueue. Each run is a new ``Opened``: media time starts
    again with a run.
    """

    def __init__(self, group_bytes: int = GROUP_BYTES) -> None:
        self._limit_bytes = group_bytes
        # Guards all that both threads use; held for microseconds, never while calling out.
        self._lock = threading.Lock()
        self._group: GroupCache[Sample] = GroupCache(group_bytes)
        self._previous: tuple[Sample, ...] = ()
        self._keeps_previous = False
        self._last_key: Sample | None = None
        self._newest: Sample | None = None
        self._run: Run | None = None
        self._opened: Opened | None = None
        self._state: StreamState | None = None
        self._generation = 0
        self._fragments = 0
        self._waiting: deque[ViewerItem] = deque()
        self._waiting_bytes = 0
        self._hole = False
        self._scheduled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[ViewerQueue] = set()
        self._dropped = 0
        self._closed = False

    # -- the ingest thread ------------------------------------------------------------------------

    def offer(self, item: StreamItem) -> None:
        """Take the stream's next item; the promise of Subscriber.offer."""
        with self._lock:
            match item:
                case Sample():
                    self._take(item)
                case RunEnded():
                    self._forget_group()

    def state_changed(self, state: StreamState) -> None:
        """Take the camera's state. Returns at once, from any thread."""
        with self._lock:
            self._state = state
            self._hand_over(StateChanged(state))

    def _take(self, sample: Sample) -> None:
        if self._run is None or sample.run.run_id != self._run.run_id:
            self._begin(sample.run)
        self._newest = sample
        if sample.is_key:
            self._previous = (self._group.items or self._previous) if self._keeps_previous else ()
            self._last_key = sample
        self._group.add(sample, is_key=sample.is_key, size_bytes=len(sample.data))
        if self._queues:
            self._fragments += 1
            self._hand_over(_fragment(sample, sample.duration_90k, self._fragments))

    def _begin(self, run: Run) -> None:
        self._forget_group()
        self._run = run
        self._generation += 1
        parameters = run.parameters
        self._opened = Opened(
            mime=f'video/mp4; codecs="{parameters.mime_codec}"',
            generation=self._generation,
            width=parameters.width,
            height=parameters.height,
            init=init_segment(parameters),
        )
        self._hand_over(self._opened)

    def _forget_group(self) -> None:
        """Nothing that follows continues the group; it stays as a picture."""
        self._previous = self._group.items or self._previous
        self._group.clear()

    def _hand_over(self, item: ViewerItem) -> None:
        if not self._queues or self._loop is None:
            return
        if isinstance(item, Fragment):
            self._waiting_bytes += len(item.data)
            if self._waiting_bytes > self._limit_bytes:
                self._drop_waiting()
                return
        self._waiting.append(item)
        if self._scheduled:
            return
        try:
            self._loop.call_soon_threadsafe(self._drain)
        except RuntimeError:  # the loop was closed under its viewers: there are none any more
            log.warning("live.loop_gone", extra={"viewers": len(self._queues)})
            self._queues.clear()
            self._take_waiting()
        else:
            self._scheduled = True

    def _drop_waiting(self) -> None:
        """Drop the video that the loop did not fetch; what is no video stays, newest of each."""
        kept = {type(item): item for item in self._waiting if not isinstance(item, Fragment)}
        self._dropped += 1 + sum(isinstance(item, Fragment) for item in self._waiting)
        self._waiting = deque(kept.values())
        self._waiting_bytes = 0
        self._hole = True

    # -- the event loop ---------------------------------------------------------------------------

    def watch(self, limit_bytes: int = VIEWER_BYTES) -> Viewer:
        """Return a new viewer with the picture so far; close it when done."""
        viewer = Viewer(limit_bytes, self.detach)
        self.attach(viewer.queue)
        return viewer

    def attach(self, queue: ViewerQueue) -> None:
        """Give ``queue`` the state, the parameters, the current group, and all that follows."""
        with self._lock:
            # In one step, or the newcomer would miss a frame or get one twice.
            left, watching = self._take_waiting(), tuple(self._queues)
            self._loop = asyncio.get_running_loop()
            closed, state, opened = self._closed, self._state, self._opened
            group, number = self._group.items, self._fragments + 1
            self._fragments += len(group)
            if not closed:
                self._queues.add(queue)
        left.pass_to(watching)
        queue.offer(StateChanged(state or StreamState.CONNECTING))
        if opened is not None:
            queue.offer(opened)
            queue.offer_group(_fragments(group, number))
        if closed:
            queue.offer(Ended("closing"))

    def detach(self, queue: ViewerQueue) -> None:
        """Let ``queue`` go; idempotent."""
        with self._lock:
            if queue in self._queues:
                self._queues.remove(queue)
                self._dropped += queue.dropped

    def close(self) -> None:
        """Tell every viewer that it is over; idempotent. Later ones are told at once."""
        with self._lock:
            self._closed = True
            left, queues = self._take_waiting(), tuple(self._queues)
        left.pass_to(queues)
        for queue in queues:
            queue.offer(Ended("closing"))
            self.detach(queue)

    def reopen(self) -> None:
        """Take viewers again after :meth:`close`; idempotent."""
        with self._lock:
            self._closed = False

    def _drain(self) -> None:
        """Pass on what the ingest thread has left."""
        with self._lock:
            left, queues = self._take_waiting(), tuple(self._queues)
        left.pass_to(queues)

    def _take_waiting(self) -> "_Left":
        left = _Left(tuple(self._waiting), self._hole)
        self._waiting.clear()
        self._waiting_bytes, self._hole, self._scheduled = 0, False, False
        return left

    # -- any thread -------------------------------------------------------------------------------

    def recent(self) -> tuple[tuple[Sample, ...], ...]:
        """Return the newest groups of pictures, oldest first; each begins with a key frame.

        There are two only after :meth:`keep_previous`, or where a run has just begun. The last one
        may be a lone key frame, where the group is too long to keep.
        """
        with self._lock:
            newest = self._group.items or ((self._last_key,) if self._last_key else ())
            previous = self._previous
        if previous and newest and previous[0] is newest[0]:
            return (previous,)
        return tuple(group for group in (previous, newest) if group)

    def keep_previous(self) -> None:
        """Keep the group before the newest from now on: pictures of a moment ago are wanted.

        It is as large as the newest one, for each stream, so not without need.
        """
        with self._lock:
            self._keeps_previous = True

    def last_sample_at(self) -> datetime | None:
        """Return the wall time of the newest sample, or None where none ever came."""
        newest = self._newest
        return None if newest is None else newest.run.utc_at(newest.dts_90k)

    def stats(self) -> HubStats:
        """Return the counters."""
        with self._lock:
            return HubStats(
                viewers=len(self._queues),
                fragments=self._fragments,
                dropped=self._dropped + sum(queue.dropped for queue in self._queues),
                group_bytes=self._group.size_bytes,
                group_overflows=self._group.overflows,
            )


def _fragment(sample: Sample, duration_90k: int, number: int) -> Fragment:
    return Fragment(sample.is_key, fragment((sample,), (duration_90k,), number))


def _fragments(group: Sequence[Sample], number: int) -> list[Fragment]:
    """Return a group as fragments numbered from ``number``; all durations but the last are true."""
    durations = [after.dts_90k - each.dts_90k for each, after in pairwise(group)]
    durations += [each.duration_90k for each in group[-1:]]
    return [
        _fragment(sample, duration_90k, number + index)
        for index, (sample, duration_90k) in enumerate(zip(group, durations, strict=True))
    ]
