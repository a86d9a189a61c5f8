import asyncio
from dataclasses import replace
from datetime import timedelta

import av
import httpx
import pytest

from edge.db.instant import to_us
from edge.errors import StorageError
from edge.health import Component, Condition
from edge.media.sample import GapReason, Sample
from edge.ports import StreamStatus
from edge.recording.segment import Gap
from protocol.messages import StreamState
from protocol.relay import StreamName
from tests.support.box import GATE, NOW, Box, running_box, write
from tests.support.eventually import eventually
from tests.support.footage import FRAME_90K, STARTED, encoded, run

pytestmark = pytest.mark.anyio


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        yield box


@pytest.fixture
async def http(box):
    async with httpx.AsyncClient(base_url=box.server.url, trust_env=False, verify=False) as client:
        yield client


def main_footage(
    frames: int = 50,
    *,
    run_id: str = "a" * 32,
    after_s: float = 0,
    stream: StreamName = StreamName.MAIN,
    width: int = 320,
) -> list[Sample]:
    """Return real footage of the gate, by default its main stream's, two groups of 1 s."""
    footage = encoded(frames=frames, width=width, height=width * 9 // 16)
    of = run(
        run_id,
        footage[0].run.parameters,
        stream=stream,
        started_utc=STARTED + timedelta(seconds=after_s),
    )
    return [replace(sample, run=of) for sample in footage]


def span(start_s: float, end_s: float) -> dict[str, str]:
    start, end = (STARTED + timedelta(seconds=s) for s in (start_s, end_s))
    return {"from": start.isoformat(), "to": end.isoformat()}


async def test_health_says_how_each_component_is_and_the_worst_of_them(box: Box, http):
    def refuse() -> Component:
        raise StorageError("database: disk I/O error")

    box.health.add("ingest", lambda: Component(Condition.OK, None, {"packets": 7, "dropped": 0}))
    box.health.add("uplink", lambda: Component(Condition.DEGRADED, "ConnectionRefusedError"))
    box.health.add("storage", refuse)
    answer = await http.get("/v1/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "condition": "down",
        "at": "2026-11-22T02:00:00Z",
        "started_at": "2026-11-22T02:00:00Z",
        "components": {
            "ingest": {"condition": "ok", "detail": None, "figures": {"packets": 7, "dropped": 0}},
            "uplink": {
                "condition": "degraded",
                "detail": "ConnectionRefusedError",
                "figures": {},
            },
            "storage": {"condition": "down", "detail": "StorageError", "figures": {}},
        },
    }


async def test_a_box_without_components_is_well(http):
    assert (await http.get("/v1/health")).json()["condition"] == "ok"


async def test_cameras_are_listed_with_states_and_rules_but_never_their_addresses(box, http):
    box.streams.stream_changed(
        StreamStatus("gate", StreamName.MAIN, StreamState.LOST, NOW, STARTED, "timed out")
    )
    answer = await http.get("/v1/cameras")
    gate, road = answer.json()["cameras"]
    unheard = {"state": "connecting", "since": None, "last_packet_at": None, "error": None}
    assert gate == {
        "camera_id": "gate",
        "name": "村口",
        "grid_code": "330521100201001",
        "place": "村口牌坊",
        "enabled": True,
        "streams": [
            {
                "stream": "main",
                "state": "lost",
                "since": "2026-11-22T02:00:00Z",
                "last_packet_at": "2026-11-22T01:02:03.456789Z",
                "error": "timed out",
            },
            {"stream": "sub", **unheard},
        ],
        "rules": [GATE.rules[0].model_dump(mode="json")],
    }
    assert road["streams"] == [{"stream": "main", **unheard}]
    assert "10.0.0." not in answer.text


async def test_the_timeline_lists_files_gaps_and_what_is_growing(box: Box, http):
    footage = main_footage()
    segment = box.record(footage[:25])
    box.index.add_gap(
        Gap(
            "gate",
            StreamName.MAIN,
            STARTED - timedelta(seconds=5),
            STARTED,
            GapReason.CAMERA,
        )
    )
    growing = write(box.index, footage[25:])
    box.index.set_growing(growing.footage)
    answer = await http.get("/v1/cameras/gate/timeline", params=span(-2, 10))
    assert answer.json() == {
        "camera_id": "gate",
        "stream": "main",
        "streams": ["main"],
        "from": "2026-11-22T01:02:01.456789Z",
        "to": "2026-11-22T01:02:13.456789Z",
        "segments": [
            {
                "id": segment.id,
                "start": "2026-11-22T01:02:03.456789Z",
                "end": "2026-11-22T01:02:04.456789Z",
                "run_id": "a" * 32,
                "bytes": segment.size_bytes,
                "recovered": False,
            }
        ],
        "formats": [
            {
                "from": "2026-11-22T01:02:03.456789Z",
                "codec": segment.mime_codec,
                "width": segment.width,
                "height": segment.height,
            }
        ],
        "gaps": [
            {
                "start": "2026-11-22T01:01:58.456789Z",
                "end": "2026-11-22T01:02:03.456789Z",
                "reason": "camera",
            }
        ],
        "growing": {
            "start": "2026-11-22T01:02:04.456789Z",
            "end": "2026-11-22T01:02:05.456789Z",
        },
    }
    early = await http.get("/v1/cameras/gate/timeline", params=span(-2, 0.5))
    assert early.json()["growing"] is None
    growing.close()


async def test_coverage_says_how_much_of_each_day_is_there_and_why_the_rest_is_not(box, http):
    of, second = ("gate", StreamName.MAIN), timedelta(seconds=1)
    box.record(main_footage())  # 2 s from STARTED on
    box.index.add_gap(Gap(*of, STARTED - 5 * second, STARTED, GapReason.CAMERA))
    box.index.add_gap(Gap(*of, STARTED + 2 * second, STARTED + 2.5 * second, GapReason.NETWORK))
    box.index.add_gap(Gap(*of, STARTED + 2.5 * second, None, GapReason.BOX_OFF))
    days = {"from": "2026-11-01", "to": "2026-11-30"}
    answer = (await http.get("/v1/cameras/gate/coverage", params=days)).json()
    assert answer["since"] == "2026-11-22T01:01:58.456789Z"
    (day,) = answer["days"]  # nothing is expected before it was seen, nor of days to come
    since_s = (NOW - STARTED).total_seconds()
    assert day == {
        "day": "2026-11-22",
        "expected_s": pytest.approx(since_s + 5),
        "recorded_s": 2.0,
        "missing_s": {"camera": 5.0, "network": 0.5, "box_off": pytest.approx(since_s - 2.5)},
        "unexplained_s": 0.0,
    }
    assert [(gap["reason"], gap["end"]) for gap in answer["gaps"]] == [
        ("box_off", None),
        ("camera", "2026-11-22T01:02:03.456789Z"),  # half a second is counted, and not listed
    ]
    assert answer["gaps_left_out"] == 0


async def test_coverage_is_expected_only_of_what_retention_has_not_deleted(box, http):
    for number in range(3):
        box.record(main_footage(run_id=f"{number}" * 32, after_s=number * 2))
    first, second, _ = box.index.segments(
        "gate", StreamName.MAIN, STARTED, STARTED + timedelta(seconds=9)
    )
    with box.index._database.transaction() as connection:
        connection.execute("delete from segment where id = ?", (second.id,))
        row = ("gate", "2026-11-22", "quota", 1, 1, *(map(to_us, (second.start, second.end))), 0)
        connection.execute("insert into deletion values (?, ?, ?, ?, ?, ?, ?, ?, null, 0)", row)
    days = {"from": "2026-11-22", "to": "2026-11-22"}
    answer = (await http.get("/v1/cameras/gate/coverage", params=days)).json()
    assert answer["since"] == "2026-11-22T01:02:07.456789Z"
    assert answer["days"][0]["recorded_s"] == 2.0
    assert first.path.exists()  # held: more than is expected


async def test_coverage_takes_what_is_not_written_yet_for_no_gap(box, http):
    before_now_s = (NOW - STARTED).total_seconds() - 2.4
    growing = write(box.index, main_footage(after_s=before_now_s))
    box.index.add_gap(
        Gap("gate", StreamName.MAIN, STARTED, growing.footage.start, GapReason.CAMERA)
    )
    box.index.set_growing(growing.footage)
    days = {"from": "2026-11-22", "to": "2026-11-22"}
    (day,) = (await http.get("/v1/cameras/gate/coverage", params=days)).json()["days"]
    assert (day["recorded_s"], day["unexplained_s"]) == (2.0, 0.0)
    growing.close()


async def test_coverage_of_a_camera_that_was_never_seen_is_empty(http):
    days = {"from": "2026-11-22", "to": "2026-11-22"}
    answer = (await http.get("/v1/cameras/road/coverage", params=days)).json()
    assert answer == {
        "camera_id": "road",
        "since": None,
        "days": [],
        "gaps": [],
        "gaps_left_out": 0,
    }


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-11-22", "2026-11-21"),
        ("2026-11-01", "2026-12-02"),
        ("0001-01-01", "0001-01-02"),  # no clock shows these
        ("9999-12-30", "9999-12-31"),
    ],
)
async def test_coverage_is_asked_for_by_the_month_at_most(http, first, last):
    answer = await http.get("/v1/cameras/gate/coverage", params={"from": first, "to": last})
    assert answer.status_code == 422
    assert "31 天" in answer.json()["message_zh"]


