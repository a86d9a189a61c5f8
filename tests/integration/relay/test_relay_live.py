import asyncio
import io
import json
from dataclasses import replace

import av
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from central.relay import router
from edge.live.hubs import LiveHubs
from edge.media.sample import Sample
from protocol.messages import StreamState
from protocol.relay import StreamName
from tests.support.box import Box, running_box
from tests.support.centre import (
    BOX_ID,
    PERSON,
    TOKEN,
    Centre,
    dialled_in,
    running_centre,
    uplink_of,
)
from tests.support.eventually import eventually
from tests.support.footage import encoded

pytestmark = pytest.mark.anyio


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        yield box


@pytest.fixture
async def centre():
    async with running_centre() as centre:
        yield centre


def watch(centre: Centre, path: str = f"{BOX_ID}.gate/sub", **options) -> connect:
    url = f"{centre.ws_url}/api/v1/live/{path}"
    return connect(url, proxy=None, additional_headers=PERSON, **options)


def show(box: Box, *footage: Sample) -> None:
    for sample in footage:
        box.hubs.hub("gate", StreamName.SUB).offer(sample)


async def receive(socket: ClientConnection, count: int) -> list:
    return [await socket.recv() for _ in range(count)]


def decoded(parts: list[bytes]) -> int:
    with av.open(io.BytesIO(b"".join(parts)), format="mp4") as container:
        return sum(1 for _ in container.decode(video=0))


async def test_a_far_viewer_gets_the_same_protocol_and_video_that_decodes(box, centre):
    footage = encoded(frames=40, gop=25)
    show(box, *footage[:30])
    box.hubs.hub("gate", StreamName.SUB).state_changed(StreamState.LIVE)
    async with dialled_in(box, centre), watch(centre) as socket:
        first = await receive(socket, 3 + 5)
        show(box, *footage[30:])
        rest = await receive(socket, 10)
    assert json.loads(first[0]) == {"op": "live.state", "state": "live"}
    assert json.loads(first[1]) == {
        "op": "live.open",
        "mime": f'video/mp4; codecs="{footage[0].run.parameters.mime_codec}"',
        "generation": 1,
        "width": 320,
        "height": 180,
    }
    assert decoded(first[2:] + rest) == 15


async def test_viewers_share_one_upstream_and_a_late_one_sees_something_at_once(box, centre):
    hub = box.hubs.hub("gate", StreamName.SUB)
    footage = encoded(frames=40, gop=25)
    async with dialled_in(box, centre):
        assert hub.stats().viewers == 0
        async with watch(centre) as first:
            await receive(first, 1)
            show(box, *footage[:28])
            await receive(first, 2 + 28)
            async with watch(centre) as second:
                at_once = await receive(second, 3 + 3)
                assert decoded(at_once[2:]) == 3
                assert hub.stats().viewers == 1
                assert centre.hub.viewers() == {BOX_ID: 2}
        await eventually(lambda: hub.stats().viewers == 0)
        assert centre.hub.viewers() == {BOX_ID: 0}


async def test_a_new_run_is_a_new_generation_for_those_who_watch_and_those_who_come(box, centre):
    footage = encoded(frames=3)
    again = replace(footage[0].run, run_id="b" * 32)
    async with dialled_in(box, centre), watch(centre) as first:
        await receive(first, 1)
        show(box, *footage)
        messages = await receive(first, 2 + 3)
        show(box, *(replace(sample, run=again) for sample in footage))
        messages += await receive(first, 2 + 3)
        async with watch(centre) as second:
            late = await receive(second, 3 + 3)
    generations = [json.loads(each)["generation"] for each in messages if isinstance(each, str)]
    assert generations == [1, 2]
    assert json.loads(late[1])["generation"] == 2


async def test_the_state_of_the_camera_reaches_far_viewers(box, centre):
    async with dialled_in(box, centre), watch(centre) as socket:
        await receive(socket, 1)
        box.hubs.hub("gate", StreamName.SUB).state_changed(StreamState.LOST)
        assert json.loads(await socket.recv()) == {"op": "live.state", "state": "lost"}


