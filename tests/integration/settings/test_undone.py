"""Changes that can't be started, in a real box: it goes back, and the cameras never notice."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge.app import Edge
from edge.box_process import BoxProcess
from edge.config import EdgeConfig
from edge.db.database import Database
from edge.errors import ConfigError, DamagedError, StorageError
from edge.recording.index import RecordingIndex
from edge.recording.writer import Recorder
from edge.settings.effective import ConfigFile
from edge.settings.store import Standing
from edge.settings.trial import Pace
from edge.toml_text import toml_text
from protocol.clock import SystemClock
from protocol.relay import StreamName
from tests.support.edge_process import written
from tests.support.eventually import eventually
from tests.support.recordings import FAR_AHEAD, LONG_AGO
from tests.support.rtsp import TestCamera, make_clip

pytestmark = pytest.mark.anyio
FPS = 25
WHO: dict[str, Any] = {"actor": "李秀英 (admin)", "reason": "新装"}


@pytest.fixture
def cameras(tmp_path: Path) -> Iterator[TestCamera]:
    clip = make_clip(tmp_path / "main.h264", frames=2 * FPS, fps=FPS, gop=FPS)
    with TestCamera({"/gate": (clip, FPS), "/road": (clip, FPS)}) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path, cameras: TestCamera) -> ConfigFile:
    return ConfigFile.read(written(tmp_path, toml_text({"cameras": [table(cameras, "gate")]})))


def table(cameras: TestCamera, camera_id: str, name: str = "老街") -> dict[str, Any]:
    url = cameras.url(f"/{camera_id}")
    return {"id": camera_id, "name": name, "grid_code": "533102105203001", "main_url": url}


@asynccontextmanager
async def running(process: BoxProcess):
    process.start()
    stopping = asyncio.Event()
    task = asyncio.create_task(process.run(stopping))
    await eventually(lambda: process._is_ready or task.done())
    yield process
    stopping.set()
    await task


def files(process: BoxProcess) -> int:
    return len(process.station.index.segments("gate", StreamName.MAIN, LONG_AGO, FAR_AHEAD))


def assert_without_a_hole(file: ConfigFile) -> None:
    data_dir = file.config.box.data_dir
    with closing(Database(data_dir / "box.db")) as database:
        index = RecordingIndex(database, data_dir / "recordings")
        found = index.segments("gate", StreamName.MAIN, LONG_AGO, FAR_AHEAD)
    assert len(found) >= 2
    assert len({segment.run_id for segment in found}) == 1
    assert all(before.end == after.start for before, after in pairwise(found))


def shy(config: EdgeConfig, *rest: Any) -> Edge:
    """Return an Edge, unless there is a camera on the road."""
    if any(camera.id == "road" for camera in config.cameras):
        return _Failing()
    return Edge(config, *rest)


class _Failing(Edge):
    def __init__(self) -> None:
        pass

    async def run(self, _until: object) -> None:
        raise ConfigError("'road': nothing for us")


async def test_an_edge_that_can_not_be_started_is_undone_and_said(file, cameras):
    async with running(BoxProcess(file, SystemClock(), new_edge=shy)) as process:
        desk = process._desk
        await eventually(lambda: files(process) >= 1, 30)
        await asyncio.to_thread(desk.save, table(cameras, "road"), None, **WHO)
        await eventually(lambda: desk.running() == 2 and process._is_ready, 30)
        assert [camera.id for camera in desk.cameras()] == ["gate"]
        said = desk.component()
        assert said.detail == "version 1 was undone: 'road': nothing for us"
        assert "road" not in {status.camera_id for status in process.station.streams.statuses()}
        before = files(process)
        await eventually(lambda: files(process) >= before + 1, 30)
        await asyncio.to_thread(desk.save, table(cameras, "gate", "大门"), None, **WHO)
        await eventually(lambda: desk.running() == 3 and process._is_ready, 30)
        assert desk.component().detail is None
    assert_without_a_hole(file)


async def test_a_recorder_that_can_not_be_started_is_undone_and_said(file, cameras, monkeypatch):
    start = Recorder.start

    def refuse(recorder: Recorder) -> None:
        if recorder._camera_id == "road":
            raise StorageError("disk I/O error")
        start(recorder)

    monkeypatch.setattr(Recorder, "start", refuse)
    async with running(BoxProcess(file, SystemClock())) as process:
        desk = process._desk
        await eventually(lambda: files(process) >= 1, 30)
        await asyncio.to_thread(desk.save, table(cameras, "road"), None, **WHO)
        await eventually(lambda: desk.running() == 2 and process._is_ready, 30)
        assert desk.component().detail == "version 1 was undone: disk I/O error"
        before = files(process)
        await eventually(lambda: files(process) >= before + 1, 30)
    assert_without_a_hole(file)


async def test_a_first_start_that_a_change_keeps_from_being_ready_is_undone_as_well(file, cameras):
    process = BoxProcess(file, SystemClock())
    process._desk.save(table(cameras, "road"), None, **WHO)
    process.station.close()
    process.station.database.close()
    async with running(BoxProcess(file, SystemClock(), new_edge=shy)) as process:
        await eventually(lambda: process._desk.running() == 2 and process._is_ready, 30)


async def test_what_can_not_be_started_without_any_change_is_an_error_as_ever(file):
    def never(*_given: Any) -> Edge:
        return _Failing()

    process = BoxProcess(file, SystemClock(), new_edge=never)
    process.start()
    with pytest.raises(ConfigError, match="nothing for us"):
        await process.run(asyncio.Event())
    assert not process._store.folder.exists()


async def test_a_version_that_has_run_for_a_while_holds(file, cameras):
    async with running(BoxProcess(file, SystemClock(), pace=Pace(steady_s=0.1))) as process:
        process._desk.save(table(cameras, "road"), None, **WHO)
        await eventually(lambda: process._store.standing() == Standing(accepted=1), 30)


async def test_a_box_that_was_told_to_stop_tries_the_change_again(file, cameras):
    async with running(BoxProcess(file, SystemClock())) as process:
        process._desk.save(table(cameras, "road"), None, **WHO)
        await eventually(lambda: process._desk.running() == 1 and process._is_ready, 30)
        assert process._store.standing() == Standing(accepted=0, tried=1, starts=1)
    assert process._store.standing() == Standing(accepted=0)
    async with running(BoxProcess(file, SystemClock())) as process:
        assert process._desk.running() == 1


async def test_a_box_that_can_not_run_for_other_reasons_has_undone_nothing(file, cameras):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = file.path.read_text(encoding="utf-8")
        port = taken.getsockname()[1]
        file.path.write_text(text.replace("port = 0", f"port = {port}"), encoding="utf-8")
        process = BoxProcess(file.again(), SystemClock())
        process._desk.save(table(cameras, "road"), None, **WHO)
        process.station.close()
        process.station.database.close()
        for _ in range(2):
            process = BoxProcess(file.again(), SystemClock())
            assert [camera.id for camera in process._runs.config.cameras] == ["gate", "road"]
            process.start()
            with pytest.raises(ConfigError, match=str(port)):
                await process.run(asyncio.Event())
    process = BoxProcess(file, SystemClock())
    process.start()
    process.station.database.condemn("found by some query")
    with pytest.raises(DamagedError):
        await process.run(asyncio.Event())
    assert process._store.standing() == Standing(accepted=0)


async def test_a_second_box_on_the_folder_is_refused_before_it_judges_anything(file, cameras):
    async with running(BoxProcess(file, SystemClock())) as process:
        process._desk.save(table(cameras, "road"), None, **WHO)
        await eventually(lambda: process._desk.running() == 1 and process._is_ready, 30)
        with pytest.raises(StorageError, match="in use"):
            BoxProcess(file, SystemClock())
        assert process._desk.version() == 1
