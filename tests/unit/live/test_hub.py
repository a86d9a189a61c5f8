import asyncio
import io
import threading
from dataclasses import replace
from datetime import timedelta

import av
import numpy as np
import pytest

from edge.errors import NotFoundError
from edge.health import StreamBoard
from edge.live.hub import HubStats, LiveHub
from edge.live.hubs import LiveHubs
from edge.media.fmp4 import fragment, init_segment
from edge.media.sample import GapReason, RunEnded
from edge.ports import StreamStatus
from protocol.messages import StreamState
from protocol.relay import StreamName
from protocol.viewer import Ended, Fragment, Opened, StateChanged, ViewerItem
from protocol.viewing import Viewer
from tests.support.footage import MADE_UP, STARTED, brightness, encoded, run, samples

pytestmark = pytest.mark.anyio

RUN = run()
OPENED = Opened(
    'video/mp4; codecs="avc1.64001f"', 1, MADE_UP.width, MADE_UP.height, init_segment(MADE_UP)
)
CONNECTING = StateChanged(StreamState.CONNECTING)


async def settled(viewer: Viewer) -> list[ViewerItem]:
    """Return what the viewer has been given, the hand-over to the loop included."""
    await asyncio.sleep(0)
    items = []
    while (item := viewer.queue.pop()) is not None:
        items.append(item)
    return items


def kinds(items: list[ViewerItem]) -> str:
    """Return K, d for fragments; O, S, E for what is no video."""
    letters = {Opened: "O", StateChanged: "S", Ended: "E"}
    return "".join(
        ("K" if item.is_key else "d") if isinstance(item, Fragment) else letters[type(item)]
        for item in items
    )


def offer(hub: LiveHub, *items) -> None:
    for item in items:
        hub.offer(item)


async def test_a_new_viewer_gets_the_current_group_at_once():
    hub = LiveHub()
    group = samples(RUN, "KddKd")
    offer(hub, *group)
    viewer = hub.watch()
    assert await settled(viewer) == [
        CONNECTING,
        OPENED,
        Fragment(is_key=True, data=fragment(group[3:4], [3600], 4 - 3)),
        Fragment(is_key=False, data=fragment(group[4:5], [3600], 5 - 3)),
    ]


async def test_fragments_are_made_only_while_somebody_watches():
    hub = LiveHub()
    offer(hub, *samples(RUN, "Kddd"))
    assert hub.stats() == HubStats(
        viewers=0, fragments=0, dropped=0, group_bytes=400, group_overflows=0
    )
    viewer = hub.watch()
    offer(hub, *samples(RUN, "d", first=4))
    assert hub.stats().fragments == 5
    viewer.close()
    viewer.close()
    offer(hub, *samples(RUN, "d", first=5))
    assert hub.stats() == HubStats(
        viewers=0, fragments=5, dropped=0, group_bytes=600, group_overflows=0
    )


async def test_who_comes_between_two_frames_misses_none_and_gets_none_twice():
    hub = LiveHub()
    first = hub.watch()
    group = samples(RUN, "Kdddd")
    offer(hub, group[0])
    begun = await settled(first)
    offer(hub, *group[1:3])  # still on the way to the loop when the second viewer comes
    second = hub.watch()
    offer(hub, *group[3:])
    assert kinds(begun + await settled(first)) == "SOKdddd"
    assert kinds(await settled(second)) == "SOKdddd"


async def test_a_slow_viewer_drops_to_a_key_frame_and_the_fast_one_notices_nothing():
    hub = LiveHub()
    fast, slow = hub.watch(), hub.watch(limit_bytes=700)
    offer(hub, *samples(RUN, "Kddd"))
    fast_items = await settled(fast)
    offer(hub, *samples(RUN, "dKd", first=4))
    fast_items += await settled(fast)
    assert kinds(fast_items) == "SOKddddKd"
    assert kinds(await settled(slow)) == "SOKd"
    assert (fast.queue.dropped, slow.queue.dropped, hub.stats().dropped) == (0, 5, 5)
    slow.close()
    assert hub.stats().dropped == 5


