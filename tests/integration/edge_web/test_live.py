import contextlib
import io
import json
import signal
import threading

import av
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from edge.errors import ConfigError
from edge.media.sample import Sample
from edge.web.server import HttpServer
from protocol.messages import StreamState
from protocol.relay import StreamName
from tests.support.box import Box, running_box
from tests.support.eventually import eventually
from tests.support.footage import encoded

pytestmark = pytest.mark.anyio


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        yield box


def live(box: Box, path: str = "gate/sub", **options) -> connect:
    url = box.server.url.replace("http", "ws", 1)
    return connect(f"{url}/v1/live/{path}", proxy=None, **options)


def show(box: Box, *footage: Sample) -> None:
    for sample in footage:
        box.hubs.hub("gate", StreamName.SUB).offer(sample)


async def frames(socket: ClientConnection, count: int) -> list:
    return [await socket.recv() for _ in range(count)]


async def test_a_viewer_gets_state_parameters_and_video_that_decodes(box: Box):
    footage = encoded(frames=40, gop=25)
    show(box, *footage[:30])
    box.hubs.hub("gate", StreamName.SUB).state_changed(StreamState.LIVE)
    async with live(box) as socket:
        first = await frames(socket, 3 + 5)
        show(box, *footage[30:])
        rest = await frames(socket, 10)
    assert json.loads(first[0]) == {"op": "live.state", "state": "live"}
    assert json.loads(first[1]) == {
        "op": "live.open",
        "mime": f'video/mp4; codecs="{footage[0].run.parameters.mime_codec}"',
        "generation": 1,
        "width": 320,
        "height": 180,
    }
    with av.open(io.BytesIO(b"".join(first[2:] + rest)), format="mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) == 15


async def test_a_viewer_that_leaves_is_noticed_though_no_video_comes(box: Box):
    hub = box.hubs.hub("gate", StreamName.SUB)
    async with live(box) as socket:
        await frames(socket, 1)
        assert hub.stats().viewers == 1
    await eventually(lambda: hub.stats().viewers == 0)


async def test_what_a_viewer_says_is_read_over(box: Box):
    async with live(box) as socket:
        await socket.send("hello")
        await socket.send(b"bytes")
        show(box, *encoded(frames=5))
        assert len(await frames(socket, 3 + 5)) == 8


async def test_a_viewer_that_does_not_read_never_slows_the_one_that_does(box: Box):
    hub = box.hubs.hub("gate", StreamName.SUB)
    footage = encoded(frames=50, gop=25)
    async with live(box) as fast, live(box, max_queue=1) as slow:
        await frames(fast, 1)
        await eventually(lambda: hub.stats().viewers == 2)
        big = [
            Sample(s.run, s.dts_90k, s.pts_90k, s.duration_90k, s.is_key, bytes(600_000), 0)
            for s in footage
        ]
        show(box, big[0])
        await frames(fast, 3)
        for sample in big[1:]:
            show(box, sample)
            assert len(await fast.recv()) > 600_000  # each as it comes: the slow one holds nobody
        assert hub.stats().dropped > 0
        slow.transport.abort()


async def test_an_unknown_camera_is_said_inside_the_socket(box: Box):
    async with live(box, "nowhere/sub") as socket:
        assert [json.loads(each) for each in await frames(socket, 2)] == [
            {"op": "live.state", "state": "lost"},
            {"op": "end", "reason": "no_such_camera"},
        ]


async def test_foreign_pages_may_not_watch(box: Box):
    with pytest.raises(InvalidStatus) as refused:
        async with live(box, origin="http://evil.example"):
            raise AssertionError("it was let in")
    assert refused.value.response.status_code == 403


async def test_foreign_names_for_our_address_may_not_watch(box: Box):
    port = int(box.server.url.rpartition(":")[2])
    url = f"ws://evil.example:{port}/v1/live/gate/sub"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url, proxy=None, host="127.0.0.1", port=port):
            raise AssertionError("it was let in")
    assert refused.value.response.status_code == 403


async def test_closing_the_box_ends_its_viewers_and_the_server_soon(tmp_path):
    async with running_box(tmp_path) as box:
        socket = await live(box)
        await frames(socket, 1)
    assert json.loads(await socket.recv()) == {"op": "end", "reason": "closing"}
    await socket.wait_closed()


async def test_the_server_leaves_signals_to_their_owner(box: Box):
    assert threading.current_thread() is threading.main_thread()
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    async with contextlib.aclosing(HttpServer(box.app, "127.0.0.1", 0)) as server:
        await server.start()
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


async def test_closing_twice_or_before_the_start_is_fine(box: Box):
    await box.server.aclose()
    await box.server.aclose()
    await HttpServer(box.app, "127.0.0.1", 0).aclose()


async def test_a_port_that_is_taken_is_named_in_the_error(box: Box):
    port = int(box.server.url.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"'http.port'.*127.0.0.1:{port}"):
        await HttpServer(box.app, "127.0.0.1", port).start()


async def test_an_address_of_version_6_is_written_in_brackets(box: Box):
    server = HttpServer(box.app, "::1", 0)
    await server.start()
    assert server.url.startswith("http://[::1]:")
    await server.aclose()