async def test_the_playlist_lists_complete_files_only(box: Box, http):
    footage = main_footage()
    segment = box.record(footage[:25])
    growing = write(box.index, footage[25:])
    box.index.set_growing(growing.footage)
    answer = await http.get("/v1/cameras/gate/playlist.m3u8", params=span(0, 10))
    assert answer.headers["content-type"] == "application/vnd.apple.mpegurl"
    uris = [line for line in answer.text.splitlines() if not line.startswith("#")]
    assert uris == [f"../../segments/{segment.id}.mp4"]
    growing.close()


async def test_each_stream_has_its_own_timeline_playlist_and_clip(box: Box, http):
    main = box.record(main_footage())
    sub = box.record(main_footage(stream=StreamName.SUB))
    for stream, segment in (("main", main), ("sub", sub)):
        asked = {**span(0, 10), "stream": stream}
        answer = (await http.get("/v1/cameras/gate/timeline", params=asked)).json()
        assert (answer["stream"], answer["streams"]) == (stream, ["main", "sub"])
        assert [each["id"] for each in answer["segments"]] == [segment.id]
        text = (await http.get("/v1/cameras/gate/playlist.m3u8", params=asked)).text
        uris = [line for line in text.splitlines() if not line.startswith("#")]
        assert uris == [f"../../segments/{segment.id}.mp4"]
        clip = await http.get("/v1/cameras/gate/clip.mp4", params=asked)
        assert clip.status_code == 200
    before = await http.get("/v1/cameras/gate/timeline", params=span(-60, -50))
    assert before.json()["streams"] == []
    wrong = {**span(0, 10), "stream": "third"}
    assert (await http.get("/v1/cameras/gate/timeline", params=wrong)).status_code == 422


