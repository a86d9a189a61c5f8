"""Planned events as tests file them over HTTP."""

from datetime import datetime, timedelta

import httpx

from tests.support.web_centre import WebCentre
from tests.support.xiacun import NOW, birth, camera_state, received

CAMERA = "xiacun-1.cam1"


def wedding(**changes: object) -> dict[str, object]:
    """Return a wedding of 200 at the square, from an hour ago to in three hours."""
    terms: dict[str, object] = {
        "title": "王家婚宴",
        "kind": "wedding",
        "cameras": [CAMERA],
        "start": words(NOW - timedelta(hours=1)),
        "end": words(NOW + timedelta(hours=3)),
        "expected": 200,
        "contact": "村红白理事会 13800000000",
        "safety": "灭火器2个,留出消防通道",
    }
    return terms | changes


def words(moment: datetime) -> str:
    return moment.isoformat()


def enter_cameras(centre: WebCentre) -> None:
    centre.take(received(birth(camera_state(), camera_state("cam2", name="村口"))))


def file(client: httpx.Client, **changes: object) -> str:
    """File a wedding, not approved yet; return its id."""
    answer = client.post("/activities", json=wedding(**changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def file_approved(centre: WebCentre, **changes: object) -> str:
    """File a wedding in one name and approve it in another; return its id."""
    with centre.client("duty") as duty, centre.client("admin") as admin:
        activity_id = file(duty, **changes)
        answer = admin.post(f"/activities/{activity_id}/approve")
        assert answer.status_code == 200, answer.text
    return activity_id
