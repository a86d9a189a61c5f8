"""Setting cameras up over the box's interface, with real cameras."""

import logging
import socket
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from bench.onvif_device import Device, Request, Send, reply
from edge.enrolment.work import MOST_ERRANDS
from tests.support.enrolment import PASSWORD, Setup, onvif_camera
from tests.support.eventually import eventually

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


async def test_a_camera_of_streams_alone_is_examined_step_by_step(setup: Setup, rtsp):
    login = {"username": "camera", "password": PASSWORD}
    _, found = await setup.probed(rtsp_url=rtsp.url("/hevc"), **login)
    (main,) = found["streams"]
    assert (main["codec"], main["in_browser"]) == ("H.265", "some")
    assert {each["code"]: each["level"] for each in found["advice"]} == {
        "sub_absent": "should",
        "main_h265": "note",
        "fine": "note",
    }
    _, wrong = await setup.probed(rtsp_url=rtsp.url("/nowhere"), **login)
    assert wrong["problem"]["kind"] == "path_wrong"
    assert "主码流" in wrong["problem"]["zh"]
    _, missing = await setup.probed(rtsp_url=rtsp.url("/main"))
    assert missing["problem"]["kind"] == "password_missing"


async def test_a_sub_stream_that_does_not_come_is_left_out(setup: Setup, rtsp):
    urls = {"rtsp_url": rtsp.url("/main"), "rtsp_sub_url": rtsp.url("/nowhere")}
    probe_id, found = await setup.probed(**urls, username="camera", password=PASSWORD)
    first = found["advice"][0]
    assert (first["code"], first["level"]) == ("path_wrong", "should")
    body = {"probe_id": probe_id, **FACTS}
    unknown = await setup.http.post("/v1/setup/cameras", json={**body, "watch": ["faces"]})
    assert unknown.status_code == 422
    added = await setup.http.post("/v1/setup/cameras", json={**body, "watch": ["fire"]})
    assert added.json()["has_sub"] is False
    assert [rule.kind for rule in setup.enroller.camera(added.json()["id"]).rules] == ["fire"]


