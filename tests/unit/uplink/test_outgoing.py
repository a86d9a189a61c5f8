import asyncio
import json

import pytest

from edge.uplink.client import UplinkTarget, retry_delay_s
from edge.uplink.outgoing import BODY_BYTES, Message, Outgoing, relayed
from protocol.messages import StreamState
from protocol.relay import GET_WINDOW_BYTES, FrameKind, unpack
from protocol.viewer import Ended, Fragment, Opened, StateChanged

pytestmark = pytest.mark.anyio

KEY = Fragment(is_key=True, data=b"key")
DELTA = Fragment(is_key=False, data=b"delta")


def told(messages: tuple[Message, ...]) -> list:
    """Return each message as JSON, or as channel, kind and length."""
    said = []
    for message in messages:
        if isinstance(message, str):
            said.append(json.loads(message))
        else:
            channel, kind, payload = unpack(message)
            said.append((channel, kind.name, len(payload)))
    return said


def taken(outgoing: Outgoing) -> list:
    said = []
    while messages := outgoing.next():
        said += told(messages)
    return said


async def test_video_goes_before_files_and_streams_take_turns():
    outgoing = Outgoing()
    file = outgoing.add_file(1)
    file.head(200, {})
    await file.put(bytes(10))
    first, second = outgoing.add_live(2, 1000), outgoing.add_live(3, 1000)
    for queue in (first, second):
        queue.offer(KEY)
        queue.offer(DELTA)
    assert taken(outgoing) == [
        (2, "KEY", 3),
        (3, "KEY", 3),
        (2, "DELTA", 5),
        (3, "DELTA", 5),
        {"op": "get.head", "channel": 1, "status": 200, "headers": {}},
        (1, "BODY", 10),
    ]


async def test_video_without_end_still_lets_one_body_frame_in_after_sixteen():
    outgoing = Outgoing()
    live = outgoing.add_live(1, 1_000_000)
    file = outgoing.add_file(2)
    await file.put(bytes(3 * BODY_BYTES))
    live.offer(KEY)
    for _ in range(39):
        live.offer(DELTA)
    order = [kind[0] for _, kind, _ in taken(outgoing)]
    assert "".join(order) == "K" + "D" * 15 + "B" + "D" * 16 + "B" + "D" * 8 + "B"


async def test_files_take_turns_and_each_keeps_its_order():
    outgoing = Outgoing()
    first, second = outgoing.add_file(1), outgoing.add_file(2)
    for size_bytes in (1, 2):
        await first.put(bytes(size_bytes))
        await second.put(bytes(size_bytes))
    first.end(None)
    second.end("box_failed")
    assert taken(outgoing) == [
        (1, "BODY", 1),
        (2, "BODY", 1),
        (1, "BODY", 2),
        (2, "BODY", 2),
        {"op": "end", "channel": 1},
        {"op": "end", "channel": 2, "reason": "box_failed"},
    ]


async def test_a_file_waits_for_room_and_never_loses_a_byte():
    outgoing = Outgoing()
    file = outgoing.add_file(1)
    putting = asyncio.create_task(file.put(bytes(6 * BODY_BYTES + 1)))
    await asyncio.sleep(0)
    assert len(file) == 4
    sizes = []
    while not putting.done() or len(file):
        sizes += [size for _, _, size in taken(outgoing)]
        await asyncio.sleep(0)
    assert sizes == [BODY_BYTES] * 6 + [1]


async def test_a_file_waits_for_its_reader():
    outgoing = Outgoing()
    file = outgoing.add_file(1)
    putting = asyncio.create_task(file.put(bytes(GET_WINDOW_BYTES + BODY_BYTES)))
    sent = 0
    for _ in range(200):
        sent += sum(size for _, _, size in taken(outgoing))
        await asyncio.sleep(0)
    assert (sent, putting.done()) == (GET_WINDOW_BYTES, False)
    file.allow(BODY_BYTES)
    await putting
    assert taken(outgoing) == [(1, "BODY", BODY_BYTES)]


async def test_a_reader_can_not_open_more_than_the_window():
    file = Outgoing().add_file(1)
    file.allow(GET_WINDOW_BYTES)
    putting = asyncio.create_task(file.put(bytes(GET_WINDOW_BYTES + 1)))
    sent = 0
    for _ in range(200):
        while (message := file.pop()) is not None:
            sent += len(message) - 5
        await asyncio.sleep(0)
    assert (sent, putting.cancel()) == (GET_WINDOW_BYTES, True)


async def test_a_removed_channel_says_nothing_more():
    outgoing = Outgoing()
    outgoing.add_live(1, 1000).offer(KEY)
    await outgoing.add_file(2).put(b"x")
    outgoing.remove(1)
    outgoing.remove(2)
    outgoing.remove(3)
    assert taken(outgoing) == []


async def test_something_to_send_wakes_the_sender():
    outgoing = Outgoing()
    outgoing.add_live(1, 1000).offer(KEY)
    assert outgoing.ready.is_set()


def test_a_stream_is_told_in_the_relays_words():
    opened = Opened("video/mp4", 2, 640, 360, b"init")
    assert told(relayed(7, opened)) == [
        {
            "op": "live.open",
            "channel": 7,
            "mime": "video/mp4",
            "generation": 2,
            "width": 640,
            "height": 360,
        },
        (7, FrameKind.INIT.name, 4),
    ]
    assert told(relayed(7, StateChanged(StreamState.LOST))) == [
        {"op": "live.state", "channel": 7, "state": "lost"}
    ]
    assert told(relayed(7, Ended("closing"))) == [{"op": "end", "channel": 7, "reason": "closing"}]


@pytest.mark.parametrize(
    ("failures", "jitter", "delay_s"),
    [
        pytest.param(1, 0.0, 1.0, id="the first try comes after a second"),
        pytest.param(1, 1.0, 1.0, id="never sooner"),
        pytest.param(3, 0.0, 4.0, id="doubling"),
        pytest.param(3, 1.0, 2.0, id="half of it is chance"),
        pytest.param(6, 0.0, 30.0, id="up to half a minute"),
        pytest.param(10_000, 0.0, 30.0, id="for ever"),
        pytest.param(10_000, 1.0, 15.0, id="and not all boxes at once"),
    ],
)
def test_waits_longer_after_each_failure(failures, jitter, delay_s):
    assert retry_delay_s(failures, jitter) == delay_s


@pytest.mark.parametrize(
    ("http_url", "url"),
    [
        ("http://centre.example:8600", "ws://centre.example:8600/api/v1/relay"),
        ("https://centre.example/", "wss://centre.example/api/v1/relay"),
        ("https://centre.example/village", "wss://centre.example/village/api/v1/relay"),
    ],
)
def test_dials_the_relay_below_the_centres_address(http_url, url):
    assert UplinkTarget(http_url, "box-1", None).url == url
