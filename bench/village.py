"""The village under test: started by its own launcher in a fresh folder, asked what it is, stopped.

What is read of it is what the launcher leaves for people: ``village.json``, the configuration it
wrote, the passwords and PINs of its folder, and the log of its test camera.
"""

import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bench import process
from bench.kills import Victim
from bench.program import Program
from edge.config import EdgeConfig, load

_PROGRAMS = {Victim.CENTRE: ("centre", "consumer"), Victim.WHOLE_EDGE: ("edge",)}


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the interface."""

    username: str
    password: str


class Village:
    """A running village in ``folder``. Used as a context; leaving it stops everything.

    ``cameras`` are addresses of cameras to use in place of the demo's.
    """

    def __init__(self, folder: Path, model: str, cameras: Sequence[str] = ()) -> None:
        self.folder = folder
        port = _free_port()
        self.base_url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "village", "run", "--data", str(folder)]
        command += ["--port", str(port), "--model", model]
        for url in cameras:
            command += ["--camera", url]
        log = folder.with_name(f"{folder.name}.log")
        root = Path(__file__).resolve().parents[1]
        self.program = Program(
            command, log, environment={**os.environ, "PYTHONUNBUFFERED": "1"}, folder=root
        )

    def __enter__(self) -> Self:
        self.program.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.program.stop()

    @property
    def box_db(self) -> Path:
        """The box's database."""
        return self.folder / "edge" / "box.db"

    @property
    def centre_db(self) -> Path:
        """The centre's database."""
        return self.folder / "central.db"

    @property
    def edge_url(self) -> str | None:
        """Where the box's own interface is; None until the launcher has said so."""
        url = self._state().get("edge_url")
        return None if url is None else str(url)

    def edge_config(self) -> EdgeConfig:
        """Return what the launcher told the edge."""
        return load(self.folder / "edge.toml")

    def login(self, username: str) -> Login:
        """Return a user with the password that the launcher made."""
        return Login(username, self._secret(f"password-{username}"))

    def pin(self, person_id: str) -> str:
        """Return a person's PIN."""
        return self._secret(f"pin-{person_id}")

    def turns(self, mount: str) -> tuple[datetime, ...]:
        """Return when the test camera began its clip on ``mount``, each time so far."""
        try:
            text = (self.folder / "log" / "testcam.log").read_text(encoding="utf-8")
        except OSError:
            return ()
        return turns_of(text, mount)

    def pids(self, victim: Victim) -> tuple[int, ...]:
        """Return the processes of a part as they are now.

        The edge at work is what its program forked, the detector what that one started; the broker
        notes its own id in its folder.
        """
        if victim is Victim.BROKER:
            return self._broker()
        if victim in {Victim.EDGE, Victim.DETECTOR}:
            above = self.pids(Victim.WHOLE_EDGE if victim is Victim.EDGE else Victim.EDGE)
            return tuple(child for pid in above for child in process.children(pid))
        programs = {each["name"]: each["pid"] for each in self._state().get("programs", [])}
        wanted = (programs.get(name) for name in _PROGRAMS[victim])
        return tuple(pid for pid in wanted if pid is not None)

    def _broker(self) -> tuple[int, ...]:
        try:
            return (int((self.folder / "broker" / "broker.pid").read_text(encoding="ascii")),)
        except (OSError, ValueError):  # it is being started again
            return ()

    def _secret(self, name: str) -> str:
        return (self.folder / "secrets" / name).read_text(encoding="utf-8").strip()

    def _state(self) -> dict[str, Any]:
        try:
            text = (self.folder / "village.json").read_text(encoding="utf-8")
            return dict(json.loads(text))
        except (OSError, ValueError):  # not written yet
            return {}


def turns_of(log: str, mount: str) -> tuple[datetime, ...]:
    """Return when ``mount`` began its clip according to the test camera's log."""
    found = []
    for line in log.splitlines():
        if '"loop"' not in line:
            continue
        event = json.loads(line)
        if event["mount"] == mount:
            found.append(datetime.fromisoformat(event["utc"]))
    return tuple(found)


def is_steady(turns: Sequence[datetime], length_s: float, *, slack_s: float = 0.01) -> bool:
    """Return whether the turns follow each other as a clip of ``length_s`` does, none left out."""
    distances = ((later - earlier).total_seconds() for earlier, later in pairwise(turns))
    return all(abs(distance - length_s) <= slack_s for distance in distances)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
