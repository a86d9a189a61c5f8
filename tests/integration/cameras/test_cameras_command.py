"""``python -m edge cameras`` as it is typed."""

import io
import json
import subprocess
import sys

import pytest

from bench.onvif_device import Device, Request, Send, reply
from edge.__main__ import main
from edge.cameras import discovery
from edge.cameras.discovery import Found
from edge.cameras.door import Door
from edge.cameras.sighting import Sighting
from edge.rtsp.challenge import Credentials
from tests.support.tools import ROOT

LOGIN = Credentials("operator", "correct horse")


@pytest.fixture
def device():
    with Device(login=LOGIN) as one:
        yield one


def typed(monkeypatch, capsys, *words: str, password: str = LOGIN.password) -> tuple[int, str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    status = main(["cameras", *words])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_a_camera_is_told_in_both_languages(device, monkeypatch, capsys):
    device.advertised["tptz"] = "http://192.168.68.111/ptz"
    status, said = typed(monkeypatch, capsys, "probe", device.base, "--user", "operator")
    assert status == 0
    assert "摄像机 camera: Example Bullet 4" in said
    assert "码流 stream main: H265 1920×1080 25.0 fps" in said
    assert "改用本机地址 asked here instead: http://192.168.68.111/ptz" in said
    assert LOGIN.password not in said


def test_a_camera_is_told_as_one_json_object(device, monkeypatch, capsys):
    status, said = typed(monkeypatch, capsys, "probe", device.base, "--user", "operator", "--json")
    told = json.loads(said)
    assert status == 0
    assert told["model"] == "Bullet 4"
    assert [stream["encoding"] for stream in told["streams"]] == ["H265", "H264"]
    assert told["problems"] == []


def test_a_wrong_password_is_said_and_tried_once(device, monkeypatch, capsys):
    words = ("probe", device.base, "--user", "operator")
    status, said = typed(monkeypatch, capsys, *words, password="wrong")
    assert status == 1
    assert "用户名或密码不对" in said
    assert sum(request.is_signed for request in device.requests) == 1


def test_a_password_may_come_from_a_file(device, monkeypatch, capsys, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(f"{LOGIN.password}\n")
    words = ("probe", device.base, "--user", "operator", "--password-file", str(secret))
    assert typed(monkeypatch, capsys, *words, password="unread")[0] == 0
    secret.unlink()
    status, said = typed(monkeypatch, capsys, *words)
    assert (status, "secret file" in said) == (1, True)


def test_a_camera_that_is_not_there_is_said_to_be(monkeypatch, capsys):
    status, said = typed(monkeypatch, capsys, "probe", "camera.invalid")
    assert (status, "连不上" in said) == (1, True)
    status, said = typed(monkeypatch, capsys, "probe", "camera.invalid", "--json")
    assert (status, json.loads(said)["kind"]) == (1, "unreachable")


def test_an_address_with_a_password_is_wrong_use(monkeypatch, capsys):
    status, said = typed(monkeypatch, capsys, "probe", "http://admin:hunter2@192.168.1.64")
    assert (status, "hunter2" in said) == (2, False)


def test_discovery_tells_where_nothing_can_be_asked(monkeypatch, capsys):
    words = ("discover", "--interface", "203.0.113.7", "--seconds", "0.01")
    status, said = typed(monkeypatch, capsys, *words)
    assert status == 1
    assert "发现 0 台" in said
    assert "203.0.113.7: 此网口无法发送" in said
    status, said = typed(monkeypatch, capsys, *words, "--json")
    assert json.loads(said)["silent"] == ["203.0.113.7"]


def test_discovery_tells_who_answered_and_what_they_point_at(monkeypatch, capsys):
    def discover(*_given, **_named) -> Found:
        own = Sighting("192.0.2.7", "urn:a", "Cam", "B4", (Door.parse("192.0.2.7:2020"),), 0)
        foreign = Sighting("192.0.2.9", "urn:b", "", "", (), 2)
        return Found((own, foreign), 3, 1, ())

    monkeypatch.setattr(discovery, "discover", discover)
    status, said = typed(monkeypatch, capsys, "discover")
    assert status == 0
    assert "192.0.2.7  Cam B4  http://192.0.2.7:2020/onvif/device_service" in said
    assert "指向别处 2 points elsewhere" in said
    assert "发现 2 台" in said
    assert "3 + 1" in said
    status, said = typed(monkeypatch, capsys, "discover", "--json")
    assert [one["foreign"] for one in json.loads(said)["cameras"]] == [0, 2]


def test_a_camera_that_does_not_say_much_is_told_as_far_as_it_goes(device, monkeypatch, capsys):
    async def silent(_request: Request, send: Send) -> None:
        await send(reply(500, b""))

    device.scripts |= {"GetSystemDateAndTime": silent, "GetStreamUri": silent}
    status, said = typed(monkeypatch, capsys, "probe", device.base, "--user", "operator")
    assert status == 1
    assert "时钟 clock: 未知 unknown" in said
    assert "没有地址 no address" in said
    assert "stream main: 连不上" in said


def test_configured_cameras_are_listed_without_their_secrets(monkeypatch, capsys):
    config = str(ROOT / "configs/edge.village.toml")
    status, said = typed(monkeypatch, capsys, "list", "--config", config)
    assert status == 0
    assert "cam-01  村口主路  村口路灯杆  192.0.2.10" in said
    status, said = typed(monkeypatch, capsys, "list", "--config", config, "--json")
    (camera,) = json.loads(said)["cameras"]
    assert camera == {
        "id": "cam-01",
        "name": "村口主路",
        "place": "村口路灯杆",
        "host": "192.0.2.10",
        "sub_stream": True,
        "enabled": True,
    }


def test_the_boxs_main_process_loads_nothing_of_onvif():
    """It costs 20 MB, and its parser is one more thing that a camera could reach."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import edge.app, edge.__main__, sys; print(sorted(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "'edge.app'" in loaded
    assert "'edge.cameras" not in loaded
    assert "'zeep'" not in loaded


def test_asking_cameras_leaves_logging_and_proxies_as_they_are():
    """onvif-zeep sets both up for the whole process, where nobody stops it."""
    code = """
import logging, os
os.environ["http_proxy"] = "http://x"
import edge.cameras.camera
print(logging.getLogger().handlers, logging.getLogger().level, os.environ["http_proxy"])
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == "[] 30 http://x\n"
