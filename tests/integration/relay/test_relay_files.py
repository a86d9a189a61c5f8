import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from websockets.asyncio.client import connect

from central.errors import BoxUnreachableError
from central.relay.link import RelayLimits
from central.relay.transfer import Answer
from protocol.relay import GET_WINDOW_BYTES, FrameKind, StreamName, pack
from protocol.viewer import Fragment
from tests.support.box import Box, running_box
from tests.support.centre import (
    BOX_ID,
    PERSON,
    TOKEN,
    Centre,
    dialled_in,
    running_centre,
    thin_line,
)
from tests.support.eventually import eventually
from tests.support.footage import encoded

pytestmark = pytest.mark.anyio

BIG_BYTES = 6 * GET_WINDOW_BYTES


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        yield box


@pytest.fixture
async def centre():
    async with running_centre() as centre:
        yield centre


@pytest.fixture
async def http(centre):
    async with httpx.AsyncClient(
        base_url=f"{centre.url}/api/v1/boxes/{BOX_ID}/edge",
        headers=PERSON,
        trust_env=False,
        verify=False,
    ) as client:
        yield client


def big_file(box: Box) -> tuple[str, bytes]:
    """Return the path and the bytes of a recorded file of some windows' length."""
    footage = encoded(frames=2)
    segment = box.record([replace(sample, data=bytes(BIG_BYTES // 2)) for sample in footage])
    return f"/v1/segments/{segment.id}.mp4", segment.path.read_bytes()


async def read_all(answer: Answer) -> bytes:
    return b"".join([part async for part in answer.body])


async def test_a_file_comes_whole_through_the_relay_with_its_headers(box, centre, http):
    path, data = big_file(box)
    async with dialled_in(box, centre):
        answer = await http.get(path)
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(data).digest()
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_ranges_queries_and_refusals_pass_through(box, centre, http):
    path, data = big_file(box)
    async with dialled_in(box, centre):
        part = await http.get(path, headers={"range": "bytes=100-199"})
        missing = await http.get("/v1/segments/99.mp4")
        bad = await http.get(
            "/v1/cameras/gate/timeline", params={"from": "2026-11-22T02:00:00+08:00", "to": "x"}
        )
        good = await http.get(
            "/v1/cameras/gate/timeline",
            params={"from": "2026-11-22T02:00:00+08:00", "to": "2026-11-22T03:00:00+08:00"},
        )
    assert (part.status_code, part.content) == (206, data[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(data)}"
    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
    assert (bad.status_code, "'to'" in bad.json()["message"]) == (422, True)
    assert good.json()["from"] == "2026-11-22T02:00:00+08:00"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../openapi.json",
        "/v1/%2e%2e/x",
        "/v1/a/./b",
        "/v1/a//b",
        "/v1/a%5Cb",
        "/v1/a%00b",
        "/v1/" + "a" * 2100,
    ],
)
async def test_a_path_that_might_mean_another_is_not_found_at_the_centre(centre, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", centre.port)
    writer.write(
        f"GET /api/v1/boxes/{BOX_ID}/edge{path} HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: person\r\nConnection: close\r\n\r\n".encode()
    )
    status = await reader.readline()
    assert status.split()[1] == b"404"  # with the box unreachable, asking it would say 503
    writer.close()
    await writer.wait_closed()


async def test_who_may_not_review_is_refused(box, centre, http):
    answer = await http.get("/v1/health", headers={"authorization": "nobody"})
    assert answer.status_code == 401


async def test_a_box_that_is_not_there_is_a_503(http):
    assert (await http.get("/v1/health")).status_code == 503


async def test_a_reader_that_leaves_stops_the_box(box, centre, http):
    path, _ = big_file(box)
    async with dialled_in(box, centre) as uplink:
        async with http.stream("GET", path) as answer:
            await anext(answer.aiter_raw())
            assert uplink.component().figures["files"] == 1
        await eventually(lambda: uplink.component().figures["files"] == 0)


async def test_a_reader_that_pauses_holds_up_neither_others_nor_video(box, centre, http):
    path, data = big_file(box)
    async with dialled_in(box, centre):
        paused = [await centre.hub.get(BOX_ID, path) for _ in range(5)]
        assert (await http.get("/v1/health")).status_code == 200
        viewer = await centre.hub.open_live(BOX_ID, "gate", StreamName.SUB)
        await anext(viewer)
        for sample in encoded(frames=3):
            box.hubs.hub("gate", StreamName.SUB).offer(sample)
        assert len([await anext(viewer) for _ in range(1 + 3)]) == 4
        first = paused.pop()
        assert await read_all(first) == data
        for answer in (*paused, first):
            answer.body.close()
            answer.body.close()


async def test_a_box_that_is_lost_cuts_the_answer_short_with_an_error(box, centre):
    path, _ = big_file(box)
    async with dialled_in(box, centre) as uplink:
        answer = await centre.hub.get(BOX_ID, path)
        await anext(answer.body)
        await uplink.aclose()
        with pytest.raises(BoxUnreachableError, match="box_lost"):
            await read_all(answer)  # what had come already is given, then the truth


async def test_a_download_does_not_delay_live_video_on_a_thin_line(box, centre):
    path, _ = big_file(box)
    hub = box.hubs.hub("gate", StreamName.SUB)
    footage = encoded(frames=50)
    async with (
        thin_line(centre.port, bytes_per_s=1_000_000) as url,
        dialled_in(box, centre, url),
    ):
        viewer = await centre.hub.open_live(BOX_ID, "gate", StreamName.SUB)
        answer = await centre.hub.get(BOX_ID, path)  # 6 MB: six seconds of this line
        got_bytes = len(await anext(answer.body))
        clock = asyncio.get_running_loop()
        waits_s = []
        for sample in footage:
            sent_s = clock.time()
            hub.offer(sample)
            while not isinstance(await anext(viewer), Fragment):
                """The state and the parameters come first."""
            waits_s.append(clock.time() - sent_s)
            got_bytes += len(await anext(answer.body))
        answer.body.close()
        assert max(waits_s) < 1.0
        assert got_bytes < BIG_BYTES  # the download was under way all the time


async def test_video_that_fills_the_line_is_dropped_to_stay_young_and_files_still_come(box, centre):
    path, _ = big_file(box)
    hub = box.hubs.hub("gate", StreamName.SUB)
    footage = encoded(frames=250, gop=25)
    loop = asyncio.get_running_loop()
    sent_s: list[float] = []
    ages_s: list[float] = []

    async def watch(viewer) -> None:
        async for item in viewer:
            if isinstance(item, Fragment):
                index = int(item.data[item.data.index(b"mdat") + 4 :][:8])
                ages_s.append(loop.time() - sent_s[index])

    async with (
        thin_line(centre.port, bytes_per_s=400_000) as url,
        dialled_in(box, centre, url),
    ):
        viewer = await centre.hub.open_live(BOX_ID, "gate", StreamName.SUB)
        watching = asyncio.create_task(watch(viewer))
        answer = await centre.hub.get(BOX_ID, path)
        reading = asyncio.create_task(anext(answer.body))
        for index, sample in enumerate(footage):  # 100 frames/s of 20 KB: five times the line
            sent_s.append(loop.time())
            hub.offer(replace(sample, data=b"%08d" % index + bytes(20_000)))
            await asyncio.sleep(0.01)
        assert len(await asyncio.wait_for(reading, 10)) > 0
        watching.cancel()
        answer.body.close()
    assert len(ages_s) > 20
    assert max(ages_s) < 3.0  # 400 KB of queue and what the sockets hold; without, 12 s and growing
    assert hub.stats().dropped > 100


def fake_box(centre: Centre) -> connect:
    headers = {"X-Box-Id": BOX_ID, "Authorization": f"Bearer {TOKEN}"}
    return connect(f"{centre.ws_url}/api/v1/relay", proxy=None, additional_headers=headers)


async def test_a_box_can_not_serve_pages_as_the_centre(centre, http):
    async with fake_box(centre) as socket:
        await eventually(lambda: centre.hub.connected(BOX_ID))
        asking = asyncio.create_task(http.get("/v1/health"))
        number = json.loads(await socket.recv())["channel"]
        headers = {"Content-Type": "text/html", "Set-Cookie": "a=b", "ETag": '"1"'}
        head = {"op": "get.head", "channel": number, "status": 200, "headers": headers}
        await socket.send(json.dumps(head))
        await socket.send(pack(number, FrameKind.BODY, b"<script>"))
        await socket.send(json.dumps({"op": "end", "channel": number}))
        answer = await asking
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"] == '"1"'
    assert "set-cookie" not in answer.headers


async def test_a_box_that_sends_more_than_it_may_loses_the_transfer(centre):
    async with fake_box(centre) as socket:
        await eventually(lambda: centre.hub.connected(BOX_ID))
        asking = asyncio.create_task(centre.hub.get(BOX_ID, "/v1/health"))
        number = json.loads(await socket.recv())["channel"]
        head = {"op": "get.head", "channel": number, "status": 200, "headers": {}}
        await socket.send(json.dumps(head))
        answer = await asking
        for _ in range(5):
            await socket.send(pack(number, FrameKind.BODY, bytes(GET_WINDOW_BYTES // 4)))
        await (await socket.ping())  # all of it was taken off the socket
        with pytest.raises(BoxUnreachableError, match="more than it may"):
            await read_all(answer)


async def test_a_box_that_does_not_answer_in_time_is_unreachable():
    limits = RelayLimits(head_s=0.1)
    async with running_centre(limits=limits) as centre, fake_box(centre) as socket:
        await eventually(lambda: centre.hub.connected(BOX_ID))
        with pytest.raises(BoxUnreachableError, match=r"no answer for 0\.1 s"):
            await centre.hub.get(BOX_ID, "/v1/health")
        ops = [json.loads(await socket.recv())["op"] for _ in range(2)]
        assert ops == ["get.start", "get.stop"]


async def test_what_a_rule_counted_comes_through_the_relay(box, centre, http):
    start = box.clock.now() - timedelta(hours=1)
    for minute in range(30):
        box.crowds.counted("gate", "crowd", "all", start + timedelta(minutes=minute), 6)
    box.crowds.tick()
    async with dialled_in(box, centre):
        told = await http.get("/v1/rules/gate/crowd/history", params={"region": "all"})
    assert told.headers["content-type"] == "application/json"
    assert told.json()["days"][0]["minutes"] == 30
