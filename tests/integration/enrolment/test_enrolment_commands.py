"""``python -m edge cameras add`` and its like as they are typed."""

import io
import json
import sys
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.config import EdgeConfig
from edge.settings.effective import counts
from protocol.clock import SystemClock
from tests.support.doctor import box_file, camera_table
from tests.support.enrolment import PASSWORD

FACTS = ("--name", "晒场", "--grid", "533102105203002", "--legal-basis", "art7_1")


@pytest.fixture
def path(tmp_path) -> Path:
    (tmp_path / "data").mkdir()
    rest = "[detect]\nenabled = false"
    return box_file(tmp_path, rest=rest, cameras=camera_table("rtsp://192.0.2.10/main"))


@pytest.fixture
def typed(path, monkeypatch, capsys):
    """Type a command and return its status and all that it said; the password is on stdin."""

    def type_it(*words: str, password: str = PASSWORD) -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
        status = main(["cameras", *words, "--config", str(path)])
        said = capsys.readouterr()
        assert PASSWORD not in said.out + said.err
        return status, said.out + said.err

    return type_it


def now(path: Path) -> EdgeConfig:
    return counts(path, SystemClock()).config


def test_a_camera_is_examined_told_and_added(typed, path, device, rtsp):
    words = ("add", device.base, "--user", "camera", *FACTS, "--place", "东侧", "--yes")
    status, said = typed(*words)
    assert status == 0, said
    assert "摄像机 camera: Example Bullet 4" in said
    assert "码流 stream main: H.264 1280×720 25.0 fps" in said
    assert "说明 note: 主码流 H.264" in said
    assert "看 looks for: 人员聚集 gatherings、明火烟雾 fire and smoke" in said
    assert "已保存 saved: cam1 晒场" in said
    camera = now(path).cameras[1]
    assert (camera.id, camera.place, camera.sub_url) == ("cam1", "东侧", rtsp.url("/sub"))
    assert [rule.kind for rule in camera.rules] == ["gathering", "fire"]
    assert camera.password is not None
    assert camera.password.read().get_secret_value() == PASSWORD
    assert PASSWORD not in path.read_text(encoding="utf-8")


def test_nothing_is_added_unasked_or_with_facts_that_are_missing(typed, path, device):
    words = ("add", device.base, "--user", "camera")
    status, said = typed(*words, *FACTS)
    assert (status, "没有改动" in said) == (1, True)
    status, said = typed(*words, "--yes")
    assert (status, "名称要 1 至 24 个字" in said) == (1, True)
    status, said = typed(*words, *FACTS, "--yes", password="wrong")
    assert (status, "不认这个用户名或密码" in said) == (1, True)
    assert len(now(path).cameras) == 1


def test_a_camera_is_renamed_copied_to_replaced_and_removed(typed, path, rtsp):
    stream = ("--sub", rtsp.url("/sub"), "--user", "camera")
    assert typed("replace", "gate", rtsp.url("/main"), *stream, "--yes")[0] == 0
    gate = now(path).cameras[0]
    assert (gate.id, gate.name, gate.main_url) == ("gate", "村口主路", rtsp.url("/main"))

    status, said = typed("rename", "gate", "--name", "村口", "--days", "45")
    assert (status, "saved: gate 村口" in said) == (0, True)
    assert (now(path).cameras[0].name, now(path).cameras[0].retention_days) == ("村口", 45)
    status, said = typed("rename", "gate", "--days", "7", "--json")
    assert (status, "至少存 30 天" in json.loads(said)["zh"]) == (1, True)

    words = ("add", rtsp.url("/sub"), "--user", "camera", *FACTS, "--id", "yard", "--yes")
    words = (*words, "--watch", "none")
    status, said = typed(*words)
    assert (status, "看 looks for: 无 nothing" in said) == (0, True)
    assert now(path).cameras[1].rules == ()
    assert typed("copy", "gate", "yard")[0] == 0

    assert typed("remove", "gate")[0] == 1
    assert typed("remove", "gate", "--yes")[0] == 0
    assert [camera.id for camera in now(path).cameras] == ["yard"]
    status, said = typed("remove", "gate", "--yes")
    assert (status, "NotFoundError: camera gate" in said) == (1, True)


def test_a_table_is_looked_at_and_then_added(typed, path, device, tmp_path):
    table = tmp_path / "cameras.csv"
    text = (
        "名称;地址;用户名;密码;网格;法律依据\n"
        f"小学;{device.base};camera;{PASSWORD};533102105203004;第九条\n"
        f"桥头;192.0.2.10;camera;{PASSWORD};533102105203005;第九条\n"
    )
    table.write_bytes(text.encode("gbk"))
    status, said = typed("import", str(table))
    assert status == 1
    assert "第 2 行 line 2  小学  ok" in said
    assert "第 3 行 line 3  桥头  refused: 这个地址已经有了:gate" in said
    assert len(now(path).cameras) == 1

    status, said = typed("import", str(table), "--apply", "--json")
    first, second = map(json.loads, said.splitlines())
    assert (status, first["state"], second["state"]) == (1, "saved", "failed")
    assert [camera.name for camera in now(path).cameras] == ["村口主路", "小学"]
    status, said = typed("import", str(tmp_path / "nothing.csv"))
    assert (status, "打不开" in said) == (1, True)


def test_a_box_that_never_ran_is_to_be_started_first(typed, path):
    (path.parent / "data").rmdir()
    status, said = typed("rename", "gate", "--name", "村口")
    assert (status, "请先启动一次" in said) == (1, True)
    assert not (path.parent / "data").exists()
