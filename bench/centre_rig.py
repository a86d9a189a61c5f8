"""A centre for a few minutes: its files, who signs in at its broker, and its programs to start."""

import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import URL

from bench.program import Program
from protocol.topics import CENTRE_USER
from village.broker.broker import Broker
from village.toml import Value, dumps

#: What the wall signs in with.
WALL, WALL_PASSWORD = "wall", "password-of-the-wall"

_CENTRE_TOKEN = "token-of-the-centre"


def token_of(name: str) -> str:
    """Return what a box, or the centre, signs in with at the broker: on loopback, for minutes."""
    return _CENTRE_TOKEN if name == CENTRE_USER else f"token-of-the-box-{name}"


def credentials(boxes: Iterable[str]) -> dict[str, SecretStr]:
    """Return the broker's users: the boxes and the centre."""
    return {name: SecretStr(token_of(name)) for name in (*boxes, CENTRE_USER)}


class CentreRig:
    """A centre on a database and a broker that are there; it will listen at ``url``."""

    def __init__(self, folder: Path, database: URL, broker: Broker, region: str) -> None:
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._folder = folder
        self._database = database
        self._broker = broker
        self._region = region

    def enter(self, boxes: Sequence[str]) -> None:
        """Make the database and enter one village with its boxes. Raises CalledProcessError."""
        (self._folder / "token").write_text(token_of(CENTRE_USER))
        (self._folder / "wall").write_text(WALL_PASSWORD)
        config: dict[str, Value] = {
            "village": {"name": "下村", "region_code": self._region},
            "database": {"url": self._database.render_as_string()},
            "http": {"port": self._port, "public_url": self.url},
            "mqtt": {
                "host": self._broker.host,
                "port": self._broker.port,
                "tls": False,
                "password": {"file": "token"},
            },
        }
        entered: list[Value] = []
        for name in boxes:
            token = self._folder / f"token-{name}"
            token.write_text(token_of(name))
            entered.append({"id": name, "name": name, "token": {"file": token}})
        wall: dict[str, Value] = {
            "username": WALL,
            "role": "wall",
            "name": "值班大屏",
            "password": {"file": self._folder / "wall"},
        }
        seed: dict[str, Value] = {
            "grids": [{"code": f"{self._region}001", "name": "第一网格"}],
            "users": [wall],
            "boxes": entered,
        }
        self._config.write_text(dumps(config), encoding="utf-8")
        seed_file = self._folder / "seed.toml"
        seed_file.write_text(dumps(seed), encoding="utf-8")
        subprocess.run(
            [*self._command("setup"), "--file", str(seed_file)],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def consumer(self) -> Program:
        """Return the consumer, not started."""
        return Program(self._command("consume"), self._folder / "centre.log")

    def service(self) -> Program:
        """Return the web service, not started."""
        return Program(self._command("serve"), self._folder / "serve.log")

    @property
    def _config(self) -> Path:
        return self._folder / "centre.toml"

    def _command(self, command: str) -> list[str]:
        return [sys.executable, "-m", "central", command, "--config", str(self._config)]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
