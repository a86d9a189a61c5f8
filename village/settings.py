"""What the programs of a run are told: the configuration files of edge and centre."""

import os
import socket
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from protocol.address import holds_login, holds_password, is_address
from village import demo
from village.home import Home, HomeError
from village.toml import Value, dumps

_HEADER = "# Written by `python -m village run` at every start: changes made here are lost.\n\n"
_CAMERA_USER = "CAMERA_USER"
_CAMERA_PASSWORD = "CAMERA_PASSWORD"  # noqa: S105 - a variable's name
_DATABASE_PASSWORD = "DATABASE_PASSWORD"  # noqa: S105 - a variable's name


@dataclass(frozen=True, slots=True)
class Places:
    """Where the programs of this run listen. ``web_host`` is what the centre's page binds."""

    web_host: str
    web_port: int
    edge_port: int
    camera_port: int
    mqtt_port: int

    @property
    def shown_host(self) -> str:
        """Return the host that people type."""
        if self.web_host in ("0.0.0.0", "::"):  # noqa: S104 - a comparison binds nothing
            return _lan_address()
        return self.web_host

    @property
    def web_url(self) -> str:
        """Return the interface's address."""
        return f"http://{self.shown_host}:{self.web_port}"

    @property
    def local_host(self) -> str:
        """Return where programs of this machine reach the centre."""
        return "127.0.0.1" if self.web_host == "0.0.0.0" else self.web_host  # noqa: S104


@dataclass(frozen=True, slots=True)
class Detection:
    """What the detector is told. ``model_dirs`` are searched before the usual places."""

    model: str = "auto"
    model_dirs: tuple[Path, ...] = ()
    fps: float = 2.0


def real_cameras(urls: Sequence[str], home: Home, environ: Mapping[str, str]) -> list[Value]:
    """Return the cameras of ``--camera`` as the edge's configuration takes them.

    One user and password for all, out of the environment. Raises HomeError where one of them is
    missing, or where a URL is none or holds them itself: it would be seen in the list of processes
    and in every log.
    """
    sign_in: dict[str, Value] = {}
    user, word = environ.get(_CAMERA_USER), environ.get(_CAMERA_PASSWORD)
    if bool(user) != bool(word):
        raise HomeError(
            "环境变量 CAMERA_USER 和 CAMERA_PASSWORD 必须同时设置 · "
            f"{_CAMERA_USER} and {_CAMERA_PASSWORD} go together: set both in the environment"
        )
    if user and word:
        password = home.keep("camera-password", word)
        sign_in = {"username": user, "password": {"file": password}}
    cameras: list[Value] = []
    for number, url in enumerate(urls, start=1):
        _check(url)
        cameras.append(
            {
                "id": f"cam-{number:02d}",
                "name": f"摄像机 {number}",
                "grid_code": demo.GRIDS[(number - 1) % len(demo.GRIDS)].code,
                "main_url": url,
                **sign_in,
                "rules": [demo.gathering_count(), demo.fire()],
            }
        )
    return cameras


def _check(url: str) -> None:
    if holds_login(url):
        raise HomeError(
            "摄像机地址里不能写用户名和密码;请改用环境变量 CAMERA_USER 和 CAMERA_PASSWORD · "
            "a camera's address must not hold a user or password: "
            f"set {_CAMERA_USER} and {_CAMERA_PASSWORD} in the environment"
        )
    if not is_address(url, frozenset({"rtsp", "rtsps"})):
        raise HomeError(
            "摄像机地址应为 rtsp://主机/路径 · a camera's address must be rtsp://host/path"
        )


def demo_cameras(places: Places) -> list[Value]:
    """Return the demo's four cameras as the edge's configuration takes them."""
    base = f"rtsp://127.0.0.1:{places.camera_port}"
    cameras: list[Value] = []
    for camera in demo.CAMERAS:
        entry: dict[str, Value] = {
            "id": camera.id,
            "name": camera.name,
            "grid_code": camera.grid.code,
            "place": camera.place,
            "main_url": f"{base}/{camera.id}/main",
            "sub_url": f"{base}/{camera.id}/sub",
            "lost_after_s": 15.0,
        }
        if camera is demo.CAMERAS[0]:
            entry |= {"ground": demo.ground(), "rules": [demo.gathering_close(), demo.fire()]}
        else:
            entry |= {"rules": [demo.gathering_count(), demo.fire()]}
        cameras.append(entry)
    return cameras


