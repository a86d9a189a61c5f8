"""Points as tests register them over HTTP."""

import httpx

from central.points.codes import Item
from tests.support.jpeg import jpeg

CAMERA = "xiacun-1.cam1"
OTHER = "xiacun-1.cam2"
CLEAR = {item.value: True for item in Item}


def terms(**changes: object) -> dict[str, object]:
    """Return what a square's point is."""
    plain: dict[str, object] = {
        "place_type": "square",
        "legal_basis": "art7_1",
        "manager_unit": "下村村民委员会",
        "installed_on": "2026-11-20",
        "note": "",
    }
    return plain | changes


def register(client: httpx.Client, uid: str = CAMERA, **changes: object) -> None:
    """Make a point and sign its checklist."""
    answer = client.put(f"/points/{uid}", json=terms(**changes))
    assert answer.status_code == 200, answer.text
    answer = client.post(f"/points/{uid}/checklist", json={"answers": CLEAR})
    assert answer.status_code == 200, answer.text


def hang_sign(client: httpx.Client, uid: str = CAMERA, picture: bytes | None = None) -> None:
    """Bring the photo of a point's sign."""
    answer = client.put(f"/points/{uid}/sign-photo", content=picture or jpeg())
    assert answer.status_code == 200, answer.text


def go(client: httpx.Client, state: str, uid: str = CAMERA) -> httpx.Response:
    """Ask for a step."""
    return client.post(f"/points/{uid}/state", json={"state": state, "reason": "测试"})


def take_in_use(client: httpx.Client, uid: str = CAMERA, **changes: object) -> None:
    """Do all that a point needs to be in use, without a trial run."""
    register(client, uid, **changes)
    hang_sign(client, uid)
    answer = go(client, "in_use", uid)
    assert answer.status_code == 200, answer.text
