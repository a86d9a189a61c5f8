"""The service as a process: ready, stopped by SIGTERM while browsers are connected."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from central.__main__ import main
from central.errors import StoreUnavailableError
from central.relay import router
from tests.support.tools import ROOT
from tests.support.waiting import wait_until
from tests.support.xiacun import BOX, BOX_TOKEN

CONFIG = """
[village]
name = "下村"
region_code = "532324001002"
[http]
port = 0
[mqtt]
password = { env = "TANSHAO_MQTT" }
"""


@pytest.fixture
def process(tmp_path, monkeypatch):
    config = tmp_path / "central.toml"
    config.write_text(CONFIG, encoding="utf-8")
    password = tmp_path / "password"
    password.write_text("wall-password\n", encoding="utf-8")
    where = ["--config", str(config)]
    main(["migrate", *where])
    user = ["--username", "wall", "--role", "wall", "--name", "大屏"]
    main(["add-user", *where, *user, "--password-file", str(password)])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        running = subprocess.Popen(
            [sys.executable, "-m", "central", "serve", *where],
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "TANSHAO_MQTT": "x"},
        )
        try:
            yield running, systemd
        finally:
            running.kill()
            running.wait()
            assert running.stderr is not None
            running.stderr.close()


def ready_port(running: subprocess.Popen) -> int:
    assert running.stderr is not None
    for line in running.stderr:
        said = json.loads(line)
        if said["event"] == "serve.ready":
            return int(said["port"])
    raise AssertionError("it never was ready")


def test_it_says_when_it_is_ready_and_stops_at_once_with_browsers_connected(process):
    running, systemd = process
    url = f"http://127.0.0.1:{ready_port(running)}"
    assert systemd.recv(100) == b"READY=1"
    with httpx.Client(base_url=f"{url}/api/v1", headers={"origin": url}) as wall:
        body = {"username": "wall", "password": "wall-password"}
        assert wall.post("/session", json=body).status_code == 200
        with wall.stream("GET", "/feed", timeout=30) as feed:
            lines = feed.iter_lines()
            assert next(lines) == "event: reset"
            running.send_signal(signal.SIGTERM)
            assert "data: {}" in list(lines)  # the stream ends by itself
    assert running.wait(20) == 0
    assert systemd.recv(100) == b"STOPPING=1"


def test_viewers_of_live_video_sign_in_first_and_come_from_our_page(centre):
    host = centre.url.removeprefix("http://")
    live = f"ws://{host}/api/v1/live/{BOX}.cam1/sub"

    def refused(**headers):
        with pytest.raises(InvalidStatus) as caught, connect(live, additional_headers=headers):
            pass
        return caught.value.response.status_code

    with centre.client("wall") as wall:
        cookie = f"tanshao_session={wall.cookies['tanshao_session']}"
    assert refused(origin=centre.url) == 401
    assert refused(cookie=cookie, origin="https://evil.example") == 403
    assert refused(cookie=cookie) == 403
    with connect(live, additional_headers={"cookie": cookie, "origin": centre.url}) as viewer:
        said = [json.loads(viewer.recv(10)) for _ in range(2)]
    assert said == [
        {"op": "live.state", "state": "lost"},
        {"op": "end", "reason": "box_unreachable"},
    ]


def test_a_box_dials_in_with_its_token_and_no_other(centre):
    relay = f"ws://{centre.url.removeprefix('http://')}/api/v1/relay"
    for token, box in (("wrong", BOX), (BOX_TOKEN, "other-box")):
        headers = {"authorization": f"Bearer {token}", "x-box-id": box}
        with (
            pytest.raises(InvalidStatus) as caught,
            connect(relay, additional_headers=headers),
        ):
            pass
        assert caught.value.response.status_code == 403
    headers = {"authorization": f"Bearer {BOX_TOKEN}", "x-box-id": BOX}
    with connect(relay, additional_headers=headers) as connection:
        # The handshake is over a moment before the box is entered among those that are there.
        wait_until(lambda: centre.centre.hub.connected(BOX))
        connection.close()


def test_who_is_signed_out_watches_no_longer(centre, monkeypatch):
    monkeypatch.setattr(router, "CHECK_S", 0.05)
    host = centre.url.removeprefix("http://")
    dialling = {"authorization": f"Bearer {BOX_TOKEN}", "x-box-id": BOX}
    with (
        connect(f"ws://{host}/api/v1/relay", additional_headers=dialling),
        centre.client("duty") as duty,
    ):
        wait_until(lambda: centre.centre.hub.connected(BOX))
        cookie = f"tanshao_session={duty.cookies['tanshao_session']}"
        headers = {"cookie": cookie, "origin": centre.url}
        live = f"ws://{host}/api/v1/live/{BOX}.cam1/sub"
        with connect(live, additional_headers=headers) as viewer:
            wait_until(lambda: centre.centre.hub.viewers() == {BOX: 1})
            assert duty.delete("/session").status_code == 204
            said = [json.loads(words) for words in viewer]
        assert said[-1] == {"op": "end", "reason": "signed_out"}
        wait_until(lambda: centre.centre.hub.viewers() == {BOX: 0})


def test_live_video_goes_on_while_the_database_is_away(centre, monkeypatch):
    asked = threading.Event()

    def away(_token: str) -> None:
        asked.set()
        raise StoreUnavailableError("away")

    host = centre.url.removeprefix("http://")
    dialling = {"authorization": f"Bearer {BOX_TOKEN}", "x-box-id": BOX}
    with (
        connect(f"ws://{host}/api/v1/relay", additional_headers=dialling),
        centre.client("duty") as duty,
    ):
        wait_until(lambda: centre.centre.hub.connected(BOX))
        monkeypatch.setattr(router, "CHECK_S", 0.05)
        cookie = f"tanshao_session={duty.cookies['tanshao_session']}"
        headers = {"cookie": cookie, "origin": centre.url}
        live = f"ws://{host}/api/v1/live/{BOX}.cam1/sub"
        with connect(live, additional_headers=headers):
            wait_until(lambda: centre.centre.hub.viewers() == {BOX: 1})
            monkeypatch.setattr(centre.centre.sessions, "find", away)
            for _ in range(2):
                asked.clear()
                assert asked.wait(10)
            assert centre.centre.hub.viewers() == {BOX: 1}
