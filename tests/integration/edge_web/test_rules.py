"""What a rule counted, and the threshold that it suggests, over HTTP."""

from datetime import timedelta

import httpx
import pytest

from edge.alarm.scene import Scene
from edge.ports import Box as Person
from edge.ports import Detections
from tests.support.box import GATE, NOW, running_box

pytestmark = pytest.mark.anyio
QUARTER = timedelta(minutes=15)


async def asked(box, path):
    async with httpx.AsyncClient(base_url=box.server.url, verify=False) as client:
        return await client.get(path)


def count(box, start, quarters, people):
    """Let the crowd rule count so many people at every minute of some quarters."""
    for minute in range(quarters * 15):
        box.crowds.counted("gate", "crowd", "all", start + timedelta(minutes=minute), people)


async def test_two_days_are_too_little_and_three_suggest_a_threshold(tmp_path):
    async with running_box(tmp_path) as box:
        for days_ago in (2, 1):
            count(box, NOW - timedelta(days=days_ago), 4, 6)
            count(box, NOW - timedelta(days=days_ago) + 4 * QUARTER, 1, 21)
        box.clock.advance(0)
        box.crowds.tick()
        two = (await asked(box, "/v1/rules/gate/crowd/history")).json()
        count(box, NOW - 6 * QUARTER, 4, 6)
        box.crowds.tick()
        three = (await asked(box, "/v1/rules/gate/crowd/history?region=all")).json()
    assert two["suggestion"] == {
        "window_days": 14,
        "needed_days": 3,
        "days": 2,
        "minutes": 150,
        "threshold": None,
        "alarms": 2,
        "alarms_suggested": None,
    }
    assert three["suggestion"]["threshold"] == 21
    assert three["suggestion"]["alarms_suggested"] == 2
    assert {key: three[key] for key in ("camera_id", "rule_id", "region_id", "threshold")} == {
        "camera_id": "gate",
        "rule_id": "crowd",
        "region_id": "all",
        "threshold": 15,
    }
    assert three["kept_days"] == 35
    assert three["days"][0] == {
        "day": "2026-11-20",
        "minutes": 75,
        "typical": 6,
        "busy": 21,
        "peak": 21,
    }


async def test_days_before_the_window_are_listed_and_suggest_nothing(tmp_path):
    async with running_box(tmp_path) as box:
        for days_ago in (30, 29, 28):
            count(box, NOW - timedelta(days=days_ago), 2, 40)
        box.crowds.tick()
        told = (await asked(box, "/v1/rules/gate/crowd/history")).json()
    assert [day["day"] for day in told["days"]] == ["2026-10-23", "2026-10-24", "2026-10-25"]
    assert told["suggestion"] | {"days": 0, "threshold": None, "alarms": 0} == told["suggestion"]


async def test_what_the_detector_sees_comes_into_the_history(tmp_path):
    async with running_box(tmp_path) as box:
        scene = Scene(GATE, min_score=0.4, counted=box.crowds.counted)
        people = tuple(Person(0.1 * n, 0.4, 0.1 * n + 0.02, 0.5, 0.9) for n in range(1, 5))
        for second in range(0, 120, 2):
            at = NOW - QUARTER * 2 + timedelta(seconds=second)
            scene.see(Detections("gate", "ab" * 16, second * 90_000, at, people))
        box.crowds.tick()
        (day,) = (await asked(box, "/v1/rules/gate/crowd/history")).json()["days"]
    assert (day["minutes"], day["typical"], day["peak"]) == (2, 4, 4)


async def test_a_rule_without_history_says_so(tmp_path):
    async with running_box(tmp_path) as box:
        told = (await asked(box, "/v1/rules/gate/crowd/history")).json()
    assert (told["since"], told["days"], told["suggestion"]["days"]) == (None, [], 0)


@pytest.mark.parametrize(
    "path",
    ["gate/other/history", "road/crowd/history", "gate/crowd/history?region=stage"],
)
async def test_a_rule_or_region_that_is_not_configured_is_not_found(tmp_path, path):
    async with running_box(tmp_path) as box:
        answer = await asked(box, f"/v1/rules/{path}")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
