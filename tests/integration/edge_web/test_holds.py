"""Holds by persons, over the box's own interface."""

from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest

from edge.recording.holds import add_hold
from protocol.relay import StreamName
from tests.support.box import NOW, Box, running_box
from tests.support.centre import ACTOR, BOX_ID, PERSON, dialled_in, running_centre
from tests.support.footage import STARTED, encoded, run

pytestmark = pytest.mark.anyio

UNTIL = NOW + timedelta(days=180)
REVIEW_ON = (NOW + timedelta(days=90)).date()


@pytest.fixture
async def box(tmp_path):
    async with running_box(tmp_path) as box:
        yield box


@pytest.fixture
async def http(box):
    async with httpx.AsyncClient(base_url=box.server.url, trust_env=False, verify=False) as client:
        yield client


def record(box: Box) -> int:
    """Record 2 s of the gate and return the file's size."""
    footage = encoded(frames=50)
    of = run("a" * 32, footage[0].run.parameters, stream=StreamName.MAIN, started_utc=STARTED)
    return box.record([replace(sample, run=of) for sample in footage]).size_bytes


def asked(start_s: float = 0, end_s: float = 4, **changes: object) -> dict[str, object]:
    return {
        "camera_id": "gate",
        "start": (STARTED + timedelta(seconds=start_s)).isoformat(),
        "end": (STARTED + timedelta(seconds=end_s)).isoformat(),
        "until": UNTIL.isoformat(),
        "review_on": REVIEW_ON.isoformat(),
        "reason": "派出所来函,案件编号 7",
    } | changes


async def test_a_hold_is_placed_listed_reviewed_and_released(box: Box, http):
    size_bytes = record(box)
    placed = await http.post("/v1/holds", json=asked())
    assert placed.status_code == 201
    hold = placed.json()
    assert hold == {
        "by": "person",
        "id": hold["id"],
        "alert_id": None,
        "camera_id": "gate",
        "start": STARTED.isoformat().replace("+00:00", "Z"),
        "end": (STARTED + timedelta(seconds=4)).isoformat().replace("+00:00", "Z"),
        "until": "2027-05-21T02:00:00Z",
        "reason": "派出所来函,案件编号 7",
        "placed_by": "local",
        "placed_at": "2026-11-22T02:00:00Z",
        "review_on": REVIEW_ON.isoformat(),
        "review_due": False,
        "asked_s": 4.0,
        "held_s": 2.0,
        "held_bytes": size_bytes,
    }
    assert (await http.get("/v1/holds")).json() == {"holds": [hold], "left_out": 0}
    assert (await http.get("/v1/holds", params={"camera": "road"})).json()["holds"] == []

    at = f"/v1/holds/{hold['id']}"
    later = (REVIEW_ON + timedelta(days=30)).isoformat()
    changed = await http.patch(at, json={"review_on": later})
    assert (changed.status_code, changed.json()["review_on"]) == (200, later)
    silent = await http.patch(at, json={"until": (UNTIL - timedelta(days=1)).isoformat()})
    assert (silent.status_code, silent.json()["message_zh"]) == (422, "缩短保留期限须填写理由")

    no_reason = await http.request("DELETE", at, json={"reason": ""})
    released = await http.request("DELETE", at, json={"reason": "案件已结"})
    gone = await http.request("DELETE", at, json={"reason": "案件已结"})
    assert [answer.status_code for answer in (no_reason, released, gone)] == [422, 204, 404]
    assert (await http.get("/v1/holds")).json()["holds"] == []

    history = (await http.get("/v1/holds/history")).json()
    acts = [(each["act"], each["actor"], each["note"]) for each in history["items"]]
    assert acts == [
        ("released", "local", "案件已结"),
        ("changed", "local", ""),
        ("placed", "local", "派出所来函,案件编号 7"),
    ]
    assert history["next"] is None
    newest = (await http.get("/v1/holds/history", params={"limit": 1})).json()
    before = {"limit": 1, "before": newest["next"]}
    assert (await http.get("/v1/holds/history", params=before)).json()["items"] == [
        history["items"][1]
    ]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"reason": " "}, 422, "invalid"),
        ({"until": NOW.isoformat()}, 422, "invalid"),
        ({"review_on": NOW.date().isoformat()}, 422, "invalid"),
        ({"end": STARTED.isoformat()}, 422, "invalid"),
        ({"camera_id": "road"}, 409, "nothing_recorded"),
        ({"camera_id": "../x"}, 422, "invalid"),
        ({"start": "2026-11-22T00:00:00"}, 422, "invalid"),
        ({"start": "0001-01-01T00:00:00+14:00"}, 422, "invalid"),
        ({"until": "9999-12-31T23:59:59-12:00"}, 422, "invalid"),
        ({"review_on": date.max.isoformat()}, 422, "invalid"),
        ({"placed_by": "somebody else"}, 422, "invalid"),
    ],
)
async def test_what_breaks_a_rule_is_refused_and_says_why(box, http, changes, status, code):
    record(box)
    answer = await http.post("/v1/holds", json=asked(**changes))
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["message_zh"]
    assert (await http.get("/v1/holds")).json()["holds"] == []


async def test_an_alerts_hold_is_shown_as_such_and_not_to_be_ended_here(box: Box, http):
    record(box)
    with box.database.transaction() as connection:
        add_hold(connection, "gate", STARTED, STARTED + timedelta(seconds=1), "alert:a-1", UNTIL)
    (hold,) = (await http.get("/v1/holds")).json()["holds"]
    assert (hold["by"], hold["id"], hold["alert_id"], hold["held_s"]) == ("alert", None, "a-1", 1)
    answer = await http.request("DELETE", "/v1/holds/1", json={"reason": "不要了"})
    assert (answer.status_code, answer.json()["error"]) == (409, "alert_hold")


async def test_an_id_that_no_hold_can_have_is_not_found_or_refused(http):
    for path in ("/v1/holds/9", f"/v1/holds/{2**63}", "/v1/holds/x", "/v1/holds/-1"):
        answer = await http.request("DELETE", path, json={"reason": "无"})
        assert answer.status_code in {404, 422}
    assert (await http.get("/v1/holds/history", params={"before": 2**63})).status_code == 422


async def test_through_the_relay_a_hold_is_placed_in_the_persons_name(box: Box):
    record(box)
    async with (
        running_centre() as centre,
        dialled_in(box, centre),
        httpx.AsyncClient(
            base_url=f"{centre.url}/api/v1/boxes/{BOX_ID}/edge",
            headers=PERSON,
            trust_env=False,
            verify=False,
        ) as http,
    ):
        placed = await http.post("/v1/holds", json=asked())
        assert placed.json()["placed_by"] == ACTOR
        at = f"/v1/holds/{placed.json()['id']}"
        released = await http.request("DELETE", at, json={"reason": "案件已结"})
        assert (released.status_code, released.content) == (204, b"")
        history = (await http.get("/v1/holds/history")).json()["items"]
    assert [each["actor"] for each in history] == [ACTOR, ACTOR]
