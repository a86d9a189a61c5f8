"""Changes taken by a real box while real cameras are recorded."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from edge.__main__ import main
from edge.settings.desk import SettingsDesk
from edge.settings.effective import ConfigFile, effective
from edge.settings.store import SettingsStore
from edge.toml_text import toml_text
from protocol.clock import SystemClock
from protocol.codec import decode
from protocol.messages import AlertMessage, AlertOp
from tests.support.desk_box import occurrence, open_desk
from tests.support.edge_process import EdgeProcess, written
from tests.support.rtsp import TestCamera, make_clip
from tests.support.waiting import wait_until

FPS = 25
WHO: dict[str, Any] = {"actor": "李秀英 (admin)", "reason": "新装"}


@pytest.fixture
def cameras(tmp_path: Path) -> Iterator[TestCamera]:
    clip = make_clip(tmp_path / "main.h264", frames=2 * FPS, fps=FPS, gop=FPS)
    small = make_clip(
        tmp_path / "sub.h264", frames=2 * FPS, fps=FPS, gop=FPS, width=256, height=144
    )
    mounts = {"/gate": (clip, FPS), "/road": (clip, FPS), "/sub": (small, FPS)}
    with TestCamera(mounts) as running:
        yield running


def table(cameras: TestCamera, camera_id: str, **more: Any) -> dict[str, Any]:
    url = cameras.url("/gate" if camera_id == "square" else f"/{camera_id}")
    known = {"id": camera_id, "name": "老街", "grid_code": "533102105203001", "main_url": url}
    return {**known, **more}


class Village:
    """A box with one camera, and whoever changes its settings from outside."""

    def __init__(self, folder: Path, *tables: dict[str, Any]) -> None:
        self.folder = folder
        self.config = written(folder, toml_text({"cameras": list(tables)}))
        self.box = EdgeProcess(self.config)

    @property
    def desk(self) -> SettingsDesk:
        file = ConfigFile.read(self.config)
        store = SettingsStore.of(file.config, SystemClock())
        return SettingsDesk(file, store, effective(file, store))

    def taken(self) -> None:
        """Wait until the box runs again, with what was changed."""
        self.box.url = self.box.wait_event("edge.ready")["url"]

    def save(self, camera: dict[str, Any]) -> None:
        self.desk.save(camera, None, **WHO)
        self.taken()

    def remove(self, camera_id: str) -> None:
        self.desk.remove(camera_id, **WHO)
        self.taken()

    def component(self, name: str) -> dict[str, Any]:
        return self.box.get("/v1/health")["components"][name]

    def is_live(self, camera_id: str) -> bool:
        return self.component(f"camera.{camera_id}")["condition"] == "ok"

    def names(self) -> dict[str, str]:
        return {each["camera_id"]: each["name"] for each in self.box.get("/v1/cameras")["cameras"]}

    def rows(self, sql: str) -> list[tuple]:
        with closing(sqlite3.connect(self.folder / "data/box.db", timeout=30)) as database:
            return database.execute(sql).fetchall()

    def files(self, camera_id: str) -> int:
        return self.rows(f"select count(*) from segment where camera_id = '{camera_id}'")[0][0]

    def records_on(self, camera_id: str, files: int = 1) -> None:
        """Wait until that many more files of the camera are complete."""
        before = self.files(camera_id)
        wait_until(lambda: self.files(camera_id) >= before + files, 30)


def assert_without_a_hole(village: Village, camera_id: str) -> None:
    """Check that a camera was recorded in one run, picture after picture."""
    rows = village.rows(
        "select run_id, start_dts, duration from segment"
        f" where camera_id = '{camera_id}' and stream = 'main' order by start_us"
    )
    assert len(rows) >= 2
    assert len({run for run, _, _ in rows}) == 1
    assert all(before[1] + before[2] == after[1] for before, after in pairwise(rows))


def test_a_camera_is_added_renamed_and_removed_and_the_other_loses_no_picture(tmp_path, cameras):
    village = Village(tmp_path, table(cameras, "gate"))
    with village.box:
        url = village.box.url
        began = village.box.get("/v1/health")["started_at"]
        village.records_on("gate")

        village.save(table(cameras, "road"))
        wait_until(lambda: village.is_live("road"), 30)
        village.records_on("road", 2)
        with connect(f"{url.replace('http', 'ws', 1)}/v1/live/road/main", proxy=None) as viewer:
            assert json.loads(viewer.recv(10)) == {"op": "live.state", "state": "live"}
            assert json.loads(viewer.recv(10))["op"] == "live.open"

        village.save(table(cameras, "gate", name="大门", place="牌坊", retention_days=60))
        assert village.names() == {"gate": "大门", "road": "老街"}
        village.remove("road")
        assert village.names() == {"gate": "大门"}
        village.records_on("gate", 2)

        assert village.box.url == url
        assert village.box.get("/v1/health")["started_at"] == began
        assert village.component("settings")["figures"] == {"version": 3, "running": 3}
        assert village.box.stop() == 0
    assert_without_a_hole(village, "gate")
    assert_without_a_hole(village, "road")
    gaps = village.rows("select reason, end_us is null from gap where camera_id = 'road'")
    assert gaps == [("camera", 0), ("config", 1)]
    assert village.rows("select distinct reason from gap where camera_id = 'gate'") == [
        ("camera",),
        ("box_off",),
    ]


def test_only_the_stream_that_changes_begins_anew(tmp_path, cameras):
    sub = cameras.url("/sub")
    village = Village(tmp_path, table(cameras, "gate"))
    with village.box:
        village.records_on("gate")
        village.save(table(cameras, "gate", sub_url=sub, record_sub=True))
        wait_until(lambda: village.rows("select 1 from segment where stream = 'sub'"), 30)
        village.save(table(cameras, "gate", sub_url=cameras.url("/road"), record_sub=True))
        wait_until(
            lambda: village.rows("select 1 from segment where stream = 'sub' and width = 320"), 30
        )
        village.box.stop()
    assert_without_a_hole(village, "gate")
    runs = village.rows("select count(distinct run_id) from segment where stream = 'sub'")
    assert runs == [(2,)]
    gaps = village.rows("select reason from gap where stream = 'sub' order by start_us")
    assert [reason for (reason,) in gaps] == ["camera", "config", "camera", "box_off"]


def test_open_alerts_go_over_and_are_neither_ended_nor_raised_twice(tmp_path, cameras):
    rules = [{"id": "crowd", "kind": "gathering", "regions": [{"id": "all"}]}]
    dead = table(cameras, "gate", main_url="rtsp://127.0.0.1:9/none", lost_after_s=5)
    square = table(cameras, "square", rules=rules)
    village = Village(tmp_path, dead, square)
    text = village.config.read_text(encoding="utf-8")
    off = "[detect]\nenabled = false"
    assert off in text
    village.config.write_text(text.replace(off, '[detect]\nmodel = "none-such"'), encoding="utf-8")
    (tmp_path / "data").mkdir()
    crowd = open_desk(tmp_path / "data/box.db", SystemClock())
    crowd.desk.report(occurrence(at=SystemClock().now()))
    crowd.database.close()

    def said(kind: str) -> list[AlertOp]:
        messages = (decode(row[0]) for row in village.rows("select payload from outbox"))
        alerts = [each for each in messages if isinstance(each, AlertMessage)]
        return [each.data.op for each in alerts if each.data.kind.value == kind]

    def is_open(kind: str) -> bool:
        return village.rows(f"select 1 from alert where kind = '{kind}' and ended_us is null") != []

    with village.box:
        wait_until(lambda: is_open("camera_lost"), 60)
        village.save(table(cameras, "road"))
        wait_until(lambda: village.is_live("road"), 30)
        village.remove("road")
        assert (said("gathering"), said("camera_lost")) == ([AlertOp.START], [AlertOp.START])
        assert is_open("gathering")
        assert is_open("camera_lost")
        # The same camera elsewhere: what was open ends once, by what ends it.
        village.save(table(cameras, "gate"))
        wait_until(lambda: not is_open("camera_lost"), 60)
        # A rule that is gone can't end its alert any more.
        village.save({key: value for key, value in square.items() if key != "rules"})
        assert not is_open("gathering")
        village.box.stop()
    assert said("camera_lost") == [AlertOp.START, AlertOp.END]
    assert said("gathering") == [AlertOp.START, AlertOp.END]


def test_a_box_that_is_killed_soon_after_a_change_is_back_without_it(tmp_path, cameras):
    village = Village(tmp_path, table(cameras, "gate"))
    with village.box:
        village.save(table(cameras, "road"))
        assert set(village.names()) == {"gate", "road"}
        village.box.crash()
        assert set(village.names()) == {"gate"}
        said = village.component("settings")
        assert (said["condition"], said["figures"]) == ("ok", {"version": 2, "running": 2})
        why = "version 1 was undone: the box ended within 30 s of running with it"
        assert said["detail"] == why
        village.save(table(cameras, "road", name="再来"))
        assert village.names()["road"] == "再来"


def test_changes_that_are_damaged_and_a_file_that_is_broken_keep_no_box_from_recording(
    tmp_path, cameras
):
    village = Village(tmp_path, table(cameras, "gate"))
    village.desk.save(table(cameras, "road"), None, **WHO)
    (tmp_path / "data/settings/00000001.json").write_bytes(b"{")
    with village.box:
        assert set(village.names()) == {"gate"}
        said = village.component("settings")
        assert said["condition"] == "degraded"
        assert "version 1 is damaged" in said["detail"]
        village.config.write_text("[box", encoding="utf-8")
        village.box.crash()
        assert set(village.names()) == {"gate"}
        assert "not TOML" in village.component("settings")["detail"]
        village.records_on("gate")


def test_what_was_changed_is_undone_at_the_command_line_and_the_box_follows(
    tmp_path, cameras, capsys
):
    village = Village(tmp_path, table(cameras, "gate"))
    with village.box:
        village.save(table(cameras, "road"))
        given = ["--config", str(village.config)]
        assert main(["config", "show", "--layer", *given]) == 0
        assert 'id = "road"' in capsys.readouterr().out
        assert main(["config", "drop-layer", "--yes", *given]) == 0
        village.taken()
        assert set(village.names()) == {"gate"}
        assert main(["config", "show", "--history", *given]) == 0
        shown = capsys.readouterr().out
        assert "李秀英 (admin): 新装" in shown
