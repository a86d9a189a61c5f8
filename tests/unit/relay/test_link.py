"""The centre's end against a box that says anything at all."""

import asyncio
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.errors import (
    BoxTooOldError,
    BoxUnreachableError,
    BoxUnsureError,
    InvalidError,
    NotFoundError,
)
from central.relay.channel import StreamKey
from central.relay.hub import RelayHub
from central.relay.link import BoxLink, RelayLimits
from protocol.relay import AskMethod, FrameKind, StreamName, pack
from protocol.viewer import Ended, Fragment, Opened, StateChanged
from protocol.viewing import Viewer

pytestmark = pytest.mark.anyio

KEY = StreamKey("gate", StreamName.SUB)


class FakeSocket:
    """An accepted WebSocket whose other end says what it is told to, then hangs up."""

    def __init__(self, *frames: str | bytes, stays: bool = False) -> None:
        self._frames = list(frames)
        self._stays = stays
        self.sent: list[dict] = []

    async def send_text(self, data: str) -> None:
        self.sent.append(json.loads(data))

    async def receive(self) -> dict:
        await asyncio.sleep(0)
        if self._frames:
            frame = self._frames.pop(0)
            return {
                "type": "websocket.receive",
                "text" if isinstance(frame, str) else "bytes": frame,
            }
        if self._stays:
            await asyncio.Event().wait()
        return {"type": "websocket.disconnect"}

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        raise AssertionError("the router closes")


def opening(generation: int = 1, channel: int = 1) -> str:
    return json.dumps(
        {
            "op": "live.open",
            "channel": channel,
            "mime": "video/mp4",
            "generation": generation,
            "width": 2,
            "height": 2,
        }
    )


async def told(viewer: Viewer) -> list:
    return [item async for item in viewer]


async def test_the_init_segment_completes_the_opening_and_one_too_many_is_read_over():
    socket = FakeSocket(
        pack(1, FrameKind.INIT, b"stray"),
        opening(),
        pack(1, FrameKind.INIT, b"init"),
        pack(1, FrameKind.KEY, b"k"),
        pack(1, FrameKind.DELTA, b"d"),
        json.dumps({"op": "end", "channel": 1, "reason": "closing"}),
        pack(1, FrameKind.DELTA, b"late"),
        json.dumps({"op": "live.state", "channel": 1, "state": "live"}),
    )
    link = BoxLink("box-1", socket, RelayLimits())
    viewer = link.watch(KEY)
    await link.run()
    assert await told(viewer) == [
        Opened("video/mp4", 1, 2, 2, b"init"),
        Fragment(is_key=True, data=b"k"),
        Fragment(is_key=False, data=b"d"),
        Ended("closing"),
    ]
    viewer.close()
    assert socket.sent == [{"op": "live.start", "channel": 1, "camera": "gate", "stream": "sub"}]


async def test_a_link_that_is_closed_takes_no_more_requests():
    link = BoxLink("box-1", FakeSocket(), RelayLimits())
    viewer = link.watch(KEY)
    transfer = link.fetch("/v1/health", None)
    link.close("centre_closing")
    link.close("something else")
    await link.run()
    assert [type(item) for item in await told(viewer)] == [StateChanged, Ended]
    with pytest.raises(BoxUnreachableError, match="centre_closing"):
        await transfer.head(1)
    with pytest.raises(BoxUnreachableError, match="centre_closing"):
        link.watch(KEY)
    with pytest.raises(BoxUnreachableError, match="centre_closing"):
        link.fetch("/v1/health", None)


async def test_a_box_that_takes_no_requests_is_given_up():
    class Stuck(FakeSocket):
        async def send_text(self, data: str) -> None:
            await asyncio.Event().wait()

    link = BoxLink("box-1", Stuck(stays=True), RelayLimits())
    running = asyncio.create_task(link.run())
    for _ in range(1001):
        link.fetch("/v1/health", None)
    await asyncio.wait_for(running, 5)
    with pytest.raises(BoxUnreachableError, match="box_stuck"):
        link.watch(KEY)


async def test_a_transfer_that_is_complete_stops_there():
    socket = FakeSocket(
        json.dumps({"op": "get.head", "channel": 1, "status": 200, "headers": {"a": "b"}}),
        pack(1, FrameKind.BODY, b"one"),
        pack(1, FrameKind.BODY, b"two"),
        json.dumps({"op": "end", "channel": 1}),
    )
    link = BoxLink("box-1", socket, RelayLimits())
    transfer = link.fetch("/v1/health", "bytes=0-5")
    await link.run()
    head = await transfer.head(1)
    assert (head.status, head.headers) == (200, {"a": "b"})
    assert [part async for part in transfer] == [b"one", b"two"]
    transfer.close()
    assert socket.sent == [
        {"op": "get.start", "channel": 1, "path": "/v1/health", "range": "bytes=0-5"}
    ]


def ask(link: BoxLink):
    return link.ask(AskMethod.POST, "/v1/holds", "{}", "杨文昌 (yangwc)")


