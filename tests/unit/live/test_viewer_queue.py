import json

import pytest

from protocol.messages import StreamState
from protocol.viewer import (
    Ended,
    Fragment,
    GroupCache,
    Opened,
    StateChanged,
    ViewerItem,
    ViewerQueue,
    wire,
)

OPENED = Opened("video/mp4", 1, 640, 360, b"init")
REOPENED = Opened("video/mp4", 2, 1280, 720, b"other")
LIVE = StateChanged(StreamState.LIVE)
LOST = StateChanged(StreamState.LOST)


def key(size_bytes: int = 10) -> Fragment:
    return Fragment(is_key=True, data=b"k" * size_bytes)


def delta(size_bytes: int = 10) -> Fragment:
    return Fragment(is_key=False, data=b"d" * size_bytes)


class Woken:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def queue(woken) -> ViewerQueue:
    return ViewerQueue(100, woken)


def drained(queue: ViewerQueue) -> list[ViewerItem]:
    items = []
    while (item := queue.pop()) is not None:
        items.append(item)
    return items


def offer(queue: ViewerQueue, *items: ViewerItem) -> None:
    for item in items:
        queue.offer(item)


def test_gives_what_it_took_in_order_and_wakes_its_reader(queue, woken):
    offer(queue, LIVE, OPENED, key(), delta())
    assert (woken.times, len(queue), queue.size_bytes) == (4, 4, 20)
    assert drained(queue) == [LIVE, OPENED, key(), delta()]
    assert (queue.size_bytes, queue.dropped) == (0, 0)


def test_video_begins_with_a_key_frame_and_what_was_never_begun_is_no_drop(queue):
    offer(queue, OPENED, delta(), delta(), key(), delta())
    assert drained(queue) == [OPENED, key(), delta()]
    assert queue.dropped == 0


def test_overflow_drops_all_video_and_goes_on_at_the_next_key_frame(queue):
    offer(queue, OPENED, key(60), delta(30), delta(20), delta(1), LIVE, key(5), delta(6))
    assert drained(queue) == [OPENED, LIVE, key(5), delta(6)]
    assert queue.dropped == 4


def test_overflow_by_a_key_frame_keeps_that_key_frame(queue):
    offer(queue, OPENED, key(60), delta(30), key(50), delta(6))
    assert drained(queue) == [OPENED, key(50), delta(6)]
    assert queue.dropped == 2


def test_a_key_frame_over_the_limit_still_goes_into_an_empty_queue(queue):
    offer(queue, key(500), delta(1), key(400))
    assert drained(queue) == [key(400)]
    assert queue.dropped == 2


def test_new_parameters_replace_what_is_queued_of_the_old_stream(queue):
    offer(queue, LIVE, OPENED, key(), delta(), REOPENED, delta(), key(7))
    assert drained(queue) == [LIVE, REOPENED, key(7)]
    assert queue.dropped == 0


def test_only_the_newest_state_waits_and_it_keeps_its_place_behind_the_video(queue):
    offer(queue, LIVE, OPENED, key(), LOST, delta())
    assert drained(queue) == [OPENED, key(), LOST, delta()]


def test_skipping_to_a_key_frame_counts_what_it_drops(queue):
    offer(queue, OPENED, key(), delta())
    queue.skip_to_key()
    offer(queue, delta(), key(), delta())
    assert drained(queue) == [OPENED, key(), delta()]
    assert queue.dropped == 3


def test_nothing_is_taken_after_the_end_and_the_end_survives_a_skip(queue):
    offer(queue, OPENED, key(), Ended("closing"), key(), LOST, OPENED)
    assert queue.ended
    queue.skip_to_key()
    assert drained(queue) == [OPENED, Ended("closing")]


def test_a_group_over_the_limit_is_not_begun(queue):
    queue.offer(OPENED)
    queue.offer_group([key(60), delta(50)])
    offer(queue, delta())
    assert drained(queue) == [OPENED]
    assert queue.dropped == 0


def test_a_group_within_the_limit_is_taken_whole(queue):
    queue.offer_group([key(60), delta(40)])
    assert drained(queue) == [key(60), delta(40)]


@pytest.mark.parametrize(
    ("item", "text", "data"),
    [
        pytest.param(
            OPENED,
            {
                "op": "live.open",
                "mime": "video/mp4",
                "generation": 1,
                "width": 640,
                "height": 360,
            },
            (b"init",),
            id="opened",
        ),
        pytest.param(LOST, {"op": "live.state", "state": "lost"}, (), id="state"),
        pytest.param(Ended("closing"), {"op": "end", "reason": "closing"}, (), id="end"),
    ],
)
def test_says_it_on_the_wire_as_the_contract_does(item, text, data):
    first, *rest = wire(item)
    assert (json.loads(first), tuple(rest)) == (text, data)


def test_a_fragment_is_a_binary_frame_as_it_is():
    assert wire(key(3)) == (b"kkk",)


def cached(*frames: tuple[str, int, bool]) -> GroupCache[str]:
    cache: GroupCache[str] = GroupCache(100)
    for name, size_bytes, is_key in frames:
        cache.add(name, is_key=is_key, size_bytes=size_bytes)
    return cache


def test_the_cache_holds_the_group_since_the_last_key_frame():
    cache = cached(("k1", 10, True), ("d1", 5, False), ("k2", 20, True), ("d2", 5, False))
    assert (cache.items, cache.size_bytes, cache.overflows) == (("k2", "d2"), 25, 0)


def test_the_cache_does_not_begin_inside_a_group():
    assert cached(("d", 5, False)).items == ()


def test_a_group_over_the_cap_is_dropped_until_the_next_key_frame():
    cache = cached(("k", 90, True), ("d1", 11, False), ("d2", 1, False))
    assert (cache.items, cache.size_bytes, cache.overflows) == ((), 0, 1)
    cache.add("k2", is_key=True, size_bytes=3)
    assert (cache.items, cache.size_bytes, cache.overflows) == (("k2",), 3, 1)