async def test_a_device_without_onvif_is_told_what_to_do(setup: Setup):
    async def page(_request: Request, send: Send) -> None:
        await send(reply(404, b"<html>no such page</html>", {"Content-Type": "text/html"}))

    with Device(scripts={"*": page}) as web_server:
        _, found = await setup.probed(address=web_server.base)
    assert found["problem"]["kind"] == "no_onvif"
    assert "打开 ONVIF" in found["problem"]["zh"]
    _, found = await setup.probed(address="http://127.0.0.1:9")
    assert found["problem"]["kind"] == "unreachable"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({}, "address_missing"),
        ({"address": "a", "rtsp_url": "rtsp://a/"}, "address_missing"),
        ({"address": "http://user:word@camera/"}, "address_login"),
        ({"address": "two words"}, "address_bad"),
        ({"rtsp_url": "http://camera/"}, "address_bad"),
        ({"address": "a", "username": "admin"}, "login_half"),
        ({"address": "a", "certificate": "12"}, "certificate_bad"),
        ({"address": "192.0.2.99", "camera_id": "gate"}, "login_elsewhere"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(setup: Setup, asked, error):
    refused = await setup.http.post("/v1/setup/probes", json=asked)
    assert (refused.status_code, refused.json()["error"]) == (422, error)
    assert refused.json()["message_zh"]


async def test_a_search_says_when_it_is_over(setup: Setup):
    begun = await setup.http.post("/v1/setup/searches", json={"seconds": 1})
    found = await setup.over(f"/v1/setup/searches/{begun.json()['id']}")
    assert found["state"] == "done"
    assert isinstance(found["unreadable"], int)


async def test_cameras_are_listed_without_addresses_or_logins(setup: Setup):
    listed = (await setup.http.get("/v1/setup/cameras")).json()
    assert listed["version"] == listed["running"] == 0
    (gate,) = listed["cameras"]
    assert gate == {
        "id": "gate",
        "name": "村口主路",
        "grid_code": "533102105203001",
        "place": "",
        "legal_basis": "art7_1",
        "retention_days": None,
        "retention_reason": "",
        "enabled": True,
        "host": "192.0.2.10",
        "has_sub": False,
        "record_sub": False,
        "from": "layer",
        "rules": 1,
        "state": "connecting",
    }


async def test_facts_of_a_camera_are_changed_by_themselves(setup: Setup):
    before = setup.enroller.camera("gate")
    body = {"name": "村口", "place": "牌坊下", "retention_days": 60, "reason": "换牌子"}
    headers = {"x-tanshao-actor": "user:li"}
    changed = await setup.http.patch("/v1/setup/cameras/gate", json=body, headers=headers)
    assert changed.status_code == 200, changed.text
    after = setup.enroller.camera("gate")
    assert (after.name, after.place, after.retention_days) == ("村口", "牌坊下", 60)
    assert (after.main_url, after.rules) == (before.main_url, before.rules)
    assert setup.book.acts == [("gate", "user:li", "换牌子")]
    body = {"retention_days": None, "reason": "改回"}
    await setup.http.patch("/v1/setup/cameras/gate", json=body)
    assert setup.enroller.camera("gate").retention_days is None


@pytest.mark.parametrize(
    ("changes", "zh"),
    [
        ({"name": ""}, "名称要 1 至 24 个字"),
        ({"name": "长" * 25}, "名称要 1 至 24 个字"),
        ({"retention_days": 7}, "至少存 30 天"),
        ({"retention_days": 7, "legal_basis": "art9"}, "要写明理由"),
        ({"record_sub": True}, "没有子码流"),
    ],
)
async def test_a_rule_that_is_broken_is_said_in_words(setup: Setup, changes, zh):
    body = {**changes, "reason": "试"}
    refused = await setup.http.patch("/v1/setup/cameras/gate", json=body)
    assert (refused.status_code, refused.json()["error"]) == (422, "invalid")
    assert zh in refused.json()["message_zh"]
    assert setup.book.version() == 0


async def test_ids_are_made_and_never_one_with_recordings(setup: Setup, rtsp):
    setup.recorded |= {"cam4", "old"}
    probe_id, _ = await setup.probed(
        rtsp_url=rtsp.url("/sub"), username="camera", password=PASSWORD
    )
    body = {"probe_id": probe_id, **FACTS}
    for camera_id, error in (("gate", "id_taken"), ("old", "id_recorded")):
        refused = await setup.http.post("/v1/setup/cameras", json={**body, "id": camera_id})
        assert (refused.status_code, refused.json()["error"]) == (409, error)
    added = await setup.http.post("/v1/setup/cameras", json=body)
    assert (added.json()["id"], added.json()["rules"]) == ("cam5", 2)


async def test_a_camera_is_added_like_another_but_for_what_is_drawn(setup: Setup, rtsp):
    probe_id, _ = await setup.probed(
        rtsp_url=rtsp.url("/sub"), username="camera", password=PASSWORD
    )
    body = {"probe_id": probe_id, **FACTS, "like": "gate"}
    added = await setup.http.post("/v1/setup/cameras", json=body)
    assert (added.status_code, added.json()["rules"]) == (201, 1)
    camera = setup.enroller.camera(added.json()["id"])
    assert (camera.name, camera.lost_after_s) == ("晒场", 60)
    assert camera.rules[0].hold_s == 20
    assert camera.rules[0].exclude == ()
    body = {"camera_id": "gate", "reason": "同样看"}
    path = f"/v1/setup/cameras/{camera.id}/like"
    assert (await setup.http.post(path, json=body)).status_code == 200


async def test_another_device_takes_a_cameras_place(setup: Setup, rtsp):
    probe_id, _ = await setup.probed(
        rtsp_url=rtsp.url("/main"),
        rtsp_sub_url=rtsp.url("/sub"),
        username="camera",
        password=PASSWORD,
    )
    body = {"probe_id": probe_id, "reason": "旧的坏了"}
    replaced = await setup.http.post("/v1/setup/cameras/gate/replace", json=body)
    assert replaced.status_code == 200, replaced.text
    camera = setup.enroller.camera("gate")
    assert (camera.main_url, camera.sub_url) == (rtsp.url("/main"), rtsp.url("/sub"))
    assert (camera.name, len(camera.rules), camera.username) == ("村口主路", 1, "camera")

    # Its own login is used where it is, and nowhere else.
    _, again = await setup.probed(camera_id="gate")
    assert again["state"] == "done"
    assert len(again["streams"]) == 2


async def test_a_camera_is_removed_with_a_reason(setup: Setup):
    path = "/v1/setup/cameras/gate"
    assert (await setup.http.delete(path)).status_code == 422
    gone = await setup.http.delete(path, params={"reason": "拆除"})
    assert gone.status_code == 204
    assert setup.book.acts == [("gate", "local", "拆除")]
    assert (await setup.http.delete(path, params={"reason": "再"})).status_code == 404


async def test_a_table_is_looked_at_then_added_row_by_row(setup: Setup, device, rtsp):
    table = (
        "名称,地址,用户名,密码,网格,位置,法律依据\n"
        f"晒场,{device.base},camera,{PASSWORD},533102105203002,东,第七条第一款\n"
        f"桥头,{rtsp.url('/nowhere')},camera,{PASSWORD},533102105203003,,第七条第一款\n"
        f"小学,{rtsp.url('/sub')},camera,{PASSWORD},53310210520300,,第九条\n"
        "村口,192.0.2.10,,,533102105203004,,第九条\n"
    )
    looked = await setup.http.post("/v1/setup/bulk", json={"csv": table})
    assert looked.status_code == 200
    assert [(row["line"], row["verdict"]) for row in looked.json()["rows"]] == [
        (2, "ok"),
        (3, "ok"),
        (4, "refused"),
        (5, "refused"),
    ]
    assert "15 位数字" in looked.json()["rows"][2]["zh"]
    assert "gate" in looked.json()["rows"][3]["zh"]
    assert setup.book.version() == 0

    begun = await setup.http.post("/v1/setup/bulk", json={"csv": table, "apply": True})
    assert begun.status_code == 201
    found = await setup.over(f"/v1/setup/bulk/{begun.json()['id']}")
    assert [(row["id"], row["state"]) for row in found["rows"]] == [
        ("cam1", "saved"),
        ("", "failed"),
        ("", "failed"),
        ("", "failed"),
    ]
    assert "RTSP 路径" in found["rows"][1]["zh"]
    assert [camera.id for camera in setup.enroller.book.cameras()] == ["gate", "cam1"]
    assert PASSWORD not in "".join(setup.heard)


async def test_a_table_that_is_none_is_refused(setup: Setup):
    refused = await setup.http.post("/v1/setup/bulk", json={"csv": f"a,{PASSWORD}\n1,2"})
    assert (refused.status_code, refused.json()["error"]) == (422, "sheet")
    assert PASSWORD not in refused.text


async def test_a_cameras_wrong_clock_is_something_to_put_right_first(setup: Setup, rtsp):
    with onvif_camera(rtsp) as late, onvif_camera(rtsp) as early:
        late.now = lambda: datetime.now(UTC) - timedelta(days=700)
        early.now = lambda: datetime.now(UTC) + timedelta(days=20)
        login = {"username": "camera", "password": PASSWORD}
        _, found = await setup.probed(address=late.base, **login)
        assert found["clock_offset_s"] == pytest.approx(-700 * 86400, abs=60)
        first = found["advice"][0]
        assert (first["code"], first["level"]) == ("clock_wrong", "must")
        _, refused = await setup.probed(address=early.base, **login)
        assert refused["problem"]["kind"] == "ahead"
        _, allowed = await setup.probed(address=early.base, may_be_ahead=True, **login)
        assert allowed["state"] == "done"


async def test_a_box_that_stops_ends_what_is_under_way(setup: Setup):
    def errands() -> list[psutil.Process]:
        family = psutil.Process().children(recursive=True)
        return [each for each in family if "edge.enrolment.child" in each.cmdline()]

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = {"rtsp_url": f"rtsp://127.0.0.1:{silent.getsockname()[1]}/main"}
        ids = [
            (await setup.http.post("/v1/setup/probes", json=asked)).json()["id"] for _ in range(3)
        ]
        await eventually(lambda: len(errands()) == MOST_ERRANDS, 30)
        examined = [setup.enroller.probed(each) for each in ids]
        setup.enroller.close()
    assert errands() == []
    assert {each.said.problem for each in examined[:MOST_ERRANDS]} != {None}
    refused = await setup.http.post("/v1/setup/probes", json=asked)
    assert (refused.status_code, refused.json()["error"]) == (429, "busy")
