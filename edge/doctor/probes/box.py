"""Asking the running box, systemd and the kernel how the box is."""

import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import httpx
from pydantic import BaseModel, ValidationError

from edge.config import EdgeConfig, HttpSection
from edge.doctor.box import MachineFacts, PartFacts, ProgramFacts, UnitFacts
from edge.doctor.disk import Expected
from edge.web.server import local_url

UNIT = "tanshao-edge.service"
_ASK_S = 4.0
_SYSTEMCTL_S = 4
_SHOWN = ("LoadState", "ActiveState", "UnitFileState", "NRestarts", "Result", "ExecMainStatus")
_LOCKS = Path("/proc/locks")
_MEMORY = Path("/proc/meminfo")
_ZONES = Path("/sys/class/thermal")


class _Part(BaseModel):
    condition: str
    detail: str | None
    figures: dict[str, int | float | str | None]


class _Health(BaseModel):
    components: dict[str, _Part]


class _Camera(BaseModel):
    camera_id: str
    is_configured: bool
    days: int
    fits_days: float | None


class _Storage(BaseModel):
    used_bytes: int
    cameras: tuple[_Camera, ...]


@dataclass(frozen=True, slots=True)
class RunningBox:
    """What the running box says of itself; nothing where it does not answer."""

    parts: tuple[PartFacts, ...] | None = None
    expected: tuple[Expected, ...] = ()
    used_bytes: int | None = None  # by recordings
    is_connected: bool | None = None  # to the broker; None: it has none, or does not answer
    waiting: int | None = None


def ask(http: HttpSection) -> RunningBox:
    """Return what the box says over its own interface, asked for seconds at most."""
    try:
        with httpx.Client(
            base_url=local_url(http.host, http.port), timeout=_ASK_S, trust_env=False
        ) as client:
            health = _Health.model_validate_json(client.get("/v1/health").content)
            storage = _storage(client)
    except (httpx.HTTPError, OSError, ValidationError):
        return RunningBox()
    bus = health.components.get("bus")
    waiting = None if bus is None else bus.figures.get("outbox_rows")
    return RunningBox(
        parts=tuple(
            PartFacts(name, part.condition, part.detail or "")
            for name, part in health.components.items()
        ),
        expected=_expected(storage),
        used_bytes=None if storage is None else storage.used_bytes,
        is_connected=None if bus is None else bus.condition == "ok",
        waiting=waiting if isinstance(waiting, int) else None,
    )


def _storage(client: httpx.Client) -> _Storage | None:
    """Return what it says of its disk; a disk that is away or hangs is judged on its own."""
    try:
        return _Storage.model_validate_json(client.get("/v1/storage").content)
    except (httpx.HTTPError, ValidationError):
        return None


def _expected(storage: _Storage | None) -> tuple[Expected, ...]:
    if storage is None:
        return ()
    return tuple(
        Expected(camera.camera_id, camera.days, camera.fits_days)
        for camera in storage.cameras
        if camera.is_configured and camera.fits_days is not None
    )


def program(config: EdgeConfig, running: RunningBox) -> ProgramFacts:
    """Return whether the box runs. Its lock is looked at and never taken."""
    return ProgramFacts(
        version=software(),
        lock_pid=lock_holder(config),
        parts=running.parts,
        unit=_unit(),
    )


def lock_holder(config: EdgeConfig) -> int | None:
    """Return the process that holds the box's folder, as the kernel lists it; None: none does."""
    try:
        inode = (config.box.data_dir / "box.lock").stat().st_ino
        return holder_of(inode, _LOCKS.read_text(encoding="ascii"))
    except OSError:
        return None


def holder_of(inode: int, locks: str) -> int | None:
    """Return the process that has locked a file, as ``/proc/locks`` lists it; None: none has."""
    for line in locks.splitlines():
        # 1: FLOCK  ADVISORY  WRITE 1234 fd:01:5678 0 EOF
        fields = line.split()
        if len(fields) > 5 and fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"):  # noqa: PLR2004
            return int(fields[4])
    return None


def machine() -> MachineFacts:
    """Return what the kernel says of memory and heat."""
    memory = _memory()
    return MachineFacts(
        memory_bytes=memory.get("MemTotal"),
        available_bytes=memory.get("MemAvailable"),
        temperature_c=_temperature_c(),
    )


def software() -> str:
    """Return the installed version of the program."""
    try:
        return version("tanshao")
    except PackageNotFoundError:
        return "?"


def _unit() -> UnitFacts | None:
    """Return what systemd says of the service; None where it does not know one."""
    program = shutil.which("systemctl")
    if program is None or not Path("/run/systemd/system").is_dir():
        return None
    try:
        asked = subprocess.run(  # noqa: S603 - a program of the system
            [program, "show", UNIT, f"--property={','.join(_SHOWN)}"],
            capture_output=True,
            timeout=_SYSTEMCTL_S,
            check=False,
            text=True,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return unit_of(asked.stdout)


def unit_of(text: str) -> UnitFacts | None:
    """Return what ``systemctl show`` says of the service; None where there is none."""
    shown = dict(line.partition("=")[::2] for line in text.splitlines())
    if shown.get("LoadState") != "loaded":
        return None
    restarts = shown.get("NRestarts", "")
    return UnitFacts(
        state=shown.get("ActiveState", ""),
        is_enabled=shown.get("UnitFileState") == "enabled",
        restarts=int(restarts) if restarts.isdigit() else 0,
        result=shown.get("Result", ""),
        exit_status=shown.get("ExecMainStatus", ""),
    )


def _memory() -> dict[str, int]:
    try:
        lines = _MEMORY.read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    parted = (line.partition(":") for line in lines if line.endswith(" kB"))
    return {name: int(rest.split()[0]) * 1024 for name, _, rest in parted}


def _temperature_c() -> float | None:
    """Return the hottest zone's temperature."""
    readings = []
    for path in _ZONES.glob("thermal_zone*/temp"):
        try:
            readings.append(int(path.read_text(encoding="ascii")) / 1000)
        except (OSError, ValueError):
            continue  # a zone that is off
    return max(readings, default=None)