async def test_a_new_run_is_a_new_generation_because_media_time_begins_again():
    hub = LiveHub()
    viewer = hub.watch()
    offer(hub, *samples(RUN, "Kd"), RunEnded(RUN, GapReason.NETWORK, STARTED))
    items = await settled(viewer)
    offer(hub, *samples(run("1" * 32), "dKd"))
    items += await settled(viewer)
    assert kinds(items) == "SOKdOKd"
    assert [item.generation for item in items if isinstance(item, Opened)] == [1, 2]


async def test_a_run_that_begins_unannounced_does_not_continue_the_group_before():
    hub = LiveHub()
    offer(hub, *samples(RUN, "Kd"), *samples(run("1" * 32), "d"))
    assert kinds(await settled(hub.watch())) == "SO"


async def test_after_the_end_of_a_run_a_new_viewer_waits_for_the_next_one():
    hub = LiveHub()
    offer(hub, *samples(RUN, "Kd"), RunEnded(RUN, GapReason.NETWORK, STARTED))
    assert kinds(await settled(hub.watch())) == "SO"


async def test_a_group_over_the_cap_makes_a_new_viewer_wait_but_not_the_others():
    hub = LiveHub(group_bytes=350)
    early = hub.watch()
    group = samples(RUN, "KdddK")
    items = []
    for each in group[:4]:
        hub.offer(each)
        items += await settled(early)
    late = hub.watch()
    hub.offer(group[4])
    assert kinds(items + await settled(early)) == "SOKdddK"
    assert kinds(await settled(late)) == "SOK"
    assert hub.stats().group_overflows == 1


async def test_a_loop_that_stands_still_costs_bounded_memory_and_then_a_key_frame():
    hub = LiveHub(group_bytes=1000)
    viewer = hub.watch()
    offer(hub, *samples(RUN, "Kdddddddd"))  # over 1000 bytes of fragments, and the loop never ran
    offer(hub, *samples(RUN, "dKd", first=9))
    assert kinds(await settled(viewer)) == "SOKd"
    assert hub.stats().dropped > 0


async def test_the_state_of_the_camera_is_told_now_and_to_those_who_come_later():
    hub = LiveHub()
    hub.state_changed(StreamState.LIVE)
    viewer = hub.watch()
    hub.state_changed(StreamState.LOST)
    assert await settled(viewer) == [StateChanged(StreamState.LOST)]
    assert await settled(hub.watch()) == [StateChanged(StreamState.LOST)]


async def test_closing_ends_all_viewers_and_turns_later_ones_away():
    hub = LiveHub()
    viewer = hub.watch()
    offer(hub, *samples(RUN, "Kd"))
    hub.close()
    hub.close()
    assert kinds(await settled(viewer)) == "SOKdE"
    assert kinds(await settled(hub.watch())) == "SOKdE"
    offer(hub, *samples(RUN, "d", first=2))
    assert hub.stats().viewers == 0


def test_a_loop_that_was_closed_under_its_viewers_does_not_hurt_the_ingest():
    hub = LiveHub()

    async def come() -> None:
        hub.watch()

    asyncio.run(come())
    offer(hub, *samples(RUN, "Kd"))
    assert hub.stats().viewers == 0


async def test_samples_from_another_thread_reach_the_viewer_in_order():
    hub = LiveHub()
    viewer = hub.watch()
    group = samples(RUN, "K" + "d" * 199)
    thread = threading.Thread(target=offer, args=(hub, *group))
    thread.start()
    items = [await anext(viewer) for _ in range(2 + len(group))]
    thread.join()
    assert [item.data for item in items[2:]] == [
        fragment([each], [3600], number) for number, each in enumerate(group, 1)
    ]


async def test_the_viewer_ends_after_the_end():
    hub = LiveHub()
    viewer = hub.watch()
    hub.close()
    assert [item async for item in viewer] == [CONNECTING, Ended("closing")]
    assert [item async for item in viewer] == []


