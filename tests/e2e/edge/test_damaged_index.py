"""A real box whose database is damaged goes on recording, and says so."""

import asyncio
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from edge.__main__ import main
from edge.box_process import BoxProcess
from edge.db.database import Database, suspicion
from edge.errors import DamagedError
from edge.recording.rebuild import unsettled
from edge.rescue import HELD_FOR
from edge.settings.effective import ConfigFile
from edge.station import Station
from protocol.clock import SystemClock
from tests.support.edge_process import EdgeProcess, written
from tests.support.rtsp import TestCamera, make_clip
from tests.support.waiting import wait_until

FPS = 25


def segments(edge: EdgeProcess) -> list[dict]:
    now = datetime.now(UTC)
    days = {
        "from": (now - timedelta(hours=1)).isoformat(),
        "to": (now + timedelta(hours=1)).isoformat(),
    }
    return edge.get("/v1/cameras/cam-01/timeline", **days)["segments"]


def test_a_box_whose_database_is_no_database_any_more_goes_on_recording(
    tmp_path, monkeypatch, capsys
):
    clip = make_clip(tmp_path / "main.h264", frames=2 * FPS, fps=FPS, gop=FPS)
    with TestCamera({"/main": (clip, FPS)}) as camera:
        config = written(
            tmp_path,
            f"""
[[cameras]]
id = "cam-01"
name = "村口主路"
grid_code = "533102105203001"
main_url = "{camera.url("/main")}"
""",
        )
        with EdgeProcess(config) as edge:
            wait_until(lambda: len(segments(edge)) >= 2, 30)
            assert edge.stop() == 0
            before = sorted((tmp_path / "data" / "recordings").rglob("*.mp4"))
            with (tmp_path / "data" / "box.db").open("r+b") as file:
                file.write(os.urandom(8192))  # the head and the first table
            edge.start()
            known = len(before)
            wait_until(lambda: len(segments(edge)) >= known + 1, 30)  # the old and a new one
            wait_until(
                lambda: edge.get("/v1/health")["components"]["storage"]["detail"] is not None, 30
            )
            storage = edge.get("/v1/health")["components"]["storage"]
            assert storage["condition"] == "degraded"
            assert "damaged" in storage["detail"]
            assert edge.stop() == 0
    [aside] = (tmp_path / "data").glob("box.db.damaged-*Z")
    assert aside.name in storage["detail"]
    with closing(sqlite3.connect(tmp_path / "data" / "box.db")) as database:
        assert database.execute("select distinct reason from hold").fetchall() == [(HELD_FOR,)]
        opened = database.execute("select kind, ended_us is null from alert").fetchall()
        assert opened == [("storage", 1)]
    capsys.readouterr()
    assert main(["fsck", "--config", str(config), "--level", "bytes"]) == 0, capsys.readouterr()


def test_a_box_that_finds_its_database_damaged_ends_to_be_started_again(tmp_path):
    file = ConfigFile.read(written(tmp_path))
    process = BoxProcess(file, SystemClock())
    process.start()
    process.station.database.condemn("found by some query")
    with pytest.raises(DamagedError, match="found by some query"):
        asyncio.run(process.run(asyncio.Event()))
    assert suspicion(tmp_path.resolve() / "data" / "box.db").exists()
    station = Station(file.config, SystemClock())
    station.start()
    assert unsettled(station.database) is not None
    station.close()
    station.database.close()
    Database(tmp_path / "data" / "box.db").close()