async def test_the_timeline_says_where_the_format_changes(box: Box, http):
    first, second = main_footage(), main_footage(run_id="b" * 32, width=640)
    box.record(first)
    box.record([replace(each, dts_90k=each.dts_90k + 900_000) for each in second])
    box.record([replace(each, dts_90k=each.dts_90k + 1_800_000) for each in second])

    answer = await http.get("/v1/cameras/gate/timeline", params=span(0, 60))

    assert [(each["from"], each["width"]) for each in answer.json()["formats"]] == [
        ("2026-11-22T01:02:03.456789Z", first[0].run.parameters.width),
        ("2026-11-22T01:02:13.456789Z", 640),
    ]


async def test_the_playlist_plays_over_two_runs_in_a_player(box: Box, http, tmp_path):
    for number, name in enumerate("ab"):
        footage = main_footage(run_id=name * 32, after_s=number * 10)
        box.record(footage[:25])
        box.record(footage[25:])
    answer = await http.get("/v1/cameras/gate/playlist.m3u8", params=span(0, 20))
    assert answer.text.count("#EXT-X-DISCONTINUITY") == 1
    url = f"{box.server.url}/v1/cameras/gate/playlist.m3u8"
    query = httpx.QueryParams(span(0, 20))

    def played() -> list[tuple[int, bool]]:
        with av.open(f"{url}?{query}", timeout=20) as container:
            return [(p.pts, p.is_keyframe) for p in container.demux(video=0) if p.size]

    one_run = [(index * FRAME_90K, index % 25 == 0) for index in range(50)]
    assert await asyncio.to_thread(played) == one_run * 2


