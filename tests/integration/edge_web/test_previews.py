"""Previews over HTTP, of a real index and real files."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO

import av
import httpx
import numpy as np
import pytest

from edge.media.sample import Codec, Sample
from edge.web import previews
from protocol.relay import StreamName
from tests.support.box import Box, running_box, write
from tests.support.centre import BOX_ID, dialled_in, running_centre
from tests.support.eventually import eventually
from tests.support.footage import STARTED, brightness, encoded, run

pytestmark = pytest.mark.anyio

PREVIEW, SHEET = "/v1/cameras/gate/preview.jpg", "/v1/cameras/gate/previews"


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        yield box


@pytest.fixture
async def http(box):
    async with httpx.AsyncClient(
        base_url=box.server.url, trust_env=False, verify=False, timeout=30
    ) as client:
        yield client


def main_footage(frames: int = 100, codec: Codec = Codec.H264, after_s: float = 0) -> list[Sample]:
    """Return real footage of the main stream, a key frame a second."""
    footage = encoded(frames=frames, codec=codec)
    of = run(
        f"{int(after_s):032}",
        footage[0].run.parameters,
        stream=StreamName.MAIN,
        started_utc=STARTED + timedelta(seconds=after_s),
    )
    return [replace(sample, run=of) for sample in footage]


def iso(second: float) -> str:
    return (STARTED + timedelta(seconds=second)).isoformat()


def stretch(start_s: float, end_s: float, **more: object) -> dict[str, str]:
    return {"from": iso(start_s), "to": iso(end_s)} | {key: str(it) for key, it in more.items()}


def luma(jpeg: bytes) -> int:
    with av.open(BytesIO(jpeg)) as container:
        frame = next(container.decode(video=0))
        assert frame.width in (160, 320)
        return int(np.median(frame.to_ndarray(format="gray")))


def cut_up(body: bytes) -> tuple[dict, list[bytes]]:
    line, _, rest = body.partition(b"\n")
    index = json.loads(line)

    def parts() -> Iterator[bytes]:
        position = 0
        for each in index["pictures"]:
            yield rest[position : position + each["bytes"]]
            position += each["bytes"]
        assert position == len(rest)

    return index, list(parts())


def seconds(index: dict) -> list[float]:
    times = (datetime.fromisoformat(each["at"]) for each in index["pictures"])
    return [round((at - STARTED).total_seconds(), 3) for at in times]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
async def test_a_preview_is_the_key_frame_before_the_moment_with_its_true_time(box, http, codec):
    box.record(main_footage(codec=codec))
    answer = await http.get(PREVIEW, params={"at": iso(2.7)})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["x-picture-time"] == "2026-11-22T01:02:05.456789Z"
    assert answer.headers["cache-control"] == "no-store"
    assert luma(answer.content) == pytest.approx(brightness(50), abs=6)


async def test_the_file_that_grows_has_previews(box: Box, http):
    growing = write(box.index, main_footage())
    box.index.set_growing(growing.footage)
    answer = await http.get(PREVIEW, params={"at": iso(3.2), "width": "320"})
    assert luma(answer.content) == pytest.approx(brightness(75), abs=6)
    growing.close()


async def test_a_sheet_is_one_picture_a_part_each_with_its_time(box: Box, http):
    box.record(main_footage())
    answer = await http.get(SHEET, params=stretch(0, 4, count=4))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    index, pictures = cut_up(answer.content)
    assert (index["camera_id"], index["width"], index["complete"]) == ("gate", 160, True)
    assert seconds(index) == [0.0, 1.0, 2.0, 3.0]
    shades = [luma(each) for each in pictures]
    assert shades == [pytest.approx(brightness(each), abs=6) for each in (0, 25, 50, 75)]


async def test_a_sheet_has_no_picture_of_a_gap_and_none_twice(box: Box, http):
    box.record(main_footage(50))
    box.record(main_footage(50, after_s=10))
    index, _ = cut_up((await http.get(SHEET, params=stretch(-2, 14, count=32))).content)
    assert seconds(index) == [0.0, 1.0, 10.0, 11.0]  # parts of 0.5 s
    empty, _ = cut_up((await http.get(SHEET, params=stretch(4, 9))).content)
    assert (empty["pictures"], empty["complete"]) == ([], True)


async def test_the_damaged_part_of_a_sheet_is_left_out(box: Box, http):
    first, second = main_footage(25), main_footage(25, after_s=1)
    segment = box.record(first)
    box.record(second)
    data = bytearray(segment.path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start : start + 60] = bytes(60)
    segment.path.write_bytes(data)
    index, _ = cut_up((await http.get(SHEET, params=stretch(0, 2, count=2))).content)
    assert seconds(index) == [1.0]
    alone = await http.get(PREVIEW, params={"at": iso(0.5)})
    assert (alone.status_code, alone.json()["error"]) == (500, "media")


async def test_what_is_deleted_has_no_preview_any_more(box: Box, http):
    segment = box.record(main_footage())
    assert (await http.get(PREVIEW, params={"at": iso(1)})).status_code == 200
    box.index.forget(segment)
    gone = await http.get(PREVIEW, params={"at": iso(1)})
    assert (gone.status_code, gone.json()["error"]) == (404, "not_found")
    index, _ = cut_up((await http.get(SHEET, params=stretch(0, 4))).content)
    assert index["pictures"] == []


async def test_a_sheet_that_takes_too_long_says_what_is_missing(box: Box, http, monkeypatch):
    box.record(main_footage())
    taken = box.previews.of_slot

    def slow(*of):
        box.clock.advance(previews.SHEET_S * 0.4)
        return taken(*of)

    monkeypatch.setattr(box.previews, "of_slot", slow)
    index, _ = cut_up((await http.get(SHEET, params=stretch(0, 4, count=4))).content)
    assert (seconds(index), index["complete"]) == ([0.0, 1.0, 2.0], False)


async def test_of_many_at_once_the_ones_beyond_the_limit_are_refused(box: Box, http, monkeypatch):
    box.record(main_footage())
    may_go_on, at_work = threading.Event(), []
    taken = box.previews.at

    def held(*of):
        at_work.append(of)
        may_go_on.wait(20)
        try:
            return taken(*of)
        finally:
            at_work.pop()

    monkeypatch.setattr(box.previews, "at", held)
    asked = [asyncio.create_task(http.get(PREVIEW, params={"at": iso(1)})) for _ in range(20)]
    await eventually(lambda: sum(each.done() for each in asked) == 20 - previews.MAX_UNDER_WAY)
    assert len(at_work) == 1  # one at a time
    refused = [each.result() for each in asked if each.done()]
    assert {(each.status_code, each.json()["error"]) for each in refused} == {(503, "busy")}
    may_go_on.set()
    answers = await asyncio.gather(*asked)
    assert sum(each.status_code == 200 for each in answers) == previews.MAX_UNDER_WAY
    assert (await http.get(PREVIEW, params={"at": iso(1)})).status_code == 200


async def test_pictures_are_forgotten_when_nobody_asks_any_more(tmp_path, monkeypatch):
    monkeypatch.setattr(previews, "IDLE_S", 0.05)
    async with (
        running_box(tmp_path) as box,
        httpx.AsyncClient(trust_env=False, verify=False) as http,
    ):
        box.record(main_footage())
        url = f"{box.server.url}{PREVIEW}"
        assert (await http.get(url, params={"at": iso(1)})).status_code == 200
        await eventually(lambda: box.previews.cached() == 0)


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        pytest.param("/v1/cameras/nowhere/preview.jpg", {"at": iso(1)}, 404, id="no camera"),
        pytest.param("/v1/cameras/nowhere/previews", stretch(0, 1), 404, id="no camera's sheet"),
        pytest.param(PREVIEW, {"at": iso(1)}, 404, id="nothing recorded"),
        pytest.param(PREVIEW, {}, 422, id="no time"),
        pytest.param(PREVIEW, {"at": "2026-11-22T01:00:00"}, 422, id="no zone"),
        pytest.param(PREVIEW, {"at": iso(1), "width": "1920"}, 422, id="too wide"),
        pytest.param(PREVIEW, {"at": "0001-01-01T00:00:00+08:00"}, 422, id="no time before"),
        pytest.param(
            SHEET,
            {"from": "9999-12-31T22:00:00-08:00", "to": "9999-12-31T23:00:00-08:00"},
            422,
            id="no time after",
        ),
        pytest.param(SHEET, stretch(1, 1), 422, id="no stretch"),
        pytest.param(SHEET, stretch(0, 8 * 86400), 422, id="too long"),
        pytest.param(SHEET, stretch(0, 60, count=61), 422, id="too many"),
        pytest.param(SHEET, stretch(0, 60, count=0), 422, id="none"),
    ],
)
async def test_what_can_not_be_answered_is_said_in_json(http, path, params, status):
    answer = await http.get(path, params=params)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "message", "message_zh"}


async def test_the_centre_passes_previews_and_sheets_on_as_they_are(box: Box, http):
    box.record(main_footage())
    async with (
        running_centre(open_to_all=True) as centre,
        dialled_in(box, centre),
        httpx.AsyncClient(
            base_url=centre.url, trust_env=False, verify=False, timeout=30
        ) as outside,
    ):
        above = f"/api/v1/boxes/{BOX_ID}/edge"
        for path, params in [(PREVIEW, {"at": iso(1.5)}), (SHEET, stretch(0, 4, count=4))]:
            here, there = (
                await http.get(path, params=params),
                await outside.get(above + path, params=params),
            )
            assert (there.status_code, there.content) == (200, here.content)
            for name in ("content-type", "cache-control", "x-picture-time", "content-length"):
                assert there.headers.get(name) == here.headers.get(name)
