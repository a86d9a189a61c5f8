"""Whatever a viewer's speed, what it is sent can be decoded."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from edge.live.hub import LiveHub
from edge.media.sample import GapReason, RunEnded
from protocol.viewer import Ended, Fragment, Opened, ViewerItem
from protocol.viewing import Viewer
from tests.support.footage import STARTED, run, sample

#: A step of a story: a frame comes (key or not, so long), a run ends, the viewer reads so many
#: items, or the loop gets its turn.
_STEPS = st.one_of(
    st.tuples(st.just("frame"), st.booleans(), st.integers(1, 3000)),
    st.tuples(st.just("run"), st.just(0), st.just(0)),
    st.tuples(st.just("read"), st.just(0), st.integers(0, 8)),
    st.tuples(st.just("turn"), st.just(0), st.just(0)),
)


class Story:
    """Plays steps to a hub and notes what two viewers get: one from the start, one from midway."""

    def __init__(self, limit_bytes: int, group_bytes: int) -> None:
        self.hub = LiveHub(group_bytes)
        self.limit_bytes = limit_bytes
        self.got: list[list[ViewerItem]] = [[], []]
        self._viewers: list[Viewer] = []
        self._run = run(f"{0:032}")
        self._runs = 0
        self._index = 0

    async def play(self, before: list, steps: list) -> None:
        for part in (before, steps):
            self._viewers.append(self.hub.watch(self.limit_bytes))
            for step in part:
                await self._play(step)
        self.hub.close()
        for viewer, got in zip(self._viewers, self.got, strict=True):
            got += [item async for item in viewer]

    async def _play(self, step: tuple) -> None:
        self._offer(step)
        if step[0] == "turn":
            await asyncio.sleep(0)
        for _ in range(step[2] if step[0] == "read" else 0):
            for viewer, got in zip(self._viewers, self.got, strict=False):
                if (item := viewer.queue.pop()) is not None:
                    got.append(item)

    def _offer(self, step: tuple) -> None:
        if step[0] == "frame":
            self.hub.offer(sample(self._run, self._index, is_key=step[1], data=self._mark(step[2])))
            self._index += 1
        elif step[0] == "run":
            self.hub.offer(RunEnded(self._run, GapReason.NETWORK, STARTED))
            self._runs += 1
            self._index = 0
            self._run = run(f"{self._runs:032}")

    def _mark(self, size_bytes: int) -> bytes:
        """Return data that says which frame of which run it is."""
        return b"%08d%08d" % (self._runs, self._index) + bytes(size_bytes)


def place(item: Fragment) -> tuple[int, int]:
    """Return the run and the index that a fragment's data says."""
    mark = item.data[item.data.index(b"mdat") + 4 :][:16]
    return int(mark[:8]), int(mark[8:])


@given(
    st.lists(_STEPS, max_size=20),
    st.lists(_STEPS, max_size=60),
    st.integers(1, 20_000),
    st.integers(1, 20_000),
)
def test_video_starts_with_a_key_frame_and_has_a_hole_only_before_one(
    before, steps, limit_bytes, group_bytes
):
    story = Story(limit_bytes, group_bytes)
    asyncio.run(story.play(before, steps))
    for got in story.got:
        check(got)


def check(got: list[ViewerItem]) -> None:
    last: tuple[int, int] | None = None
    opened = 0
    for item in got:
        if isinstance(item, Opened):
            assert item.generation > opened
            opened, last = item.generation, None
        elif isinstance(item, Fragment):
            assert opened
            here = place(item)
            if last is not None:
                assert here[0] == last[0]
                assert here[1] > last[1]
            if not item.is_key:
                assert last is not None
                assert here[1] == last[1] + 1
            last = here
    assert got[-1] == Ended("closing")
    assert sum(isinstance(item, Ended) for item in got) == 1
