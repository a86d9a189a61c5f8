"""``python -m edge cameras clock|osd|…`` as it is typed, at a real HTTP server."""

import io
import json
import re
import sys

import pytest

from bench import onvif_answers
from bench.onvif_device import Device
from edge.__main__ import main
from tests.support.clocked_device import LOGIN, ClockedDevice


@pytest.fixture
def device():
    with ClockedDevice(-754) as one:
        yield one


@pytest.fixture
def typed(monkeypatch, capsys):
    def do(*words: str, password: str = LOGIN.password) -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
        status = main(["cameras", *words])
        said = capsys.readouterr()
        assert LOGIN.password not in said.out + said.err
        return status, said.out + said.err

    return do


def at(device: Device) -> tuple[str, ...]:
    return (device.base, "--user", LOGIN.username)


def test_how_far_a_clock_is_off_is_told_and_asked_without_a_login(device, typed):
    status, said = typed("clock", device.base)
    assert status == 1
    assert re.match(r"时钟 clock: -75\d\.\d s · 手动 set by hand\n", said)
    assert not any(request.is_signed for request in device.requests)


def test_it_is_set_and_what_it_then_is_told(device, typed):
    status, said = typed("clock", *at(device), "--set", "--json")
    told = json.loads(said)
    assert (status, told["outcome"]) == (0, "set")
    assert told["before"]["offset_s"] < -750
    assert abs(told["after"]["offset_s"]) < 5
    status, said = typed("clock", *at(device), "--set")
    assert (status, "没有动" in said) == (0, True)


def test_one_that_keeps_its_clock_by_ntp_is_left_alone_unless_that_is_to_end(typed):
    with ClockedDevice(90, by_ntp=True) as device:
        status, said = typed("clock", *at(device), "--set")
        assert (status, "--end-ntp" in said) == (1, True)
        assert typed("clock", *at(device), "--set", "--end-ntp")[0] == 0


def test_a_configured_camera_is_asked_by_its_id_with_its_login(device, typed, tmp_path):
    (tmp_path / "secret").write_text(f"{LOGIN.password}\n")
    config = tmp_path / "edge.toml"
    config.write_text(
        f"""
[box]
id = "xiacun-1"
name = "下村"
region_code = "533102105203"
data_dir = "data"

[[cameras]]
id = "gate"
name = "村口"
grid_code = "533102105203001"
main_url = "rtsp://127.0.0.1/main"
onvif_url = "{device.base}"
username = "{LOGIN.username}"
password = {{ file = "secret" }}
"""
    )
    words = ("clock", "gate", "--config", str(config), "--set")
    assert typed(*words)[0] == 0
    status, said = typed("presets", "cellar", "--config", str(config))
    assert (status, "no camera 'cellar'" in said) == (2, True)


def test_texts_are_told_and_changed(device, typed):
    assert typed("osd", *at(device)) == (0, "osd-1  Plain  村口\n共 1 处 · 1 texts\n")
    assert typed("osd", *at(device), "--text", "osd-1", "村口主路")[0] == 0
    assert "村口主路".encode() in device.asked("SetOSD")[0].body


def test_the_picture_is_told_and_changed(device, typed):
    status, said = typed("imaging", *at(device), "--brightness", "55")
    assert (status, said) == (0, "brightness 50\ncontrast 40\nsaturation 60\nsharpness –\n")
    body = device.asked("SetImagingSettings")[0].body
    assert re.search(rb"Brightness[^>]*>55", body)
    assert b"Contrast" not in body


def test_it_is_turned_to_a_view_by_token_or_by_name(device, typed):
    assert "晒场" in typed("presets", *at(device))[1]
    for which in ("2", "晒场"):
        assert typed("goto", *at(device), which)[0] == 0
    assert [b"PresetToken>2<" in each.body for each in device.asked("GotoPreset")] == [True, True]
    status, said = typed("goto", *at(device), "nowhere")
    assert (status, "there is no such preset" in said) == (1, True)


def test_it_is_rebooted_only_by_who_is_sure(device, typed):
    assert typed("reboot", *at(device))[0] == 1
    assert device.asked("SystemReboot") == []
    status, said = typed("reboot", *at(device), "--yes")
    assert (status, "in 30 seconds" in said) == (0, True)


def test_what_it_reports_is_told_as_it_changes_and_the_subscription_ended(device, typed):
    tamper = "tns1:RuleEngine/TamperDetector/Tamper"
    device.events = onvif_answers.notification(tamper, "State", "true") * 3
    status, said = typed("events", *at(device), "--seconds", "0.2", "--json")
    told, last = (json.loads(line) for line in said.splitlines())
    assert status == 0
    assert (told["kind"], told["topic"]) == ("tamper", "RuleEngine/TamperDetector/Tamper")
    assert (told["active"], told["initial"]) == (True, False)
    assert last == {"events": 3, "dropped": 0}
    assert len(device.asked("PullMessages")) == 1  # it answers at once, and is not asked again so
    assert len(device.asked("Unsubscribe")) == 1
    assert "是 yes" in typed("events", *at(device), "--seconds", "0.2")[1]


def test_a_wrong_password_is_said_and_tried_once(device, typed):
    status, said = typed("presets", *at(device), password="wrong")
    assert (status, "用户名或密码不对" in said) == (1, True)
    assert sum(request.is_signed for request in device.requests) == 1
    status, said = typed("presets", *at(device), "--json", password="wrong")
    assert json.loads(said)["kind"] == "auth"


def test_an_address_that_holds_a_login_is_refused(typed):
    status, said = typed("clock", "http://user:kept@192.0.2.7/")
    assert (status, "kept" in said) == (2, False)
