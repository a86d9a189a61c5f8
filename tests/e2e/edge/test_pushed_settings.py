"""Settings pushed to a real box: real broker, centre, camera, and a process that is killed."""

import contextlib
import os
import signal
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from bench import process
from central.auth.tokens import hash_token
from central.commands.dispatch import CommandDispatch
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box, Region
from central.ingest.inbox import DatabaseInbox
from protocol.clock import SystemClock
from tests.support.desk_box import BOX, REGION, TOKEN
from tests.support.edge_process import EdgeProcess
from tests.support.line import consuming, start_broker
from tests.support.rtsp import TestCamera, make_clip
from tests.support.waiting import wait_until
from tests.support.web_centre import enter_accounts, running_centre
from tests.support.xiacun import DEADLINES, enter_village
from village.broker.broker import BrokerKind

FPS = 25
#: A trial of the shortest time there is, and what goes before and after it.
TRIAL_S = 120.0


@dataclass
class Line:
    """A centre, the broker between, and a box that records a camera which speaks TCP alone."""

    client: httpx.Client
    edge: EdgeProcess

    def give(self, patch: str | None, **arguments: object) -> str:
        asked = {"undo": True} if patch is None else {"patch": patch}
        version = self.settings()["version"]
        body = {"base_version": version, "confirm_within_s": 60} | asked | arguments
        answer = self.client.post(
            f"/boxes/{BOX}/commands",
            json={"kind": "configure", "arguments": body, "reason": "调参"},
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def command(self, command_id: str) -> dict[str, Any]:
        found = self.client.get(f"/boxes/{BOX}/commands").json()["items"]
        return next(each for each in found if each["id"] == command_id)

    def ended(self, command_id: str, within_s: float = 30.0) -> tuple[str, str, str]:
        """Return state, reason and words once a command is over."""
        states = {"queued", "sent", "accepted"}
        wait_until(lambda: self.command(command_id)["state"] not in states, within_s)
        command = self.command(command_id)
        return command["state"], command["why"], command["detail"]

    def settings(self) -> dict[str, Any]:
        return self.edge.get("/v1/settings")

    def fps(self) -> float:
        return float(tomllib.loads(self.settings()["toml"])["detect"]["fps"])

    def takes(self, version: int) -> None:
        """Wait until the box runs with a version, and answers again."""

        def runs() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return bool(self.settings()["running"] == version)
            return False

        wait_until(runs, 30.0)

    def is_live(self) -> bool:
        (camera,) = self.edge.get("/v1/cameras")["cameras"]
        return all(stream["state"] == "live" for stream in camera["streams"])

    def kill(self) -> None:
        """Kill the process that does the work; its parent forks it again."""
        (worker,) = process.children(self.edge._process.pid)
        os.kill(worker, signal.SIGKILL)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    clip = make_clip(tmp_path / "main.h264", frames=2 * FPS, fps=FPS, gop=FPS)
    database = Database(URL.create("sqlite", database=str(tmp_path / "central.db")))
    migrate(database, SystemClock())
    enter_village(database)
    enter_accounts(database)
    with database.write() as session:
        session.add(Region(code=REGION, name="老寨"))
        session.flush()
        session.add(Box(id=BOX, region_code=REGION, name="老寨", token_sha256=hash_token(TOKEN)))
    with contextlib.ExitStack() as stack:
        stack.callback(database.close)
        broker = start_broker(tmp_path, BrokerKind.EMBEDDED)
        stack.callback(broker.close)
        centre = stack.enter_context(running_centre(database, SystemClock(), tmp_path))
        inbox = DatabaseInbox(database, SystemClock(), DEADLINES)
        dispatch = CommandDispatch(database, SystemClock())
        stack.enter_context(consuming(broker, inbox, dispatcher=dispatch, dispatch_every_s=0.1))
        camera = stack.enter_context(TestCamera({"/main": (clip, FPS)}, kind="python"))
        config = box_file(tmp_path, centre.url, broker.port, camera.url("/main"))
        edge = stack.enter_context(EdgeProcess(config))
        made = Line(stack.enter_context(centre.client("admin")), edge)
        wait_until(made.is_live, 20.0)
        yield made


def box_file(folder: Path, centre_url: str, mqtt_port: int, camera_url: str) -> Path:
    (folder / "token").write_text(TOKEN)
    path = folder / "edge.toml"
    path.write_text(
        f"""
[box]
id = "{BOX}"
name = "老寨"
region_code = "{REGION}"
data_dir = "data"
[centre]
mqtt_host = "127.0.0.1"
mqtt_port = {mqtt_port}
mqtt_tls = false
http_url = "{centre_url}"
token = {{ file = "token" }}
[http]
port = 0
[recording]
segment_s = 2
[detect]
enabled = false
fps = 2
[[cameras]]
id = "square"
name = "文化广场"
grid_code = "{REGION}004"
main_url = "{camera_url}"
""",
        encoding="utf-8",
    )
    return path


def test_a_good_push_is_looked_at_tried_and_kept_and_undone(line):
    look = line.give("[detect]\nfps = 4", check_only=True)
    assert line.ended(look) == ("done", "checked", "detect.fps: 2.0 → 4.0")
    bad = line.give('[detect]\nfps = 99\n[[cameras]]\nid = "square"\ntransport = "x"')
    state, why, words = line.ended(bad)
    assert (state, why) == ("refused", "settings")
    assert "'detect.fps': Input should be less than or equal to 25, not 99" in words
    assert "cameras.0.transport" in words
    assert line.settings()["version"] == 0
    through_the_centre = line.client.get(f"/boxes/{BOX}/edge/v1/settings")
    assert through_the_centre.json() == line.settings()

    pushed = line.give("[detect]\nfps = 4")
    line.takes(1)
    assert line.settings()["on_trial"] is True
    assert line.ended(pushed, TRIAL_S) == ("done", "kept", "version 1\ndetect.fps: 2.0 → 4.0")
    assert (line.settings()["on_trial"], line.fps()) == (False, 4.0)

    stale = line.give("[detect]\nfps = 8", base_version=0)
    assert line.ended(stale)[:2] == ("refused", "version")
    undone = line.give(None)
    assert line.ended(undone, TRIAL_S) == ("done", "kept", "version 2\ndetect.fps: 4.0 → 2.0")
    assert line.fps() == 2.0


def test_a_push_that_cuts_the_box_off_is_taken_back_by_itself_and_said(line):
    pushed = line.give('[centre]\nmqtt_port = 9\n[[cameras]]\nid = "square"\ntransport = "udp"')
    line.takes(1)
    wait_until(lambda: not line.is_live(), 20.0)
    state, why, words = line.ended(pushed, TRIAL_S)
    assert (state, why) == ("failed", "rolled_back")
    assert "within 60 s the centre was not heard and square/main did not come back" in words
    assert line.settings()["version"] == line.settings()["running"] == 2
    wait_until(line.is_live, 20.0)
    assert "mqtt_port = 9\n" not in line.settings()["toml"]


def test_a_box_that_is_killed_on_trial_goes_on_with_it_and_is_kept(line):
    pushed = line.give("[detect]\nfps = 4")
    line.takes(1)
    line.kill()
    line.edge.url = line.edge.wait_event("edge.ready")["url"]
    line.edge.url = line.edge.wait_event("edge.ready")["url"]
    assert line.ended(pushed, TRIAL_S)[:2] == ("done", "kept")
    assert line.fps() == 4.0


def test_a_push_that_a_box_dies_of_is_taken_back_at_its_fourth_start(line):
    pushed = line.give("[detect]\nfps = 4")
    line.takes(1)
    line.edge.url = line.edge.wait_event("edge.ready")["url"]
    for _ in range(3):
        line.edge.crash()
    state, why, words = line.ended(pushed, TRIAL_S)
    assert (state, why) == ("failed", "rolled_back")
    assert "the box ended 3 times before it had proved itself" in words
    assert (line.settings()["version"], line.fps()) == (2, 2.0)
