"""A real edge process for tests: ``python -m edge run``, its log and its HTTP interface."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from bench import process
from tests.support.tools import ROOT

READY_S = 30.0


def written(folder: Path, cameras: str = "") -> Path:
    """Write the configuration of a box that records these cameras, in files of 2 s, and no more."""
    path = folder / "edge.toml"
    path.write_text(
        f"""
[box]
id = "box-01"
name = "青石村"
region_code = "533102105203"
data_dir = "data"
[http]
port = 0
[recording]
segment_s = 2
[detect]
enabled = false
{cameras}
""",
        encoding="utf-8",
    )
    return path


class EdgeProcess:
    """A running box. Its log is JSON lines on standard error; ``url`` is known once it is ready."""

    def __init__(self, config: Path) -> None:
        self._config = config
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.url = ""
        self.log: list[str] = []  # all lines so far

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "--config", str(self._config)],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.wait_event("edge.ready")["url"]

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self.log.append(line)
                self._events.put(json.loads(line))

    def wait_event(self, name: str, within_s: float = READY_S) -> dict[str, Any]:
        """Return the next log event of that name."""
        while True:
            event = self._events.get(timeout=within_s)
            if event["event"] == name:
                return event

    def get(self, path: str, **query: str) -> Any:
        answer = httpx.get(self.url + path, params=query, timeout=10, verify=False)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(self.url + path, json=body, timeout=10, verify=False)
        answer.raise_for_status()
        return answer.json()

    def children(self, module: str) -> list[psutil.Process]:
        """Return the processes of the box that run a module of ours."""
        family = psutil.Process(self._process.pid).children(recursive=True)
        return [each for each in family if module in each.cmdline()]

    def crash(self) -> None:
        """Kill the process that does the work, and wait until its successor is ready."""
        (worker,) = process.children(self._process.pid)
        os.kill(worker, signal.SIGKILL)
        self.url = self.wait_event("edge.ready")["url"]

    def stop(self) -> int:
        """End it as a service manager does; return the exit status."""
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(timeout=20)
        self._read_to_the_end()
        return status

    def kill(self) -> None:
        """End it as a power cut does; idempotent."""
        self._process.kill()
        self._process.wait()
        self._read_to_the_end()

    def _read_to_the_end(self) -> None:
        """Wait for the end of the log; a process of the box that lives on would hold it open."""
        self._reader.join(timeout=20)
        assert not self._reader.is_alive(), "a process of the box outlived it"
