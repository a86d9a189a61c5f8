"""A whole village started by its own command line, with clips that are made in no time."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from tests.support.rtsp import make_clip
from tests.support.waiting import wait_until
from village import demo, footage
from village.child import ROOT
from village.settings import free_port

LIVE_WITHIN_S = 90.0
STOPPED_WITHIN_S = 15.0


def prepare_clips(data: Path) -> None:
    """Put clips where the demo keeps its own, so that nothing is fetched and nothing encoded."""
    folder = data / "demo"
    folder.mkdir(parents=True)
    main = make_clip(folder / "main.h264", frames=14, fps=7, gop=7, width=768, height=576)
    sub = make_clip(folder / "sub.h264", frames=14, fps=7, gop=7, width=640, height=480)
    views = [camera.view for camera in demo.CAMERAS]
    for view in views:
        (folder / f"{view.camera_id}-main.h264").write_bytes(main.read_bytes())
        (folder / f"{view.camera_id}-sub.h264").write_bytes(sub.read_bytes())
    recipe = {"recipe": footage.RECIPE, "views": [asdict(view) for view in views]}
    note = {"recipe": recipe, "source": footage.Source.ASSETS}
    (folder / "footage.json").write_text(json.dumps(note))


class RunningVillage:
    """``python -m village run`` on ``data``; its output is kept in ``output``."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.port = free_port()
        self.output = data.parent / f"{data.name}.out"
        line = [sys.executable, "-m", "village", "run", "--data", str(data), "--port"]
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [*line, str(self.port), "--testcam", "python", *arguments],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.process = psutil.Process(self._process.pid)

    def state(self) -> dict:
        try:
            return json.loads((self.data / "village.json").read_text())
        except FileNotFoundError:
            return {}

    def program(self, name: str) -> dict:
        return next(entry for entry in self.state()["programs"] if entry["name"] == name)

    def wait_live(self) -> None:
        def live() -> bool:
            assert self._process.poll() is None, self.output.read_text()
            # the file of an earlier run has its time, too
            return self.state().get("pid") == self._process.pid and bool(self.state()["live_at"])

        wait_until(live, LIVE_WITHIN_S)
        assert "cameras live: 4/4" in self.output.read_text()

    def family(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)

    def stop(self) -> int:
        """End it as Ctrl-C in a terminal or ``kill`` does; return its exit status."""
        os.kill(self._process.pid, signal.SIGINT)
        return self._process.wait(STOPPED_WITHIN_S)

    def kill(self) -> None:
        """End it without a chance to tidy up; idempotent."""
        self._process.kill()
        self._process.wait()


def require_interface() -> None:
    if not (ROOT / "central" / "web" / "dist" / "index.html").exists():
        pytest.skip("needs the built interface (make web)")
