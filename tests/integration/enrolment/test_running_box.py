"""Cameras that are added to a box while it runs."""

from typing import Any

import httpx

from tests.support.edge_process import EdgeProcess, written
from tests.support.enrolment import PASSWORD
from tests.support.waiting import wait_until

FACTS = {"grid_code": "533102105203002", "legal_basis": "art7_1", "reason": "新装"}
LOGIN = {"username": "camera", "password": PASSWORD}


def asked(box: EdgeProcess, path: str) -> dict[str, Any] | None:
    """Return what the box answers; None while it is built anew."""
    try:
        return box.get(path)
    except httpx.TransportError:
        return None


def is_done(box: EdgeProcess, path: str) -> bool:
    answer = asked(box, path)
    return answer is not None and answer["state"] == "done"


def cameras(box: EdgeProcess) -> dict[str, str]:
    """Return the states of the cameras once the box runs them as they are configured."""
    listed = asked(box, "/v1/setup/cameras")
    if listed is None or listed["running"] < listed["version"]:
        return {}
    return {camera["id"]: camera["state"] for camera in listed["cameras"]}


def test_cameras_are_live_and_recorded_soon_after_they_are_added(tmp_path, device, rtsp):
    with EdgeProcess(written(tmp_path)) as box:
        probe = box.post("/v1/setup/probes", {"address": device.base, **LOGIN})["id"]
        path = f"/v1/setup/probes/{probe}"
        wait_until(lambda: is_done(box, path), 90)
        added = box.post("/v1/setup/cameras", {"probe_id": probe, "name": "晒场", **FACTS})
        assert added["id"] == "cam1"
        wait_until(lambda: cameras(box) == {"cam1": "live"}, 60)
        # The box was built anew around its station; what was asked of it before is still known.
        assert box.get(path)["state"] == "done"

        table = "名称,地址,用户名,密码,网格,法律依据\n" + "".join(
            f"路口{number},{rtsp.url(mount)},camera,{PASSWORD},533102105203003,第九条\n"
            for number, mount in enumerate(("/main", "/sub"))
        )
        bulk = box.post("/v1/setup/bulk", {"csv": table, "apply": True})["id"]
        wait_until(lambda: is_done(box, f"/v1/setup/bulk/{bulk}"), 120)
        rows = box.get(f"/v1/setup/bulk/{bulk}")["rows"]
        assert [row["state"] for row in rows] == ["failed", "saved"]  # the first is cam1's
        wait_until(lambda: cameras(box) == {"cam1": "live", "cam2": "live"}, 60)
        assert box.children("edge.enrolment.child") == []
        assert PASSWORD not in "".join(box.log)
