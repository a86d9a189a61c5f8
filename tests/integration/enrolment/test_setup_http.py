"""Setting cameras up over the box's interface, with real cameras."""

import logging

import pytest

from tests.support.enrolment import PASSWORD, Setup

pytestmark = pytest.mark.anyio

FACTS = {
    "name": "晒场",
    "grid_code": "533102105203002",
    "place": "晒场东",
    "legal_basis": "art7_1",
    "reason": "新装",
}


async def test_a_camera_is_examined_by_onvif_and_added(setup: Setup, device, rtsp):
    probe_id, found = await setup.probed(address=device.base, username="camera", password=PASSWORD)
    assert found["state"] == "done", found
    assert found["device"] == {"maker": "Example", "model": "Bullet 4", "firmware": "1.2.3"}
    assert abs(found["clock_offset_s"]) < 5
    main, sub = found["streams"]
    assert (main["stream"], main["codec"], main["width"], main["height"]) == (
        *("main", "H.264", 1280, 720),
    )
    assert (sub["stream"], sub["in_browser"], sub["audio"]) == ("sub", "yes", False)
    assert [each["code"] for each in found["advice"]] == ["fine"]
    assert found["problem"] is None

    picture = await setup.http.get(f"/v1/setup/probes/{probe_id}/picture.jpg")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content[:2] == b"\xff\xd8"

    added = await setup.http.post("/v1/setup/cameras", json={"probe_id": probe_id, **FACTS})
    assert added.status_code == 201, added.text
    camera = added.json()
    assert (camera["id"], camera["from"], camera["has_sub"]) == ("cam1", "layer", True)
    saved = setup.enroller.camera("cam1")
    assert (saved.main_url, saved.sub_url) == (rtsp.url("/main"), rtsp.url("/sub"))
    assert saved.password is not None
    assert saved.password.read().get_secret_value() == PASSWORD
    assert setup.book.acts == [("cam1", "local", "新装")]


async def test_no_password_is_in_any_answer_or_log(setup: Setup, device, rtsp, caplog):
    caplog.set_level(logging.DEBUG)
    login = {"username": "camera", "password": PASSWORD}
    await setup.probed(address=device.base, **login)
    probe_id, _ = await setup.probed(rtsp_url=rtsp.url("/main"), **login)
    await setup.http.post("/v1/setup/cameras", json={"probe_id": probe_id, **FACTS})
    await setup.http.get("/v1/setup/cameras")
    # What is wrong with a request is said without it.
    await setup.http.post("/v1/setup/probes", json={"address": "x", "passwort": PASSWORD, **login})
    await setup.http.post("/v1/setup/probes", json={"address": f"rtsp://a:{PASSWORD}@b/"})
    await setup.http.post("/v1/setup/probes", json={"address": "b", "password": [PASSWORD]})

    said = (
        "".join(setup.heard) + caplog.text + "".join(str(each.__dict__) for each in caplog.records)
    )
    assert len(setup.heard) > 10
    assert PASSWORD not in said
    assert "Hunter2" not in said


async def test_a_wrong_password_is_tried_once(setup: Setup, device):
    device.requests.clear()
    _, found = await setup.probed(address=device.base, username="camera", password="wrong")
    assert found["state"] == "failed"
    assert found["problem"]["kind"] == "password_wrong"
    assert "只试了一次" in found["problem"]["zh"]
    assert sum(request.is_signed for request in device.requests) == 1


async def test_an_examination_that_failed_adds_nothing(setup: Setup):
    probe_id, found = await setup.probed(rtsp_url="rtsp://127.0.0.1:9/main")
    assert found["problem"]["kind"] == "port_closed"
    refused = await setup.http.post("/v1/setup/cameras", json={"probe_id": probe_id, **FACTS})
    assert (refused.status_code, refused.json()["error"]) == (409, "probe_failed")
    gone = await setup.http.delete(f"/v1/setup/probes/{probe_id}")
    assert gone.status_code == 204
    assert (await setup.http.get(f"/v1/setup/probes/{probe_id}")).status_code == 404