async def test_what_a_viewer_gets_decodes_to_the_pictures_that_were_sent():
    hub = LiveHub()
    footage = encoded(frames=40, gop=25)
    offer(hub, *footage[:30])
    viewer = hub.watch()
    offer(hub, *footage[30:])
    items = await settled(viewer)
    parts = [item.init if isinstance(item, Opened) else item.data for item in items[1:]]
    with av.open(io.BytesIO(b"".join(parts)), format="mp4") as container:
        means = [int(np.mean(f.to_ndarray(format="gray"))) for f in container.decode(video=0)]
    assert means == [pytest.approx(brightness(index), abs=3) for index in range(25, 40)]


def test_recent_is_the_last_group_alone():
    hub = LiveHub()
    group = samples(RUN, "KdKddKd")
    offer(hub, *group)
    assert hub.recent() == (tuple(group[5:]),)


def test_recent_groups_are_the_last_two_where_pictures_of_a_moment_ago_are_wanted():
    hub = LiveHub()
    hub.keep_previous()
    group = samples(RUN, "KdKddKd")
    offer(hub, *group)
    assert hub.recent() == (tuple(group[2:5]), tuple(group[5:]))


def test_recent_keeps_the_key_frame_of_a_group_that_was_too_long():
    hub = LiveHub(group_bytes=250)
    group = samples(RUN, "Kddd")
    offer(hub, *group)
    assert hub.recent() == ((group[0],),)


def test_recent_survives_the_end_of_a_run():
    hub = LiveHub()
    group = samples(RUN, "KdKd")
    offer(hub, *group, RunEnded(RUN, GapReason.CAMERA, STARTED))
    assert hub.recent() == (tuple(group[2:]),)
    assert LiveHub().recent() == ()


def test_a_camera_without_a_sub_stream_shows_its_main_one():
    hubs = LiveHubs(
        [("gate", StreamName.MAIN), ("road", StreamName.MAIN), ("road", StreamName.SUB)]
    )
    assert hubs.hub("gate", StreamName.SUB) is hubs.hub("gate", StreamName.MAIN)
    assert hubs.hub("road", StreamName.SUB) is not hubs.hub("road", StreamName.MAIN)
    with pytest.raises(NotFoundError):
        hubs.hub("nowhere", StreamName.MAIN)


async def test_hubs_tell_the_right_viewers_of_a_change():
    hubs = LiveHubs([("gate", StreamName.MAIN), ("road", StreamName.MAIN)])
    gate, road = (hubs.hub(each, StreamName.MAIN).watch() for each in ("gate", "road"))
    for camera_id in ("gate", "nowhere"):
        hubs.stream_changed(
            StreamStatus(camera_id, StreamName.MAIN, StreamState.LIVE, STARTED, STARTED)
        )
    assert await settled(gate) == [StateChanged(StreamState.LIVE)]
    assert await settled(road) == [CONNECTING]
    assert {key: stats.viewers for key, stats in hubs.stats().items()} == {
        ("gate", StreamName.MAIN): 1,
        ("road", StreamName.MAIN): 1,
    }
    hubs.close()
    assert await settled(road) == [Ended("closing")]


def test_the_board_knows_when_the_last_sample_of_a_stream_was():
    key = ("gate", StreamName.MAIN)
    hubs = LiveHubs([key])
    board = StreamBoard(hubs.last_sample_at)
    live = StreamStatus(*key, StreamState.LIVE, STARTED, STARTED)
    elsewhere = StreamStatus("road", StreamName.MAIN, StreamState.LOST, STARTED, None)
    assert (board.status(*key), board.statuses()) == (None, [])
    board.stream_changed(live)
    board.stream_changed(elsewhere)
    assert board.status(*key) == live
    offer(hubs.hub(*key), *samples(run(stream=StreamName.MAIN), "Kdd"))
    fresh = replace(live, last_packet_at=STARTED + timedelta(milliseconds=80))
    assert board.status(*key) == fresh
    assert board.statuses() == [fresh, elsewhere]