async def test_what_changes_something_is_sent_once_with_who_asks():
    socket = FakeSocket(
        json.dumps({"op": "get.head", "channel": 1, "status": 201, "headers": {}}),
        pack(1, FrameKind.BODY, b"{}"),
        json.dumps({"op": "end", "channel": 1}),
    )
    link = BoxLink("box-1", socket, RelayLimits(), asks=True)
    transfer = ask(link)
    await link.run()
    assert (await transfer.head(1)).status == 201
    assert [part async for part in transfer] == [b"{}"]
    assert socket.sent == [
        {
            "op": "ask.start",
            "channel": 1,
            "method": "POST",
            "path": "/v1/holds",
            "body": "{}",
            "actor": "杨文昌 (yangwc)",
        }
    ]


async def test_a_box_that_does_not_know_the_word_is_not_sent_it():
    socket = FakeSocket()
    link = BoxLink("box-1", socket, RelayLimits())
    with pytest.raises(BoxTooOldError):
        ask(link)
    await link.run()
    assert socket.sent == []


async def test_a_hub_says_that_nobody_knows_whether_it_was_done_and_does_not_ask_again():
    hub = RelayHub(RelayLimits(ask_s=0.05))
    socket, again = FakeSocket(stays=True), FakeSocket(stays=True)
    serving = [asyncio.create_task(hub.serve("box-1", socket, asks=True))]
    await asyncio.sleep(0)
    with pytest.raises(BoxUnsureError, match=r"no answer for 0\.05 s; whether it was done"):
        await hub.ask("box-1", AskMethod.DELETE, "/v1/holds/1", "", "杨文昌")
    serving.append(asyncio.create_task(hub.serve("box-1", again, asks=True)))
    await asyncio.sleep(0)
    await hub.aclose()
    await asyncio.gather(*serving)
    assert [message["op"] for message in socket.sent] == ["ask.start", "get.stop"]
    assert again.sent == []


async def test_a_hub_sends_nothing_that_a_box_would_refuse():
    hub = RelayHub()
    with pytest.raises(NotFoundError):
        await hub.ask("box-1", AskMethod.POST, "/v2/holds", "{}", "杨文昌")
    with pytest.raises(InvalidError):
        await hub.ask("box-1", AskMethod.POST, "/v1/holds", '"' + "村" * 6000 + '"', "杨文昌")
    with pytest.raises(BoxUnreachableError, match="not connected"):
        await hub.ask("box-1", AskMethod.POST, "/v1/holds", "{}", "杨文昌")


async def test_a_hub_that_is_closed_turns_boxes_away_and_may_be_closed_again():
    hub = RelayHub()
    await hub.aclose()
    await hub.aclose()
    await asyncio.wait_for(hub.serve("box-1", FakeSocket(stays=True)), 5)
    assert not hub.connected("box-1")


async def test_a_range_that_is_absurdly_long_is_left_out():
    hub = RelayHub(RelayLimits(head_s=0.05))
    socket = FakeSocket(stays=True)
    serving = asyncio.create_task(hub.serve("box-1", socket))
    await asyncio.sleep(0)
    with pytest.raises(BoxUnreachableError):
        await hub.get("box-1", "/v1/health", "bytes=" + "0-0," * 100)
    with pytest.raises(NotFoundError):
        await hub.get("box-1", "/v2/health")
    assert socket.sent[0] == {"op": "get.start", "channel": 1, "path": "/v1/health"}
    await hub.aclose()
    await serving


_CHANNELS = st.integers(0, 4)
_CONTROLS = st.one_of(
    st.builds(opening, st.integers(-1, 3), _CHANNELS),
    st.builds(
        lambda channel, state: json.dumps({"op": "live.state", "channel": channel, "state": state}),
        _CHANNELS,
        st.sampled_from(["live", "lost", "else"]),
    ),
    st.builds(
        lambda channel: json.dumps(
            {"op": "get.head", "channel": channel, "status": 200, "headers": {}}
        ),
        _CHANNELS,
    ),
    st.builds(lambda channel: json.dumps({"op": "end", "channel": channel}), _CHANNELS),
    st.text(max_size=20),
)
_FRAMES = st.one_of(
    st.builds(pack, _CHANNELS, st.sampled_from(list(FrameKind)), st.binary(max_size=50)),
    st.binary(max_size=20),
)


@given(st.lists(st.one_of(_CONTROLS, _FRAMES), max_size=30))
def test_whatever_a_box_says_viewers_and_readers_come_to_an_end(frames):
    async def scenario() -> None:
        link = BoxLink("box-1", FakeSocket(*frames), RelayLimits(head_s=0.5, stall_s=0.5))
        viewers = [link.watch(KEY), link.watch(StreamKey("road", StreamName.MAIN))]
        transfers = [link.fetch("/v1/health", None) for _ in range(2)]
        await link.run()
        for viewer in viewers:
            items = await told(viewer)
            assert isinstance(items[-1], Ended)
            videos = [item for item in items if isinstance(item, Fragment)]
            assert not videos or videos[0].is_key
        for transfer in transfers:
            with contextlib.suppress(BoxUnreachableError):
                await transfer.head(1)
                assert all([isinstance(part, bytes) async for part in transfer])
            transfer.close()

    asyncio.run(scenario())