async def test_a_recorded_file_is_served_whole_and_by_range(box: Box, http):
    segment = box.record(main_footage(25))
    data = segment.path.read_bytes()
    path = f"/v1/segments/{segment.id}.mp4"
    whole = await http.get(path)
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    assert whole.content == data
    part = await http.get(path, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(data)}"
    tail = await http.get(path, headers={"range": "bytes=-5"})
    assert (tail.status_code, tail.content) == (206, data[-5:])
    beyond = await http.get(path, headers={"range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416


async def test_a_file_that_is_gone_is_not_found(box: Box, http):
    segment = box.record(main_footage(25))
    segment.path.unlink()
    answer = await http.get(f"/v1/segments/{segment.id}.mp4")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_clip_is_cut_sent_with_its_true_ends_and_removed(box: Box, http, tmp_path):
    box.record(main_footage())
    answer = await http.get("/v1/cameras/gate/clip.mp4", params=span(1.2, 1.6))
    assert answer.status_code == 200
    assert answer.headers["x-clip-start"] == "2026-11-22T01:02:04.456789Z"
    assert answer.headers["x-clip-end"] == "2026-11-22T01:02:05.056789Z"
    assert answer.headers["content-disposition"] == "attachment"  # its page names it
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(answer.content)
    with av.open(str(clip)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 15
    await eventually(lambda: list(box.scratch.iterdir()) == [])


async def test_a_clip_of_nothing_is_not_found_and_leaves_nothing_behind(box: Box, http):
    answer = await http.get("/v1/cameras/gate/clip.mp4", params=span(0, 5))
    assert (answer.status_code, answer.json()["message_zh"]) == (404, "没有找到")
    assert list(box.scratch.iterdir()) == []


async def test_what_a_killed_process_left_in_the_scratch_folder_goes_at_the_start(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "old.mp4").write_bytes(b"x")
    async with running_box(tmp_path) as box:
        assert not box.scratch.exists()


async def test_without_a_scratch_folder_the_box_starts_and_says_why_there_is_no_clip(tmp_path):
    (tmp_path / "scratch").write_bytes(b"in the way, as a full disk is")
    async with (
        running_box(tmp_path) as box,
        httpx.AsyncClient(base_url=box.server.url, trust_env=False, verify=False) as http,
    ):
        box.record(main_footage())
        answer = await http.get("/v1/cameras/gate/clip.mp4", params=span(0, 5))
        assert (answer.status_code, answer.json()["message_zh"]) == (503, "存储暂不可用")
        (tmp_path / "scratch").unlink()
        assert (await http.get("/v1/cameras/gate/clip.mp4", params=span(0, 5))).status_code == 200


async def test_the_snapshot_is_the_newest_picture_and_says_its_time(box: Box, http):
    missing = await http.get("/v1/cameras/gate/snapshot.jpg")
    assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
    for sample in encoded(frames=10):
        box.hubs.hub("gate", StreamName.SUB).offer(sample)
    answer = await http.get("/v1/cameras/gate/snapshot.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-picture-time"] == "2026-11-22T01:02:03.816789Z"
    assert answer.content[:3] == b"\xff\xd8\xff"


@pytest.mark.parametrize(
    ("path", "params", "status", "error"),
    [
        pytest.param("/v1/cameras/nowhere/timeline", span(0, 1), 404, "not_found", id="no camera"),
        pytest.param("/v1/cameras/nowhere/snapshot.jpg", {}, 404, "not_found", id="no picture"),
        pytest.param("/v1/cameras/gate/playlist.m3u8", span(0, 1), 404, "not_found", id="no film"),
        pytest.param("/v1/segments/77.mp4", {}, 404, "not_found", id="no segment"),
        pytest.param("/v1/segments/x.mp4", {}, 422, "invalid", id="not a number"),
        pytest.param("/v1/cameras/gate/timeline", {}, 422, "invalid", id="no times"),
        pytest.param("/v1/cameras/gate/timeline", span(1, 1), 422, "invalid", id="no span"),
        pytest.param("/v1/cameras/gate/timeline", span(0, 8 * 86400), 422, "invalid", id="a year"),
        pytest.param("/v1/cameras/gate/clip.mp4", span(0, 601), 422, "invalid", id="a long clip"),
        pytest.param(
            "/v1/cameras/gate/timeline",
            {"from": "2026-11-22T01:00:00", "to": "2026-11-22T02:00:00Z"},
            422,
            "invalid",
            id="a time without a zone",
        ),
        pytest.param("/v1/else", {}, 404, "not_found", id="no such path"),
    ],
)
async def test_what_can_not_be_answered_is_said_in_json(http, path, params, status, error):
    answer = await http.get(path, params=params)
    body = answer.json()
    assert (answer.status_code, body["error"]) == (status, error)
    assert set(body) == {"error", "message", "message_zh"}
    assert all(body.values())


async def test_too_long_a_clip_is_refused_with_the_limit(http):
    answer = await http.get("/v1/cameras/gate/clip.mp4", params=span(0, 601))
    assert answer.json() == {
        "error": "invalid",
        "message": "'from' to 'to' must be at most 10 minutes",
        "message_zh": "时间跨度最长 10 分钟",
    }


async def test_other_methods_are_refused_in_json(http):
    answer = await http.post("/v1/cameras", json={})
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


async def test_a_database_that_does_not_answer_is_a_503(box: Box, http):
    box.index._database.close()
    answer = await http.get("/v1/cameras/gate/timeline", params=span(0, 1))
    assert (answer.status_code, answer.json()["error"]) == (503, "storage")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 200, id="an address"),
        pytest.param({"host": "localhost:1"}, 200, id="localhost"),
        pytest.param({"host": "[::1]:8610"}, 200, id="an address of version 6"),
        pytest.param({"host": "evil.example"}, 403, id="a foreign name for this address"),
        pytest.param({"host": "[::1"}, 403, id="no host at all"),
        pytest.param({"origin": "http://evil.example"}, 403, id="a foreign page"),
        pytest.param({"host": "localhost", "origin": "http://localhost"}, 200, id="our own page"),
        pytest.param({"origin": "null"}, 403, id="a page from a file"),
    ],
)
async def test_foreign_names_and_pages_are_refused(http, headers, status):
    answer = await http.get("/v1/health", headers=headers)
    assert answer.status_code == status
