"""No crop, no place, no features and no number of a person is kept or sent (design: what it never
does): a real box that sees people, and all that it leaves and all that leaves it.
"""

import json
import sqlite3
import struct
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from models.person import load
from protocol.topics import CENTRE_USER, UPLINK_FILTERS
from tests.support.desk_box import BOX, REGION, TOKEN
from tests.support.detector import fallback
from tests.support.edge_process import EdgeProcess
from tests.support.evidence_centre import EvidenceCentre
from tests.support.line import CENTRE_TOKEN, Visitor, start_broker
from tests.support.rtsp import TestCamera, make_clip
from tests.support.traces import Traces
from tests.support.waiting import wait_until
from village.broker.broker import BrokerKind

FPS, SECONDS = 5, 10
#: The drawn figures are no people to look at: the detector is told to believe weak boxes.
MIN_SCORE, WEAK_SCORE = 0.1, 0.05
LEFT, RIGHT = 80, 200
WITHIN_S = 60.0


def square(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """Draw a place where two stand for the first half of the clip."""
    picture = np.full((height, width, 3), (150, 160, 150), np.uint8)
    picture[height // 2 :] = (90, 110, 100)
    if index < FPS * SECONDS // 2:
        for x in (LEFT + index // FPS * 2, RIGHT + index // FPS):
            cv2.circle(picture, (x, 70), 14, (140, 170, 210), -1)
            cv2.ellipse(picture, (x, 115), (24, 38), 0, 0, 360, (60, 40, 120), -1)
            for side in (-1, 1):
                legs = (x + side * 10, 145), (x + side * 10, 210)
                cv2.line(picture, *legs, (50, 40, 30), 13)
                arm = (x + side * 22, 95), (x + side * 36, 140)
                cv2.line(picture, *arm, (60, 40, 120), 9)
    return np.asarray(cv2.GaussianBlur(picture, (3, 3), 0), np.uint8)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    return make_clip(folder / "a.h264", frames=FPS * SECONDS, fps=FPS, gop=FPS, draw=square)


@pytest.fixture(scope="module")
def traces(clip: Path) -> Traces:
    """All that the box's own model sees in the clip, and the clip's pictures."""
    chosen = fallback()
    model = load(chosen.entry, chosen.path, WEAK_SCORE)
    boxes, pictures = [], []
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            pictures.append(frame.to_ndarray(format="gray"))
            size = (frame.width, frame.height) * 2
            found = model.infer(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
            boxes += [
                tuple(side / of for side, of in zip(box[:4], size, strict=True)) for box in found
            ]
    assert len(boxes) > FPS
    return Traces(boxes, pictures)  # type: ignore[arg-type]


# -- the measure itself --------------------------------------------------------------------------


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", picture)[1].tobytes()


def a_box(traces: Traces) -> tuple[float, ...]:
    return tuple(float(side) for side in traces._shares[3])


def a_crop() -> bytes:
    return jpeg(square(0, 320, 240)[50:220, LEFT - 40 : LEFT + 40])


LEAKS: dict[str, Callable[[Traces], bytes]] = {
    "a list": lambda t: json.dumps({"a": [round(side, 4) for side in a_box(t)]}).encode(),
    "pixels": lambda t: "x={} y={} r={}".format(
        *(round(side * px) for side, px in zip(a_box(t)[:3], (320, 240, 320), strict=True))
    ).encode(),
    "packed": lambda t: b"\0" * 5 + struct.pack("<4f", *a_box(t)),
    "packed as the detector does": lambda t: struct.pack(">5f", *a_box(t), 0.5),
    "packed doubles": lambda t: struct.pack("<4d", *map(np.float32, a_box(t))),
    "a name": lambda _: b'{"track_id": 7}',
    "features": lambda _: json.dumps([n / 7 for n in range(1, 65)]).encode(),
    "a crop": lambda _: a_crop(),
    "a crop in a database": lambda _: b"SQLite" + b"\0" * 99 + a_crop() + b"\0" * 99,
    "a crop in JSON": lambda _: json.dumps({"a": b64encode(a_crop()).decode()}).encode(),
    "a crop as a small whole": lambda _: jpeg(
        cv2.resize(square(0, 320, 240)[45:225, LEFT - 60 : LEFT + 180], (320, 240))  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
def test_every_form_of_a_leak_is_noticed(traces: Traces, leak: Callable[[Traces], bytes]) -> None:
    assert traces.in_bytes(leak(traces)) != []


@pytest.mark.parametrize("width", [320, 160])
def test_a_whole_picture_is_no_leak(traces: Traces, width: int) -> None:
    whole = cv2.resize(square(3, 320, 240), (width, width * 3 // 4))
    assert traces.in_bytes(jpeg(np.asarray(whole, np.uint8))) == []


# -- a real box ----------------------------------------------------------------------------------


@pytest.fixture
def centre() -> Iterator[EvidenceCentre]:
    made = EvidenceCentre()
    yield made
    made.close()


def configured(folder: Path, camera: str, mqtt_port: int, http_url: str) -> Path:
    (folder / "token").write_text(TOKEN)
    path = folder / "edge.toml"
    path.write_text(
        f"""
[box]
id = "{BOX}"
name = "青石村"
region_code = "{REGION}"
data_dir = "data"
[http]
port = 0
[centre]
mqtt_host = "127.0.0.1"
mqtt_port = {mqtt_port}
mqtt_tls = false
http_url = "{http_url}"
token = {{ file = "token" }}
[recording]
segment_s = 2
[detect]
model = "ssdlite-mobilenetv2-person"
min_score = {MIN_SCORE}
[evidence]
clip_pre_s = 1
clip_post_s = 1
[[cameras]]
id = "cam-01"
name = "村口主路"
grid_code = "{REGION}001"
main_url = "{camera}"
[[cameras.rules]]
id = "crowd"
levels = {{ ordinary = 1 }}
hold_s = 0
clear_s = 0
repeat_s = 0
""",
        encoding="utf-8",
    )
    return path


def answers(edge: EdgeProcess) -> Iterator[tuple[str, bytes]]:
    """Ask every route that can be asked, and yield what it says."""
    now = datetime.now(UTC)
    segment = edge.get("/v1/cameras/cam-01/timeline", **span(now))["segments"][0]
    known = {
        "camera_id": "cam-01",
        "rule_id": "crowd",
        "segment_id": str(segment["id"]),
        "job_id": "none",
        "name": "none",
        "camera": "cam-01",
        "count": "4",
        "at": segment["start"],
        "from": segment["start"],
        "to": segment["end"],
        **set_up(edge),
    }
    document = edge.get("/v1/openapi.json")
    for path, methods in document["paths"].items():
        if "get" not in methods:
            continue
        wanted = methods["get"].get("parameters", ())
        names = {each["name"] for each in wanted if each["in"] == "path"}
        place = path.format(**{name: known[name] for name in names})
        query = {each["name"]: known[each["name"]] for each in wanted if is_asked(each)}
        if path.endswith("/coverage"):
            query = dict.fromkeys(("from", "to"), now.date().isoformat())
        answer = httpx.get(edge.url + place, params=query, timeout=30, verify=False)
        assert answer.status_code == 200 or "/exports/" in path, (path, query, answer.text)
        yield path, answer.content


def set_up(edge: EdgeProcess) -> dict[str, str]:
    """Do once what setting cameras up has answers of; return the jobs' ids."""
    table = "名称,地址,网格,法律依据\n村口,192.0.2.10,1,第九条"
    begun = {
        "search_id": ("searches", {"seconds": 1}),
        "probe_id": ("probes", {"camera_id": "cam-01"}),
        "bulk_id": ("bulk", {"csv": table, "apply": True}),
    }
    ids = {}
    for name, (kind, body) in begun.items():
        ids[name] = job_id = edge.post(f"/v1/setup/{kind}", body)["id"]
        wait_until(lambda path=f"/v1/setup/{kind}/{job_id}": edge.get(path)["state"] == "done", 120)
    return ids


def is_asked(parameter: dict[str, Any]) -> bool:
    return parameter["in"] == "query" and (
        parameter.get("required", False) or parameter["name"] in {"from", "to", "at"}
    )


def span(now: datetime) -> dict[str, str]:
    return {
        "from": (now - timedelta(minutes=10)).isoformat(),
        "to": (now + timedelta(minutes=1)).isoformat(),
    }


def values(database: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every value of every column of every table."""
    with sqlite3.connect(database) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        for (table,) in tables.fetchall():
            rows = connection.execute(f'select * from "{table}"')
            columns = [each[0] for each in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    data = value if isinstance(value, bytes) else str(value).encode()
                    yield f"{table}.{column}", data
                yield table, json.dumps([v for v in row if isinstance(v, int | float)]).encode()


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()


def said(visitor: Visitor) -> set[str]:
    """Return the operations of gatherings so far: people were seen, and were gone."""
    events = (json.loads(data) for topic, data in visitor.messages if topic.endswith("/event"))
    return {each["data"]["op"] for each in events if each["data"]["kind"] == "gathering"}


def uploaded(centre: EvidenceCentre) -> set[str]:
    """Return what came whole: kinds of evidence."""
    return {put.path.rsplit("/", 1)[1] for put in centre.puts if put.answer == HTTPStatus.CREATED}


def test_nothing_about_anybody_is_kept_or_sent(
    tmp_path: Path,
    clip: Path,
    traces: Traces,
    centre: EvidenceCentre,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
    try:
        with (
            TestCamera({"/main": (clip, FPS)}) as camera,
            Visitor(broker, CENTRE_USER, CENTRE_TOKEN) as visitor,
        ):
            assert visitor.subscribe(*UPLINK_FILTERS) == [True] * len(UPLINK_FILTERS)
            config = configured(tmp_path, camera.url("/main"), broker.port, centre.url)
            with EdgeProcess(config) as edge:
                wait_until(lambda: said(visitor) >= {"start", "end"}, WITHIN_S)
                wait_until(lambda: uploaded(centre) >= {"snapshot", "clip"}, WITHIN_S)
                asked = dict(answers(edge))
                assert edge.stop() == 0
    finally:
        broker.close()
    left = {
        **{f"GET {path}": data for path, data in asked.items()},
        **{f"PATCH {put.path} {n}": put.body for n, put in enumerate(centre.puts)},
        **{
            f"PATCH {put.path} {n}?": str(put.headers).encode() for n, put in enumerate(centre.puts)
        },
        **{f"{topic} {n}": data for n, (topic, data) in enumerate(visitor.messages)},
        **{f"log {n}": line.encode() for n, line in enumerate(edge.log)},
        **{f"scratch/{name}": data for name, data in files(scratch)},
        **{f"data/{name}": data for name, data in files(tmp_path / "data")},
    }
    kept = [*left.items(), *values(tmp_path / "data" / "box.db")]
    found = {name: trace for name, data in kept if (trace := traces.in_bytes(data))}
    assert found == {}
    assert any(name.startswith("data/recordings/") for name in left)
