"""The launcher as its user runs it. One village for the tests that only look or kill."""

import os
import signal
import stat
import subprocess
import sys

import httpx
import psutil
import pytest
from sqlalchemy import func, select

from central.db.engine import Database
from central.db.models import Camera
from tests.support.postgres import running_postgres
from tests.support.village import RunningVillage, prepare_clips, require_interface
from tests.support.waiting import wait_until
from village.child import ROOT


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "village", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    require_interface()
    data = tmp_path_factory.mktemp("village") / "data"
    prepare_clips(data)
    running = RunningVillage(data)
    try:
        running.wait_live()
        yield running
        family = running.family()
        assert running.stop() == 0
        psutil.wait_procs(family, timeout=5)
        assert [process for process in family if process.is_running()] == []
    finally:
        running.kill()


def test_it_prints_addresses_logins_and_who_is_on_duty(village):
    text = village.output.read_text()
    assert f"http://127.0.0.1:{village.port}/wall" in text
    for name in ("wall", "duty", "admin"):
        assert (village.data / "secrets" / f"password-{name}").read_text().strip() in text
    assert "今日值班" in text
    assert ("内置消息服务" in text) is (village.state()["broker"] == "embedded")


def test_secrets_are_private_and_in_no_command_line(village):
    files = [*(village.data / "secrets").iterdir(), village.data / "logins.txt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    words = {path.read_text().strip() for path in (village.data / "secrets").iterdir()}
    long_words = [word for word in words if len(word) > 4]
    lines = [" ".join(process.cmdline()) for process in village.family()]
    assert [line for line in lines if any(word in line for word in long_words)] == []


def test_a_second_village_on_the_same_data_is_refused(village):
    second = command("run", "--data", str(village.data), "--port", "0")
    assert second.returncode == 1
    assert f"in use by another Tanshao (pid {village.process.pid})" in second.stderr


def test_status_tells_what_runs(village):
    told = command("status", "--data", str(village.data))
    assert told.returncode == 0
    for name in ("testcam", "edge", "centre", "consumer"):
        assert f"pid {village.program(name)['pid']}" in told.stdout
    assert "camera.cam-04" in told.stdout
    assert f"broker     {village.state()['broker']}" in told.stdout


def test_a_mask_from_the_centre_is_the_boxs_own_and_outlives_its_process(village):
    base = f"http://127.0.0.1:{village.port}"
    password = (village.data / "secrets" / "password-admin").read_text().strip()
    with httpx.Client(base_url=f"{base}/api/v1", headers={"origin": base}, timeout=30) as client:
        signed = client.post("/session", json={"username": "admin", "password": password})
        assert signed.status_code == 200, signed.text
        (box,) = {camera["box_id"] for camera in client.get("/wall").json()["cameras"]}

        def given(kind, **arguments):
            asked = {"kind": kind, "arguments": arguments, "reason": "灶台冒烟"}
            answer = client.post(f"/boxes/{box}/commands", json=asked)
            assert answer.status_code == 202, answer.text
            return answer.json()["id"]

        def outcome(command_id):
            items = client.get(f"/boxes/{box}/commands").json()["items"]
            (one,) = [each for each in items if each["id"] == command_id]
            return one["state"], one["why"]

        def masked():
            answer = client.get(f"/boxes/{box}/edge/v1/health")
            return answer.is_success and answer.json()["components"]["masks"]["figures"]

        rule = {"camera_id": "cam-04", "rule_id": "gathering"}
        # What the administrator draws it on; a camera that is just live has none yet.
        picture = f"/boxes/{box}/edge/v1/cameras/cam-04/snapshot.jpg"
        wait_until(lambda: client.get(picture).headers["content-type"] == "image/jpeg", 60)
        mask = given("mask", **rule, exclude=[[[0, 0], [0.5, 0], [0.5, 0.5]]])
        wait_until(lambda: outcome(mask) == ("done", ""), 60)
        wait_until(lambda: masked() == {"cam-04/gathering": 1}, 60)
        os.kill(village.program("edge")["pid"], signal.SIGKILL)
        wait_until(lambda: masked() == {"cam-04/gathering": 1}, 60)
        undo = given("mask", **rule, undo=True)
        wait_until(lambda: outcome(undo) == ("done", ""), 60)
        wait_until(lambda: masked() == {}, 60)
        clock = given("sync_clock")
        said = {("done", "clock_was_right"), ("refused", "may_not_set_clock")}
        wait_until(lambda: outcome(clock) in said, 60)


@pytest.mark.parametrize("name", ["edge", "testcam", "centre", "consumer"])
def test_a_killed_program_comes_back(village, name):
    before = village.program(name)
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: village.program(name)["starts"] > before["starts"], 30)
    wait_until(lambda: village.program(name)["pid"] not in (None, before["pid"]), 30)


def test_a_killed_broker_comes_back(village):
    told = village.data / "broker" / "broker.pid"
    before = int(told.read_text())
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: int(told.read_text()) != before, 30)
    assert psutil.pid_exists(int(told.read_text()))


def test_a_second_start_finds_its_data_and_a_killed_launcher_leaves_nothing(tmp_path):
    require_interface()
    data = tmp_path / "data"
    prepare_clips(data)
    first = RunningVillage(data, "--broker", "embedded")
    try:
        first.wait_live()
        assert "内置消息服务:只供一个村或试用" in first.output.read_text()
        assert "for one village or a trial" in first.state()["broker_advice"]
        secrets = {path.name: path.read_text() for path in (data / "secrets").iterdir()}
        family = first.family()
        first.kill()
        _, left = psutil.wait_procs(family, timeout=20)
        assert left == []
        recorded = sorted((data / "edge" / "recordings").rglob("*.mp4"))
        second = RunningVillage(data, "--broker", "embedded")
        try:
            second.wait_live()
            assert {path.name: path.read_text() for path in (data / "secrets").iterdir()} == secrets
            assert recorded
            assert all(path.exists() for path in recorded)
            assert second.stop() == 0
        finally:
            second.kill()
    finally:
        first.kill()


@pytest.mark.postgres
def test_one_setting_puts_the_village_into_postgresql(tmp_path):
    require_interface()
    data = tmp_path / "data"
    prepare_clips(data)
    with running_postgres() as server:
        url = server.new_database().set(drivername="postgresql")
        running = RunningVillage(data, "--database", url.render_as_string())
        try:
            running.wait_live()
            assert running.stop() == 0
        finally:
            running.kill()
        database = Database(url)
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(Camera)) == 4
        database.close()
    assert not (data / "central.db").exists()


def test_a_camera_address_with_a_password_is_refused_and_not_repeated(tmp_path):
    require_interface()
    line = ["--data", str(tmp_path), "--port", "0", "--camera", "rtsp://admin:geheim@192.0.2.1/1"]
    refused = command("run", *line)
    assert refused.returncode == 1
    assert "CAMERA_PASSWORD" in refused.stderr
    assert "geheim" not in refused.stdout + refused.stderr
