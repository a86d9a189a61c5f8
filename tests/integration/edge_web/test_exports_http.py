import asyncio
import hashlib
import io
import subprocess
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from edge.exports.exporter import Exporter
from protocol.relay import StreamName
from tests.support.box import Box, running_box
from tests.support.footage import STARTED, encoded, run

pytestmark = pytest.mark.anyio


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        footage = encoded(frames=75)
        of = run("a" * 32, footage[0].run.parameters, stream=StreamName.MAIN)
        box.record([replace(sample, run=of) for sample in footage])
        yield box


@pytest.fixture
async def http(box):
    async with httpx.AsyncClient(base_url=box.server.url, trust_env=False, verify=False) as client:
        yield client


def body(start_s: float = 0, end_s: float = 2, **changes):
    start, end = (STARTED + timedelta(seconds=s) for s in (start_s, end_s))
    asked = {"start": start.isoformat(), "end": end.isoformat(), "reason": "事件处置"}
    return {"camera_id": "gate", "kind": "copy", **asked} | changes


async def done(http: httpx.AsyncClient, **changes) -> dict:
    asked = await http.post("/v1/exports", json=body(**changes))
    assert asked.status_code == 202, asked.text
    path = f"/v1/exports/{asked.json()['id']}"

    async with asyncio.timeout(60):
        while (await http.get(path)).json()["state"] not in {"done", "failed"}:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # a job tells nobody that it is done
    return (await http.get(path)).json()


async def test_an_export_is_asked_for_made_listed_and_fetched(box: Box, http):
    job = await done(http, end_s=2)

    assert (job["state"], job["progress"], job["error"]) == ("done", 1.0, None)
    (part,) = job["parts"]
    assert (part["codec"], part["width"], part["height"]) == ("h264", 320, 180)
    assert [each["name"] for each in job["files"]] == [
        part["name"],
        "manifest.json",
        "SHA256SUMS",
    ]
    assert (await http.get("/v1/exports")).json()["exports"] == [job]
    for file in job["files"]:
        answer = await http.get(f"/v1/exports/{job['id']}/{file['name']}")
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert len(answer.content) == file["bytes"]
        assert f'filename="{file["name"]}"' in answer.headers["content-disposition"]
        # Else the next one who signs in there would have it from the browser, unregistered.
        assert answer.headers["cache-control"] == "no-store"


async def test_a_range_of_a_file_is_that_part(http):
    job = await done(http)
    path = f"/v1/exports/{job['id']}/{job['parts'][0]['name']}"

    whole = (await http.get(path)).content
    part = await http.get(path, headers={"range": "bytes=100-199"})

    assert part.status_code == 206
    assert part.content == whole[100:200]


async def test_the_zip_holds_all_files_and_a_range_of_it_is_that_part(http, tmp_path):
    job = await done(http)
    path = f"/v1/exports/{job['id']}/all.zip"

    whole = await http.get(path)

    assert whole.headers["content-type"] == "application/zip"
    assert int(whole.headers["content-length"]) == len(whole.content)
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        archive.extractall(tmp_path / "out")
    checked = subprocess.run(  # noqa: ASYNC221 - a test may wait
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path / "out", check=False
    )
    assert checked.returncode == 0
    rest = await http.get(path, headers={"range": "bytes=1000-"})
    assert (rest.status_code, rest.content) == (206, whole.content[1000:])
    assert rest.headers["content-range"] == f"bytes 1000-{len(whole.content) - 1}/" + str(
        len(whole.content)
    )
    beyond = await http.get(path, headers={"range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416


async def test_a_browser_can_go_on_with_a_zip_by_its_tag(http):
    job, other = await done(http), await done(http)
    path = f"/v1/exports/{job['id']}/all.zip"
    whole = await http.get(path)
    tag = whole.headers["etag"]

    rest = {"range": "bytes=1000-"}
    same = await http.get(path, headers=rest | {"if-range": tag})
    changed = await http.get(path, headers=rest | {"if-range": '"another"'})

    assert (same.status_code, same.content) == (206, whole.content[1000:])
    assert (changed.status_code, changed.content) == (200, whole.content)
    assert (await http.get(f"/v1/exports/{other['id']}/all.zip")).headers["etag"] != tag


async def test_who_fetches_waits_for_the_exporters_disk_beside_the_event_loop(http, monkeypatch):
    job = await done(http)
    threads = []
    reading = Exporter.reading

    @contextmanager
    def entered(exporter, job_id):
        threads.append(threading.current_thread())
        with reading(exporter, job_id) as folder:
            yield folder

    monkeypatch.setattr(Exporter, "reading", entered)
    for name in ("all.zip", "manifest.json"):
        assert (await http.get(f"/v1/exports/{job['id']}/{name}")).status_code == 200
    assert len(threads) == 2
    assert threading.current_thread() not in threads


async def test_one_that_is_over_is_deleted_with_its_files(box: Box, http):
    job = await done(http)

    assert (await http.delete(f"/v1/exports/{job['id']}")).status_code == 204

    assert (await http.get(f"/v1/exports/{job['id']}")).status_code == 404
    assert (await http.get(f"/v1/exports/{job['id']}/manifest.json")).status_code == 404
    assert list((box.folder / "exports").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["job.json", "nothing.mp4", "..%2Fbox.db", "SHA256SUMS.part", "%2e%2e"]
)
async def test_only_files_of_the_result_are_served(http, name):
    job = await done(http)

    assert (await http.get(f"/v1/exports/{job['id']}/{name}")).status_code in {404, 307}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"reason": "  "}, 422, "reason"),
        ({"end_s": -1}, 422, "开始时间"),
        ({"end_s": 86_401}, 422, "24 小时"),
        ({"mark": "张三"}, 422, "水印"),
        ({"regions": [[[0, 0], [1, 0], [1, 1]]]}, 422, "打码"),
        ({"kind": "blurred", "regions": [[[0, 0], [1, 0]]]}, 422, "regions"),
        ({"kind": "faster"}, 422, "kind"),
        ({"camera_id": "nowhere"}, 404, "没有找到"),
        ({"start_s": 50, "end_s": 60}, 404, "没有找到"),
    ],
)
async def test_what_can_not_be_made_is_refused_in_plain_words(http, changes, status, words):
    answer = await http.post("/v1/exports", json=body(**changes))

    assert answer.status_code == status
    assert words in answer.json()["message_zh"]
    assert (await http.get("/v1/exports")).json() == {"exports": []}


async def test_a_blurred_one_shows_no_detail_and_says_what_was_done(box: Box, http):
    region = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
    job = await done(http, kind="blurred", regions=[region])
    manifest = (await http.get(f"/v1/exports/{job['id']}/manifest.json")).json()

    assert manifest["settings"]["blurred"] == "regions"
    assert manifest["settings"]["regions"] == [region]
    assert manifest["settings"]["encoded_anew"]
    assert job["parts"][0]["codec"] == "h264"
