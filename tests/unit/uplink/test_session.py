import asyncio
import json

import pytest

from edge.live.hubs import LiveHubs
from edge.uplink.fetch import EdgeReader
from edge.uplink.session import RelaySession
from protocol.codec import BadMessageError
from protocol.relay import StreamName
from tests.support.footage import run, samples

pytestmark = pytest.mark.anyio


class FakeCentre:
    """The centre's end of a socket: what it says is read, what the box says is kept."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.heard: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def recv(self) -> str | bytes:
        return await self.said.get()

    async def send(self, message: str | bytes) -> None:
        await self.heard.put(message)

    def say(self, **control) -> None:
        self.said.put_nowait(json.dumps(control))

    async def hear(self) -> dict:
        message = await asyncio.wait_for(self.heard.get(), 5)
        return json.loads(message) if isinstance(message, str) else {"bytes": len(message)}


@pytest.fixture
def hubs() -> LiveHubs:
    return LiveHubs([("gate", StreamName.SUB), ("gate", StreamName.MAIN)])


@pytest.fixture
def centre() -> FakeCentre:
    return FakeCentre()


@pytest.fixture
async def session(centre, hubs):
    reader = EdgeReader(lambda: "http://127.0.0.1:9")  # the discard port: nobody answers there
    yield RelaySession(centre, hubs, reader)
    await reader.aclose()


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("not json", id="no JSON"),
        pytest.param("{}", id="no message"),
        pytest.param(b"\0\0\0\1\1x", id="a binary frame"),
        pytest.param('{"op":"get.head","channel":1,"status":1,"headers":{}}', id="a box's word"),
        pytest.param('{"op":"get.start","channel":1,"path":"/etc/passwd"}', id="a foreign path"),
        pytest.param('{"op":"get.start","channel":1,"path":"/v1/../x"}', id="a path with dots"),
        pytest.param(
            '{"op":"ask.start","channel":1,"method":"PUT","path":"/v1/x","actor":"a"}',
            id="a method that is not carried",
        ),
        pytest.param(
            '{"op":"ask.start","channel":1,"method":"POST","path":"/v1/x"}', id="nobody who asks"
        ),
    ],
)
async def test_a_centre_that_talks_nonsense_ends_the_session(session, centre, frame):
    centre.said.put_nowait(frame)
    with pytest.raises(BadMessageError):
        await asyncio.wait_for(session.run(), 5)


async def test_a_channel_may_be_opened_once(session, centre):
    for _ in range(2):
        centre.say(op="live.start", channel=1, camera="gate", stream="sub")
    with pytest.raises(BadMessageError, match="open already"):
        await asyncio.wait_for(session.run(), 5)


async def test_more_streams_than_a_box_can_have_end_the_session(session, centre):
    for channel in range(129):
        centre.say(op="live.start", channel=channel, camera="gate", stream="sub")
    with pytest.raises(BadMessageError, match="more than 128 streams"):
        await asyncio.wait_for(session.run(), 5)


async def test_more_files_than_it_serves_are_told_that_it_is_busy(session, centre):
    for channel in range(65):
        centre.say(op="get.start", channel=channel, path="/v1/health")
    running = asyncio.create_task(session.run())
    answers = [await centre.hear() for _ in range(65)]
    assert {"op": "end", "channel": 64, "reason": "busy"} in answers
    assert {"op": "end", "channel": 0, "reason": "box_failed"} in answers
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_an_interface_that_does_not_answer_is_said(session, centre):
    centre.say(op="get.start", channel=5, path="/v1/health")
    running = asyncio.create_task(session.run())
    assert await centre.hear() == {"op": "end", "channel": 5, "reason": "box_failed"}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_is_asked_of_an_interface_that_does_not_answer_is_said_and_not_tried_again(
    session, centre
):
    centre.say(op="ask.start", channel=6, method="POST", path="/v1/x", body="{}", actor="a")
    running = asyncio.create_task(session.run())
    assert await centre.hear() == {"op": "end", "channel": 6, "reason": "box_failed"}
    assert session.channels == (0, 0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_fetch_that_breaks_in_an_unforeseen_way_is_logged_and_told(centre, hubs, caplog):
    class BrokenReader:
        async def fetch(self, start, queue) -> None:
            raise RuntimeError("a bug")

    session = RelaySession(centre, hubs, BrokenReader())
    centre.say(op="get.start", channel=5, path="/v1/health")
    running = asyncio.create_task(session.run())
    assert await centre.hear() == {"op": "end", "channel": 5, "reason": "box_failed"}
    assert [record.message for record in caplog.records] == ["uplink.fetch_broke"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_names_no_open_channel_is_read_over(session, centre, hubs):
    centre.say(op="live.stop", channel=9)
    centre.say(op="get.stop", channel=9)
    centre.say(op="get.more", channel=9, size_bytes=1)
    centre.say(op="live.start", channel=1, camera="gate", stream="sub")
    running = asyncio.create_task(session.run())
    assert (await centre.hear())["op"] == "live.state"
    assert session.channels == (1, 0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert session.channels == (0, 0)
    assert hubs.hub("gate", StreamName.SUB).stats().viewers == 0


async def test_a_stopped_stream_says_nothing_more_and_may_start_again(session, centre, hubs):
    hub = hubs.hub("gate", StreamName.SUB)
    centre.say(op="live.start", channel=1, camera="gate", stream="sub")
    running = asyncio.create_task(session.run())
    await centre.hear()
    for sample in samples(run(), "Kd"):
        hub.offer(sample)
    assert [(await centre.hear()).get("op") for _ in range(4)] == ["live.open", None, None, None]
    centre.say(op="live.stop", channel=1)
    centre.say(op="live.start", channel=2, camera="gate", stream="sub")
    again = [await centre.hear() for _ in range(5)]
    assert [message.get("channel") for message in again] == [2, 2, None, None, None]
    assert hub.stats().viewers == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