async def test_a_far_viewer_that_does_not_read_never_slows_the_one_that_does(box, centre):
    footage = encoded(frames=50, gop=25)
    big = [replace(sample, data=bytes(300_000)) for sample in footage]
    async with dialled_in(box, centre), watch(centre) as fast, watch(centre, max_queue=1) as slow:
        await receive(fast, 1)
        await eventually(lambda: centre.hub.viewers() == {BOX_ID: 2})
        show(box, big[0])
        await receive(fast, 3)
        for sample in big[1:]:
            show(box, sample)
            assert len(await fast.recv()) > 300_000
        slow.transport.abort()


async def test_who_may_no_longer_watch_gets_nothing_more_though_video_is_queued(
    box, centre, monkeypatch
):
    monkeypatch.setattr(router, "CHECK_S", 0.05)
    footage = encoded(frames=3)
    async with dialled_in(box, centre), watch(centre) as socket:
        await receive(socket, 1)
        show(box, *footage)
        await receive(socket, 2 + 3)
        centre.viewers.allowed = False
        said = [each async for each in socket]
        assert json.loads(said[-1]) == {"op": "end", "reason": "signed_out"}
        await eventually(lambda: centre.hub.viewers() == {BOX_ID: 0})


async def test_viewers_of_a_box_that_is_lost_are_told(box, centre):
    async with dialled_in(box, centre) as uplink, watch(centre) as socket:
        await receive(socket, 1)
        await uplink.aclose()
        assert [json.loads(each) for each in await receive(socket, 2)] == [
            {"op": "live.state", "state": "lost"},
            {"op": "end", "reason": "box_lost"},
        ]
        await socket.wait_closed()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("box-2.gate/sub", "box_unreachable", id="a box that is not there"),
        pytest.param("box-2.g;te/sub", "no_such_camera", id="an id that can't be"),
        pytest.param("nonsense/sub", "no_such_camera", id="no camera at all"),
    ],
)
async def test_what_can_not_be_shown_is_said_inside_the_socket(centre, path, reason):
    async with watch(centre, path) as socket:
        assert [json.loads(each) for each in await receive(socket, 2)] == [
            {"op": "live.state", "state": "lost"},
            {"op": "end", "reason": reason},
        ]


async def test_a_camera_that_the_box_does_not_have_ends_with_that_reason(box, centre):
    async with dialled_in(box, centre), watch(centre, f"{BOX_ID}.nowhere/main") as socket:
        assert json.loads(await socket.recv()) == {"op": "end", "reason": "no_such_camera"}


async def test_who_may_not_watch_is_refused(centre):
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{centre.ws_url}/api/v1/live/{BOX_ID}.gate/sub", proxy=None):
            raise AssertionError("it was let in")
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"X-Box-Id": BOX_ID, "Authorization": "Bearer wrong"}, id="a wrong token"),
        pytest.param({"X-Box-Id": BOX_ID, "Authorization": f"Basic {TOKEN}"}, id="another scheme"),
        pytest.param({"X-Box-Id": "../x", "Authorization": f"Bearer {TOKEN}"}, id="no box id"),
    ],
)
async def test_a_box_that_does_not_prove_who_it_is_is_refused(centre, headers):
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"{centre.ws_url}/api/v1/relay", proxy=None, additional_headers=headers):
            raise AssertionError("it was let in")
    assert refused.value.response.status_code == 403


async def test_a_refused_box_says_why_in_its_health_and_not_its_token(box, centre, caplog):
    caplog.set_level("DEBUG")
    uplink = uplink_of(box, centre.url, token="wrong-token")
    await uplink.start()
    await eventually(lambda: uplink.component().detail)
    assert uplink.component().detail == "the centre answered 403"
    assert uplink.component().figures["failures_in_row"] == 1
    await uplink.aclose()
    await uplink.aclose()
    ours = [record for record in caplog.records if record.name.startswith(("edge", "websockets"))]
    assert [record.message for record in ours] == ["uplink.down"]
    assert all("wrong-token" not in str(vars(record)) for record in ours)


