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

#: What the consumers sign in with at the broker.
CENTRE_TOKEN = "token-of-the-centre"


def token_of(box_id: str) -> str:
    """Return what a box signs in with at the broker: on loopback, for a few minutes."""
    return f"token-of-the-box-{box_id}"


def credentials(
    boxes: Iterable[str], consumers: Iterable[str] = (CENTRE_USER,)
) -> dict[str, SecretStr]:
    """Return the broker's users: the boxes and the centre's consumers."""
    users = {name: SecretStr(token_of(name)) for name in boxes}
    return users | {name: SecretStr(CENTRE_TOKEN) for name in consumers}


class CentreRig:
    """A centre on a database and a broker that are there; it will listen at ``url``.

    Several ``consumers`` share what boxes send; each is called as it signs in.
    """

    def __init__(
        self,
        folder: Path,
        database: URL,
        broker: Broker,
        region: str,
        consumers: Sequence[str] = (CENTRE_USER,),
    ) -> None:
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._folder = folder
        self._database = database
        self._broker = broker
        self._region = region
        self._consumers = tuple(consumers)

    def enter(self, boxes: Sequence[str]) -> None:
        """Make the database and enter one village with its boxes. Raises CalledProcessError."""
        (self._folder / "token").write_text(CENTRE_TOKEN)
        (self._folder / "wall").write_text(WALL_PASSWORD)
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
        for number, name in enumerate(self._consumers, start=1):
            self._config(name).write_text(dumps(self._configuration(number)), encoding="utf-8")
        seed_file = self._folder / "seed.toml"
        seed_file.write_text(dumps(seed), encoding="utf-8")
        subprocess.run(
            [*self._command("setup", self._consumers[0]), "--file", str(seed_file)],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def consumer(self, name: str = CENTRE_USER) -> Program:
        """Return a consumer, not started."""
        return Program(self._command("consume", name), self._folder / f"{name}.log")

    def service(self) -> Program:
        """Return the web service, not started."""
        return Program(self._command("serve", self._consumers[0]), self._folder / "serve.log")

    def _configuration(self, number: int) -> dict[str, Value]:
        mqtt: dict[str, Value] = {
            "host": self._broker.host,
            "port": self._broker.port,
            "tls": False,
            "password": {"file": "token"},
        }
        if len(self._consumers) > 1:
            mqtt |= {"version": "5", "replica": number}
        return {
            "village": {"name": "下村", "region_code": self._region},
            "database": {"url": self._database.render_as_string()},
            "http": {"port": self._port, "public_url": self.url},
            "mqtt": mqtt,
        }

    def _config(self, consumer: str) -> Path:
        return self._folder / f"{consumer}.toml"

    def _command(self, command: str, consumer: str) -> list[str]:
        return [sys.executable, "-m", "central", command, "--config", str(self._config(consumer))]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