def edge_document(
    home: Home, places: Places, cameras: Sequence[Value], detection: Detection
) -> str:
    """Return edge.toml."""
    document: dict[str, Value] = {
        "box": {
            "id": demo.BOX_ID,
            "name": demo.BOX_NAME,
            "region_code": demo.REGION_CODE,
            "data_dir": home.folder / "edge",
        },
        "centre": {
            "mqtt_host": "127.0.0.1",
            "mqtt_port": places.mqtt_port,
            "mqtt_tls": False,
            "http_url": f"http://{places.local_host}:{places.web_port}",
            "token": {"file": home.token("box-token")},
        },
        "http": {"port": places.edge_port},
        "recording": {"retention_days": 30, "quota_gb": 20.0},
        "detect": {
            "model": detection.model,
            "model_dirs": list(detection.model_dirs),
            "fps": detection.fps,
        },
        "cameras": list(cameras),
    }
    return _HEADER + dumps(document)


def database(url: str | None, home: Home, environ: Mapping[str, str]) -> dict[str, Value]:
    """Return where the centre keeps everything: a file in the data folder, or ``--database``.

    Its password comes out of the environment. Raises HomeError where the URL holds one, as it would
    be seen in the list of processes.
    """
    if url is None:
        return {"url": f"sqlite:///{home.folder / 'central.db'}"}
    if holds_password(url):
        raise HomeError(
            "数据库地址里不能写密码;请改用环境变量 DATABASE_PASSWORD · a database's address must "
            f"not hold a password: set {_DATABASE_PASSWORD} in the environment"
        )
    section: dict[str, Value] = {"url": url}
    if password := environ.get(_DATABASE_PASSWORD):
        section["password"] = {"file": home.keep("database-password", password)}
    return section


def central_document(
    home: Home, places: Places, database: dict[str, Value], *, keeps_examples: bool = False
) -> str:
    """Return central.toml."""
    document: dict[str, Value] = {
        "village": {
            "name": demo.VILLAGE,
            "region_code": demo.REGION_CODE,
            "time_zone": demo.TIME_ZONE,
        },
        "database": database,
        "http": {
            "host": places.web_host,
            "port": places.web_port,
            "public_url": places.web_url,
        },
        "mqtt": {
            "host": "127.0.0.1",
            "port": places.mqtt_port,
            "tls": False,
            "password": {"file": home.token("centre-token")},
        },
        "evidence": {"folder": home.folder / "evidence"},
        "examples": {"keep": keeps_examples, "folder": home.folder / "examples"},
    }
    return _HEADER + dumps(document)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def camera_port(before: Path) -> int:
    """Return where the demo's cameras listen: as in the run that wrote ``before``, if that is free.

    A camera that was changed at the box while it ran is kept there with its address.
    """
    try:
        first = tomllib.loads(before.read_text(encoding="utf-8"))["cameras"][0]
        address = urlsplit(str(first["main_url"]))
        if first["id"] == demo.CAMERAS[0].id and address.hostname == "127.0.0.1" and address.port:
            check_port(address.hostname, address.port)
            return address.port
    except (OSError, ValueError, LookupError, HomeError):
        return free_port()
    return free_port()


def check_port(host: str, port: int) -> None:
    """Raise HomeError where the interface's port is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise HomeError(
                f"{host}:{port}: 端口不可用,请用 --port 另选 · can't be used "
                f"({os.strerror(error.errno or 0)}); choose another with --port"
            ) from error


def answers(port: int) -> bool:
    """Return whether something listens on this port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _lan_address() -> str:
    """Return this machine's address on its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of RFC 5737 that nobody has
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address