async def test_the_newest_connection_of_a_box_takes_the_place_of_the_older(box, centre):
    headers = {"X-Box-Id": BOX_ID, "Authorization": f"Bearer {TOKEN}"}
    async with connect(
        f"{centre.ws_url}/api/v1/relay", proxy=None, additional_headers=headers
    ) as older:
        await eventually(lambda: centre.hub.connected(BOX_ID))
        async with watch(centre) as socket:
            await older.recv()
            async with dialled_in(box, centre):
                assert json.loads((await receive(socket, 2))[1]) == {
                    "op": "end",
                    "reason": "box_dialled_again",
                }
                await older.wait_closed()
                assert centre.hub.connected(BOX_ID)
                async with watch(centre) as again:
                    assert json.loads(await again.recv())["op"] == "live.state"


async def test_a_box_comes_back_after_the_centre_died(box):
    async with running_centre() as centre:
        port = centre.port
        uplink = uplink_of(box, centre.url)
        await uplink.start()
        await eventually(lambda: centre.hub.connected(BOX_ID))
        viewer = await centre.hub.open_live(BOX_ID, "gate", StreamName.SUB)
        await anext(viewer)
        assert box.hubs.hub("gate", StreamName.SUB).stats().viewers == 1
    await eventually(lambda: box.hubs.hub("gate", StreamName.SUB).stats().viewers == 0)
    assert uplink.component().condition == "degraded"
    async with running_centre(port) as centre:
        await eventually(lambda: centre.hub.connected(BOX_ID))
        async with watch(centre) as socket:
            show(box, *encoded(frames=2))
            assert len(await receive(socket, 1 + 2 + 2)) == 5
        assert uplink.component().figures["connections"] == 2
        assert uplink.component().condition == "ok"
        await uplink.aclose()


async def test_whatever_breaks_in_a_session_the_box_dials_again(box, centre, caplog):
    class BrokenOnce(LiveHubs):
        broken = True

        def hub(self, camera_id, stream):
            if self.broken:
                self.broken = False
                raise RuntimeError("a bug")
            return super().hub(camera_id, stream)

    box.hubs = BrokenOnce([("gate", StreamName.SUB)])
    async with dialled_in(box, centre) as uplink:
        async with watch(centre) as socket:
            assert json.loads((await receive(socket, 2))[1])["reason"] == "box_lost"
        assert uplink.component().detail == "RuntimeError"
        await eventually(lambda: centre.hub.connected(BOX_ID))
        async with watch(centre) as socket:
            assert json.loads(await socket.recv()) == {"op": "live.state", "state": "connecting"}
    assert "uplink.failed" in caplog.messages


async def test_a_box_that_talks_nonsense_is_hung_up_on(centre):
    headers = {"X-Box-Id": BOX_ID, "Authorization": f"Bearer {TOKEN}"}
    url = f"{centre.ws_url}/api/v1/relay"
    for nonsense in ("{}", "not json", b"\x00", '{"op":"live.stop","channel":1}'):
        async with connect(url, proxy=None, additional_headers=headers) as socket:
            await eventually(lambda: centre.hub.connected(BOX_ID))
            viewer = await centre.hub.open_live(BOX_ID, "gate", StreamName.SUB)
            number = json.loads(await socket.recv())["channel"]
            if isinstance(nonsense, str):
                nonsense = nonsense.replace("1", str(number))  # noqa: PLW2901 - of this round
            await socket.send(nonsense)
            await asyncio.wait_for(socket.wait_closed(), 5)
            assert [item.reason async for item in viewer if hasattr(item, "reason")] == ["box_lost"]
        await eventually(lambda: not centre.hub.connected(BOX_ID))
